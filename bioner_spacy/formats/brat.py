"""Reader of the brat standoff format: a folder with a text file and an annotation file for every document.

The format is that of Stenetorp et al., "brat: a web-based tool for NLP-assisted text annotation", EACL 2012. Offsets
count Unicode characters of the text file as it is, line ends of two characters included.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

from ..errors import BionerError, Errors
from ..files import BLANK, numbered_lines
from .document import Mention, OnError, SourceDocument, stop
from .standoff import MentionBuilder, decode

_ID = re.compile(r"T[0-9]\S*")
_PLACE = re.compile(r"(\S+) ([0-9]{1,9} [0-9]{1,9}(?:;[0-9]{1,9} [0-9]{1,9})*)")
_OTHER = re.compile(r"[REAMN][0-9][^\t]*\t.*|\*\t.*|#.*", re.DOTALL)
"""Relations, events, attributes (A and M), normalisations, equivalences and notes."""


def read(path: Path, *, mismatch: str = "error", on_error: OnError = stop) -> Iterator[SourceDocument]:
    """Read a folder in brat format; every pair of NAME.txt and NAME.ann is one document.

    Text-bound annotations (T) are mentions; lines of all other kinds of brat are recognised and left out. The text
    of every annotation is compared with the text at its offsets, whitespace apart. Other files and hidden ones are
    left alone.

    Args:
        path: the folder.
        mismatch: what to do with an annotation whose text is not the one at its offsets: "error", or "offsets" to
            believe the offsets and to warn at the end.
        on_error: what to do about a file or an annotation that cannot be read: raise the error, or take note of it, so
            that all of them are found in one go; it is left out then.

    Yields:
        The documents by name. Their path, and the lines of their mentions, are those of the annotation file.

    Raises:
        BionerError: if the folder is missing or holds no document, if one of two files is missing, if a file is not
            UTF-8 or has a malformed line, or if an annotation's text is not the one at its offsets.
    """
    builder = MentionBuilder(path, mismatch)
    for text_file, annotation_file in _pairs(path, on_error):
        try:
            text = decode(text_file, text_file.read_bytes())
            mentions = tuple(_mentions(annotation_file, text, builder, on_error))
        except BionerError as error:
            on_error(error)
            continue
        name = text_file.stem
        yield SourceDocument(name, text, mentions, annotation_file, 1, doc_id=name)
    builder.finish()


def _pairs(folder: Path, on_error: OnError) -> list[tuple[Path, Path]]:
    """The text and the annotation file of every document; all are known to be there before the first is read."""
    if not folder.is_dir():
        raise BionerError(Errors.E130.format(path=folder))
    files = {file for file in folder.iterdir() if file.suffix in (".txt", ".ann") and not file.name.startswith(".")}
    if not files:
        raise BionerError(Errors.E130.format(path=folder))
    for file in sorted(files):
        other = file.with_suffix({".txt": ".ann", ".ann": ".txt"}[file.suffix])
        if other not in files:
            on_error(BionerError(Errors.E131.format(path=file, missing=other.name)))
    texts = sorted((file for file in files if file.suffix == ".txt"), key=lambda file: file.stem)
    return [(file, file.with_suffix(".ann")) for file in texts if file.with_suffix(".ann") in files]


def _mentions(path: Path, text: str, builder: MentionBuilder, on_error: OnError) -> Iterator[Mention]:
    lines: dict[str, int] = {}  # identifier -> its line
    for line, row in numbered_lines(path):
        if not row.strip(BLANK) or _OTHER.fullmatch(row):
            continue
        try:
            yield _mention(path, line, row, lines, text, builder)
        except BionerError as error:
            on_error(error)


def _mention(path: Path, line: int, row: str, lines: dict[str, int], text: str, builder: MentionBuilder) -> Mention:
    columns = row.split("\t", 2)
    if not _ID.fullmatch(columns[0]):
        _fail(path, line, f"{columns[0]!r} is no identifier of an annotation (T1, R1, E1, A1, M1, N1, *, #1)")
    if len(columns) < 3:
        raise BionerError(Errors.E104.format(path=path, line=line, count=len(columns), expected=3))
    if lines.setdefault(columns[0], line) != line:
        _fail(path, line, f"the annotation {columns[0]} stands in line {lines[columns[0]]} already")
    place = _PLACE.fullmatch(columns[1])
    if not place:
        _fail(path, line, f"{columns[1]!r} must be a type and offsets, such as Gene 0 5 or Gene 0 5;16 23")
    fragments = [(int(start), int(end)) for start, end in (pair.split() for pair in place[2].split(";"))]
    return builder.mention(path, line, text, label=place[1], fragments=fragments, claimed=columns[2])


def _fail(path: Path, line: int, reason: str) -> NoReturn:
    raise BionerError(Errors.E106.format(path=path, line=line, reason=reason))
