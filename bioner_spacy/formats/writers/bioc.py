"""Writer of BioC, in XML and in JSON: documents of passages, and annotations with locations."""

import json
import re
from bisect import bisect_right
from collections.abc import Iterable
from pathlib import Path
from xml.sax.saxutils import escape

from spacy.tokens import Doc

from ...scope import SPANS_KEY
from ..document import Passage
from .export import Annotated, Export, ScoredSpan

SOURCE = "bioner_spacy"

_NOT_XML = "[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
"""What is no character of XML 1.0, not even as a reference."""


def write(docs: Iterable[Doc], path: Path, *, spans_key: str = SPANS_KEY) -> None:
    """Write a BioC file, JSON where its name ends in .json, else XML.

    Documents have the passages that their source told apart, with the infon `type`, or else one passage without a type;
    an annotation stands in the passage that it begins in. Annotations have their entity type in the infon `type`, and their score, where they are predicted, in the infon
    `score`. Characters that XML does not have are written as spaces with a warning; offsets are those of the text.

    Args:
        docs: annotated documents.
        path: the file to write; it is replaced when all documents are written.
        spans_key: key in `doc.spans`.

    Raises:
        BionerError: if there is no document, if one is not annotated or its scores are not as many as its spans, or
            if a label is empty, has whitespace at an end, or a character that XML does not have.
    """
    if path.suffix.lower() == ".json":
        about = json.dumps({"source": SOURCE, "date": "", "key": "", "infons": {}})
        export = Export(path, "bioc", spans_key)
        export.write_file(docs, _to_json, head=f'{about[:-1]}, "documents": [\n', separator=",\n", tail="\n]}\n")
        return
    export = Export(path, "bioc", spans_key, label=rf"(?!.*{_NOT_XML})\S(?:.*\S)?", not_in_id=_NOT_XML)
    pattern = re.compile(_NOT_XML)
    head = (
        '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE collection SYSTEM "BioC.dtd">\n'
        f"<collection><source>{SOURCE}</source><date></date><key></key>\n"
    )
    export.write_file(
        docs, lambda document: _to_xml(document, export.without(pattern, document)), head=head, tail="</collection>\n"
    )


def _infons(span: ScoredSpan) -> dict[str, str]:
    return {"type": span.label} if span.score is None else {"type": span.label, "score": str(span.score)}


def _passages(document: Annotated) -> list[tuple[Passage, list[tuple[int, ScoredSpan]]]]:
    """Every passage with the spans that begin in it, numbered through the document."""
    passages = document.passages or [Passage(0, len(document.text), "")]
    starts = [passage.start for passage in passages]
    inside: list[list[tuple[int, ScoredSpan]]] = [[] for _ in passages]
    for number, span in enumerate(document.spans, start=1):
        inside[bisect_right(starts, span.start) - 1].append((number, span))
    return list(zip(passages, inside))


def _to_json(document: Annotated) -> str:
    empty: dict[str, list[str]] = {"sentences": [], "relations": []}
    passages = [
        {
            "infons": {"type": type} if type else {},
            "offset": start,
            "text": document.text[start:end],
            "annotations": [
                {
                    "id": str(number),
                    "infons": _infons(span),
                    "locations": [{"offset": span.start, "length": span.end - span.start}],
                    "text": document.text[span.start : span.end],
                }
                for number, span in spans
            ],
            **empty,
        }
        for (start, end, type), spans in _passages(document)
    ]
    parts = {"passages": passages, "annotations": [], "relations": []}
    return json.dumps({"id": document.id, "infons": {}, **parts}, ensure_ascii=False)


def _to_xml(document: Annotated, text: str) -> str:
    passages = []
    for (start, end, type), spans in _passages(document):
        infons = _infons_xml({"type": type} if type else {})
        annotations = "".join(_annotation_xml(number, span, text) for number, span in spans)
        content = f"{infons}<offset>{start}</offset><text>{_escape(text[start:end])}</text>\n{annotations}"
        passages.append(f"<passage>{content}</passage>\n")
    return f"<document><id>{_escape(document.id)}</id>\n{''.join(passages)}</document>\n"


def _annotation_xml(number: int, span: ScoredSpan, text: str) -> str:
    location = f'<location offset="{span.start}" length="{span.end - span.start}"/>'
    content = f"{_infons_xml(_infons(span))}{location}<text>{_escape(text[span.start : span.end])}</text>"
    return f'<annotation id="{number}">{content}</annotation>\n'


def _infons_xml(infons: dict[str, str]) -> str:
    return "".join(
        f'<infon key="{key}">{_escape(re.sub(_NOT_XML, " ", value))}</infon>' for key, value in infons.items()
    )


def _escape(text: str) -> str:
    """Content of an element; a carriage return as it stands would be read as a line feed."""
    return escape(text, {"\r": "&#13;"})
