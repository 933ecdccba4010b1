"""Significance of the difference in F1 between two systems on the same documents.

Approximate randomisation gives the probability of a difference this large between equal systems (Noreen 1989,
Computer-Intensive Methods for Testing Hypotheses; for F1: Yeh 2000, More accurate tests for the statistical
significance of result differences), and the paired bootstrap gives the variance of the difference over samples of
documents (Efron and Tibshirani 1993, An Introduction to the Bootstrap, section 13.3; Koehn 2004, Statistical
significance tests for machine translation evaluation). Both draw whole documents, because mentions of one document are
not independent. F1 is computed from summed counts (micro average), so a draw is the product of the matrix of counts
with the multiplicities of the documents.
"""

import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Optional

import numpy
from numpy.typing import NDArray

Floats = NDArray[numpy.float64]

RESAMPLES = 10_000
ALPHA = 0.05
BLOCK = 1 << 18
"""Maximum size of a block of draws, in numbers (2 MB): faster than larger blocks."""


@dataclass(frozen=True)
class Paired:
    """Counts of two systems on the same documents, each system with the same number of runs (seeds)."""

    gold: Floats  # (documents, columns) gold mentions; a column is an entity type or all of them
    predicted: Floats  # (2, runs, documents, columns) predicted mentions of the first and the second system
    found: Floats  # (2, runs, documents, columns) gold mentions that are predicted
    # (2, runs, documents, columns) predicted mentions that are gold; the same as `found` for most metrics.
    right: Floats


@dataclass(frozen=True)
class Significance:
    """Interval and p of a difference in F1 (second system minus first).

    Attributes:
        low: lower end of the interval of the difference, a fraction of 1.
        high: upper end.
        p: two-sided p-value of the difference.
        adjusted: p corrected for multiple tests, see `holm`; None for a single test.
    """

    low: float
    high: float
    p: float
    adjusted: Optional[float] = None

    def differs(self, alpha: float) -> bool:
        """Whether p is below alpha and the interval excludes 0."""
        p = self.p if self.adjusted is None else self.adjusted
        return p < alpha and not self.low <= 0 <= self.high


def significance(
    corpora: Mapping[str, Paired], *, alpha: float = ALPHA, resamples: int = RESAMPLES, seed: int = 0
) -> tuple[dict[str, list[Significance]], Significance]:
    """Test the difference in F1 on every corpus, and of the mean over corpora.

    The statistic is the difference in F1 averaged over runs. For the mean over corpora, documents are drawn within
    each corpus (a stratified sample), and the last column is used.

    Args:
        seed: random seed. Those of a corpus are the same whatever other corpora there are.

    Returns:
        Results for every corpus and column, and for the mean.
    """
    found: dict[str, list[Significance]] = {}
    runs = {counts.predicted.shape[1] for counts in corpora.values()}.pop()
    # The same weights for all corpora, because one run may have made the predictions on several of them.
    weights = run_weights(runs, resamples, numpy.random.default_rng(seed))
    total = numpy.zeros(1), numpy.zeros((resamples, 1)), numpy.zeros((resamples, 1))
    for name, counts in corpora.items():
        rng = numpy.random.default_rng([seed, zlib.crc32(name.encode())])
        difference = observed(counts)
        chance, draws = randomised(counts, resamples, rng), resampled(counts, weights, rng)
        found[name] = _test(difference, chance, draws, alpha)
        for sums, of_corpus in zip(total, (difference, chance, draws)):
            sums += of_corpus[..., -1:] / len(corpora)
    [mean] = _test(*total, alpha)
    return found, mean


def observed(counts: Paired) -> Floats:
    """(columns,) difference in mean F1 over runs, second system less first one."""
    sums = (side.sum(axis=2) for side in (counts.predicted, counts.found, counts.right))
    first, second = f1(counts.gold.sum(axis=0), *sums).mean(axis=1)
    return second - first


def randomised(counts: Paired, resamples: int, rng: numpy.random.Generator) -> Floats:
    """Differences under the null hypothesis: the systems are swapped in each document with probability 1/2.

    All runs of a system are swapped together.

    Returns:
        (resamples, columns) differences in F1.
    """
    # (2, kinds, runs, documents, columns)
    both = numpy.stack([counts.predicted, counts.found, counts.right], axis=1)
    gold, sums = counts.gold.sum(axis=0), both.sum(axis=3)
    shape = sums[0].shape
    change: Any = numpy.moveaxis(both[1] - both[0], 2, 0).reshape(len(counts.gold), -1).astype("float64")
    change = change[change.any(axis=1)]  # swapping equal counts changes nothing
    found = []
    for rows in _blocks(resamples, len(change)):
        swap = rng.integers(2, size=(rows, len(change)), dtype=bool)
        moved = (swap.astype("float64") @ change).reshape(rows, *shape)
        first, second = (f1(gold, *numpy.moveaxis(side, 1, 0)) for side in (sums[0] + moved, sums[1] - moved))
        found.append((second - first).mean(axis=1))
    return numpy.concatenate(found)


