"""Scored documents: text, scores, and gold and predicted mentions within the annotation scope."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Optional

from spacy.tokens import Doc
from spacy.training import Example

from ..errors import BionerError, Errors
from ..scope import SPANS_KEY
from .mentions import Mention, mentions_in_scope


@dataclass(frozen=True)
class ScoredDoc:
    """One document.

    Attributes:
        corpus: name of its corpus.
        doc_id: identifier of the source document, or the number of the record in its corpus.
        text: the text; offsets of mentions refer to it.
        gold: gold mentions.
        predicted: predicted mentions.
        scores: score of each predicted mention, 0 to 1; empty if the pipeline gives none.
    """

    corpus: str
    doc_id: str
    text: str
    gold: set[Mention]
    predicted: set[Mention]
    scores: dict[Mention, float] = field(default_factory=dict)


def scored_docs(
    examples: Iterable[Example], *, spans_key: str = SPANS_KEY, predicted_key: Optional[str] = None
) -> Iterator[ScoredDoc]:
    """Keep of each example only what is compared.

    Args:
        examples: predicted and gold documents of the same text.

    Raises:
        BionerError: see `mentions_in_scope`; or scores are not one per span, 0 to 1.
    """
    number: Counter[str] = Counter()
    for example in examples:
        for compared in mentions_in_scope([example], spans_key=spans_key, predicted_key=predicted_key):
            number[compared.corpus] += 1
            doc_id = compared.doc_id or str(number[compared.corpus])
            scores = predicted_scores(example.predicted, predicted_key or spans_key, doc_id)
            kept = {mention: score for mention, score in scores.items() if mention in compared.predicted}
            text = example.reference.text
            yield ScoredDoc(compared.corpus, doc_id, text, compared.gold, compared.predicted, kept)


def predicted_scores(doc: Doc, spans_key: str, doc_id: str) -> dict[Mention, float]:
    """Scores of the predicted mentions of a document.

    Args:
        doc_id: identifier of the document, for messages.

    Returns:
        Mention -> score (the highest one of duplicates); empty if there are no scores.

    Raises:
        BionerError: scores are not one per span, 0 to 1.
    """
    group = doc.spans[spans_key] if spans_key in doc.spans else None
    if group is None or group.attrs.get("scores") is None:
        return {}
    spans, scores = list(group), [float(score) for score in group.attrs["scores"]]
    if len(spans) != len(scores):
        counts = {"spans": len(spans), "scores": len(scores)}
        raise BionerError(Errors.E161.format(doc_id=doc_id, key=spans_key, **counts))
    found: dict[Mention, float] = {}
    for span, score in zip(spans, scores):
        if not 0 <= score <= 1:
            raise BionerError(Errors.E521.format(doc_id=doc_id, text=span.text[:60], score=score))
        mention = (span.start_char, span.end_char, span.label_)
        found[mention] = max(score, found.get(mention, 0.0))
    return found
