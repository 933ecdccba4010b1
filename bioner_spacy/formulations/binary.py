"""Shared parts of formulations with binary decisions per entity type and task."""

import math
from collections.abc import Sequence
from typing import Any

import numpy
from thinc.api import get_array_module

from ..errors import check_setting
from ..tasks import Task
from ..types import Array


def type_pairs(tasks: Sequence[Task]) -> tuple[Array, Array, Array]:
    """The (task, type) pairs of all tasks, in the order of tasks.

    Returns:
        (P,) task of each pair, (P,) number of its type within the task, and (K,) first pair of each task.
    """
    pairs = [(k, number) for k, task in enumerate(tasks) for number in range(len(task.types))]
    task_of, type_of = numpy.array(pairs, dtype="int64").reshape(-1, 2).T
    return task_of, type_of, numpy.searchsorted(task_of, numpy.arange(len(tasks)))


def sigmoid(scores: Array) -> Array:
    """Probabilities of log-odds, without overflow."""
    xp = get_array_module(scores)
    result: Array = 0.5 * (1.0 + xp.tanh(0.5 * scores))
    return result


def threshold_log_odds(setting: str, threshold: float) -> float:
    """Log-odds of a probability that is a setting.

    Raises:
        BionerError: it is not between 0 and 1.
    """
    check_setting(setting, threshold, "between 0 and 1", 0 < threshold < 1)
    return math.log(threshold / (1 - threshold))


def binary_entropy(scores: Array, truth: Any) -> Array:
    """Binary cross-entropy in nats of log-odds and 0 or 1, without overflow."""
    xp = get_array_module(scores)
    # log(1 + exp(x)) - x * truth
    result: Array = xp.maximum(scores, 0) - scores * truth + xp.log1p(xp.exp(-xp.abs(scores)))
    return result


def crossed_out(starts: Array, ends: Array, pairs: Array, scores: Array) -> Array:
    """Find crossing spans of one type to leave out.

    Args:
        starts: (M,) first token.
        ends: (M,) one past the last token.
        pairs: (M,) task and type.
        scores: (M,) of two that cross, the one with the higher score stays, or else the first.

    Returns:
        (M,) bool, whether a span crosses one of the same type that stays.
    """
    out = numpy.zeros(len(starts), dtype=bool)
    order = numpy.lexsort((ends, starts, pairs))
    crossing: dict[int, list[int]] = {}
    widest = (ends - starts).max(initial=0)
    for distance in range(1, len(order)):
        one, other = order[:-distance], order[distance:]
        # Sorted by their first tokens: where none is near at one distance, none is at a larger one.
        near = (pairs[one] == pairs[other]) & (starts[other] - starts[one] < widest)
        if not near.any():
            break
        cross = near & (starts[one] < starts[other]) & (starts[other] < ends[one]) & (ends[one] < ends[other])
        for i, j in zip(one[cross].tolist(), other[cross].tolist()):
            crossing.setdefault(i, []).append(j)
            crossing.setdefault(j, []).append(i)
    for i in sorted(crossing, key=lambda i: (-scores[i], starts[i], ends[i])):
        if not out[i]:
            out[crossing[i]] = True
    return out
