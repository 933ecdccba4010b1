"""Precision and recall by score threshold, and the choice of a threshold.

A threshold only removes predictions, so recall is highest without one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Optional

import numpy
from numpy.typing import NDArray

from ..scoring.metrics import ALL_TYPES
from .calibration import ALL_CORPORA, ScoredMentions

Floats = NDArray[numpy.float64]


@dataclass(frozen=True)
class Curve:
    """The precision-recall curve."""

    thresholds: Floats  # (n,) the different scores, highest first: predictions with at least this score are kept
    kept: NDArray[numpy.int64]  # (n,) number of predictions kept
    right: NDArray[numpy.int64]  # (n,) number of kept predictions that are right
    gold: int  # number of gold mentions

    @property
    def precision(self) -> Floats:
        """(n,) share of the kept ones that is right."""
        return self.right / self.kept

    @property
    def recall(self) -> Floats:
        """(n,) share of the gold mentions that is kept; 0 if there is no gold mention."""
        return self.right / max(self.gold, 1)

    @property
    def f(self) -> Floats:
        """(n,) harmonic mean of both."""
        return 2 * self.right / (self.gold + self.kept)

    def average_precision(self) -> Optional[float]:
        """Mean precision weighted by the increase of recall at each threshold; None without gold mentions."""
        if not self.gold:
            return None
        return float((numpy.diff(self.recall, prepend=0.0) * self.precision).sum())

    def at(self, threshold: float) -> dict[str, Any]:
        """`p`, `r` and `f` of the predictions with at least this score; None if undefined."""
        number = int((self.thresholds >= threshold).sum())
        kept, right = (int(counts[number - 1]) if number else 0 for counts in (self.kept, self.right))
        return {
            "p": right / kept if kept else None,
            "r": right / self.gold if self.gold else None,
            "f": 2 * right / (kept + self.gold) if kept + self.gold else None,
            "kept": kept,
        }


def curve(found: ScoredMentions) -> Curve:
    """Compute precision and recall at every distinct score."""
    order = numpy.argsort(-found.scores, kind="stable")
    scores, right = found.scores[order], numpy.cumsum(found.right[order], dtype="int64")
    last = numpy.flatnonzero(numpy.diff(scores, append=-1.0))  # of predictions with equal scores, which go together
    return Curve(scores[last], last + 1, right[last], found.gold)


def choose_threshold(found: ScoredMentions, precision: Optional[float] = None) -> Optional[float]:
    """Choose the threshold with the highest F1, or with the highest recall at a wanted precision.

    Args:
        found: predictions on documents that are neither training nor test data.
        precision: the wanted precision, a fraction of 1; None for the highest F1.

    Returns:
        The threshold: predictions with a lower score are left out, 0 keeps all. The lowest of several that are equally
        good; None if none reaches the precision.
    """
    swept = curve(found)
    if precision is None:
        best = len(swept.f) - 1 - int(swept.f[::-1].argmax()) if len(swept.f) else -1
    else:
        reached = numpy.flatnonzero(swept.precision >= precision)
        if not len(reached):
            return None
        # Later thresholds keep more; of those with the same recall, the first has the highest precision.
        best = int(numpy.flatnonzero(swept.right == swept.right[reached[-1]])[0])
    if best == len(swept.thresholds) - 1:
        return 0.0
    return _shortest(float(swept.thresholds[best + 1]), float(swept.thresholds[best]))


def describe_thresholds(
    groups: Mapping[tuple[str, str], ScoredMentions], precision: Optional[float] = None
) -> dict[tuple[str, str], dict[str, Any]]:
    """Choose a threshold for all predictions together, and one for each corpus and type.

    Args:
        groups: corpus and entity type -> predictions, as `scored_mentions` gives them.

    Returns:
        For each group: `gold` and `predicted` (counts), `average_precision`, `all` (scores where all predictions are
        kept), `threshold` (the one chosen for the group, None if there is none), `one` (scores at the threshold
        chosen for all corpora and types) and `curve` (`threshold` 0, 0.05, ... 1 and
        the `p`, `r` and `f` at each).
    """
    chosen = {group: choose_threshold(found, precision) for group, found in groups.items()}
    one = chosen.get((ALL_CORPORA, ALL_TYPES))
    steps = [step / 20 for step in range(21)]
    described = {}
    for group, found in groups.items():
        swept, best = curve(found), chosen[group]
        described[group] = {
            "gold": found.gold,
            "predicted": len(found.scores),
            "average_precision": swept.average_precision(),
            "all": swept.at(0.0),
            "threshold": None if best is None else {"threshold": best, **swept.at(best)},
            "one": None if one is None else swept.at(one),
            "curve": {"threshold": steps, **{name: [swept.at(step)[name] for step in steps] for name in "prf"}},
        }
    return described


def by_entity_type(described: Mapping[tuple[str, str], Mapping[str, Any]]) -> dict[str, float]:
    """The thresholds of types over all corpora, without types that have none."""
    return {
        entity_type: float(group["threshold"]["threshold"])
        for (corpus, entity_type), group in described.items()
        if corpus == ALL_CORPORA and entity_type != ALL_TYPES and group["predicted"] and group["threshold"] is not None
    }


def config_section(name: str, settings: Mapping[str, float]) -> str:
    """A section of a spaCy config, to paste into one."""
    lines = [f"{setting} = {value!r}" for setting, value in settings.items()]
    return "\n".join([f"[{name}]", *lines]) + "\n"


def _shortest(low: float, high: float) -> float:
    """The number with the fewest decimals in (low, high], also in single precision."""
    for digits in range(1, 17):
        value = round((low + high) / 2, digits)
        # The pipeline compares thresholds and scores in single precision.
        if low < value <= high and numpy.float32(value) > numpy.float32(low):
            return value
    return high
