"""Writer of BioC, in XML and in JSON: documents of passages, and annotations with locations."""

import json
import re
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from spacy.tokens import Doc

from ...scope import SPANS_KEY
from ..document import COLLECTION, INFONS, Mention, Passage
from ..export import Annotated, Export
from ..format import plain_name
from ..registry import get_format
from ..standoff import IDENTIFIER, join_identifiers, split_identifiers
from .parse import ABOUT
from .reader import SCORE

SOURCE = "bioner_spacy"

_NOT_XML = "[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
"""What is no character of XML 1.0, not even as a reference."""


def write(docs: Iterable[Doc], path: Path, *, spans_key: str = SPANS_KEY) -> tuple[int, int]:
    """Write a BioC file, JSON where its name ends in .json, else XML.

    Documents have the passages that their source distinguished, with their infons, or else one passage without a type;
    an annotation is in the passage that it begins in. Annotations have their entity type in the infon `type`,
    their score, where they are predicted, in the infon `score`, their concept identifiers in the infons of their
    source or in `identifier`. What a collection and a document say about themselves is kept. Characters that XML does
    not have are written as spaces with a warning; offsets are those of the text.

    Arguments, results and errors are those of `Format.write`. A label with a character that XML does
    not have is an error in XML.
    """
    is_json = plain_name(path).endswith(".json")
    label = r"\S(?:.*\S)?" if is_json else rf"(?!.*{_NOT_XML})\S(?:.*\S)?"
    export = Export(path, get_format("bioc"), spans_key, label=label, not_in_id=r"(?!)" if is_json else _NOT_XML)
    pattern = re.compile(_NOT_XML)
    first: list[dict[str, Any]] = []

    def head(document: Annotated) -> str:
        first.append(_about(document))
        if is_json:
            return f'{json.dumps(first[0], ensure_ascii=False)[:-1]}, "documents": [\n'
        return _head_xml(first[0])

    def render(document: Annotated) -> str:
        others = "document's collection other than the first|documents' collections other than the first"
        export.lose(others, _about(document) != first[0])
        if is_json:
            return _to_json(export, document)
        return _to_xml(export, document, export.without(pattern, document))

    between, tail = (",\n", "\n]}\n") if is_json else ("", "</collection>\n")
    return export.write_file(docs, render, head=head, separator=between, tail=tail)


def _about(document: Annotated) -> dict[str, Any]:
    """Metadata of the collection: those of the source, or our own."""
    about = document.meta.get(COLLECTION)
    if not isinstance(about, dict):
        about = {"source": SOURCE}
    infons = about.get("infons")
    return {**{key: str(about.get(key, "")) for key in ABOUT}, "infons": infons if isinstance(infons, dict) else {}}


def _head_xml(about: dict[str, Any]) -> str:
    parts = "".join(f"<{key}>{_value(about[key])}</{key}>" for key in ABOUT)
    head = '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE collection SYSTEM "BioC.dtd">\n'
    return f"{head}<collection>{parts}{_infons_xml(about['infons'])}\n"


def _infons(export: Export, mention: Mention) -> dict[str, Any]:
    """Infons of a mention: those of its source, and its type, score and identifiers unless they are among these."""
    infons = export.with_others({"type": mention.label}, mention.infons)
    held = {part for value in infons.values() for part in split_identifiers(str(value))}
    if not held.issuperset(mention.identifiers):
        infons[IDENTIFIER] = join_identifiers(mention)
    if mention.score is not None:
        infons[SCORE] = str(mention.score)
    return infons


def _document_infons(export: Export, document: Annotated) -> dict[str, Any]:
    """Infons of a document, with what other formats say about it."""
    about = document.meta.get(INFONS)
    others = {key: value for key, value in document.meta.items() if key not in (COLLECTION, INFONS)}
    return export.with_others(about if isinstance(about, dict) else {}, others)


def _passages(document: Annotated) -> list[tuple[Passage, list[tuple[int, Mention]]]]:
    """Every passage with the spans that begin in it, numbered through the document."""
    passages = document.passages or [Passage(0, len(document.text), "")]
    starts = [passage.start for passage in passages]
    inside: list[list[tuple[int, Mention]]] = [[] for _ in passages]
    for number, span in enumerate(document.mentions, start=1):
        inside[bisect_right(starts, span.start) - 1].append((number, span))
    return list(zip(passages, inside))


def _to_json(export: Export, document: Annotated) -> str:
    empty: dict[str, list[str]] = {"sentences": [], "relations": []}
    passages = [
        {
            "infons": _passage_infons(passage),
            "offset": passage.start,
            "text": document.text[passage.start : passage.end],
            "annotations": [
                {
                    "id": str(number),
                    "infons": _infons(export, span),
                    "locations": [{"offset": span.start, "length": span.end - span.start}],
                    "text": document.text[span.start : span.end],
                }
                for number, span in spans
            ],
            **empty,
        }
        for passage, spans in _passages(document)
    ]
    parts = {"passages": passages, "annotations": [], "relations": []}
    return json.dumps({"id": document.id, "infons": _document_infons(export, document), **parts}, ensure_ascii=False)


def _to_xml(export: Export, document: Annotated, text: str) -> str:
    passages = []
    for passage, spans in _passages(document):
        start, end, infons = passage.start, passage.end, _infons_xml(_passage_infons(passage))
        annotations = "".join(_annotation_xml(export, number, span, text) for number, span in spans)
        content = f"{infons}<offset>{start}</offset><text>{_escape(text[start:end])}</text>\n{annotations}"
        passages.append(f"<passage>{content}</passage>\n")
    infons = _infons_xml(_document_infons(export, document))
    return f"<document><id>{_escape(document.id)}</id>{infons}\n{''.join(passages)}</document>\n"


def _annotation_xml(export: Export, number: int, span: Mention, text: str) -> str:
    location = f'<location offset="{span.start}" length="{span.end - span.start}"/>'
    content = f"{_infons_xml(_infons(export, span))}{location}<text>{_escape(text[span.start : span.end])}</text>"
    return f'<annotation id="{number}">{content}</annotation>\n'


def _passage_infons(passage: Passage) -> dict[str, Any]:
    return {**({"type": passage.type} if passage.type else {}), **(passage.infons or {})}


def _infons_xml(infons: Mapping[str, Any]) -> str:
    return "".join(f"<infon key={quoteattr(_valid(key))}>{_value(value)}</infon>" for key, value in infons.items())


def _value(value: Any) -> str:
    """Content of an element for any value: strings unchanged, others as JSON."""
    return _escape(_valid(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)))


def _valid(text: str) -> str:
    return re.sub(_NOT_XML, " ", text)


def _escape(text: str) -> str:
    """Content of an element, escaped; a bare carriage return would be read as a line feed."""
    return escape(text, {"\r": "&#13;"})
