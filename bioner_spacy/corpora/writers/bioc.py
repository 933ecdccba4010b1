"""Writer of BioC, in XML and in JSON: documents of one passage, and annotations with locations."""

import json
import re
from collections.abc import Iterable
from pathlib import Path
from xml.sax.saxutils import escape

from spacy.tokens import Doc

from ...scope import SPANS_KEY
from .export import Annotated, Export, ScoredSpan

SOURCE = "bioner_spacy"

_NOT_XML = "[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
"""What is no character of XML 1.0, not even as a reference."""


def write(docs: Iterable[Doc], path: Path, *, spans_key: str = SPANS_KEY) -> None:
    """Write a BioC file, JSON where its name ends in .json, else XML; every document has one passage.

    Annotations have their entity type in the infon `type`, and their score, where they are predicted, in the infon
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


def _to_json(document: Annotated) -> str:
    annotations = [
        {
            "id": str(number),
            "infons": _infons(span),
            "locations": [{"offset": span.start, "length": span.end - span.start}],
            "text": document.text[span.start : span.end],
        }
        for number, span in enumerate(document.spans, start=1)
    ]
    empty: dict[str, list[str]] = {"sentences": [], "relations": []}
    passage = {"infons": {}, "offset": 0, "text": document.text, "annotations": annotations, **empty}
    parts = {"passages": [passage], "annotations": [], "relations": []}
    return json.dumps({"id": document.id, "infons": {}, **parts}, ensure_ascii=False)


def _to_xml(document: Annotated, text: str) -> str:
    annotations = []
    for number, span in enumerate(document.spans, start=1):
        infons = "".join(f'<infon key="{key}">{_escape(value)}</infon>' for key, value in _infons(span).items())
        location = f'<location offset="{span.start}" length="{span.end - span.start}"/>'
        content = f"{infons}{location}<text>{_escape(text[span.start : span.end])}</text>"
        annotations.append(f'<annotation id="{number}">{content}</annotation>\n')
    passage = f"<passage><offset>0</offset><text>{_escape(text)}</text>\n{''.join(annotations)}</passage>"
    return f"<document><id>{_escape(document.id)}</id>\n{passage}\n</document>\n"


def _escape(text: str) -> str:
    """Content of an element; a carriage return as it stands would be read as a line feed."""
    return escape(text, {"\r": "&#13;"})
