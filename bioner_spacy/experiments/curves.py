"""Learning curves of training runs, from the files that the logger writes."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional

from ..errors import BionerError, Errors

ENCODER = "transformer"
"""Component whose loss repeats that of its listeners."""


@dataclass(frozen=True)
class Curve:
    """The learning curve of a training run."""

    updates: list[int]  # (n,) number of updates up to each evaluation
    loss: list[float]  # (n,) mean loss since the previous evaluation
    # (n,) the score that selects the best pipeline, a fraction of 1; by default the mean F1 over corpora.
    score: list[float]
    # Corpus -> (n,) F1 on development data, fractions of 1; None if there is none. Empty if unknown.
    per_corpus: dict[str, list[Optional[float]]]


def read_curve(path: Path) -> Curve:
    """Read the curve of a run.

    Raises:
        BionerError: the file is missing, or a line is invalid.
    """
    curve = Curve([], [], [], {})
    try:
        for number, line in enumerate(path.read_text(encoding="utf8").splitlines(), start=1):
            try:
                _add(curve, json.loads(line))
            except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
                raise ValueError(f"line {number}: {error!r}") from error
    except (OSError, ValueError) as error:
        what, advice = "learning curve", "remove it, and train again to have one"
        raise BionerError(Errors.E506.format(path=path, what=what, reason=error, advice=advice)) from error
    return curve


def _add(curve: Curve, line: Mapping[str, Any]) -> None:
    """Add an evaluation as the logger writes it, scores of corpora in percent."""
    updates = int(line["step"]) + 1  # the first step has the number 0
    before = curve.updates[-1] if curve.updates else 0
    if updates <= before:
        raise ValueError(f"step {line['step']} does not come after the one before")
    loss = sum(float(loss) for name, loss in line["losses"].items() if name != ENCODER)
    score = float(line["score"])
    for corpus, percent in line.get("per_corpus", {}).items():
        values = curve.per_corpus.setdefault(corpus, [None] * len(curve.updates))
        values.append(None if percent is None else float(percent) / 100)
    curve.updates.append(updates)
    curve.loss.append(loss / (updates - before))
    curve.score.append(score)
    for values in curve.per_corpus.values():
        values.extend([None] * (len(curve.updates) - len(values)))
