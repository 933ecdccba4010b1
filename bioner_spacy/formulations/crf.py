"""BIO tags in a linear-chain conditional random field, one for each task.

Lafferty, McCallum & Pereira 2001, "Conditional Random Fields". The probability of a tag sequence is that of a whole,
exp(sum of the scores of its tags and of the moves between them) / Z, so that the tags of neighbours agree, which words
that choose by themselves do not ensure: "renal" B, "oncocytomas" B. Moves that BIO forbids have no score and
probability 0. The scores of moves are outputs of the heads as those of tags are, and may differ from word to word.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy
from thinc.api import get_array_module, to_numpy

from ..tasks import Task
from ..types import Array, Gold, SpanArrays
from .chains import NEVER, best_path, marginals
from .tags import OUT_OF_SCOPE, TagFormulation, concatenate, document_starts, find_spans


class CRFFormulation(TagFormulation):
    """BIO tags for a list of tasks, with a score for each move between tags.

    A document begins as if an O stood before it.

    Args:
        tasks: the K tasks, in the order of the heads' outputs: tags of all tasks, then moves of all tasks.
    """

    def __init__(self, tasks: Sequence[Task]) -> None:
        super().__init__(tasks)
        tags = list(self.columns)
        # Number of the move's column by task and the columns of both tags; -1 where BIO forbids the move.
        self._moves = numpy.full((len(tags), len(tags)), -1)
        for i, (task, before) in enumerate(tags):
            for j, (other, after) in enumerate(tags):
                if task == other and (after[0] != "I" or before in (f"B{after[1:]}", after)):
                    self._moves[i, j] = len(self.columns)
                    self.columns.append((task, before, after))

    def targets(self, gold: Gold) -> tuple[tuple[Array, Array], int]:
        """As in `TagFormulation`; the targets are the (N, K) tags and (N,) bool, whether a word begins a document."""
        tags, n_lost = super().targets(gold)
        return (tags, document_starts(gold.lengths)), n_lost

    def loss(self, scores: Array, targets: tuple[Array, Array], weights: Array) -> tuple[Array, Array]:
        """Negative log-likelihood of the tags of each task, divided by the number of words in its scope.

        Args:
            scores: (N, columns) scores of tags and moves.
            targets: as made by `targets`.
            weights: (K,) weight of each task in the sum whose gradient is returned.

        Returns:
            (K,) loss in nats a word, 0 for a task without words in scope, and (N, columns) gradient, exactly 0
            outside the scope.
        """
        xp = get_array_module(scores)
        losses = xp.zeros(self.n_tasks, dtype="f")
        d_scores = xp.zeros_like(scores)
        tags, starts, weights = xp.asarray(targets[0]), xp.asarray(targets[1]), xp.asarray(weights)
        for group in self._groups:
            tasks, columns = (xp.asarray(indices) for indices in group)
            moves = self._group_moves(group[1])
            n_tags = columns.shape[1]
            truth = tags[:, tasks]
            in_scope = truth != OUT_OF_SCOPE
            n_words = xp.maximum(in_scope.sum(axis=0), 1)
            # Words out of scope add nothing to log Z, and the chain goes on behind them.
            edges = _edges(scores, xp.arange(len(scores)), starts, columns, xp.asarray(moves))
            edges = xp.where(in_scope[:, :, None, None], edges, -math.log(n_tags))
            log_z, p = marginals(edges)
            names = xp.arange(n_tags)
            begins = starts[:, None, None, None]
            p = xp.where(begins, p.sum(axis=2, keepdims=True) * (names[:, None] == 0), p)
            before = xp.where(begins[:, :, 0, 0], 0, xp.concatenate([truth[:1], truth[:-1]]))
            gold = (before[:, :, None, None] == names[:, None]) & (truth[:, :, None, None] == names)
            # Where nothing is in scope, what rounding left of log Z is not a loss.
            total = xp.where(in_scope.any(axis=0), log_z - (edges * gold).sum(axis=(0, 2, 3)), 0.0)
            losses[tasks] = total / n_words
            scale = in_scope * (weights[tasks] / n_words)
            d_edges = ((p - gold) * scale[:, :, None, None]).astype(d_scores.dtype)
            d_scores[:, columns] = d_edges.sum(axis=2)
            task, i, j = (xp.asarray(indices) for indices in numpy.nonzero(moves >= 0))
            d_scores[:, xp.asarray(moves[moves >= 0])] = d_edges[:, task, i, j]
        return losses, d_scores

    def decode(self, scores: Array, lengths: Array) -> SpanArrays:
        """Spans of the most probable tag sequence of each task and document.

        The score of a span is its probability: that of all tag sequences in which it stands.

        Args:
            scores: (N, columns), on any device.
            lengths: (D,) words per document.
        """
        scores = to_numpy(scores)
        bases = numpy.cumsum(lengths) - lengths
        parts = []
        for tasks, columns in self._groups:
            moves = self._group_moves(columns)
            # One chain of the documents that may hold a mention, task by task.
            docs, k = numpy.nonzero(_may_hold_mentions(scores, lengths, columns, moves))
            n_words = lengths[docs]
            starts = document_starts(n_words)
            k = numpy.repeat(k, n_words)
            words = numpy.repeat(bases[docs] - numpy.cumsum(n_words) + n_words, n_words) + numpy.arange(len(k))
            edges = _edges(scores, words, starts, columns[k][:, None], moves[k][:, None])
            tags = best_path(edges)[:, 0]
            spans = find_spans(tags[:, None], numpy.zeros(1, dtype="int64"))
            parts.append(
                SpanArrays(
                    starts=words[spans.starts],
                    ends=words[spans.ends - 1] + 1,
                    tasks=tasks[k[spans.starts]],
                    types=spans.types,
                    scores=_span_probabilities(spans, marginals(edges)[1][:, 0], tags, starts),
                )
            )
        return concatenate(parts)

    def _group_moves(self, columns: Array) -> Array:
        """(K, T, T) columns of moves for the (K, T) columns of tags."""
        return self._moves[columns[:, :, None], columns[:, None, :]]


def _edges(scores: Any, words: Any, starts: Any, columns: Any, moves: Any) -> Any:
    """(N, K, T, T) score of moving from a tag to a word's tag.

    Args:
        scores: scores of a batch of words.
        words: (N,) row of each word in `scores`.
        starts: (N,) whether a word begins a document.
        columns: (K, T) column of each tag, or (N, K, T).
        moves: (K, T, T) column of each move, or (N, K, T, T).
    """
    xp = get_array_module(scores)
    rows = words[:, None, None]
    move_scores = xp.where(moves >= 0, scores[rows[..., None], xp.maximum(moves, 0)].astype("float64"), NEVER)
    edges = scores[rows, columns][:, :, None, :] + move_scores
    first = xp.flatnonzero(starts)
    edges[first] = edges[first][:, :, :1]
    return edges


def _may_hold_mentions(scores: Array, lengths: Array, columns: Array, moves: Array) -> Array:
    """(D, K) bool; where False, O is the best tag of every word.

    Shifting a share of the scores from the moves that leave a tag to those that reach it changes the total of no
    sequence that ends with O. If, so shifted, no move of a document is better than from O to O, no sequence is.
    """
    n_tags = columns.shape[1]
    found = numpy.zeros((len(lengths), len(columns)), dtype=bool)
    if not len(scores):
        return found
    gain = numpy.where(moves >= 0, scores[:, numpy.maximum(moves, 0)], NEVER) + scores[:, columns][:, :, None]
    gain -= gain[:, :, :1, :1]
    share = numpy.maximum(gain[:, :, :, 0].max(axis=0), 0.0)
    gain += share[:, None, :] - share[:, :, None]
    nonempty = lengths > 0
    better = (gain.reshape(len(scores), -1, n_tags * n_tags)[:, :, 1:] > 0).any(axis=2)
    bases = (numpy.cumsum(lengths) - lengths)[nonempty]
    found[nonempty] = numpy.logical_or.reduceat(better, bases, axis=0)
    return found


def _span_probabilities(spans: SpanArrays, p: Array, tags: Array, starts: Array) -> Array:
    """Probability of each span: to begin, to go on and on, and to go on no further.

    Args:
        spans: spans in one chain.
        p: (N, T, T) probability of each move.
        tags: (N,) the chosen sequence.
        starts: (N,) whether a word begins a document.
    """
    if not len(spans.starts):
        return spans.scores
    tiny = numpy.finfo("float64").tiny
    tag_p = p.sum(axis=1)
    word = numpy.arange(len(tags))
    before = numpy.maximum(word - 1, 0)
    went_on = numpy.log(p[word, tags[before], tags] + tiny) - numpy.log(tag_p[before, tags[before]] + tiny)
    total = numpy.concatenate([[0.0], numpy.cumsum(went_on)])
    log_p = numpy.log(tag_p[spans.starts, tags[spans.starts]] + tiny) + total[spans.ends] - total[spans.starts + 1]
    # The word behind a span may go on with it, unless it begins another document.
    behind = numpy.minimum(spans.ends, len(tags) - 1)
    last = tags[spans.ends - 1]
    go_on = p[behind, last, 2 * spans.types + 2] / (tag_p[spans.ends - 1, last] + tiny)
    is_final = (spans.ends == len(tags)) | starts[behind]
    return numpy.clip(numpy.exp(log_p) * numpy.where(is_final, 1.0, 1.0 - go_on), 0.0, 1.0).astype("f")