def resampled(counts: Paired, weights: Floats, rng: numpy.random.Generator) -> Floats:
    """Differences on documents drawn with replacement, the same for both systems (paired bootstrap).

    Args:
        weights: (2, resamples, runs) weights of the runs, see `run_weights`.

    Returns:
        (resamples, columns) differences in F1.
    """
    n, width = counts.gold.shape
    parts = [counts.gold[None, None], counts.predicted, counts.found, counts.right]
    matrix = numpy.concatenate([numpy.moveaxis(part, 2, 0).reshape(n, -1) for part in parts], axis=1).astype("float64")
    found, done = [], 0
    for rows in _blocks(weights.shape[1], n):
        picks = rng.integers(n, size=(rows, n)) + n * numpy.arange(rows)[:, None]
        sums = numpy.bincount(picks.ravel(), minlength=rows * n).reshape(rows, n) @ matrix
        shape = (rows, *counts.predicted.shape[:2], width)
        f = f1(sums[:, None, None, :width], *(part.reshape(shape) for part in numpy.split(sums[:, width:], 3, axis=1)))
        first, second = numpy.einsum("rsnc,srn->src", f, weights[:, done : done + rows])
        found.append(second - first)
        done += rows
    return numpy.concatenate(found)


def run_weights(runs: int, resamples: int, rng: numpy.random.Generator) -> Floats:
    """Weights of the runs of both systems, drawn with replacement, for a mean over runs.

    Resampling few runs underestimates their variance by (runs - 1) / runs, so weights are scaled by the root of the
    inverse (rescaling bootstrap: Rao and Wu 1988, Resampling inference with complex survey data).

    Returns:
        (2, resamples, runs) weights; they sum to 1 in each draw.
    """
    if runs == 1:
        return numpy.ones((2, resamples, 1))
    shares = rng.multinomial(runs, [1 / runs] * runs, size=(2, resamples)) / runs
    return 1 / runs + (runs / (runs - 1)) ** 0.5 * (shares - 1 / runs)


def p_values(difference: Floats, chance: Floats) -> Floats:
    """Two-sided p of differences: (k + 1) / (R + 1) where k of R draws are at least as large.

    The observed order counts as one of the draws, so p is never 0.

    Args:
        difference: (columns,) observed differences.
        chance: (R, columns) draws of `randomised`.

    Returns:
        (columns,) of p.
    """
    # Draws that equal the observed value up to rounding count.
    reached = numpy.abs(chance) >= numpy.abs(difference) - 1e-12
    return (reached.sum(axis=0) + 1) / (len(chance) + 1)


def holm(p: Floats) -> Floats:
    """Correct p-values for multiple tests (family-wise error rate).

    Holm 1979, A simple sequentially rejective multiple test procedure: the smallest of m is multiplied by m, the next
    by m - 1, and so on, with monotonicity enforced and 1 as the maximum. The tests need not be independent.

    Args:
        p: (m,) values.

    Returns:
        (m,) corrected values, in the same order.
    """
    order = numpy.argsort(p, kind="stable")
    adjusted = numpy.empty(len(p))
    adjusted[order] = numpy.maximum.accumulate(p[order] * numpy.arange(len(p), 0, -1)).clip(max=1)
    return adjusted


def f1(gold: NDArray[Any], predicted: NDArray[Any], found: NDArray[Any], right: NDArray[Any]) -> Floats:
    """F1 of counts as fractions of 1, see `Counts.scores`; 0 where nothing is counted."""
    both = numpy.asarray(right * gold + found * predicted, dtype="float64")
    return numpy.divide(2 * right * found, both, out=numpy.zeros_like(both), where=both > 0)


def _test(difference: Floats, chance: Floats, draws: Floats, alpha: float) -> list[Significance]:
    low, high = numpy.quantile(draws, [alpha / 2, 1 - alpha / 2], axis=0)
    p = p_values(difference, chance)
    return [Significance(float(a), float(b), float(c)) for a, b, c in zip(low, high, p)]


def _blocks(total: int, width: int) -> Iterator[int]:
    """Block sizes that sum to a total number of rows and keep blocks below the maximum size."""
    most = max(1, BLOCK // max(1, width))
    while total > 0:
        yield min(most, total)
        total -= most
