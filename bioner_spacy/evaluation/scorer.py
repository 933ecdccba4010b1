"""Strict scores of entity mentions, counted only inside the annotation scope of each gold document.

A prediction is right where start, end (in characters) and entity type are those of a gold mention: the "exact match"
of the BioCreative and BioNLP shared tasks. What a corpus does not annotate says nothing about a prediction, so
predictions of types outside the scope of the gold document count neither for nor against the pipeline.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Optional

from spacy.tokens import Doc
from spacy.training import Example

from ..errors import BionerError, Errors
from ..scope import SPANS_KEY, get_corpus, get_scope

# A mention as it is compared: start and end in characters, entity type.
Mention = tuple[int, int, str]


@dataclass
class Counts:
    """Mentions of one corpus, by entity type: gold, predicted in scope, both, and the gold ones inside another."""

    gold: Counter[str] = field(default_factory=Counter)
    predicted: Counter[str] = field(default_factory=Counter)
    matched: Counter[str] = field(default_factory=Counter)
    nested_gold: int = 0
    nested_matched: int = 0

    def add(self, gold: set[Mention], predicted: set[Mention]) -> None:
        """Count the mentions of one document, both sets being within its scope already."""
        matched = gold & predicted
        self.gold.update(entity_type for _, _, entity_type in gold)
        self.predicted.update(entity_type for _, _, entity_type in predicted)
        self.matched.update(entity_type for _, _, entity_type in matched)
        nested = nested_mentions(gold)
        self.nested_gold += len(nested)
        self.nested_matched += len(nested & matched)

    def merge(self, other: "Counts") -> None:
        """Add the counts of another corpus, in place."""
        self.gold.update(other.gold)
        self.predicted.update(other.predicted)
        self.matched.update(other.matched)
        self.nested_gold += other.nested_gold
        self.nested_matched += other.nested_matched

    def micro(self) -> dict[str, Any]:
        """Scores over all mentions, whatever their type."""
        return prf(self.gold.total(), self.predicted.total(), self.matched.total())

    def per_type(self) -> dict[str, dict[str, Any]]:
        """Scores by entity type, for types that are annotated or predicted in scope."""
        types = sorted(self.gold.keys() | self.predicted.keys())
        return {name: prf(self.gold[name], self.predicted[name], self.matched[name]) for name in types}

    def nested(self) -> dict[str, Any]:
        """Number of gold mentions that lie inside another, and the recall on them."""
        recall = self.nested_matched / self.nested_gold if self.nested_gold else None
        return {"nested_gold": self.nested_gold, "nested_r": recall}


def make_scorer(spans_key: str = SPANS_KEY) -> Callable[..., dict[str, Any]]:
    """Make the scorer that a config names `bioner_spacy.multitask_scorer.v1`.

    Args:
        spans_key: key in `doc.spans` of both the gold and the predicted spans.

    Returns:
        A function from examples to scores, see `score_spans`.
    """

    # No closure: a pipeline can be pickled only if its scorer can, for other processes where they are spawned.
    return partial(_score, spans_key=spans_key)


def _score(examples: Iterable[Example], *, spans_key: str, **kwargs: Any) -> dict[str, Any]:
    # spaCy hands every scorer the settings of the whole pipeline; none of them is for this one.
    return score_spans(examples, spans_key=spans_key)


def score_spans(examples: Iterable[Example], *, spans_key: str = SPANS_KEY) -> dict[str, Any]:
    """Precision, recall and F1 of predicted mentions, by corpus and by entity type.

    Mentions are compared by character offsets, so the two documents of an example may be tokenised differently. A
    mention given twice counts once. Types outside the annotation scope of the gold document are left out on both
    sides; a document without a statement of scope counts for every type. A gold document without annotation (no
    span group, and no entities either) is skipped.

    Args:
        examples: predicted and gold documents of the same text.
        spans_key: key in `doc.spans`, and the prefix of the names of the scores.

    Returns:
        With `{key}` for `spans_key`: `{key}_micro_p`, `_micro_r`, `_micro_f` over all mentions; `{key}_macro_f`, the
        mean over corpora of their micro F1; `{key}_nested_r`, the recall on gold mentions inside another;
        `{key}_per_type`, scores by entity type; `{key}_per_corpus`, for each corpus its scores, `per_type`,
        `nested_gold` and `nested_r`. Scores are fractions of 1 together with their counts (`tp`, `fp`, `fn`, `gold`,
        `predicted`); they are None where nothing is annotated and nothing is predicted in scope.

    Raises:
        BionerError: the two documents of an example differ in text.
    """
    per_corpus: defaultdict[str, Counts] = defaultdict(Counts)
    for example in examples:
        gold = _mentions(example.reference, spans_key)
        if gold is None:
            continue
        if example.predicted.text != example.reference.text:
            raise BionerError(Errors.E501.format(start=example.reference.text[:60]))
        predicted = _mentions(example.predicted, spans_key) or set()
        scope = get_scope(example.reference, spans_key)
        if scope is not None:
            gold = {mention for mention in gold if mention[2] in scope}
            predicted = {mention for mention in predicted if mention[2] in scope}
        per_corpus[get_corpus(example.reference, spans_key)].add(gold, predicted)
    return _report(per_corpus, spans_key)


def prf(gold: int, predicted: int, matched: int) -> dict[str, Any]:
    """Precision, recall and F1 from counts.

    Args:
        gold: number of gold mentions.
        predicted: number of predicted mentions.
        matched: number of mentions in both.

    Returns:
        `p`, `r`, `f` as fractions of 1 and the counts; the scores are None where there is no mention on either
        side, and 0 where there are mentions on one side only, as in spaCy.
    """
    counts = {"tp": matched, "fp": predicted - matched, "fn": gold - matched, "gold": gold, "predicted": predicted}
    if not gold and not predicted:
        return {"p": None, "r": None, "f": None, **counts}
    precision = matched / predicted if predicted else 0.0
    recall = matched / gold if gold else 0.0
    return {"p": precision, "r": recall, "f": 2 * matched / (gold + predicted), **counts}


def nested_mentions(mentions: set[Mention]) -> set[Mention]:
    """The mentions that lie inside a longer one; two types on the same words are not nested in each other."""
    inner = set()
    furthest = -1
    for start, end in sorted({(start, end) for start, end, _ in mentions}, key=lambda extent: (extent[0], -extent[1])):
        # Earlier extents start before this one, or start with it and are longer.
        if end <= furthest:
            inner.add((start, end))
        furthest = max(furthest, end)
    return {mention for mention in mentions if mention[:2] in inner} if inner else set()


def _mentions(doc: Doc, spans_key: str) -> Optional[set[Mention]]:
    """Mentions of a document from its span group, else from its entities; None where it has neither."""
    if spans_key in doc.spans:
        spans = doc.spans[spans_key]
    elif doc.has_annotation("ENT_IOB"):
        spans = doc.ents
    else:
        return None
    return {(span.start_char, span.end_char, span.label_) for span in spans}


def _report(per_corpus: dict[str, Counts], spans_key: str) -> dict[str, Any]:
    """Name the scores as `score_spans` promises."""
    total = Counts()
    corpora: dict[str, dict[str, Any]] = {}
    for name in sorted(per_corpus):
        counts = per_corpus[name]
        total.merge(counts)
        corpora[name] = {**counts.micro(), **counts.nested(), "per_type": counts.per_type()}
    micro = total.micro()
    return {
        f"{spans_key}_micro_p": micro["p"],
        f"{spans_key}_micro_r": micro["r"],
        f"{spans_key}_micro_f": micro["f"],
        f"{spans_key}_macro_f": mean(scores["f"] for scores in corpora.values()),
        f"{spans_key}_nested_r": total.nested()["nested_r"],
        f"{spans_key}_per_type": total.per_type(),
        f"{spans_key}_per_corpus": corpora,
    }


def mean(values: Iterable[Optional[float]]) -> Optional[float]:
    """Mean of the values that are not None; None where there is no such value."""
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None
