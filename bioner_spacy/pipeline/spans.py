"""Post-process predicted spans: whitespace, thresholds, calibration, flat view, documents."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Optional

import numpy
from spacy.tokens import Doc, Span
from thinc.api import Model

from ..errors import BionerError, Errors, Warnings, check_number, check_setting, warn
from ..tasks import require_annotated
from ..types import Array, SpanArrays
from .merge import Merger


def without_spaces(spans: SpanArrays, is_space: Array) -> SpanArrays:
    """Trim whitespace tokens from spans.

    Of duplicates, the one with the highest score is kept.

    Args:
        spans: spans over the N tokens of a batch.
        is_space: (N,) whether a token is whitespace.
    """
    if not is_space.any():
        return spans
    tokens = numpy.flatnonzero(is_space == 0)
    first, last = numpy.searchsorted(tokens, spans.starts), numpy.searchsorted(tokens, spans.ends) - 1
    kept = first <= last
    columns = (tokens[first[kept]], tokens[last[kept]] + 1, spans.tasks[kept], spans.types[kept])
    scores = spans.scores[kept]
    order = numpy.argsort(-scores, kind="stable")
    _, best = numpy.unique(numpy.stack(columns)[:, order], axis=1, return_index=True)
    chosen = numpy.sort(order[best])
    starts, ends, tasks, types = (column[chosen] for column in columns)
    return SpanArrays(starts, ends, tasks, types, scores[chosen])


def require_upstream(name: str, model: Model, doc: Doc) -> None:
    """Check that a document has the vectors of the component that a model listens to.

    Args:
        doc: a document of one token or more.
    """
    for node in model.walk():
        if (upstream := getattr(node, "upstream_name", None)) is not None:
            # A listener of spacy-transformers (vectors in an extension) or of spaCy.
            listens_to_transformer = node.name == "transformer-listener"
            if doc._.trf_data is None if listens_to_transformer else not doc.tensor.size:
                raise BionerError(Errors.E427.format(name=name, upstream=upstream))


def warn_of_replaced(doc: Doc, spans_key: str, name: str, labels: Collection[str]) -> bool:
    """Warn if spans of another component are about to be replaced.

    Returns:
        Whether there was a warning.
    """
    group = doc.spans[spans_key]
    replaces = "scores" in group.attrs and any(span.label_ not in labels for span in group)
    if replaces:
        warn(Warnings.W408.format(names=f"{name} and an earlier one", spans_key=spans_key))
    return replaces


def lowest_scores(types: Sequence[str], threshold: float, thresholds: Mapping[str, float]) -> Array:
    """Minimum score, 0 to 1, with which a span of each type is reported.

    Args:
        types: the T entity types.

    Returns:
        (T,) scores, in single precision.

    Raises:
        BionerError: a threshold is not a number from 0 to 1, or is given for a type that is not there.
    """
    require_annotated("thresholds", thresholds, types)
    for setting, value in [("threshold", threshold), *((f"thresholds.{name}", v) for name, v in thresholds.items())]:
        check_number(setting, value, 0, 1)
    return numpy.array([thresholds.get(name, threshold) for name in types], dtype="f")


def calibration_table(types: Sequence[str], calibration: Mapping[str, Sequence[float]]) -> Optional[Array]:
    """Slope and intercept that calibrate the log-odds of scores of each type.

    Platt 1999, "Probabilistic outputs for support vector machines".

    Args:
        types: the T entity types.
        calibration: slope and intercept by entity type; scores of other types are not changed.

    Returns:
        (T, 2) slopes and intercepts; None if nothing is calibrated.

    Raises:
        BionerError: a type is not there, or has no positive slope and intercept.
    """
    require_annotated("calibration", calibration, types)
    for name, values in calibration.items():
        is_line = len(values) == 2 and all(numpy.isfinite(values)) and values[0] > 0
        check_setting(f"calibration.{name}", values, "a slope above 0 and an intercept", bool(is_line))
    return numpy.array([calibration.get(name, (1.0, 0.0)) for name in types], dtype="f") if calibration else None


def calibrated(scores: Array, types: Array, table: Optional[Array]) -> Array:
    """Scores as probabilities.

    Args:
        scores: (n,) scores of spans, 0 to 1.
        types: (n,) indices of their types.
        table: the output of `calibration_table`.

    Returns:
        (n,) scores, 0 to 1, in single precision.
    """
    if table is None or not len(scores):
        return scores
    p = numpy.clip(scores.astype("float64"), 1e-9, 1 - 1e-9)
    odds = table[types, 0] * (numpy.log(p) - numpy.log1p(-p)) + table[types, 1]
    probabilities: Array = (1 / (1 + numpy.exp(-odds))).astype("f")
    return probabilities


def flat_view(
    doc: Doc,
    spans: Sequence[Span],
    scores: Sequence[float],
    *,
    keep: bool,
    types: Optional[Mapping[str, int]] = None,
    last: Collection[str] = (),
) -> list[Span]:
    """Spans that do not overlap, for `doc.ents`, preferring high scores, then long spans.

    Args:
        keep: whether existing entities are kept, and spans fill the gaps.
        types: rank of each entity type: of spans of several types on the same tokens only the first is used, and other
            types never; None for no preference.
        last: entity types whose spans are used only where no span of another type is.
    """
    if types is not None:
        best: dict[tuple[int, int], int] = {}
        for i, span in enumerate(spans):
            if span.label_ in types:
                other = best.setdefault((span.start, span.end), i)
                if types[span.label_] < types[spans[other].label_]:
                    best[span.start, span.end] = i
        spans, scores = [spans[i] for i in best.values()], [scores[i] for i in best.values()]
    chosen = list(doc.ents) if keep else []
    taken = [False] * len(doc)  # faster than an array for few spans
    for ent in chosen:
        taken[ent.start : ent.end] = [True] * len(ent)

    def rank(i: int) -> tuple[bool, float, int, int, str]:
        return spans[i].label_ in last, -scores[i], -len(spans[i]), spans[i].start, spans[i].label_

    for span in (spans[i] for i in sorted(range(len(spans)), key=rank)):
        if not any(taken[span.start : span.end]):
            taken[span.start : span.end] = [True] * len(span)
            chosen.append(span)
    return chosen


def split_by_document(spans: SpanArrays, lengths: Array) -> Iterator[SpanArrays]:
    """Spans of each document, over its own tokens."""
    ends = numpy.cumsum(lengths)
    order = numpy.argsort(spans.starts, kind="stable")
    boundaries = numpy.searchsorted(spans.starts[order], numpy.concatenate([[0], ends]))
    for d, base in enumerate(ends - lengths):
        part = order[boundaries[d] : boundaries[d + 1]]
        yield SpanArrays(
            spans.starts[part] - base,
            spans.ends[part] - base,
            spans.tasks[part],
            spans.types[part],
            spans.scores[part],
        )


def merge_by_document(
    merger: Merger, spans: SpanArrays, lengths: Array, guidelines: Sequence[Optional[str]]
) -> list[SpanArrays]:
    """Merged spans of each document, over its own tokens, by its guideline.

    Spans of a batch are merged at once per guideline, because a call per document is slow.
    """
    parts = {
        guideline: list(split_by_document(merger(spans, guideline), lengths))
        for guideline in dict.fromkeys(guidelines)
    }
    return [parts[guideline][d] for d, guideline in enumerate(guidelines)]
