"""Statistics of human judgements: agreement of two judges, and shares with their intervals."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from math import inf, sqrt
from statistics import NormalDist
from typing import NamedTuple, Optional

import numpy

LEVEL = 0.95
"""Confidence level of the intervals."""

Z = NormalDist().inv_cdf((1 + LEVEL) / 2)


@dataclass(frozen=True)
class Agreement:
    """Agreement of two judges on the same items."""

    items: int
    observed: Optional[float] = None  # share of the items that both judge alike; None if there is no item
    kappa: Optional[float] = None  # Cohen's kappa, -1 to 1; None if undefined: no item, or the same answer everywhere
    # Lower end of its interval; None if kappa is undefined or its estimated variance is 0 (the judges agree everywhere
    # or nowhere).
    low: Optional[float] = None
    high: Optional[float] = None  # upper end


class Stratum(NamedTuple):
    """A part of a population from which a simple random sample was drawn and judged."""

    population: int
    judged: int
    yes: int


class Share(NamedTuple):
    """An estimated share, and the ends of its interval; fractions of 1."""

    value: float
    low: float
    high: float


def agreement(first: Sequence[Hashable], second: Sequence[Hashable]) -> Agreement:
    """Agreement of two judges beyond chance.

    Kappa is that of Cohen (1960), A coefficient of agreement for nominal scales: (p_o - p_e) / (1 - p_e), with the
    observed agreement p_o and the agreement expected of independent judges p_e. Its interval is normal with the
    asymptotic variance of Fleiss, Cohen and Everitt (1969), Large sample standard errors of kappa and weighted kappa,
    which is the delta method for the cells of the table, cut to -1 and 1.
    """
    if not first:
        return Agreement(0)
    answers = {answer: place for place, answer in enumerate(dict.fromkeys([*first, *second]))}
    cells = numpy.zeros((len(answers), len(answers)))
    for pair in zip(first, second, strict=True):
        cells[answers[pair[0]], answers[pair[1]]] += 1
    cells /= len(first)
    rows, columns = cells.sum(axis=1), cells.sum(axis=0)
    observed = float(numpy.trace(cells))
    if len(answers) == 1:
        return Agreement(len(first), observed)
    by_chance = float(rows @ columns)
    kappa = (observed - by_chance) / (1 - by_chance)
    # Derivative of kappa by each cell.
    slopes = (1 - by_chance) * numpy.eye(len(answers)) - (1 - observed) * (columns[:, None] + rows[None, :])
    slopes /= (1 - by_chance) ** 2
    variance = float((cells * slopes**2).sum() - (cells * slopes).sum() ** 2) / len(first)
    if variance < 1e-12:
        return Agreement(len(first), observed, kappa)
    reach = Z * sqrt(variance)
    return Agreement(len(first), observed, kappa, max(-1.0, kappa - reach), min(1.0, kappa + reach))


def wilson(share: float, items: float) -> Share:
    """Interval of a share by Wilson (1927), Probable inference, the law of succession, and statistical inference.

    Args:
        items: number of items, above 0; need not be whole, and may be infinite.
    """
    if items == inf:
        return Share(share, share, share)
    center = (share + Z**2 / (2 * items)) / (1 + Z**2 / items)
    reach = Z * sqrt(share * (1 - share) / items + Z**2 / (4 * items**2)) / (1 + Z**2 / items)
    return Share(share, min(share, max(0.0, center - reach)), max(share, min(1.0, center + reach)))


def stratified(strata: Sequence[Stratum]) -> Share:
    """Share of yes in a population, from samples of its strata.

    The estimate is that of Horvitz and Thompson (1952), A generalization of sampling without replacement from a finite
    universe: each judged item is weighted by the inverse of its probability of being drawn. The interval is Wilson's
    with the effective sample size (Franco et al. 2019, Comparative study of confidence intervals for proportions in
    complex sample surveys): the number of items of a simple random sample with the same variance. That is the variance
    of a stratified sample, with finite population correction (Cochran 1977, Sampling techniques, chapter 5), but at
    least the variance if all strata had the same share, because small strata that are all yes or all no have an
    estimated variance of 0.

    Args:
        strata: at least one, each with at least one judged item.
    """
    total = sum(stratum.population for stratum in strata)
    share = sum(stratum.population / total * stratum.yes / stratum.judged for stratum in strata)
    variance = of_weights = 0.0
    for population, judged, yes in strata:
        left = (population / total) ** 2 * (1 - judged / population)
        of_weights += left / judged
        variance += left * (yes / judged) * (1 - yes / judged) / max(1, judged - 1)
    variance = max(variance, share * (1 - share) * of_weights)
    if variance:
        return wilson(share, share * (1 - share) / variance)
    return wilson(share, 1 / of_weights if of_weights else inf)
