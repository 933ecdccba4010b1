"""BIO tags in a linear-chain conditional random field, one for each task.

Lafferty, McCallum & Pereira 2001, "Conditional Random Fields". The probability of a tag sequence is that of a whole,
exp(sum of the scores of its tags and of the transitions between them) / Z, so neighbouring tags agree, unlike with
independent decisions: "renal" B, "oncocytomas" B. Transitions that BIO forbids have no score
and probability 0. The scores of transitions are outputs of the heads as those of tags are, and may differ from token
to token. A type has its own scores for transitions from and to O and within a mention; those from one mention to the
next are the same for all types of a task, so that a task costs a time proportional to the number of its types, see
`TRANSITIONS`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy
from thinc.api import get_array_module, to_numpy

from ..tasks import Task
from ..types import Array, Gold, SpanArrays
from .chains import NEVER, marginals
from .crf_decoding import chain_edges, decode_edges, line_up, may_hold_mentions
from .soft_tags import SoftTags, bio_transitions, from_outside, make_soft_tags
from .tags import BARRED, OUT_OF_SCOPE, TagFormulation, concatenate, document_starts, in_barred_texts
from .typed_chains import n_transitions, transition_names, transition_number
from .typed_crf import decode_typed, typed_loss

# Tokens that are decoded at once, so that their edges fit into a cache.
_CHAIN_TOKENS = 2**15
# Columns of a task of one type, for which all transitions at once are quicker.
_ONE_TYPE = 3 + n_transitions(1)


class CRFFormulation(TagFormulation):
    """BIO tags for a list of tasks, with a score for each transition between tags.

    A document begins as if after an O.

    Args:
        tasks: the K tasks, in the order of the heads' outputs: tags of all tasks, then their transitions.
    """

    def __init__(self, tasks: Sequence[Task]) -> None:
        super().__init__(tasks)
        n_tag_columns = len(self.columns)
        self.columns += [(task.name, *name) for task in tasks for name in transition_names(task.types)]
        counts = numpy.array([n_transitions(n_types) for n_types in self._n_types], dtype="int64")
        firsts = n_tag_columns + numpy.cumsum(counts) - counts
        # Tasks of one size, (K,); columns of their tags and of the scores of transitions, (T + M, K); tags before and
        # after each transition.
        self._chains = []
        for members, columns in self._groups:
            transitions = list(zip(*numpy.nonzero(bio_transitions(columns.shape[1]))))
            of_transitions = firsts[members] + numpy.arange(n_transitions(len(columns[0]) // 2))[:, None]
            self._chains.append((members, numpy.vstack([columns.T, of_transitions]), transitions))

    def targets(self, gold: Gold) -> tuple[Any, int]:
        """Tags of each token as for `TagFormulation`, and `SoftTags` behind them if there are teachers."""
        targets, n_lost = super().targets(gold)
        if gold.taught is None:
            return targets, n_lost
        return (*targets, make_soft_tags(gold.taught, *targets, self._groups)), n_lost

    def loss(self, scores: Array, targets: Any, weights: Array) -> tuple[Array, Array]:
        """Negative log-likelihood of the tags of each task, and of barred spans and soft targets outside of its scope.

        In the scope it is divided by the number of tokens there. Outside, a mention of a disjoint type says that no
        mention of the task ends where it does: the loss is that of all tag sequences of the text in which none does,
        log Z minus log Z of these alone, divided by the number of tokens of such texts (a partial annotation, Tsuboi
        et al. 2008, "Training conditional random fields using incomplete annotations").

        Teachers replace the transitions of the gold tags by their probabilities, in part within the scope and for
        whole texts outside of it, see `SoftTags`: the loss is the cross-entropy of the Markov chain of these
        probabilities, log Z minus the sum of edges weighted by them, and its gradient is the difference of the two
        distributions. A text that teachers teach is not read for what is barred in it.

        Args:
            scores: (N, columns) scores of tags and transitions.
            targets: from `targets`.
            weights: (K,) weight of each task in the sum whose gradient is returned.

        Returns:
            (K,) loss in nats per token, 0 for a task without tokens in scope and none barred or taught, and (N,
            columns) gradient, exactly 0 outside the scope but in texts with something barred, or that are taught.
        """
        xp = get_array_module(scores)
        losses = xp.zeros(self.n_tasks, dtype="f")
        d_scores = xp.zeros_like(scores).ravel()
        tags, starts, *taught = targets
        for number, (tasks, columns, transitions) in enumerate(self._chains):
            passes = self._passes(number, targets)
            # With several types, only soft targets need all pairs of tags.
            if len(columns) > _ONE_TYPE and (not taught or not taught[0].share[:, tasks].any()):
                found = typed_loss(scores, tags[:, tasks], starts, columns, to_numpy(weights)[tasks])
                losses[xp.asarray(tasks)] += found[0]
                d_scores += found[1].ravel()
                del passes[0]
            for read, allowed, weight in passes:
                # A chain for each task, of the tokens to be read; shorter ones go on with tokens that add nothing.
                n_tokens = read.sum(axis=0)
                if not n_tokens.any():
                    continue
                tokens = numpy.argsort(~read, axis=0, kind="stable")[: n_tokens.max()]
                kept = numpy.arange(len(tokens))[:, None] < n_tokens
                truth = numpy.where(kept, numpy.take_along_axis(tags[:, tasks], tokens, axis=0), OUT_OF_SCOPE)
                scale = kept * (weight * to_numpy(weights)[tasks] / numpy.maximum(n_tokens, 1))
                places = tokens * scores.shape[1] + columns[:, None]
                begins = starts[tokens]
                here = (xp.asarray(array) for array in (kept, begins, scale, places, tasks, n_tokens))
                kept, at_start, scale, places, numbers, counts = here

                edges = chain_edges(scores.ravel()[places], transitions, at_start, kept)
                log_z, p = marginals(xp.moveaxis(edges, (0, 1), (2, 3)))
                log_allowed, p_allowed = allowed(_Read(edges, tokens, truth, begins, to_numpy(kept)))
                # Where nothing is read, what rounding left of log Z is not a loss.
                total = xp.where(counts > 0, log_z - log_allowed, 0.0)
                losses[numbers] += (weight * total / xp.maximum(counts, 1)).astype("f")

                d_edges = xp.ascontiguousarray(xp.moveaxis(p, (2, 3), (0, 1)))
                d_edges -= p_allowed
                d_edges[0] = xp.where(at_start, d_edges.sum(axis=0), d_edges[0])
                d_edges[1:] *= ~at_start
                d_edges *= scale
                n_tags = len(d_edges)
                d_values = xp.concatenate([d_edges.sum(axis=0), xp.zeros((len(columns) - n_tags, *d_edges.shape[2:]))])
                for i, j in transitions:
                    d_values[n_tags + transition_number(i, j, n_tags // 2)] += d_edges[i, j]
                d_scores[places] += d_values.astype(d_scores.dtype)
        return losses, d_scores.reshape(scores.shape)

    def _passes(self, number: int, targets: Any) -> list[tuple[Array, Callable[["_Read"], tuple[Any, Any]], float]]:
        """What the loss of a group of tasks of one size is made of: (N, K) tokens to read, for which the sum of the
        allowed sequences is found by a function, with a weight."""
        tasks = self._chains[number][0]
        tags, starts, *taught = targets
        in_scope, barred = tags[:, tasks] >= 0, in_barred_texts(tags, starts)[:, tasks]
        if not taught:
            return [(in_scope, _gold_edges, 1.0), (barred, _open_edges, 1.0)]
        soft: SoftTags = taught[0]
        across, p = soft.across[:, tasks], soft.transitions[number]
        return [
            (in_scope, partial(_taught_edges, p=p, share=soft.share[:, tasks]), 1.0),
            (barred & ~across, _open_edges, 1.0),
            (across, partial(_taught_edges, p=p, share=across), soft.weight),
        ]

    def transitions(self, scores: Array, lengths: Array, *, most: float) -> list[tuple[Array, Array]]:
        """Probabilities of tags, as students are taught them.

        Args:
            scores: (N, columns), on any device.
            lengths: (D,) tokens per text.
            most: tokens at which an O follows on an O with this probability or a higher one are left out.

        Returns:
            For each task, (M,) tokens, in order, and (M, T, T) probability of each pair of tags of the token before
            and the token. An O precedes every text.
        """
        scores = to_numpy(scores)
        starts = document_starts(lengths)
        result: list[tuple[Array, Array]] = [(numpy.zeros(0, dtype="int64"), numpy.zeros((0, 0, 0)))] * self.n_tasks
        for tasks, columns, transitions in self._chains:
            begins = numpy.repeat(starts[:, None], len(tasks), axis=1)
            values = scores[:, columns.T].transpose(2, 0, 1)
            edges = chain_edges(values, transitions, begins, numpy.ones_like(begins))
            p = from_outside(marginals(numpy.moveaxis(edges, (0, 1), (2, 3)))[1], starts)
            for i, k in enumerate(tasks.tolist()):
                tokens = numpy.flatnonzero(p[:, i, 0, 0] < most)
                result[k] = tokens, p[tokens, i]
        return result

    def decode(self, scores: Array, lengths: Array) -> SpanArrays:
        """Spans of the most probable tag sequence of each task and document.

        The score of a span is its marginal probability.

        Args:
            scores: (N, columns), on any device.
            lengths: (D,) tokens per document.
        """
        scores = to_numpy(scores)
        starts = document_starts(lengths)
        parts = []
        for tasks, columns, transitions in self._chains:
            typed = len(columns) > _ONE_TYPE
            if typed:
                pairs = numpy.argwhere(numpy.tile(lengths > 0, (len(tasks), 1)))
            else:
                pairs = numpy.argwhere(may_hold_mentions(scores, lengths, columns, transitions))
            part_of = numpy.cumsum(lengths[pairs[:, 1]]) // _CHAIN_TOKENS
            for part in numpy.split(pairs, numpy.flatnonzero(numpy.diff(part_of)) + 1) if len(pairs) else []:
                k, tokens, kept = line_up(part, lengths)
                values = scores.ravel()[tokens * scores.shape[1] + columns[:, k]]
                at = values, starts[tokens], kept
                spans, p = decode_typed(*at) if typed else decode_edges(*at, transitions)
                parts.append(
                    SpanArrays(
                        starts=tokens[spans.starts, spans.tasks],
                        ends=tokens[spans.ends - 1, spans.tasks] + 1,
                        tasks=tasks[k[spans.starts, spans.tasks]],
                        types=spans.types,
                        scores=p,
                    )
                )
        return concatenate(parts)


@dataclass(frozen=True)
class _Read:
    """What is read of a batch: n tokens of each of K chains of T tags.

    Attributes:
        edges: (T, T, n, K) edges.
        tokens: (n, K) number of each token in the batch.
        truth: (n, K) targets.
        begins: (n, K) whether a token begins a text.
        kept: (n, K) false for tokens that add nothing.
    """

    edges: Any
    tokens: Array
    truth: Array
    begins: Array
    kept: Array


def _gold_edges(read: _Read) -> tuple[Any, Any]:
    """Sum of the edges of the gold sequences, (K,), and the transitions that these make: (T, T, n, K) 1, for others
    0."""
    made = _made(read)
    return (read.edges * made).sum(axis=(0, 1, 2)), made


def _made(read: _Read) -> Any:
    """(T, T, n, K) 1 for transitions of the gold sequences, 0 for others."""
    xp = get_array_module(read.edges)
    truth = numpy.where(read.kept, numpy.maximum(read.truth, 0), 0)
    before = numpy.where(read.begins, 0, numpy.concatenate([truth[:1], truth[:-1]]))
    chosen = tuple(xp.asarray(array) for array in (before, truth, *numpy.indices(truth.shape)))
    made = xp.zeros_like(read.edges)
    made[chosen] = xp.asarray(read.kept)
    return made


def _taught_edges(read: _Read, *, p: Array, share: Array) -> tuple[Any, Any]:
    """Like `_gold_edges`, with a share of the probabilities of teachers instead of gold.

    Args:
        read: what is read; targets are without meaning where the share is 1.
        p: (N, K, T, T) probability of each transition by the teachers, for the N tokens of the batch.
        share: (N, K) share of the teachers.
    """
    xp = get_array_module(read.edges)
    chains = numpy.arange(read.tokens.shape[1])
    of_teachers = read.kept * share[read.tokens, chains]
    made = _made(read) * xp.asarray(1.0 - of_teachers)
    made += xp.asarray(numpy.moveaxis(p[read.tokens, chains], (2, 3), (0, 1)) * of_teachers)
    return (read.edges * made).sum(axis=(0, 1, 2)), made


def _open_edges(read: _Read) -> tuple[Any, Any]:
    """Of the sequences of whole texts in which no mention ends at a barred token: (K,) log Z, and (T, T, n, K)
    probability of each transition among them."""
    xp = get_array_module(read.edges)
    barred = read.truth == BARRED
    last = numpy.ones_like(barred)
    last[:-1] = read.begins[1:] | ~read.kept[1:]
    # At the end of a text only O is open; else what leads from a mention to anything but its continuation is closed.
    after = numpy.zeros_like(barred)
    after[1:] = (barred & ~last)[:-1]
    open_edges = read.edges.copy()
    n_tags = len(open_edges)
    open_edges[:, 1:] = xp.where(xp.asarray(barred & last), NEVER, open_edges[:, 1:])
    others = [0, *range(1, n_tags, 2)]
    for i in range(1, n_tags):
        for j in others:
            open_edges[i, j] = xp.where(xp.asarray(after), NEVER, open_edges[i, j])
    log_z, p = marginals(xp.moveaxis(open_edges, (0, 1), (2, 3)))
    return log_z, xp.moveaxis(p, (2, 3), (0, 1))
