"""Gain of an auxiliary corpus: F1 on a target corpus after training on both, minus F1 after training on the target
alone.

The pairwise gains of Akdemir and Shibuya (2020), Analyzing the effect of multi-task learning for biomedical named
entity recognition. A run on two corpora is scored on both, so it gives the gains in both directions.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import permutations
from pathlib import Path
from typing import Any, Optional, Union

import numpy

from ...old_names import with_new_names
from ...scoring.compare import compare
from ...scoring.comparison import Row
from ...scoring.metrics import STRICT, Metric
from ...scoring.results import Results, reading_json
from ...scoring.significance import ALPHA, RESAMPLES, holm

FILE = "gains.json"
ADVICE = "write them with `spacy bioner experiment transferability pairs`"
NAMES = ("alone", "with auxiliary")

Pair = tuple[str, str]
"""Target and auxiliary corpus."""

Losses = list[tuple[int, float]]
"""Learning curve of a run: number of updates up to an evaluation, mean loss since the previous one."""


@dataclass(frozen=True)
class Gains:
    """Gains of every ordered pair of corpora."""

    corpora: list[str]  # names of the corpora, in order
    split: str  # the split that was scored on
    seeds: list[int]  # seeds of the runs
    tokens: dict[str, int]  # number of training tokens of each corpus, at most about `budget`
    budget: int  # requested number of tokens per corpus; 0 for all
    equal_steps: bool  # whether single runs have as many steps as joint ones, instead of as many epochs
    epochs: int  # epochs of the joint runs
    steps: dict[str, int]  # steps of the single run on each corpus
    joint_steps: int  # mean steps of joint runs
    # Target and auxiliary -> F1 on the target of single runs (`baseline_runs`) and joint runs (`system_runs`), with a
    # test, p corrected for the number of pairs.
    rows: dict[Pair, Row]
    curves: dict[str, list[Losses]]  # corpus -> learning curves of its single runs, if kept
    alpha: float  # level of the tests
    metric: str = STRICT.name

    def alone(self, corpus: str) -> tuple[float, ...]:
        """F1 of the single runs on a corpus; empty without gold mentions."""
        return next(row.baseline_runs or () for (target, _), row in self.rows.items() if target == corpus)

    def gain(self, target: str, auxiliary: str) -> Optional[float]:
        """Mean gain over the runs, a fraction of 1; None if F1 is undefined."""
        return self.rows[target, auxiliary].difference

    def differs(self, target: str, auxiliary: str) -> bool:
        """Whether the difference is significant."""
        test = self.rows[target, auxiliary].significance
        return test is not None and test.differs(self.alpha)

    def to_dict(self) -> dict[str, Any]:
        """The gains for a JSON file, as fractions of 1."""
        data = {name: value for name, value in vars(self).items() if name != "rows"}
        data["pairs"] = [
            {
                "target": target,
                "auxiliary": auxiliary,
                "gain": row.difference,
                "differs": self.differs(target, auxiliary),
                "row": asdict(row),
            }
            for (target, auxiliary), row in self.rows.items()
        ]
        return data

    @classmethod
    def from_disk(cls, path: Path) -> "Gains":
        """Read gains back.

        Args:
            path: the JSON file, or the folder that it is in.

        Raises:
            BionerError: it is missing, or holds no gains.
        """
        with reading_json(path, "gains of auxiliary corpora", ADVICE, name=FILE) as data:
            data.pop("page", None)
            pairs = {(one["target"], one["auxiliary"]): Row.from_dict(one["row"]) for one in data.pop("pairs")}
            curves = {
                corpus: [[(int(n), float(loss)) for n, loss in curve] for curve in runs]
                for corpus, runs in data.pop("curves").items()
            }
            found = cls(**with_new_names(data), rows=pairs, curves=curves)
            if set(found.rows) != set(permutations(found.corpora, 2)):
                raise ValueError("pairs and corpora differ")
            return found


def gain_rows(
    alone: Mapping[str, Sequence[Results]],
    joint: Mapping[frozenset[str], Sequence[Results]],
    *,
    alpha: float = ALPHA,
    resamples: int = RESAMPLES,
    metric: Union[str, Metric] = STRICT,
) -> dict[Pair, Row]:
    """Gains of all ordered pairs of corpora, with tests.

    Args:
        alone: corpus -> results of its single runs, one per seed.
        joint: pair of corpora -> results of the joint runs, one per seed.

    Returns:
        Target and auxiliary -> F1 on the target, see `Gains`.

    Raises:
        BionerError: see `compare`.
    """
    rows = {}
    for target, auxiliary in permutations(alone, 2):
        runs = joint[frozenset((target, auxiliary))]
        comparison = compare(runs, alone[target], names=NAMES, alpha=alpha, resamples=resamples, metric=metric)
        rows[target, auxiliary] = next(row for row in comparison.corpus_rows if row.corpus == target)
    tested = {pair: row.significance for pair, row in rows.items() if row.significance is not None}
    for (pair, test), p in zip(tested.items(), holm(numpy.array([test.p for test in tested.values()]))):
        rows[pair] = replace(rows[pair], significance=replace(test, adjusted=float(p)))
    return rows
