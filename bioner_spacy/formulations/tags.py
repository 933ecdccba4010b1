"""BIO tags: one softmax over O, B-x and I-x for each token and task, decoded under the constraint of the scheme.

Multi-task heads with masked cross-entropy, each task's loss averaged over its own tokens (docs/balance.md); tasks are
independent of one another, so spans of different tasks may overlap.
"""

from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any

import numpy
from thinc.api import get_array_module, to_numpy

from ..tasks import Task
from ..types import BARRED, OUT_OF_SCOPE, Array, Gold, SpanArrays
from .constrained import best_valid_tags

OUTSIDE = "O"


class TagFormulation:
    """BIO tags for a list of tasks.

    A task of L types has 1 + 2L scores per token: O, then B and I of each type in turn. Tasks with the same number
    of types are handled together, by one set of array operations.

    Args:
        tasks: the K tasks, in the order of the heads' outputs.
    """

    inexpressible = "overlap a longer one of the same task, which BIO tags cannot express"

    def __init__(self, tasks: Sequence[Task]) -> None:
        self.columns: list[tuple[str, ...]] = [(task.name, tag) for task in tasks for tag in _tag_names(task)]
        sizes = numpy.array([1 + 2 * len(task.types) for task in tasks], dtype="int64")
        offsets = numpy.cumsum(sizes) - sizes
        self.n_tasks = len(tasks)
        self._n_types = (sizes - 1) // 2
        self._groups = [
            (numpy.flatnonzero(sizes == size), offsets[sizes == size][:, None] + numpy.arange(size))
            for size in numpy.unique(sizes)
        ]

    def targets(self, gold: Gold) -> tuple[tuple[Array, Array], int]:
        """Tag of each token for each task.

        Where spans of one task overlap, the longest, then the leftmost, are kept: tags cannot express the others.

        Returns:
            (N, K) index of the tag among those of the task, or for tasks that the document does not supervise
            `OUT_OF_SCOPE`, and `BARRED` for tokens at which no mention of the task ends; and (N,) bool, whether a
            token begins a text. Then the number of spans left out.
        """
        spans = gold.spans
        tags = numpy.where(numpy.repeat(gold.supervised, gold.lengths, axis=0), 0, OUT_OF_SCOPE)
        n_lost = 0
        for i in numpy.lexsort((spans.starts, spans.starts - spans.ends)):
            column = tags[spans.starts[i] : spans.ends[i], spans.tasks[i]]
            if column.any():
                n_lost += 1
                continue
            column[:] = 2 + 2 * spans.types[i]
            column[0] -= 1
        self._bar(tags, gold.barred)
        return (tags, document_starts(gold.lengths)), n_lost

    def _bar(self, tags: Array, barred: SpanArrays) -> None:
        """Mark the last tokens of spans that are no mentions, in place; of tasks of several types only if of none."""
        if not len(barred.ends):
            return
        of_types = numpy.unique(numpy.stack([barred.ends - 1, barred.tasks, barred.types]), axis=1)
        lasts, n_types = numpy.unique(of_types[:2], axis=1, return_counts=True)
        tokens, tasks = lasts[:, n_types == self._n_types[lasts[1]]]
        outside = tags[tokens, tasks] == OUT_OF_SCOPE
        tags[tokens[outside], tasks[outside]] = BARRED

    def loss(self, scores: Array, targets: tuple[Array, Array], weights: Array) -> tuple[Array, Array]:
        """Cross-entropy of each task, averaged over the tokens in its scope, and of what is barred outside of it.

        A mention of a disjoint type says of a task outside the scope that no mention ends where it does: the
        probability that one ends there, not O and no I behind it, has the loss -log(1 - p), averaged over the tokens
        of texts with such mentions.

        Args:
            scores: (N, columns) unnormalised log-probabilities.
            targets: from `targets`.
            weights: (K,) weight of each task in the sum whose gradient is returned.

        Returns:
            (K,) loss in nats per token, 0 for a task without tokens in scope and none barred, and (N, columns)
            gradient, exactly 0 outside the scope but for what is barred.
        """
        xp = get_array_module(scores)
        losses = xp.zeros(self.n_tasks, dtype="f")
        d_scores = xp.zeros_like(scores)
        tags, starts = targets
        all_barred = in_barred_texts(tags, starts)
        tags, starts, all_barred, weights = (xp.asarray(array) for array in (tags, starts, all_barred, weights))
        for group in self._groups:
            tasks, columns = (xp.asarray(indices) for indices in group)
            log_p = log_softmax(scores[:, columns])
            p = xp.exp(log_p)
            truth = tags[:, tasks]
            in_scope = truth >= 0
            one_hot = truth[:, :, None] == xp.arange(columns.shape[1])
            n_tokens = xp.maximum(in_scope.sum(axis=0), 1)
            losses[tasks] = -(log_p * one_hot).sum(axis=(0, 2)) / n_tokens
            scale = in_scope * (weights[tasks] / n_tokens)
            gradient = (p - one_hot) * scale[:, :, None]
            barred = truth == BARRED
            if barred.any():
                n_tokens = xp.maximum(all_barred[:, tasks].sum(axis=0), 1)
                barred_losses, d_barred = _barred_loss(p, barred, starts)
                losses[tasks] += barred_losses / n_tokens
                gradient += d_barred * (weights[tasks] / n_tokens)[:, None]
            d_scores[:, columns] = gradient
        return losses, d_scores

    def decode(self, scores: Array, lengths: Array) -> SpanArrays:
        """Spans of the most probable tag sequence of each task and document among those that are valid.

        The score of a span is the geometric mean of the probabilities of its tags, comparable between spans of
        different lengths.

        Args:
            scores: (N, columns), on any device.
            lengths: (D,) tokens per document.
        """
        scores = to_numpy(scores)
        doc_starts = document_starts(lengths)
        parts = []
        for tasks, columns in self._groups:
            log_p = log_softmax(scores[:, columns])
            tags = best_valid_tags(log_p, doc_starts)
            parts.append(_score_spans(find_spans(tags, tasks), log_p, tags, tasks))
        return concatenate(parts)


