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

    The title is the first line of the text, or all of it. Other line breaks, and tabs, are written as spaces with a
    warning; offsets are those of the text. The format has no room for scores, and the column of concept identifiers
    is left out.

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
        head, _, rest = document.text.partition("\n")
        text = export.without(_BREAK, document, expressed=1 if rest else 0)
        title, abstract = (text[: len(head)], text[len(head) + 1 :]) if rest else (text, "")
        rows = [f"{document.id}|t|{title}", f"{document.id}|a|{abstract}"]
        for span in document.spans:
            place = f"{span.start}\t{span.end}\t{text[span.start : span.end]}"
            rows.append(f"{document.id}\t{place}\t{span.label}")
        return "\n".join(rows) + "\n\n"

    export.write_file(docs, render)
