"""Writer of the brat standoff format: a folder with a text file and an annotation file for every document.

The score of a predicted span is a note on it. An attribute, the other place for it, has one of the values that the
configuration of a brat server lists, which numbers are not.
"""

import os
import re
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from spacy.tokens import Doc

from ...errors import BionerError, Errors
from ...files import temporary_name
from ...scope import SPANS_KEY
from .export import Annotated, Export, ScoredSpan

_LINE = re.compile(r"[^\n\r]*\S[^\n\r]*")


def write(docs: Iterable[Doc], path: Path, *, spans_key: str = SPANS_KEY) -> None:
    """Write a folder in brat format; every document is a pair of NAME.txt and NAME.ann.

    The name is the identifier of the document, with a number at the end where documents share it. Spans over line
    breaks have a fragment for every line, as brat wants them. Scores are notes: `#1`, `AnnotatorNotes T1` and
    `score=0.97` in three columns.

    Args:
        docs: annotated documents.
        path: the folder to write, which must not be there, or be empty; it is there when all documents are written.
        spans_key: key in `doc.spans`.

    Raises:
        BionerError: if the folder holds files, if there is no document, if one is not annotated or its scores are
            not as many as its spans, or if a label has whitespace.
    """
    export = Export(path, "brat", spans_key, label=r"\S+", not_in_id=r'[\s/\\:*?"<>|\0-\x1f]|^\.')
    names: dict[str, int] = {}
    with _new_folder(path) as part:
        for document in export.documents(docs):
            name = _new_name(document.id, names)
            _write_text(part / f"{name}.txt", document.text)
            _write_text(part / f"{name}.ann", _annotations(document))
    export.finish()


def _annotations(document: Annotated) -> str:
    rows = []
    for number, span in enumerate(document.spans, start=1):
        lines = _lines(document.text, span)
        offsets = ";".join(f"{start} {end}" for start, end in lines)
        text = re.sub(r"\s", " ", " ".join(document.text[start:end] for start, end in lines))
        rows.append(f"T{number}\t{span.label} {offsets}\t{text}\n")
        if span.score is not None:
            rows.append(f"#{number}\tAnnotatorNotes T{number}\tscore={span.score}\n")
    return "".join(rows)


def _lines(text: str, span: ScoredSpan) -> list[tuple[int, int]]:
    """The parts of a span on lines that are not blank."""
    return [match.span() for match in _LINE.finditer(text, span.start, span.end)]


def _new_name(doc_id: str, names: dict[str, int]) -> str:
    """A name that no document has yet, not even in other letter case, which some file systems ignore.

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


def _write_text(path: Path, text: str) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(text)


@contextmanager
def _new_folder(path: Path) -> Iterator[Path]:
    """Write a folder beside its destination and move it there at the end, or leave nothing."""
    if path.exists() and not (path.is_dir() and not any(path.iterdir())):
        raise BionerError(Errors.E165.format(path=path))
    part = temporary_name(path)
    part.mkdir(parents=True)
    try:
        yield part
        if path.exists():
            path.rmdir()
        os.replace(part, path)
    finally:
        shutil.rmtree(part, ignore_errors=True)
