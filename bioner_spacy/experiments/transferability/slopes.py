"""Slopes of learning curves."""

from collections.abc import Sequence

import numpy

from .gains import Losses

SHARES = (0.1, 0.2, 0.3, 0.5, 0.7)
"""Positions of the slopes, as shares of the training: those of Bingel and Sogaard (2017), Identifying beneficial task
relations for multi-task learning in deep neural networks, also used by Akdemir and Shibuya (2020)."""

REACH = 0.1
"""Share of the training before and after a position over which the loss is averaged."""


def slopes(losses: Losses, steps: int, *, shares: Sequence[float] = SHARES) -> list[float]:
    """Slopes of the mean loss.

    Losses are divided by that of the first tenth of the training, because their scales differ.

    Args:
        losses: number of updates, and mean loss since the previous entry.

    Returns:
        For each position, the mean loss over the `REACH` after it minus that before it, divided by `REACH` and by the
        loss of the first tenth.
    """
    updates, means = numpy.array([(0, 0.0), *losses]).T
    sums = numpy.cumsum(means * numpy.diff(updates, prepend=0))

    def mean_loss(begin: float, end: float) -> float:
        low, high = numpy.interp([begin * steps, end * steps], updates, sums)
        return float(high - low) / ((end - begin) * steps)

    first = mean_loss(0, REACH) or 1.0
    return [(mean_loss(x, x + REACH) - mean_loss(x - REACH, x)) / REACH / first for x in shares]
