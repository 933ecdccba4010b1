"""Writer of JSON lines with texts and spans by characters, which Prodigy and other annotation tools take."""

import json
from collections.abc import Iterable
from pathlib import Path

from spacy.tokens import Doc

from ...scope import SPANS_KEY
from .export import Annotated, Export


def write(docs: Iterable[Doc], path: Path, *, spans_key: str = SPANS_KEY) -> None:
    """Write a file of JSON lines; every document is one line.

    A line has `id`, `text` as it is, and `spans`, with `start`, `end` and `label` in the order of the span group;
    predicted ones have a `score` too.

    Args:
        docs: annotated documents.
        path: the file to write; it is replaced when all documents are written.
        spans_key: key in `doc.spans`.

    Raises:
        BionerError: if there is no document, if one is not annotated or its scores are not as many as its spans, or
            if a label is empty or has whitespace at an end.
    """
    export = Export(path, "textspans", spans_key)

    def render(document: Annotated) -> str:
        spans = []
        for span in document.spans:
            score = {} if span.score is None else {"score": span.score}
            spans.append({"start": span.start, "end": span.end, "label": span.label, **score})
        record = {"id": document.id, "text": document.text, "spans": spans}
        return json.dumps(record, ensure_ascii=False) + "\n"

    export.write_file(docs, render)
