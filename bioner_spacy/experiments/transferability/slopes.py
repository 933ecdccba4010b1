"""How steeply the loss falls in the course of a training."""

from collections.abc import Sequence

import numpy

from .gains import Losses

SHARES = (0.1, 0.2, 0.3, 0.5, 0.7)
"""Shares of the training at which the slope is taken: those of Bingel and Sogaard (2017), Identifying beneficial task
relations for multi-task learning in deep neural networks, which Akdemir and Shibuya (2020) take over."""

REACH = 0.1
"""Share of the training on either side of it over which the loss is averaged."""


def slopes(losses: Losses, steps: int, *, shares: Sequence[float] = SHARES) -> list[float]:
    """Slopes of the mean loss of an update.

    Losses of different corpora are on different scales, so they are divided by that of the first tenth of the
    training: -1 means that the loss would fall by as much as it was at first within a whole training.

    Args:
        losses: number of updates and mean loss of those since the one before; in steps of any size, as sums between
            them are interpolated.
        steps: number of updates of the whole training.
        shares: where to take the slope, shares of the training.

    Returns:
        For each share the mean loss over the `REACH` after it less that before it, per share of the training (the
        difference divided by `REACH`), relative to the first tenth.
    """
    updates, means = numpy.array([(0, 0.0), *losses]).T
    sums = numpy.cumsum(means * numpy.diff(updates, prepend=0))

    def mean_loss(begin: float, end: float) -> float:
        low, high = numpy.interp([begin * steps, end * steps], updates, sums)
        return float(high - low) / ((end - begin) * steps)

    first = mean_loss(0, REACH) or 1.0
    return [(mean_loss(x, x + REACH) - mean_loss(x - REACH, x)) / REACH / first for x in shares]
