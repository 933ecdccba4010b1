"""Turning scores of predicted mentions into probabilities, by entity type, from development data.

Platt 1999, "Probabilistic outputs for support vector machines and comparisons to regularized likelihood methods": a
logistic regression of whether a prediction is right on the log-odds of its score, with Platt's smoothed targets. The
component applies it as its setting `calibration`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional, Union

import numpy
import spacy
from numpy.typing import NDArray

from ..errors import BionerError, Errors
from ..files import replacing
from ..scoring.evaluate import Run
from ..scoring.mentions import Compared, scored_docs
from ..scoring.metrics import ALL_TYPES
from .calibration import ALL_CORPORA, ScoredMentions, calibration_error, equal_width_bins, scored_mentions
from .thresholds import choose_threshold

LEAST = 30
"""Minimum number of predictions to calibrate a type on its own; other types share one calibration."""


@dataclass(frozen=True)
class Fitted:
    """What was fitted to the predictions of one type."""

    predicted: int  # number of predictions
    slope: float  # factor on the log-odds of scores
    intercept: float  # added to the scaled log-odds
    threshold: float  # score, after calibration, with the highest F1; 0 where there were too few predictions
    ece_before: float  # expected calibration error, 0 to 1, before calibration
    ece_after: float  # after calibration, on the same predictions


def calibrate(
    pipeline: Union[str, Path],
    output: Path,
    corpus_folder: Path,
    *,
    split: str = "devel",
    ents_types: Optional[Sequence[str]] = None,
    **reading: Any,
) -> dict[str, Fitted]:
    """Calibrate the scores of a pipeline and choose its thresholds, and save it with both as settings.

    No guideline is named, as for texts of users.

    Args:
        pipeline: folder or package name of a pipeline with a component that has the setting `calibration`.
        output: folder for the pipeline with its new settings; replaced if it is there.
        ents_types: entity types for `doc.ents` in order of preference; None to leave that setting as it is.
        reading: what is read and how, such as corpora, limit and context; see `evaluate`.

    Returns:
        What was fitted, by entity type.

    Raises:
        BionerError: as `evaluate` does, or no component has the setting.
    """
    run = Run(pipeline, corpus_folder, split=split, guideline=False, **reading)
    names = [name for name, pipe in run.nlp.pipeline if hasattr(pipe, "calibration")]
    if not names:
        raise BionerError(Errors.E522.format(pipeline=pipeline, components=", ".join(run.nlp.pipe_names)))
    [name, *_] = names
    component: Any = run.nlp.get_pipe(name)
    component.calibration, component.threshold, component.thresholds = {}, 0.0, {}
    docs = list(scored_docs(run.examples(), **run.keys))
    lines = fit_calibration(docs)
    fitted = {}
    for (corpus, kind), found in scored_mentions(docs).items():
        if corpus == ALL_CORPORA and kind in lines:
            scores = numpy.clip(found.scores, 1e-9, 1 - 1e-9)
            odds = lines[kind][0] * (numpy.log(scores) - numpy.log1p(-scores)) + lines[kind][1]
            after = ScoredMentions(1 / (1 + numpy.exp(-odds)), found.right, found.gold)
            threshold = choose_threshold(after) if len(scores) >= LEAST else None
            errors = [calibration_error(equal_width_bins(one)) or 0.0 for one in (found, after)]
            fitted[kind] = Fitted(len(scores), *lines[kind], threshold or 0.0, *errors)
    settings: dict[str, Any] = {
        "calibration": {kind: [round(one.slope, 4), round(one.intercept, 4)] for kind, one in fitted.items()},
        "threshold": 0.0,
        "thresholds": {kind: one.threshold for kind, one in fitted.items() if one.threshold > 0},
    }
    if ents_types is not None:
        settings["ents_types"] = list(ents_types)
    calibrated = spacy.load(pipeline, config={"components": {name: settings}})
    calibrated.meta["calibration"] = {
        kind: {"predicted": one.predicted, "error": one.ece_after, "threshold": one.threshold}
        for kind, one in fitted.items()
    }
    with replacing(output, folders=True) as [unfinished]:
        calibrated.to_disk(unfinished)
    return fitted


def fit_calibration(docs: Iterable[Compared], least: int = LEAST) -> dict[str, tuple[float, float]]:
    """Slope and intercept for the log-odds of the scores of each type.

    Args:
        docs: documents with mentions in scope, and a score for each predicted one, of a pipeline without calibration.

    Returns:
        Slope and intercept by predicted entity type.
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
        steps: maximum number of steps.

    Returns:
        The slope, at least 0.05 to preserve the order of scores, and the intercept.
    """
    p = numpy.clip(scores, 1e-6, 1 - 1e-6)
    X = numpy.stack([numpy.log(p) - numpy.log1p(-p), numpy.ones(len(p))], axis=1)
    n_right = int(right.sum())
    targets = numpy.where(right, (n_right + 1) / (n_right + 2), 1 / (len(right) - n_right + 2))
    weights = numpy.array([1.0, 0.0])
    # Weak regularisation towards the identity, so that few or equal scores have a solution.
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