def document_starts(lengths: Array) -> Array:
    """(N,) bool, whether a token is the first of its document, from (D,) tokens per document."""
    starts = numpy.zeros(int(lengths.sum()), dtype=bool)
    starts[(numpy.cumsum(lengths) - lengths)[lengths > 0]] = True
    return starts


def in_barred_texts(tags: Array, starts: Array) -> Array:
    """(N, K) bool, whether a token is in a text in which something of the task is barred, on the CPU.

    Args:
        tags: (N, K) targets.
        starts: (N,) bool, whether a token begins a text.
    """
    barred = tags == BARRED
    if not barred.any():
        return barred
    found: Array = numpy.logical_or.reduceat(barred, numpy.flatnonzero(starts), axis=0)
    return found[numpy.cumsum(starts) - 1]


def _barred_loss(p: Any, barred: Any, starts: Any) -> tuple[Any, Any]:
    """-log(1 - p(a mention ends here)), summed over the tokens that are barred, and its gradient.

    Args:
        p: (N, K, T) probabilities of tags.
        barred: (N, K) bool.
        starts: (N,) bool, whether a token begins a text.

    Returns:
        (K,) losses in nats and (N, K, T) gradient for the scores of the tags.
    """
    xp = get_array_module(p)
    outside = p[:, :, 0]
    inside = p[:, :, 2::2].sum(axis=2)
    # Probability that the mention goes on behind the token; nothing goes on into the next text.
    goes_on = xp.zeros_like(outside)
    goes_on[:-1] = xp.where(starts[1:, None], 0.0, inside[1:])
    ends = (1 - outside) * (1 - goes_on)
    rest = xp.maximum(1 - ends, 1e-7)
    losses = -(xp.log(rest) * barred).sum(axis=0)
    d_ends = barred / rest
    gradient = xp.zeros_like(p)
    # d(1 - p(O)) for the scores of the token, then d(1 - p(I)) for those of the next one.
    is_o = xp.arange(p.shape[2]) == 0
    gradient -= (d_ends * (1 - goes_on) * outside)[:, :, None] * (is_o - p)
    d_next = (d_ends * (1 - outside))[:-1] * ~starts[1:, None]
    is_i = (xp.arange(p.shape[2]) % 2 == 0) & ~is_o
    gradient[1:] -= d_next[:, :, None] * p[1:] * (is_i - inside[1:, :, None])
    return losses, gradient


def _tag_names(task: Task) -> list[str]:
    return [OUTSIDE] + [f"{prefix}-{entity_type}" for entity_type in task.types for prefix in "BI"]


def log_softmax(scores: Any) -> Any:
    """Log-probabilities over the last axis."""
    xp = get_array_module(scores)
    shifted = scores - scores.max(axis=-1, keepdims=True)
    return shifted - xp.log(xp.exp(shifted).sum(axis=-1, keepdims=True))


def find_spans(tags: Array, tasks: Array) -> SpanArrays:
    """Spans of valid tag sequences, with score 1.

    Args:
        tags: (N, K) tags of K tasks with the same number of types.
        tasks: (K,) number of each task.
    """
    n_tokens, n_tasks = tags.shape
    # One row a task, with a last cell that ends every span; then all rows are one sequence.
    rows = numpy.zeros((n_tasks, n_tokens + 1), dtype=tags.dtype)
    rows[:, :n_tokens] = tags.T
    flat = rows.ravel()
    begins = numpy.flatnonzero(flat % 2 == 1)
    stops = numpy.flatnonzero((flat == 0) | (flat % 2 == 1))
    ends = stops[numpy.searchsorted(stops, begins, side="right")]
    row, start = numpy.divmod(begins, n_tokens + 1)
    return SpanArrays(
        starts=start,
        ends=start + (ends - begins),
        tasks=tasks[row],
        types=(flat[begins] - 1) // 2,
        scores=numpy.ones(len(begins), dtype="f"),
    )


def _score_spans(spans: SpanArrays, log_p: Any, tags: Array, tasks: Array) -> SpanArrays:
    """Spans with the geometric mean of the probabilities of their tags, from (N, K, tags) log-probabilities."""
    if not len(spans.starts):
        return spans
    k = numpy.searchsorted(tasks, spans.tasks)
    chosen = numpy.take_along_axis(log_p, tags[:, :, None], axis=2)[:, :, 0].astype("float64")
    total = numpy.concatenate([numpy.zeros((1, tags.shape[1])), numpy.cumsum(chosen, axis=0)])
    mean = (total[spans.ends, k] - total[spans.starts, k]) / (spans.ends - spans.starts)
    return replace(spans, scores=numpy.clip(numpy.exp(mean), 0.0, 1.0).astype("f"))


def concatenate(parts: Sequence[SpanArrays]) -> SpanArrays:
    """Join spans of several groups of tasks."""
    parts = [SpanArrays.empty(), *parts]
    return SpanArrays(
        **{f.name: numpy.concatenate([getattr(part, f.name) for part in parts]) for f in fields(SpanArrays)}
    )
