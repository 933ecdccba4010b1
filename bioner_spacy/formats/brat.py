"""The brat standoff format: a folder with a text file and an annotation file for every document.

The format is that of Stenetorp et al., "brat: a web-based tool for NLP-assisted text annotation", EACL 2012. Offsets
count Unicode characters of the text file as it is, line ends of two characters included.

The score of a predicted mention is a note on it. An attribute, the other place for it, has one of the values that the
configuration of a brat server lists, which numbers are not.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Optional

from spacy.tokens import Doc

from ..errors import BionerError, Errors
from ..files import BLANK, numbered_lines, replacing, whole_text
from ..scope import SPANS_KEY
from .document import Mention, OnError, SourceDocument, each_readable, fail, stop
from .export import Annotated, Export
from .format import Format
from .reading import is_pattern, name_in, source_files
from .standoff import MentionBuilder

NAME = "name"
"""The infon of the name of a concept, which lines of normalisation have after its identifier."""

NO_DATABASE = "ID:"
"""Prefix of identifiers without a database, which brat does not have."""

_ANNOTATIONS = (".ann", ".a1")
_ID = re.compile(r"T[0-9]\S*")
_PLACE = re.compile(r"(\S+) ([0-9]{1,9} [0-9]{1,9}(?:;[0-9]{1,9} [0-9]{1,9})*)")
_NORMALISATION = re.compile(r"N[0-9]\S*\tReference (T\S+) (\S+)(?:\t(.*))?")
_SCORE = re.compile(r"#\S*\tAnnotatorNotes (T\S+)\tscore=([0-9]+(?:\.[0-9]+)?(?:e-?[0-9]+)?)")
_OTHER = re.compile(r"[REAMN][0-9][^\t]*\t.*|\*\t.*|#.*", re.DOTALL)
_KINDS = {
    "R": "relation",
    "E": "event",
    "A": "attribute",
    "M": "attribute",
    "N": "normalisation",
    "*": "equivalence",
    "#": "note",
}
_LINE = re.compile(r"[^\n\r]*\S[^\n\r]*")


def read(path: Path, *, mismatch: str = "error", on_error: OnError = stop) -> Iterator[SourceDocument]:
    """Read a folder in brat format, and its subfolders; every pair of NAME.txt and NAME.ann is one document.

    NAME.a1 of the BioNLP shared tasks does for NAME.ann; NAME.a2 beside it, which has events, is counted. Text-bound
    annotations (T) are mentions, normalisations (N) have their concept identifiers and notes `score=...` their scores;
    lines of all other kinds of brat are recognised and counted in a warning. The text of every annotation is compared
    with the text at its offsets, whitespace apart. Other files and hidden ones are left alone.
    All else is as for `Format.read`.

    Yields:
        The documents by name, those of the folder before those of the folders in it. Their path, and the lines of
        their mentions, are those of the annotation file. Identifiers have the path below the folder.
    """
    builder = MentionBuilder(path, mismatch)

    def make(pair: tuple[str, Path, Path]) -> SourceDocument:
        name, text_file, annotation_file = pair
        text = whole_text(text_file)
        mentions = tuple(_mentions(annotation_file, text, builder, on_error))
        return SourceDocument(name, text, mentions, annotation_file, 1, doc_id=name)

    yield from each_readable(_pairs(path, on_error), make, on_error)
    builder.finish()


def read_texts(path: Path, *, on_error: OnError = stop) -> Iterator[SourceDocument]:
    """Read all NAME.txt in a folder and its subfolders, annotated or not; see `read`."""
    files = _files(path)
    if not any(".txt" in kinds for kinds in files.values()):
        raise BionerError(Errors.E130.format(path=path))
    texts = [(name, kinds[".txt"]) for name, kinds in files.items() if ".txt" in kinds]
    return each_readable(
        texts, lambda one: SourceDocument(one[0], whole_text(one[1]), (), one[1], 1, one[0]), on_error
    )


def _files(folder: Path) -> dict[str, dict[str, Path]]:
    """The files of every document: its name, with its subfolder, and its files by their endings."""
    if not (folder.is_dir() or is_pattern(folder)):
        raise BionerError(Errors.E130.format(path=folder))
    found: dict[str, dict[str, Path]] = {}
    for file in source_files(folder):
        ending = Path(file.name.removesuffix(".gz")).suffix
        if ending in (".txt", ".a2", *_ANNOTATIONS):
            found.setdefault(name_in(folder, file), {})[ending] = file
    return dict(sorted(found.items(), key=lambda item: (item[0].count("/"), item[0])))


def _pairs(folder: Path, on_error: OnError) -> list[tuple[str, Path, Path]]:
    """Name, text and annotation file of every document; that all exist is checked before the first is read."""
    pairs = []
    files = {name: kinds for name, kinds in _files(folder).items() if set(kinds) & {".txt", *_ANNOTATIONS}}
    if not files:
        raise BionerError(Errors.E130.format(path=folder))
    for name, kinds in files.items():
        annotation = next((kinds[kind] for kind in _ANNOTATIONS if kind in kinds), None)
        text = kinds.get(".txt")
        if text and annotation:
            pairs.append((name, text, annotation))
        else:
            present, missing = text or annotation, name.rpartition("/")[2] + (".ann" if text else ".txt")
            on_error(BionerError(Errors.E131.format(path=present, missing=missing)))
    return pairs


def _mentions(path: Path, text: str, builder: MentionBuilder, on_error: OnError) -> Iterator[Mention]:
    mentions: dict[str, Mention] = {}
    identifiers: dict[str, list[tuple[str, str]]] = {}
    scores: dict[str, float] = {}
    lines: dict[str, int] = {}  # identifier -> its line
    for line, row in numbered_lines(path):
        if not row.strip(BLANK):
            continue
        if normalisation := _NORMALISATION.fullmatch(row):
            identifier, name = normalisation[2].removeprefix(NO_DATABASE), normalisation[3] or ""
            identifiers.setdefault(normalisation[1], []).append((identifier, name.strip()))
        elif score := _SCORE.fullmatch(row):
            scores[score[1]] = float(score[2])
        elif _OTHER.fullmatch(row):
            builder.add(_KINDS[row[0]], f"{line} of {path.name}")
        else:
            try:
                number, mention = _mention(path, line, row, lines, text, builder)
            except BionerError as error:
                on_error(error)
            else:
                if mention:
                    mentions[number] = mention
    for events in [path.with_suffix(".a2")] if path.suffix == ".a1" else []:
        for line, row in numbered_lines(events) if events.is_file() else ():
            builder.add(_KINDS.get(row[:1], "trigger of an event|triggers of events"), f"{line} of {events.name}")
    for number in sorted({*identifiers, *scores} - set(lines)):
        builder.add("note on what is no mention|notes on what is no mention", f"{number} of {path.name}")
    for number, mention in mentions.items():
        concepts = identifiers.get(number, [])
        names = [name for _, name in concepts if name and name != text[mention.start : mention.end]]
        yield replace(
            mention,
            identifiers=tuple(dict.fromkeys(identifier for identifier, _ in concepts)),
            infons={NAME: ";".join(dict.fromkeys(names))} if names else {},
            score=scores.get(number),
        )


def _mention(
    path: Path, line: int, row: str, lines: dict[str, int], text: str, builder: MentionBuilder
) -> tuple[str, Optional[Mention]]:
    columns = row.split("\t", 2)
    if not _ID.fullmatch(columns[0]):
        fail(path, line, f"{columns[0]!r} is no identifier of an annotation (T1, R1, E1, A1, M1, N1, *, #1)")
    if len(columns) < 3:
        raise BionerError(Errors.E104.format(path=path, line=line, count=len(columns), expected=3))
    if lines.setdefault(columns[0], line) != line:
        fail(path, line, f"the annotation {columns[0]} is already in line {lines[columns[0]]}")
    place = _PLACE.fullmatch(columns[1])
    if not place:
        fail(path, line, f"{columns[1]!r} must be a type and offsets, such as Gene 0 5 or Gene 0 5;16 23")
    fragments = [(int(start), int(end)) for start, end in (pair.split() for pair in place[2].split(";"))]
    return columns[0], builder.mention(path, line, text, label=place[1], fragments=fragments, claimed=columns[2])


def write(docs: Iterable[Doc], path: Path, *, spans_key: str = SPANS_KEY) -> tuple[int, int]:
    """Write a folder in brat format; every document is a pair of NAME.txt and NAME.ann, and annotation.conf has the
    types.

    The name is the identifier of the document, with a number at the end where documents share it. Mentions over line
    breaks have a fragment for every line, as brat wants them. Scores are notes: `#1`, `AnnotatorNotes T1` and
    `score=0.97` in three columns; concept identifiers are normalisations: `N1`, `Reference T1 MESH:D001241` and the
    text of the mention.

    All else is as for `Format.write`. The folder must not be there, or be empty; a label with whitespace is an error.
    """
    not_in_id = r'[\s/\\:*?"<>|\0-\x1f]|^\.'
    export = Export(path, FORMAT, spans_key, label=r"\S+", not_in_id=not_in_id, infons=[NAME])
    names: dict[str, int] = {}
    types: dict[str, None] = {}
    check_output(path)
    with replacing(path, folders=True) as (part,):
        part.mkdir()
        for document in export.documents(docs):
            name = _new_name(document.id, names)
            (part / f"{name}.txt").write_text(document.text, "utf-8", newline="")
            (part / f"{name}.ann").write_text(_annotations(document), "utf-8", newline="")
            types |= dict.fromkeys(mention.label for mention in document.mentions)
        sections = ["[entities]", *sorted(types), "[relations]", "[events]", "[attributes]", ""]
        # Without this file, brat shows no type.
        (part / "annotation.conf").write_text("\n".join(sections), "utf-8", newline="")
    return export.finish()


def _annotations(document: Annotated) -> str:
    rows = []
    normalisations = 0
    for number, mention in enumerate(document.mentions, start=1):
        lines = _lines(document.text, mention)
        offsets = ";".join(f"{start} {end}" for start, end in lines)
        text = re.sub(r"\s", " ", " ".join(document.text[start:end] for start, end in lines))
        rows.append(f"T{number}\t{mention.label} {offsets}\t{text}\n")
        if mention.score is not None:
            rows.append(f"#{number}\tAnnotatorNotes T{number}\tscore={mention.score}\n")
        name = re.sub(r"\s", " ", str(mention.infons.get(NAME) or text))
        for identifier in mention.identifiers:
            normalisations += 1
            entry = re.sub(r"\s", "_", identifier if ":" in identifier else f"{NO_DATABASE}{identifier}")
            rows.append(f"N{normalisations}\tReference T{number} {entry}\t{name}\n")
    return "".join(rows)


def _lines(text: str, mention: Mention) -> list[tuple[int, int]]:
    """The parts of a mention on lines that are not blank."""
    return [match.span() for match in _LINE.finditer(text, mention.start, mention.end)]


def _new_name(doc_id: str, names: dict[str, int]) -> str:
    """A name that no document has yet, whatever its letter case, which some file systems ignore.

    Args:
        doc_id: identifier of the document.
        names: all names so far, each with the last number that it got; the new one is added.
    """
    name, number = doc_id, names.get(doc_id.casefold(), 0)
    while name.casefold() in names:
        number += 1
        name = f"{doc_id}-{number + 1}"
    names[doc_id.casefold()] = number
    names.setdefault(name.casefold(), 0)
    return name


def check_output(path: Path) -> None:
    """Check that a folder can be written: it must not exist, or be empty.

    Raises:
        BionerError: it is there and holds something, or is no folder.
    """
    if path.exists() and not (path.is_dir() and not any(path.iterdir())):
        raise BionerError(Errors.E165.format(path=path))


def _recognises(head: str) -> bool:
    return re.match(r"\s*T[0-9]+\t\S+ [0-9]+ [0-9]+", head) is not None


FORMAT = Format(
    name="brat",
    description="brat standoff: a folder with NAME.txt and NAME.ann (or NAME.a1) for every document",
    read=read,
    write=write,
    read_texts=read_texts,
    folder_endings=_ANNOTATIONS,
    is_folder=True,
    holds=frozenset({"scores", "overlaps", "identifiers", "discontinuous"}),
    check_output=check_output,
    recognises=_recognises,
)
