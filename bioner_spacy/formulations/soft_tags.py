"""Soft targets of tag transitions, and the choice of texts to learn them from.

Within the scope, the target is a mixture of gold and teachers (Clark et al. 2019, "BAM! Born-again multi-task
networks for natural language understanding", arXiv 1907.04829). Outside it, only texts are learnt for which the
teachers are confident about every token.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy

from ..types import BARRED, Array, Taught

SURE = 0.9
"""Teachers are confident about a token if the probability of each of its tags is above this, or below 1 minus this."""


@dataclass(frozen=True)
class SoftTags:
    """Soft targets of a batch of N tokens, on the CPU.

    Attributes:
        share: (N, K) share of the teachers in the target; 0 outside of the scope, and where they have not read the
            text.
        across: (N, K) bool, whether a token is in a text that is learnt from the teachers alone.
        weight: weight of the loss of these texts.
        transitions: for each group of tasks of one size, (N, tasks, T, T) probability of each transition.
    """

    share: Array
    across: Array
    weight: float
    transitions: Sequence[Array]


def make_soft_tags(taught: Taught, tags: Array, starts: Array, groups: Sequence[tuple[Array, Array]]) -> SoftTags:
    """Make soft targets for a batch.

    Outside of the scope a text is taught if the teachers are sure of all of it, unless they see a mention end where
    the annotation says that none does (`BARRED`): gold goes before teachers.

    Args:
        taught: the soft targets.
        tags: (N, K) targets of the tags.
        starts: (N,) bool, whether a token begins a text.
        groups: numbers of the tasks of one size, and their columns, (tasks, T).
    """
    across = numpy.zeros_like(tags, dtype=bool)
    transitions = []
    for tasks, columns in groups:
        p = numpy.zeros((len(tags), len(tasks), columns.shape[1], columns.shape[1]), dtype="f")
        p[:, :, 0, 0] = 1.0
        for i, k in enumerate(tasks.tolist()):
            p[taught.tokens[k], i] = taught.transitions[k]
        p = from_outside(p, starts)
        transitions.append(p)
        if taught.across and len(tags):
            unfit = ~_sure(p) | (tags[:, tasks] == BARRED) & (_score_range(p, starts) > 0.5)
            by_text = numpy.logical_or.reduceat(unfit, numpy.flatnonzero(starts), axis=0)
            across[:, tasks] = taught.known[:, tasks] & (tags[:, tasks] < 0) & ~by_text[numpy.cumsum(starts) - 1]
    share = taught.share * (taught.known & (tags >= 0))
    return SoftTags(share, across, taught.across, transitions)


def from_outside(p: Array, starts: Array) -> Array:
    """Let all texts begin behind an O, in place: where teachers have seen a mention go on, one begins.

    Args:
        p: (N, K, T, T) probability of each transition.
        starts: (N,) bool, whether a token begins a text.
    """
    first = p[starts].sum(axis=2)
    first[:, :, 1::2] += first[:, :, 2::2]
    first[:, :, 2::2] = 0.0
    p[starts] = 0.0
    p[starts, :, 0] = first
    return p


def bio_transitions(n_tags: int) -> Any:
    """(T, T) bool, whether BIO allows a tag, the second, behind another one."""
    before, after = numpy.indices((n_tags, n_tags))
    goes_on = (after > 0) & (after % 2 == 0)
    return ~goes_on | (before == after) | (before == after - 1)


def _sure(p: Array) -> Any:
    """(N, K) bool, whether the teachers are sure of a token, from (N, K, T, T) probabilities."""
    tags = p.sum(axis=2)
    return ((tags > SURE) | (tags < 1 - SURE)).all(axis=2)


def _score_range(p: Array, starts: Array) -> Any:
    """(N, K) probability that a mention ends at a token: that it has one, and that this does not go on."""
    tags = p.sum(axis=2)
    ends = 1 - tags[:, :, 0]
    goes_on = (p[1:, :, :, 2::2]).sum(axis=(2, 3))
    ends[:-1] -= numpy.where(starts[1:, None], 0.0, goes_on)
    return ends
