"""Turning scores of predicted mentions into probabilities, by entity type, from development data.

Platt 1999, "Probabilistic outputs for support vector machines and comparisons to regularized likelihood methods": a logistic
regression of whether a prediction is right on the log-odds of its score, with his targets, which keep few predictions from
being taken for certain. The component applies it as its setting `calibration`.
"""

from collections.abc import Iterable

import numpy
from numpy.typing import NDArray

from ..scoring.results import ALL_TYPES
from ..scoring.scored import ScoredDoc
from .calibration import ALL_CORPORA, scored_mentions

LEAST = 30
"""Predictions of a type that it takes to calibrate its scores; those of others are calibrated as all types together."""


def fit_calibration(docs: Iterable[ScoredDoc], least: int = LEAST) -> dict[str, tuple[float, float]]:
    """Slope and intercept for the log-odds of the scores of each type.

    Args:
        docs: documents with mentions in scope, and a score for each predicted one, of a pipeline without calibration.
        least: number of predictions of a type below which it is calibrated as all types together are.

    Returns:
        Slope and intercept by entity type that was predicted; none where nothing was.
    """
    found = {kind: mentions for (corpus, kind), mentions in scored_mentions(docs).items() if corpus == ALL_CORPORA}
    fitted = {}
    for kind, mentions in found.items():
        if kind != ALL_TYPES and len(mentions.scores):
            enough = mentions if len(mentions.scores) >= least else found[ALL_TYPES]
            fitted[kind] = platt(enough.scores, enough.right)
    return fitted


def platt(scores: NDArray[numpy.float64], right: NDArray[numpy.bool_], steps: int = 100) -> tuple[float, float]:
    """Slope and intercept of the logistic regression, by Newton's method.

    Args:
        scores: (n,) scores, 0 to 1, at least one.
        right: (n,) whether each prediction is right.
        steps: most steps.

    Returns:
        The slope, at least 0.05 so that no order is turned round, and the intercept.
    """
    p = numpy.clip(scores, 1e-6, 1 - 1e-6)
    X = numpy.stack([numpy.log(p) - numpy.log1p(-p), numpy.ones(len(p))], axis=1)
    n_right = int(right.sum())
    targets = numpy.where(right, (n_right + 1) / (n_right + 2), 1 / (len(right) - n_right + 2))
    weights = numpy.array([1.0, 0.0])
    # A weak pull towards no change, so that few or equal scores have a solution too.
    pull = numpy.array([1.0, 0.1])
    for _ in range(steps):
        q = 1 / (1 + numpy.exp(-numpy.clip(X @ weights, -50, 50)))
        gradient = X.T @ (q - targets) + pull * (weights - [1.0, 0.0])
        hessian = (X * (q * (1 - q))[:, None]).T @ X + numpy.diag(pull)
        step = numpy.linalg.solve(hessian, gradient)
        weights = weights - step * min(1.0, 2.0 / float(numpy.abs(step).max() + 1e-12))
        if numpy.abs(step).max() < 1e-9:
            break
    return max(float(weights[0]), 0.05), float(weights[1])
