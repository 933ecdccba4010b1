"""doccano's JSON lines for sequence labelling: one text per line, with a list of start, end and label."""

from collections.abc import Iterable
from pathlib import Path

from spacy.tokens import Doc

from ..scope import SPANS_KEY
from . import textspans
from .export import Annotated, Export, json_line


def write(docs: Iterable[Doc], path: Path, *, spans_key: str = SPANS_KEY) -> tuple[int, int]:
    """Write a file to import in doccano (format JSONL, task sequence labelling), where spans can be corrected.

    Identifiers and what else the source says about documents become metadata. Overlapping spans need a project that
    allows them. Arguments, results and errors are those of `Format.write`.
    """

    export = Export(path, FORMAT, spans_key)

    def render(document: Annotated) -> str:
        spans = [[mention.start, mention.end, mention.label] for mention in document.mentions]
        record = {"doc_id" if "id" in document.meta else "id": document.id, "text": document.text, "label": spans}
        return json_line(export.with_others(record, document.meta))

    return export.write_file(docs, render)


FORMAT = textspans.variant(
    "doccano", "doccano's JSON lines: texts with lists of start, end and label", write, ".jsonl"
)
