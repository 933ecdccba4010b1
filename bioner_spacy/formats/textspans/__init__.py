"""JSON with texts and spans by characters, as annotation tools export them: one record per line, or an array.

A record is an object with `text` and, in a list, its spans: `spans` (Prodigy), `label` or `labels` (doccano, Label
Studio's JSON-MIN), `entities` (doccano with relations; training data of older versions of spaCy), `annotations` (older
doccano), `denotations` (PubAnnotation) or `ents` (`doc.to_json()` of spaCy, which has further lists in an object
`spans`); or a text followed by such an object in an array, as spaCy 2 has it. A span is an object with `start`, `end`
and `label`, or with `start_offset`, `end_offset` and `label`, or a list of these three; its `text`, if given, is
compared. Offsets count characters, the end is exclusive.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from spacy.tokens import Doc

from ...scope import SPANS_KEY
from ..document import Mention
from ..export import Annotated, Export, json_line
from ..format import Format
from .reader import SPANS, read, read_texts


def write(docs: Iterable[Doc], path: Path, *, spans_key: str = SPANS_KEY) -> tuple[int, int]:
    """Write a file of JSON lines; every document is one line.

    A line has `id`, `text` and `spans`, with `start`, `end` and `label` in the order of the span group; predicted
    spans also have a `score`, and spans with concept identifiers a `kb_id` (and `identifiers` if there are several).
    Passages are in a list `passages`. Further data of documents and spans keep their keys.

    Arguments, results and errors are those of `Format.write`.
    """

    export = Export(path, FORMAT, spans_key)

    def render(document: Annotated) -> str:
        ids = {"doc_id" if "id" in document.meta else "id": document.id}
        record: dict[str, Any] = {
            **ids,
            "text": document.text,
            "spans": [_span(export, part) for part in document.mentions],
        }
        if document.passages:
            record["passages"] = [
                export.with_others(
                    {"start": passage.start, "end": passage.end, "type": passage.type}, passage.infons or {}
                )
                for passage in document.passages
            ]
        return json_line(export.with_others(record, document.meta))

    return export.write_file(docs, render)


def _span(export: Export, mention: Mention) -> dict[str, Any]:
    kb_id = {"kb_id": mention.identifiers[0]} if mention.identifiers else {}
    return export.with_details({"start": mention.start, "end": mention.end, "label": mention.label, **kb_id}, mention)


def _recognises(head: str) -> bool:
    keys = any(f'"{key}"' in head for key in (*SPANS, "answer"))
    others = '"entity_mentions"' in head or re.search(r'"data"\s*:\s*[{\[]', head) is not None
    passages = '"passages"' in head and '"offset' in head  # BioC and BigBIO
    return (
        keys
        and not others
        and not passages
        and ((('"text"' in head or '"data"' in head) and head.lstrip().startswith(("{", "["))) or _is_pair(head))
    )


def _is_pair(head: str) -> bool:
    """Whether a file begins with a text and its annotation in an array, as spaCy 2 has them."""
    return re.match(r'\s*(\[\s*){1,2}"(?:[^"\\]|\\.)*"\s*,\s*\{\s*"', head) is not None


FORMAT = Format(
    name="textspans",
    description="JSON lines or arrays with texts and spans by character offsets, as of Prodigy, doccano and spaCy",
    read=read,
    write=write,
    read_texts=read_texts,
    endings=(".jsonl",),
    usual_endings=(".json",),
    holds=frozenset({"scores", "overlaps", "identifiers", "infons", "passages", "meta"}),
    recognises=_recognises,
)


def variant(name: str, description: str, write: Callable[..., tuple[int, int]], usual_ending: str) -> Format:
    """A format that is read like this one and written by its own function, without scores and identifiers."""
    return replace(
        FORMAT,
        name=name,
        description=description,
        write=write,
        endings=(),
        usual_endings=(usual_ending,),
        holds=frozenset({"overlaps", "meta"}),
        recognises=None,
    )


__all__ = ["FORMAT", "SPANS", "read", "read_texts", "variant", "write"]
