"""Strict scores of entity mentions, counted only inside the annotation scope of each gold document.

A prediction is right where start, end (in characters) and entity type are those of a gold mention: the "exact match"
of the BioCreative and BioNLP shared tasks. What a corpus does not annotate says nothing about a prediction, so
predictions of types outside the scope of the gold document count neither for nor against the pipeline.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple, Optional

from spacy.scorer import get_ner_prf
from spacy.tokens import Doc
from spacy.training import Example

from ..errors import BionerError, Errors
from ..scope import SPANS_KEY, get_corpus, get_doc_id, get_scope, has_gold_ents, score_name

# A mention as it is compared: start and end in characters, entity type.
Mention = tuple[int, int, str]


class Compared(NamedTuple):
    """Mentions of one text, both sides within its annotation scope."""

    corpus: str
    doc_id: str  # of the source document, empty where it is not known
    gold: set[Mention]
    predicted: set[Mention]


@dataclass
class Part:
    """Counts of some of the mentions, such as those inside another: a wrong one need not be nested on both sides."""

    gold: int = 0
    found: int = 0  # gold ones that are predicted
    predicted: int = 0
    right: int = 0  # predicted ones that are gold

    def add(self, other: "Part") -> None:
        """Add other counts, in place."""
        self.gold += other.gold
        self.found += other.found
        self.predicted += other.predicted
        self.right += other.right

    def scores(self) -> dict[str, Any]:
        """`p`, `r` and their harmonic mean `f` as fractions of 1, None where nothing is counted, and counts."""
        precision = self.right / self.predicted if self.predicted else None
        recall = self.found / self.gold if self.gold else None
        f: Optional[float] = None
        if self.predicted or self.gold:
            p, r = precision or 0.0, recall or 0.0
            f = 2 * p * r / (p + r) if p + r else 0.0
        return {"p": precision, "r": recall, "f": f, "gold": self.gold, "predicted": self.predicted}


@dataclass
class Counts:
    """Mentions of one corpus, by entity type: gold, predicted in scope, both; and those inside another and others."""

    gold: Counter[str] = field(default_factory=Counter)
    predicted: Counter[str] = field(default_factory=Counter)
    matched: Counter[str] = field(default_factory=Counter)
    nested: Part = field(default_factory=Part)
    flat: Part = field(default_factory=Part)

    def add(self, gold: set[Mention], predicted: set[Mention]) -> None:
        """Count the mentions of one document, both sets being within its scope already."""
        matched = gold & predicted
        self.gold.update(entity_type for _, _, entity_type in gold)
        self.predicted.update(entity_type for _, _, entity_type in predicted)
        self.matched.update(entity_type for _, _, entity_type in matched)
        nested_gold, nested_predicted = nested_mentions(gold), nested_mentions(predicted)
        n_found, n_right = len(nested_gold & matched), len(nested_predicted & matched)
        nested = Part(len(nested_gold), n_found, len(nested_predicted), n_right)
        self.nested.add(nested)
        self.flat.add(
            Part(
                len(gold) - nested.gold,
                len(matched) - n_found,
                len(predicted) - nested.predicted,
                len(matched) - n_right,
            )
        )

    def merge(self, other: "Counts") -> None:
        """Add the counts of another corpus, in place."""
        self.gold.update(other.gold)
        self.predicted.update(other.predicted)
        self.matched.update(other.matched)
        self.nested.add(other.nested)
        self.flat.add(other.flat)

    def micro(self) -> dict[str, Any]:
        """Scores over all mentions, whatever their type."""
        return prf(self.gold.total(), self.predicted.total(), self.matched.total())

    def per_type(self) -> dict[str, dict[str, Any]]:
        """Scores by entity type, for types that are annotated or predicted in scope."""
        types = sorted(self.gold.keys() | self.predicted.keys())
        return {name: prf(self.gold[name], self.predicted[name], self.matched[name]) for name in types}


def make_scorer(spans_key: str = SPANS_KEY) -> Callable[..., dict[str, Any]]:
    """Make the scorer that a config names `bioner_spacy.multitask_scorer.v1`.

    Args:
        spans_key: key in `doc.spans` of both the gold and the predicted spans.

    Returns:
        A function from examples to scores, see `score_spans`. Where gold documents have entities and say nothing of a
        scope, spaCy's scores of `doc.ents` are among them: `ents_p`, `ents_r`, `ents_f`, `ents_per_type`.
    """

    # No closure: a pipeline can be pickled only if its scorer can, for other processes where they are spawned.
    return partial(_score, spans_key=spans_key)


def _score(examples: Iterable[Example], *, spans_key: str, **kwargs: Any) -> dict[str, Any]:
    # spaCy hands every scorer the settings of the whole pipeline; none of them is for this one.
    examples = list(examples)
    corpus_types = kwargs.get("corpus_types", {})
    # spaCy's own scores know no scope.
    ents = get_ner_prf(example for example in examples if get_scope(example.reference, spans_key) is None)
    return {
        **score_spans(examples, spans_key=spans_key, corpus_types=corpus_types),
        **{name: score for name, score in ents.items() if score is not None},
    }


def score_spans(
    examples: Iterable[Example],
    *,
    spans_key: str = SPANS_KEY,
    corpus_types: Optional[Mapping[str, Collection[str]]] = {},
) -> dict[str, Any]:
    """Precision, recall and F1 of predicted mentions, by corpus and by entity type.

    Mentions are compared by character offsets, so the two documents of an example may be tokenised differently. A
    mention given twice counts once. Types outside the annotation scope of the gold document are left out on both
    sides; a document without a statement of scope counts for the types that its corpus annotates. A gold document without
    annotation (no span group, and no entities either) is skipped.

    Args:
        examples: predicted and gold documents of the same text.
        spans_key: key in `doc.spans`, and the prefix of the names of the scores.
        corpus_types: entity types that are known to be annotated in a corpus, beside those that its gold documents show;
            None to count documents without a statement of scope for every type.

    Returns:
        Behind `spans_{spans_key}_`: `p`, `r` and `f` over all mentions (micro averages); `macro_f`, the mean over
        corpora of their F1; `nested_p`, `nested_r`, `nested_f` of mentions that lie inside another one of the same
        side, gold or predicted, and `flat_p`, `flat_r`, `flat_f` of the others; `per_type`, scores by entity type;
        `per_corpus`, for each corpus its scores, `per_type`, `nested` and `flat`. Scores are fractions of 1 together
        with their counts (`tp`, `fp`, `fn`, `gold`, `predicted`); they are None where nothing is annotated and
        nothing is predicted in scope.

    Raises:
        BionerError: the two documents of an example differ in text.
    """
    return score_mentions(
        mentions_in_scope(examples, spans_key=spans_key, corpus_types=corpus_types), spans_key=spans_key
    )


def mentions_in_scope(
    examples: Iterable[Example],
    *,
    spans_key: str = SPANS_KEY,
    corpus_types: Optional[Mapping[str, Collection[str]]] = {},
) -> Iterator[Compared]:
    """The mentions that `score_spans` compares, for each example with a gold document that is annotated.

    Those of documents that state no scope come last, as all documents of a corpus say what it annotates.

    Args:
        examples: predicted and gold documents of the same text.
        spans_key: key in `doc.spans`.
        corpus_types: as for `score_spans`.

    Raises:
        BionerError: the two documents of an example differ in text.
    """
    types = {corpus: set(names) for corpus, names in (corpus_types or {}).items()}
    unscoped: list[Compared] = []
    for example in examples:
        gold = doc_mentions(example.reference, spans_key)
        if gold is None:
            continue
        if example.predicted.text != example.reference.text:
            raise BionerError(Errors.E501.format(start=example.reference.text[:60]))
        predicted = doc_mentions(example.predicted, spans_key) or set()
        scope = get_scope(example.reference, spans_key)
        compared = Compared(
            get_corpus(example.reference, spans_key), get_doc_id(example.reference, spans_key), gold, predicted
        )
        if corpus_types is not None:
            shown = {label for _, _, label in gold} if scope is None else scope
            types.setdefault(compared.corpus, set()).update(shown)
        if scope is None and corpus_types is not None:
            unscoped.append(compared)
        else:
            yield compared if scope is None else _within(compared, scope)
    for compared in unscoped:
        yield _within(compared, types[compared.corpus])


def _within(compared: Compared, scope: Collection[str]) -> Compared:
    """The mentions of the types in a scope."""
    gold, predicted = (
        {mention for mention in side if mention[2] in scope} for side in (compared.gold, compared.predicted)
    )
    return compared._replace(gold=gold, predicted=predicted)


def score_mentions(compared: Iterable[Compared], *, spans_key: str = SPANS_KEY) -> dict[str, Any]:
    """Scores of mentions, see `score_spans`.

    Args:
        compared: the mentions of each text.
        spans_key: prefix of the names of the scores.
    """
    per_corpus: defaultdict[str, Counts] = defaultdict(Counts)
    for text in compared:
        per_corpus[text.corpus].add(text.gold, text.predicted)
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


def doc_mentions(doc: Doc, spans_key: str) -> Optional[set[Mention]]:
    """Mentions of a document from its span group, else from its entities; None where it has neither."""
    if spans_key in doc.spans:
        spans = doc.spans[spans_key]
    elif not len(doc) or has_gold_ents(doc):
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
        corpora[name] = {
            **counts.micro(),
            "nested": counts.nested.scores(),
            "flat": counts.flat.scores(),
            "per_type": counts.per_type(),
        }
    scores = {
        **{name: total.micro()[name] for name in "prf"},
        "macro_f": mean(scores["f"] for scores in corpora.values()),
        **{f"nested_{name}": total.nested.scores()[name] for name in "prf"},
        **{f"flat_{name}": total.flat.scores()[name] for name in "prf"},
        "per_type": total.per_type(),
        "per_corpus": corpora,
    }
    return {score_name(name, spans_key): score for name, score in scores.items()}


def mean(values: Iterable[Optional[float]]) -> Optional[float]:
    """Mean of the values that are not None; None where there is no such value."""
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None
