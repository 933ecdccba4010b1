"""Scores of mentions inside the annotation scope of each gold document, and the spaCy scorer.

By the strict metric, a prediction is correct if its start, end (in characters) and type are those of a gold mention.
For other metrics, see `metrics`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Optional, Union

from spacy.training import Example
from spacy.util import filter_spans

from ..scope import SPANS_KEY, get_scope, has_gold_ents, score_name
from .documents import count_documents
from .mentions import Compared, in_scope, mention_of, mentions_in_scope
from .metrics import ALL_TYPES, STRICT, Counts, Metric, get_metric

BESIDE = ("nested", "flat")
"""Metrics that the scorer reports besides the strict one."""


def make_scorer(spans_key: str = SPANS_KEY, metrics: Sequence[str] = BESIDE) -> Callable[..., dict[str, Any]]:
    """Make the scorer `bioner_spacy.multitask_scorer.v1`.

    Args:
        spans_key: key in `doc.spans` of both the gold and the predicted spans. Gold entities (`doc.ents`) are used if
            the group is missing, as in training.
        metrics: names of metrics besides the strict one.

    Returns:
        A function from examples to the scores of `score_mentions`, and to `ents_p`, `ents_r`, `ents_f` and
        `ents_per_type` of `doc.ents` in scope, which `spacy evaluate` shows. Gold entities are those of `doc.ents`, or
        else the longest gold spans that do not overlap.
    """
    for metric in metrics:
        get_metric(metric)
    # No closure: a pipeline can only be pickled (for spawned processes) if its scorer can.
    return partial(_score, spans_key=spans_key, metrics=tuple(metrics))


def _score(examples: Iterable[Example], *, spans_key: str, metrics: Sequence[str], **kwargs: Any) -> dict[str, Any]:
    # spaCy passes the settings of all components to every scorer.
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
        sides = [{mention_of(span) for span in side} for side in (spans, example.predicted.ents)]
        yield Compared("", "", in_scope(sides[0], scope), in_scope(sides[1], scope))


def score_mentions(
    compared: Iterable[Compared],
    *,
    spans_key: str = SPANS_KEY,
    metrics: Sequence[Union[str, Metric]] = BESIDE,
    metric: Union[str, Metric] = STRICT,
) -> dict[str, Any]:
    """Precision, recall and F1 of predicted mentions, by corpus and by entity type.

    Args:
        metrics: metrics besides the main one, or their names.

    Returns:
        With the prefix `spans_{spans_key}_`: `p`, `r` and `f` over all mentions (micro averages); `macro_f`, the mean
        over corpora of their F1; for each further metric `{metric}_p`, `{metric}_r`, `{metric}_f`; `per_type`, scores
        by entity type; `per_corpus`, for each corpus its scores, `per_type` and those of each further metric. Scores
        are fractions of 1, with their counts (`tp`, `fp`, `fn`, `gold`, `predicted`); None if nothing is annotated and
        nothing is predicted in scope.
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
    """The scores of `score_mentions`, without the prefix.

    Args:
        totals: name of the metric -> corpus -> entity type and `ALL_TYPES` -> counts.
        metrics: the metrics; scores of the first one have no metric in their names.
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
    # Without predictions of a selected kind, precision is undefined.
    return counts.scores(0.0 if metric.select is None else None)


def _short(counts: Counts, metric: Metric) -> dict[str, Any]:
    scores = _scores(counts, metric)
    return {name: scores[name] for name in ("p", "r", "f", "gold", "predicted")}


def _per_type(counts: Mapping[str, Counts], metric: Metric) -> dict[str, dict[str, Any]]:
    return {name: _scores(counts[name], metric) for name in sorted(counts.keys() - {ALL_TYPES})}


def mean(values: Iterable[Optional[float]]) -> Optional[float]:
    """Mean of the values that are not None; None if there is no such value."""
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None
