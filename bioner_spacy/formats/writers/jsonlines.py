"""Writer of JSON lines: one document a line with its tokens and mentions."""

import json
from collections.abc import Iterable
from pathlib import Path

from spacy.tokens import Doc

from ...scope import SPANS_KEY
from .export import Annotated, Export, in_pieces


def write(docs: Iterable[Doc], path: Path, *, spans_key: str = SPANS_KEY) -> None:
    """Write a JSON lines file; every document is one line.

    Beside what the reader knows, mentions have a `score` where they are predicted. Tokens of whitespace, and
    documents without other tokens, are left out, the latter with a warning.

    Args:
        docs: annotated documents.
        path: the file to write; it is replaced when all documents are written.
        spans_key: key in `doc.spans`.

    Raises:
        BionerError: if there is no document, if one is not annotated or its scores are not as many as its spans, or
            if a label is empty or has whitespace at an end.
    """
    export = Export(path, "jsonlines", spans_key)

    def render(document: Annotated) -> str:
        pieces = [[token] if token.strip() else [] for token in document.tokens]
        tokens = [token for parts in pieces for token in parts]
        if not tokens:
            return export.leave_out(document)
        mentions = []
        for span, (start, end) in zip(document.spans, in_pieces(document.spans, pieces)):
            score = {} if span.score is None else {"score": span.score}
            text = " ".join(tokens[start:end])
            mentions.append({"start": start, "end": end, "entity_type": span.label, "text": text, **score})
        record = {"doc_id": document.id, "tokens": tokens, "entity_mentions": mentions}
        return json.dumps(record, ensure_ascii=False) + "\n"

    export.write_file(docs, render)
