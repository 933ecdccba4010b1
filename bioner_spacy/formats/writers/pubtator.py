"""Writer of the PubTator format: a title, an abstract and annotations with character offsets."""

import re
from collections.abc import Iterable
from pathlib import Path

from spacy.tokens import Doc

from ...scope import SPANS_KEY
from .export import Annotated, Export

_BREAK = re.compile(r"[\n\r\t]")


def write(docs: Iterable[Doc], path: Path, *, spans_key: str = SPANS_KEY) -> None:
    """Write a PubTator file; every document is one record.

    The title is the first of several passages of the document, or else the first line of its text; the abstract is all
    that follows. Line breaks inside of them, and tabs, are written as spaces with a warning; offsets are
    those of the text. The format has no room for scores, and the column of concept identifiers is left out.

    Args:
        docs: annotated documents.
        path: the file to write; it is replaced when all documents are written.
        spans_key: key in `doc.spans`.

    Raises:
        BionerError: if there is no document, if one is not annotated or its scores are not as many as its spans, or
            if a label is empty, has whitespace at an end, or a line break or a tab in it.
    """
    export = Export(path, "pubtator", spans_key, label=r"\S(?:[^\n\r\t]*\S)?", not_in_id=r"[\s|\ufeff]")

    def render(document: Annotated) -> str:
        end = _title_end(document)
        between = document.text[end : end + 1]
        text = export.without(_BREAK, document, expressed=len(_BREAK.findall(between)))
        title, abstract = text[:end], text[end + 1 :]
        rows = [f"{document.id}|t|{title}", f"{document.id}|a|{abstract}"]
        text = title + " " * len(between) + abstract  # as it will be read
        for span in document.spans:
            place = f"{span.start}\t{span.end}\t{text[span.start : span.end]}"
            rows.append(f"{document.id}\t{place}\t{span.label}")
        return "\n".join(rows) + "\n\n"

    export.write_file(docs, render)


def _title_end(document: Annotated) -> int:
    """The place between title and abstract, one character; the end of the text where there is no abstract."""
    if len(document.passages) > 1 and document.passages[0].end < document.passages[1].start:
        return document.passages[0].end
    head, _, rest = document.text.partition("\n")
    return len(head) if rest else len(document.text)
