"""Scores of entity mentions, counted only inside the annotation scope of each gold document, and spaCy's scorer.

A prediction is right where start, end (in characters) and entity type are those of a gold mention; other metrics stand
beside this one, see `metrics`.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Optional, Union

from spacy.training import Example
from spacy.util import filter_spans

from ..scope import SPANS_KEY, get_scope, has_gold_ents, score_name
from .documents import count_documents
from .mentions import Compared, in_scope, mention_of, mentions_in_scope
from .metrics import ALL_TYPES, STRICT, Counts, Metric, get_metric

BESIDE = ("nested", "flat")
"""Metrics that the scorer gives beside the strict one."""


def make_scorer(spans_key: str = SPANS_KEY, metrics: Sequence[str] = BESIDE) -> Callable[..., dict[str, Any]]:
    """Make the scorer that a config names `bioner_spacy.multitask_scorer.v1`.

    Args:
        spans_key: key in `doc.spans` of both the gold and the predicted spans. Gold entities (`doc.ents`) stand in for a
            group that is not there, as they do in training.
        metrics: names of metrics beside the strict one.

    Returns:
        A function from examples to scores: those of `score_spans`, and `ents_p`, `ents_r`, `ents_f` and `ents_per_type` of
        `doc.ents`, in scope, against gold entities, or where there are none against the longest gold spans that do not
        overlap; `spacy evaluate` shows these.

    Raises:
        BionerError: there is no such metric.
    """
    for metric in metrics:
        get_metric(metric)
    # No closure: a pipeline can be pickled only if its scorer can, for other processes where they are spawned.
    return partial(_score, spans_key=spans_key, metrics=tuple(metrics))


def _score(examples: Iterable[Example], *, spans_key: str, metrics: Sequence[str], **kwargs: Any) -> dict[str, Any]:
    # spaCy hands every scorer the settings of the whole pipeline, of which one is for this.
    examples, types = list(examples), kwargs.get("corpus_types", {})
    compared = mentions_in_scope(examples, spans_key=spans_key, corpus_types=types, as_trained=True)
    scores = score_mentions(compared, spans_key=spans_key, metrics=metrics)
    if entities := list(_entities(examples, spans_key)):
        of_ents = score_mentions(entities, spans_key="", metrics=())
        names = {"ents_p": "p", "ents_r": "r", "ents_f": "f", "ents_per_type": "per_type"}
        scores.update({name: of_ents[score_name(of, "")] for name, of in names.items()})
    return scores


def _entities(examples: Iterable[Example], spans_key: str) -> Iterator[Compared]:
    """The flat view of both documents, in scope."""
    for example in examples:
        gold, scope = example.reference, get_scope(example.reference, spans_key)
        if has_gold_ents(gold):
            spans = list(gold.ents)
        elif spans_key in gold.spans:
            spans = filter_spans(span for span in gold.spans[spans_key] if scope is None or span.label_ in scope)
        else:
            continue
        sides = ({mention_of(span) for span in side} for side in (spans, example.predicted.ents))
        yield Compared("", "", *(in_scope(side, scope) for side in sides))


def score_spans(
    examples: Iterable[Example],
    *,
    spans_key: str = SPANS_KEY,
    predicted_key: Optional[str] = None,
    metrics: Sequence[Union[str, Metric]] = BESIDE,
    corpus_types: Optional[Mapping[str, Collection[str]]] = {},
) -> dict[str, Any]:
    """Precision, recall and F1 of predicted mentions, by corpus and by entity type.

    Mentions are compared by character offsets, so the two documents of an example may be tokenised differently. A
    mention given twice counts once. Types outside the annotation scope of the gold document are left out on both
    sides; a document without a statement of scope counts for the types that its corpus annotates. A gold document without
    annotation is skipped.

    Args:
        examples: predicted and gold documents of the same text.
        spans_key: key in `doc.spans` of the gold documents, and the prefix of the names of the scores; "ents" for their
            entities.
        predicted_key: key of the predicted documents; None for the same.
        metrics: metrics beside the strict one, or their names.
        corpus_types: entity types that are known to be annotated in a corpus, beside those that its gold documents show;
            None to count documents without a statement of scope for every type.

    Returns:
        Behind `spans_{spans_key}_`: `p`, `r` and `f` over all mentions (micro averages); `macro_f`, the mean over
        corpora of their F1; for each further metric `{metric}_p`, `{metric}_r`, `{metric}_f`; `per_type`, scores by entity
        type; `per_corpus`, for each corpus its scores, `per_type` and those of each further metric. Scores are fractions
        of 1 together with their counts (`tp`, `fp`, `fn`, `gold`, `predicted`); they are None where nothing is annotated
        and nothing is predicted in scope.

    Raises:
        BionerError: the two documents of an example differ in text, a document has other annotation than that of its key,
            or there is no such metric.
    """
    compared = mentions_in_scope(examples, spans_key=spans_key, predicted_key=predicted_key, corpus_types=corpus_types)
    return score_mentions(compared, spans_key=spans_key, metrics=metrics)


def score_mentions(
    compared: Iterable[Compared],
    *,
    spans_key: str = SPANS_KEY,
    metrics: Sequence[Union[str, Metric]] = BESIDE,
    metric: Union[str, Metric] = STRICT,
) -> dict[str, Any]:
    """Scores of mentions, see `score_spans`.

    Args:
        compared: the mentions of each text.
        spans_key: prefix of the names of the scores.
        metrics: further metrics, or their names.
        metric: the metric of the scores without a name.
    """
    chosen = [*map(get_metric, (metric, *metrics))]
    totals = {
        name: {corpus: counts.total() for corpus, counts in by_corpus.items()}
        for name, by_corpus in count_documents(compared, chosen).items()
    }
    return {score_name(name, spans_key): score for name, score in named_scores(totals, chosen).items()}


def named_scores(
    totals: Mapping[str, Mapping[str, Mapping[str, Counts]]], metrics: Sequence[Metric]
) -> dict[str, Any]:
    """Scores as `score_spans` promises them, without the prefix.

    Args:
        totals: name of the metric -> corpus -> entity type and `ALL_TYPES` -> counts.
        metrics: the metrics; the first one gives the scores without a name.
    """
    first, *others = metrics
    of_corpora = {
        corpus: {
            **_scores(counts[ALL_TYPES], first),
            **{metric.name: _short(totals[metric.name][corpus][ALL_TYPES], metric) for metric in others},
            "per_type": _per_type(counts, first),
        }
        for corpus, counts in totals[first.name].items()
    }
    found = {
        "macro_f": mean(scores["f"] for scores in of_corpora.values()),
        "per_type": _per_type(_sum(totals[first.name]), first),
        "per_corpus": of_corpora,
    }
    for metric in metrics:
        of_metric = _scores(_sum(totals[metric.name])[ALL_TYPES], metric)
        found.update({f"{'' if metric is first else f'{metric.name}_'}{name}": of_metric[name] for name in "prf"})
    return found


def _sum(by_corpus: Mapping[str, Mapping[str, Counts]]) -> dict[str, Counts]:
    total = {ALL_TYPES: Counts()}
    for counts in by_corpus.values():
        for name, found in counts.items():
            total[name] = total.get(name, Counts()) + found
    return total


def _scores(counts: Counts, metric: Metric) -> dict[str, Any]:
    # That no mention of some kind is predicted says nothing about the precision of predictions.
    return counts.scores(0.0 if metric.select is None else None)


def _short(counts: Counts, metric: Metric) -> dict[str, Any]:
    scores = _scores(counts, metric)
    return {name: scores[name] for name in ("p", "r", "f", "gold", "predicted")}


def _per_type(counts: Mapping[str, Counts], metric: Metric) -> dict[str, dict[str, Any]]:
    return {name: _scores(counts[name], metric) for name in sorted(counts.keys() - {ALL_TYPES})}


def mean(values: Iterable[Optional[float]]) -> Optional[float]:
    """Mean of the values that are not None; None where there is no such value."""
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None
