"""Calibration: whether scores of predicted mentions are probabilities (of those with score 0.8, 80 % are right).

A prediction is right by the strict match. Scores are binned by equal width (Guo et al. 2017, On calibration of modern
neural networks, equations 2, 3 and 5) or by equal numbers of predictions (Nguyen and O'Connor 2015, Posterior
calibration and exploratory analysis for natural language processing models). The expected calibration error is the
mean distance of the precision of a bin from its mean score, weighted by the predictions in it (Naeini et al. 2015,
Obtaining well calibrated probabilities using Bayesian binning); the Brier score is the mean squared error of the
scores (1950).
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Optional

import numpy
from numpy.typing import NDArray

from ..scoring.mentions import Compared
from ..scoring.metrics import ALL_TYPES

ALL_CORPORA = "all corpora"
BINS = 10


@dataclass(frozen=True)
class ScoredMentions:
    """Predicted mentions with their scores."""

    scores: NDArray[numpy.float64]  # (n,) scores, 0 to 1
    right: NDArray[numpy.bool_]  # (n,) whether each prediction is a gold mention
    gold: int  # number of gold mentions, found or not


@dataclass(frozen=True)
class Bin:
    """Predictions with similar scores."""

    low: float  # lowest score; exclusive for equal-width bins, except 0
    high: float  # highest score
    count: int  # number of predictions
    score: float  # their mean score
    precision: float  # share of them that is right


def scored_mentions(docs: Iterable[Compared]) -> dict[tuple[str, str], ScoredMentions]:
    """Gather the scores of predictions.

    Returns:
        Corpus and entity type -> predictions, sorted; for each corpus also `ALL_TYPES`, and then for `ALL_CORPORA` the
        same of all together.
    """
    scores: defaultdict[tuple[str, str], list[tuple[float, bool]]] = defaultdict(list)
    gold: defaultdict[tuple[str, str], int] = defaultdict(int)
    for doc in docs:
        for corpus in (doc.corpus, ALL_CORPORA):
            gold[corpus, ALL_TYPES] += len(doc.gold)
            for _, _, entity_type in doc.gold:
                gold[corpus, entity_type] += 1
            for mention in sorted(doc.predicted):
                for entity_type in (mention[2], ALL_TYPES):
                    scores[corpus, entity_type].append((doc.scores[mention], mention in doc.gold))
    found = {}
    for key in sorted(
        gold.keys() | scores.keys(), key=lambda key: (key[0] == ALL_CORPORA, key[0], key[1] == ALL_TYPES, key[1])
    ):
        values = numpy.array(scores[key], dtype="float64").reshape(-1, 2)
        found[key] = ScoredMentions(values[:, 0], values[:, 1].astype(bool), gold[key])
    return found


def equal_width_bins(found: ScoredMentions, bins: int = BINS) -> list[Bin]:
    """Bins of equal width from 0 to 1; each includes its upper boundary, and the first one includes 0.

    Returns:
        The bins that are not empty, lowest first.
    """
    edges = numpy.linspace(0, 1, bins + 1)
    numbers = numpy.digitize(found.scores, edges[1:-1], right=True)
    return [_bin(found, numbers == k, edges[k], edges[k + 1]) for k in numpy.unique(numbers)]


def equal_mass_bins(found: ScoredMentions, bins: int = BINS) -> list[Bin]:
    """Bins of equal numbers of predictions, as far as possible: equal scores share a bin.

    Returns:
        The bins, lowest first.
    """
    if not len(found.scores):
        return []
    shares = numpy.linspace(0, 1, bins + 1)[1:-1]
    edges = numpy.unique(numpy.quantile(found.scores, shares, method="inverted_cdf"))
    numbers = numpy.digitize(found.scores, edges, right=True)
    parts = [numbers == k for k in numpy.unique(numbers)]
    return [_bin(found, part, found.scores[part].min(), found.scores[part].max()) for part in parts]


def calibration_error(bins: Sequence[Bin]) -> Optional[float]:
    """Expected calibration error, 0 to 1; None without predictions."""
    total = sum(part.count for part in bins)
    return sum(part.count * abs(part.precision - part.score) for part in bins) / total if total else None


def brier_score(found: ScoredMentions) -> Optional[float]:
    """Mean squared difference of the score from 1, if the prediction is right, or 0; None without predictions."""
    return float(numpy.mean((found.scores - found.right) ** 2)) if len(found.scores) else None


def describe_calibration(found: ScoredMentions, bins: int = BINS) -> dict[str, Any]:
    """Calibration statistics of predictions.

    Returns:
        Counts `gold`, `predicted` and `right`; `score` (mean score), `precision`, `brier`; `ece` and `bins` of equal
        width; `ece_equal_mass` and `bins_equal_mass`. Values that need predictions are None without any.
    """
    width, mass = equal_width_bins(found, bins), equal_mass_bins(found, bins)
    some = bool(len(found.scores))
    return {
        "gold": found.gold,
        "predicted": len(found.scores),
        "right": int(found.right.sum()),
        "score": float(found.scores.mean()) if some else None,
        "precision": float(found.right.mean()) if some else None,
        "brier": brier_score(found),
        "ece": calibration_error(width),
        "ece_equal_mass": calibration_error(mass),
        "bins": [asdict(part) for part in width],
        "bins_equal_mass": [asdict(part) for part in mass],
    }


def _bin(found: ScoredMentions, chosen: NDArray[numpy.bool_], low: float, high: float) -> Bin:
    score, precision = float(found.scores[chosen].mean()), float(found.right[chosen].mean())
    return Bin(float(low), float(high), int(chosen.sum()), score, precision)
