"""PubAnnotation's JSON: an array of texts with denotations."""

import json
from collections.abc import Iterable
from pathlib import Path

from spacy.tokens import Doc

from ..scope import SPANS_KEY
from . import textspans
from .export import ARRAY, Annotated, Export


def write(docs: Iterable[Doc], path: Path, *, spans_key: str = SPANS_KEY) -> tuple[int, int]:
    """Write an array of annotated texts, with the identifier of the document as `sourceid`.

    Arguments, results and errors are those of `Format.write`.
    """

    export = Export(path, FORMAT, spans_key)

    def render(document: Annotated) -> str:
        denotations = [
            {"id": f"T{number}", "span": {"begin": mention.start, "end": mention.end}, "obj": mention.label}
            for number, mention in enumerate(document.mentions, start=1)
        ]
        record = {"sourceid": document.id, "text": document.text, "denotations": denotations}
        return json.dumps(export.with_others(record, document.meta), ensure_ascii=False)

    return export.write_file(docs, render, **ARRAY)


FORMAT = textspans.variant("pubannotation", "PubAnnotation's JSON: texts with denotations", write, ".json")
