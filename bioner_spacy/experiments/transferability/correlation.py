"""Correlation of measures between corpora with gains from auxiliary corpora."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import atanh, sqrt, tanh
from pathlib import Path
from statistics import NormalDist
from typing import Optional

import numpy

from ...errors import BionerError, Errors, Warnings, import_extra, warn
from ...scoring.results import reading_json
from .gains import Gains, Pair
from .measures import AFTER_TRAINING, MEASURES, Measures

FILE = "correlations.json"
LEVEL = 0.95
"""Confidence level of the intervals."""

FEW = 30
"""With fewer pairs there is a warning."""


@dataclass(frozen=True)
class Correlation:
    """A correlation and its interval."""

    n: int  # number of pairs of values
    value: Optional[float] = None  # -1 to 1; None if it is undefined: fewer than three pairs, or no variation
    # Lower end of the interval; None if it is undefined: fewer than four pairs, or a value of -1 or 1.
    low: Optional[float] = None
    high: Optional[float] = None  # upper end
    p: Optional[float] = None  # two-sided p-value


@dataclass(frozen=True)
class Correlations:
    """Correlations of measures with gains."""

    split: str  # the split of the gains
    corpora: list[str]  # corpora with both gains and measures
    pearson: dict[str, Correlation]  # measure -> Pearson correlation over all pairs
    spearman: dict[str, Correlation]  # measure -> Spearman correlation over all pairs
    by_target: dict[str, dict[str, Correlation]]  # measure -> target -> Pearson over its auxiliaries
    points: dict[str, list[tuple[str, str, float, float]]]  # measure -> target, auxiliary, value, gain in points of F1


def correlate(gains: Gains, measures: Measures) -> Correlations:
    """Correlate every measure with the gains, on shared corpora.

    Returns:
        The correlations, with a warning if there are few pairs.

    Raises:
        BionerError: fewer than three corpora are shared, or their numbers of tokens differ; SciPy is not installed.
    """
    corpora = [corpus for corpus in gains.corpora if corpus in measures.corpora]
    if len(corpora) < 3:
        raise BionerError(Errors.E555.format(found=", ".join(corpora) or "none"))
    if gains.budget != measures.budget:
        raise BionerError(Errors.E559.format(gains=gains.budget, measures=measures.budget))
    if (n := len(corpora) * (len(corpora) - 1)) < FEW:
        warn(Warnings.W509.format(n=n))
    points = {
        name: [(*pair, value, 100 * gain) for pair, value, gain in _points(gains, values, corpora)]
        for name, values in measures.values.items()
    }
    return Correlations(
        split=gains.split,
        corpora=corpora,
        pearson={name: pearson(*_columns(found)) for name, found in points.items()},
        spearman={name: spearman(*_columns(found)) for name, found in points.items()},
        by_target={
            name: {corpus: pearson(*_columns([one for one in found if one[0] == corpus])) for corpus in corpora}
            for name, found in points.items()
        },
        points=points,
    )


def pearson(x: Sequence[float], y: Sequence[float]) -> Correlation:
    """Pearson's correlation with an interval by Fisher's z: tanh(atanh(r) ± z / sqrt(n - 3))."""
    return _correlation("pearsonr", x, y, lambda value: 1.0)


def spearman(x: Sequence[float], y: Sequence[float]) -> Correlation:
    """Spearman's rank correlation, and its interval by Bonett and Wright (2000), Sample size requirements for
    estimating Pearson, Kendall and Spearman correlations: as Fisher's, with the variance (1 + rho^2 / 2) / (n - 3)."""
    return _correlation("spearmanr", x, y, lambda value: 1 + value**2 / 2)


def best_measure(path: Path) -> tuple[str, float]:
    """The training-free measure with the largest absolute Spearman correlation.

    Args:
        path: correlations.json, or the folder that it is in.

    Returns:
        Its name and correlation.
    """
    advice = "write them with `spacy bioner experiment transferability correlate`"
    with reading_json(path, "correlations of measures", advice, name=FILE) as data:
        found = {
            name: float(data["spearman"][name]["value"])
            for name in MEASURES
            if name not in AFTER_TRAINING and data["spearman"].get(name, {}).get("value") is not None
        }
        name = max(found, key=lambda name: abs(found[name]))
        return name, found[name]


def _points(
    gains: Gains, values: Mapping[Pair, Optional[float]], corpora: Sequence[str]
) -> list[tuple[Pair, float, float]]:
    """Pairs with both measure and gain."""
    found = []
    for pair in gains.rows:
        value, gain = values.get(pair), gains.gain(*pair)
        if set(pair) <= set(corpora) and value is not None and gain is not None:
            found.append((pair, value, gain))
    return found


def _columns(points: Sequence[tuple[str, str, float, float]]) -> tuple[list[float], list[float]]:
    return [x for *_, x, _ in points], [y for *_, y in points]


def _correlation(test: str, x: Sequence[float], y: Sequence[float], variance: Callable[[float], float]) -> Correlation:
    """A correlation by a function of `scipy.stats`, with the variance of its interval, but for the factor 1 / (n -
    3)."""
    found, n = getattr(import_extra("scipy.stats", "transfer"), test), len(x)
    if n < 3 or any(numpy.ptp(side) < 1e-12 for side in (x, y)):
        return Correlation(n)
    value, p = map(float, found(x, y))
    if n < 4 or abs(value) > 1 - 1e-12:
        return Correlation(n, value, p=p)
    reach = NormalDist().inv_cdf((1 + LEVEL) / 2) * sqrt(variance(value) / (n - 3))
    return Correlation(n, value, tanh(atanh(value) - reach), tanh(atanh(value) + reach), p)
