"""Records of the knowledge base schema of BigBIO, as JSON lines or an array.

The schema is that of Fries et al., "BigBIO: a framework for data-centric biomedical natural language processing",
NeurIPS 2022: passages and entities with offsets of their parts in the text of the document.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Optional

from .document import LONGEST_GAP, Mention, OnError, Passage, SourceDocument, each_readable, stop
from .format import Format
from .json_records import JsonRecord, json_records
from .standoff import MentionBuilder

_NOT_KEPT = ("relations", "events", "coreferences")
_KEYS = ("id", "document_id", "passages", "entities", *_NOT_KEPT)


def read(path: Path, *, mismatch: str = "error", on_error: OnError = stop) -> Iterator[SourceDocument]:
    """Read a file; every record is one document.

    The text of a document is that of its passages at their offsets, with spaces in between. Entities have their
    concepts as identifiers (`db_name:db_id`). Relations, events and coreferences are counted; other keys are kept for
    the output. All else is as for `Format.read`.
    """
    builder = MentionBuilder(path, mismatch)

    def make(part: JsonRecord) -> SourceDocument:
        record = part.object()
        document = _document(part, record)
        found = [_mention(part, one, document.text, builder) for one in _objects(part, record, "entities")]
        for kind in _NOT_KEPT:
            builder.add(kind.removesuffix("s"), part.line, len(record.get(kind) or ()))
        return replace(document, mentions=tuple(mention for mention in found if mention))

    yield from each_readable(json_records(path), make, on_error)
    builder.finish()


def read_texts(path: Path, *, on_error: OnError = stop) -> Iterator[SourceDocument]:
    """Read the texts and passages of a file, ignoring annotation; see `read`."""
    return each_readable(json_records(path), lambda part: _document(part, part.object()), on_error)


def _document(part: JsonRecord, record: dict[str, Any]) -> SourceDocument:
    text = ""
    passages = []
    for passage in _objects(part, record, "passages"):
        for text_part, (start, end) in zip(_texts(part, passage), _offsets(part, passage), strict=True):
            if not 0 <= start - len(text) <= LONGEST_GAP or end - start != len(text_part):
                part.fail(
                    f"the passage from {start} to {end} is not behind the text before it, or not as long as its text"
                )
            text += " " * (start - len(text)) + text_part
            type_ = passage.get("type")
            passages.append(Passage(start, end, type_ if isinstance(type_, str) else ""))
    doc_id = part.identifier(record, "document_id")[0] or part.identifier(record, "id")[0]
    meta = {key: value for key, value in record.items() if key not in _KEYS}
    return SourceDocument(part.name, text, (), part.path, part.line, doc_id, tuple(passages), meta)


def _objects(part: JsonRecord, record: dict[str, Any], key: str) -> list[dict[str, Any]]:
    value = record.get(key)
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        part.fail(f"the record has no list of objects {key}")
    return value


def _texts(part: JsonRecord, value: dict[str, Any]) -> list[str]:
    texts, offsets = value.get("text"), value.get("offsets")
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        part.fail("text must be a list of texts")
    if not isinstance(offsets, list) or len(offsets) != len(texts):
        part.fail("offsets must be a list of as many places as there are texts")
    return texts


def _offsets(part: JsonRecord, value: dict[str, Any]) -> list[tuple[int, int]]:
    offsets = value.get("offsets")
    if not isinstance(offsets, list) or not offsets:
        part.fail("offsets must be a list of places")
    for place in offsets:
        if not isinstance(place, list) or [type(number) for number in place] != [int, int]:
            part.fail(f"the place {place!r} is no pair of whole numbers")
    return [(start, end) for start, end in offsets]


def _mention(part: JsonRecord, entity: dict[str, Any], text: str, builder: MentionBuilder) -> Optional[Mention]:
    label, claimed = entity.get("type"), " ".join(_texts(part, entity))
    if not isinstance(label, str) or not label.strip():
        part.fail(f"the entity {claimed!r} has no type")
    concepts = entity.get("normalized")
    identifiers = [
        f"{concept['db_name']}:{concept['db_id']}" if concept.get("db_name") else str(concept["db_id"])
        for concept in (concepts if isinstance(concepts, list) else ())
        if isinstance(concept, dict) and concept.get("db_id")
    ]
    return builder.mention(
        part.path,
        part.line,
        text,
        label=label.strip(),
        fragments=_offsets(part, entity),
        claimed=claimed,
        identifiers=list(dict.fromkeys(identifiers)),
    )


def _recognises(head: str) -> bool:
    return head.lstrip().startswith(("{", "[")) and '"passages"' in head and '"offsets"' in head


FORMAT = Format(
    name="bigbio",
    description="JSON of the knowledge base schema of BigBIO",
    read=read,
    read_texts=read_texts,
    usual_endings=(".jsonl", ".json"),
    holds=frozenset({"overlaps", "identifiers", "discontinuous", "passages", "meta"}),
    recognises=_recognises,
)
