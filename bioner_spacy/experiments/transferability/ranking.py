"""Rank candidate auxiliary corpora of a target without training."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Optional

from ...errors import BionerError, Errors
from .measures import AFTER_TRAINING, Measures

MEAN_RANK = "mean rank"


@dataclass(frozen=True)
class Ranking:
    """Auxiliary corpora of a target, best first."""

    target: str
    by: str  # the ranking measure, or `MEAN_RANK`
    auxiliaries: list[str]  # names of the corpora in order; ties keep their order
    ranks: dict[str, float]  # auxiliary -> rank, 1 is best; ties share their mean rank
    values: dict[str, dict[str, Optional[float]]]  # training-free measure -> auxiliary -> value
    counted: list[str]  # measures used for the ranking
    missing: list[str]  # auxiliaries with an undefined ranking measure; they are last

    def method(self) -> str:
        """The ranking method, in a sentence."""
        if self.by != MEAN_RANK:
            return f"Ranked by the measure {self.by} alone."
        return (
            f"Ranked by the mean of the ranks by {', '.join(self.counted)}, each counting the same; which of them predicts "
            "gains on these corpora was not measured."
        )


def rank(measures: Measures, target: str, *, by: Optional[str] = None, sign: float = 1.0) -> Ranking:
    """Rank corpora as auxiliaries of a target.

    Args:
        by: name of the ranking measure; None for the mean rank over all training-free measures that are defined for
            every corpus.
        sign: below 0 if small values of `by` are better.

    Raises:
        BionerError: the target was not measured, or there is no such measure.
    """
    if target not in measures.corpora:
        raise BionerError(Errors.E558.format(target=target, known=", ".join(measures.corpora)))
    others = [corpus for corpus in measures.corpora if corpus != target]
    values = {
        name: {corpus: found.get((target, corpus)) for corpus in others}
        for name, found in measures.values.items()
        if name not in AFTER_TRAINING
    }
    if by is not None and by not in values:
        raise BionerError(Errors.E523.format(what="measure without training", name=by, known=", ".join(values)))
    if by is None:
        counted = [name for name, found in values.items() if None not in found.values()]
        of_measures = [_ranks(values[name]) for name in counted]
        ranks = {corpus: sum(found[corpus] for found in of_measures) / len(of_measures) for corpus in others}
    else:
        counted = [by]
        ranks = _ranks({corpus: None if x is None else sign * x for corpus, x in values[by].items()})
    return Ranking(
        target=target,
        by=by or MEAN_RANK,
        auxiliaries=sorted(others, key=lambda corpus: ranks[corpus]),
        ranks=ranks,
        values=values,
        counted=counted,
        missing=[corpus for corpus in others if by is not None and values[by][corpus] is None],
    )


def _ranks(values: Mapping[str, Optional[float]]) -> dict[str, float]:
    """Ranks, 1 for the largest value; ties share their mean rank, and missing values are last."""
    keys = {name: float("-inf") if value is None else value for name, value in values.items()}

    def rank_of(name: str) -> float:
        above = sum(value > keys[name] for value in keys.values())
        same = sum(value == keys[name] for value in keys.values())
        return above + (same + 1) / 2

    return {name: rank_of(name) for name in keys}
