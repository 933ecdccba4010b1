"""Hand-made documents that the tests of the evaluation share."""

from collections.abc import Iterable
from typing import Any

from spacy.tokens import Doc

Mention = tuple[str, str]  # words as they stand in the text, entity type

ASTHMA = "Aspirin-induced asthma is rare ."
RECEPTOR = "The interleukin 2 receptor gene of T cells ."
GOLD: dict[str, tuple[list[str], dict[str, list[Mention]]]] = {
    "drugs": (
        ["CHEMICAL", "DISEASE"],
        {
            ASTHMA: [("Aspirin", "CHEMICAL"), ("Aspirin-induced asthma", "DISEASE"), ("asthma", "DISEASE")],
            "Nothing to see .": [],
        },
    ),
    "genes": (["CELL_TYPE", "GENE"], {RECEPTOR: [("interleukin 2 receptor gene", "GENE"), ("T cells", "CELL_TYPE")]}),
}


def mark(doc: Doc, mentions: Iterable[Mention]) -> list[Any]:
    """Spans of a document from the first place where their words stand."""
    spans = []
    for words, entity_type in mentions:
        start = doc.text.index(words)
        spans.append(doc.char_span(start, start + len(words), entity_type, alignment_mode="expand"))
    return spans
