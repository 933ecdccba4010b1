"""Metrics: how gold and predicted mentions of a document are counted. To add one, add an entry to `METRICS`.

strict, exact, partial and type are the schemes of SemEval 2013, task 9.1 (Segura-Bedmar et al. 2013); strict is also
the "exact match" of the BioCreative and BioNLP shared tasks. For how mentions are paired, see `pairs`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Optional, Union

from ..errors import BionerError, Errors
from .mentions import Mention, nested_mentions, of_type
from .pairs import Pair, make_pairs, overlapping, same_extent, same_type

ALL_TYPES = "all types"
"""Instead of an entity type: all types of a corpus."""


@dataclass(frozen=True)
class Counts:
    """Mentions of one document, or of several, of one entity type or of all.

    Attributes:
        gold: number of gold mentions.
        predicted: number of predictions.
        found: gold mentions that are predicted; a partial match may count as a part of one.
        right: predictions that are gold; differs from `found` if the metric selects mentions.
    """

    gold: float = 0
    predicted: float = 0
    found: float = 0
    right: float = 0

    def __add__(self, other: "Counts") -> "Counts":
        sides = (self.gold + other.gold, self.predicted + other.predicted)
        return Counts(*sides, self.found + other.found, self.right + other.right)

    @property
    def tp(self) -> float:
        """True positives."""
        return self.found

    @property
    def fp(self) -> float:
        """False positives."""
        return self.predicted - self.right

    @property
    def fn(self) -> float:
        """False negatives."""
        return self.gold - self.found

    def scores(self, one_sided: Optional[float] = 0.0) -> dict[str, Any]:
        """Precision, recall, F1 and the counts.

        Args:
            one_sided: precision without predictions, and recall without gold mentions, if the other side has mentions:
                0 as in spaCy, or None.

        Returns:
            `p`, `r`, `f` as fractions of 1, None if there is no mention on either side; `tp`, `fp`, `fn`, `gold` and
            `predicted`.
        """
        counts = {"tp": self.tp, "fp": self.fp, "fn": self.fn, "gold": self.gold, "predicted": self.predicted}
        if not self.gold and not self.predicted:
            return {"p": None, "r": None, "f": None, **counts}
        precision = self.right / self.predicted if self.predicted else one_sided
        recall = self.found / self.gold if self.gold else one_sided
        # 2pr / (p + r) as one division of counts.
        both = self.right * self.gold + self.found * self.predicted
        return {"p": precision, "r": recall, "f": 2 * self.right * self.found / both if both else 0.0, **counts}


@dataclass(frozen=True)
class Metric:
    """How mentions are counted.

    Attributes:
        name: name in commands, files and tables.
        description: what counts as a match, for titles: "F1 in percent, strict match".
        credit: credit of an overlapping pair of a gold and a predicted mention, 0 to 1; None if only identical start,
            end and type count.
        select: which mentions of each side are counted; None for all. Mentions that are not counted can still be
            matched.
    """

    name: str
    description: str
    credit: Optional[Callable[[Mention, Mention], float]] = None
    select: Optional[Callable[[set[Mention]], set[Mention]]] = None

    def counts(self, gold: set[Mention], predicted: set[Mention]) -> dict[str, Counts]:
        """Count the mentions of one document.

        Returns:
            Counts by entity type, using mentions of that type only, and for `ALL_TYPES` using all mentions.
        """
        sides = [side if self.select is None else self.select(side) for side in (gold, predicted)]
        types = sorted({mention[2] for side in sides for mention in side})
        if self.credit is None:
            matched = gold & predicted
            parts = [(*sides, matched & sides[0], matched & sides[1])]
            parts += [tuple(of_type(part, name) for part in parts[0]) for name in types]  # type: ignore[misc]
            return {name: Counts(*map(len, part)) for name, part in zip((ALL_TYPES, *types), parts)}
        found = {ALL_TYPES: self._paired(gold, predicted, *sides)}
        found.update({name: self._paired(of_type(gold, name), of_type(predicted, name), *sides) for name in types})
        return found

    def pairs(self, gold: set[Mention], predicted: set[Mention]) -> list[tuple[Pair, float]]:
        """Overlapping pairs, each mention in at most one, with their credit, highest first."""

        def credit(one: Mention, other: Mention) -> float:
            return one == other if self.credit is None else self.credit(one, other)

        levels = sorted({credit(*pair) for pair in overlapping(gold, predicted)}, reverse=True)
        stages = [lambda one, other, level=level: credit(one, other) == level for level in levels]
        made = make_pairs(gold, predicted, stages)
        return [(pair, level) for level, of_level in zip(levels, made) for pair in of_level]

    def _paired(
        self, gold: set[Mention], predicted: set[Mention], wanted: set[Mention], wanted_predicted: set[Mention]
    ) -> Counts:
        pairs = self.pairs(gold, predicted)
        found = sum(credit for (one, _), credit in pairs if one in wanted)
        right = sum(credit for (_, other), credit in pairs if other in wanted_predicted)
        return Counts(len(gold & wanted), len(predicted & wanted_predicted), found, right)


def _partial(gold: Mention, predicted: Mention) -> float:
    return 1 if same_extent(gold, predicted) else 0.5


def _flat(mentions: set[Mention]) -> set[Mention]:
    return mentions - nested_mentions(mentions)


STRICT = Metric("strict", "strict match")
METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        STRICT,
        Metric("exact", "exact boundaries, whatever the type", same_extent),
        Metric("partial", "overlap, one half where the boundaries differ, whatever the type", _partial),
        Metric("type", "overlap with the right type", same_type),
        Metric("nested", "strict match of the mentions inside another one", select=nested_mentions),
        Metric("flat", "strict match of the mentions that are not inside another one", select=_flat),
    )
}
"""The metrics by their names."""


def get_metric(metric: Union[str, Metric]) -> Metric:
    """A metric by its name."""
    if isinstance(metric, Metric):
        return metric
    if metric not in METRICS:
        raise BionerError(Errors.E523.format(what="metric", name=metric, known=", ".join(METRICS)))
    return METRICS[metric]
