"""What an auxiliary corpus gains: F1 on a target corpus of training on both, less that of training on it alone.

The pairwise gains of Akdemir and Shibuya (2020), Analyzing the effect of multi-task learning for biomedical named entity
recognition. A run on two corpora is scored on both, so that it gives the gains in both directions.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import permutations
from pathlib import Path
from typing import Any, Optional

import numpy

from ...errors import Errors
from ...files import replacing
from ...reports.chart import save_figure
from ...reports.heat_map import draw_heat_map
from ...scoring.compare import compare
from ...scoring.comparison import NO_DIFFERENCE, Row, interval_text, p_text, read_row
from ...scoring.results import Results, reading_json, write_json, write_text
from ...scoring.significance import ALPHA, RESAMPLES, holm
from ...scoring.table import MISSING, Table, count, spread

FILE = "gains.json"
NAMES = ("alone", "with auxiliary")

Pair = tuple[str, str]
"""Target and auxiliary corpus."""

Losses = list[tuple[int, float]]
"""Learning curve of a run: number of updates up to an evaluation, mean loss of those since the one before."""

_PAGE = """\
# Gains of auxiliary corpora over {kind}

F1 in percent on the target ({split} split, strict match) of training on target and auxiliary together, less F1 of training
on the target alone. {budget} {epochs}A joint run is scored on both corpora and gives the gains in both directions.{seeds}

{table}
{verdict}
"""
_VERDICT = """\
Interval: of the gain, from samples of the documents{runs} (paired bootstrap), not corrected. p: approximate randomisation
over documents, two-sided, corrected by Holm's method for the {n} gains. "No difference": p is not below {alpha:g}, or the
interval holds 0. See docs/significance.md."""


@dataclass(frozen=True)
class Gains:
    """Gains of every ordered pair of corpora.

    Attributes:
        corpora: names of the corpora, in order.
        split: the split that was scored on.
        seeds: seeds of the runs.
        words: words of each training corpus that were read; fewer than `budget` where a corpus has no more.
        budget: words of a corpus that were asked for; 0 for all.
        equal_steps: whether runs alone have about as many steps as joint ones; else they have as many epochs.
        epochs: epochs of the joint runs.
        steps: steps of the run on each corpus alone.
        joint_steps: steps of a joint run, on the mean.
        rows: target and auxiliary -> F1 on the target of the runs alone (`baseline_runs`) and of the joint ones
            (`system_runs`), with the test of the difference, p corrected for the number of pairs.
        curves: corpus -> the learning curve of each of its runs alone; none where it was not kept.
        alpha: level of the tests.
    """

    corpora: list[str]
    split: str
    seeds: list[int]
    words: dict[str, int]
    budget: int
    equal_steps: bool
    epochs: int
    steps: dict[str, int]
    joint_steps: int
    rows: dict[Pair, Row]
    curves: dict[str, list[Losses]]
    alpha: float

    def alone(self, corpus: str) -> tuple[float, ...]:
        """F1 of the runs on a corpus alone; empty where there is no mention to find."""
        return next(row.baseline_runs or () for (target, _), row in self.rows.items() if target == corpus)

    def gain(self, target: str, auxiliary: str) -> Optional[float]:
        """Mean gain over the runs, a fraction of 1; None where F1 is undefined."""
        return self.rows[target, auxiliary].difference

    def differs(self, target: str, auxiliary: str) -> bool:
        """Whether a gain or loss was found by the test."""
        test = self.rows[target, auxiliary].significance
        return test is not None and test.differs(self.alpha)

    def table(self) -> Table:
        """A row for each pair, with mean and standard deviation over runs."""
        header = ["Target", "Auxiliary", "Gold", "F1 alone", "F1 with auxiliary", "Gain"]
        header += [f"{100 * (1 - self.alpha):g} % interval", "p", "Verdict"]
        rows = []
        for (target, auxiliary), row in self.rows.items():
            cells = [target, auxiliary, count(row.gold)]
            cells += [spread(runs or [None]) for runs in (row.baseline_runs, row.system_runs)]
            cells += [spread(row.differences or [None], sign="+"), interval_text(row), p_text(row)]
            cells.append(self._verdict(target, auxiliary))
            rows.append(cells)
        return Table(header, rows, numbers=7)

    def _verdict(self, target: str, auxiliary: str) -> str:
        gain = self.gain(target, auxiliary)
        if gain is None:
            return MISSING
        return ("gain" if gain > 0 else "loss") if self.differs(target, auxiliary) else NO_DIFFERENCE

    def to_markdown(self) -> str:
        """The table as a page that says how it was made."""
        budget = ", ".join(f"{corpus} {words:,}" for corpus, words in self.words.items())
        alone = ", ".join(f"{corpus} {steps:,}" for corpus, steps in self.steps.items())
        asked = f"Equal budgets of about {self.budget:,} words" if self.budget else "All training data"
        seeds = (
            f" Mean of {len(self.seeds)} runs (seeds {', '.join(map(str, self.seeds))}) ± their standard deviation."
        )
        if len(self.seeds) == 1:
            seeds = " One run each: other seeds move F1 as well, and the tests know nothing of that."
        runs = " and of the runs" if len(self.seeds) > 1 else ""
        told = _VERDICT.format(runs=runs, n=len(self.rows), alpha=self.alpha)
        text = _PAGE.format(
            kind=f"training alone for as many {'steps' if self.equal_steps else 'epochs'}",
            split=self.split,
            budget=f"{asked} of each corpus ({budget}).",
            epochs=f"Joint runs have {self.epochs} epochs, {self.joint_steps:,} steps on the mean; runs alone {alone} steps. ",
            seeds=seeds,
            table=self.table().to_markdown(),
            verdict=told,
        )
        return text + f"\n![Gains]({Path(FILE).stem}.svg)\n"

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

    def to_disk(self, folder: Path) -> list[Path]:
        """Write `gains.json`, `.md`, `.svg` and `.png`; all or none.

        Returns:
            The files.
        """
        files = [folder / Path(FILE).with_suffix(suffix) for suffix in (".json", ".md", ".svg", ".png")]
        with replacing(*files) as (data, page, svg, png):
            write_json(data, self.to_dict())
            write_text(page, self.to_markdown())
            save_figure(self._draw(), svg, png)
        return files

    def _draw(self) -> Any:
        values: list[list[Optional[float]]] = []
        texts, framed = [], []
        for target in self.corpora:
            others = [(target, other) for other in self.corpora]
            values.append([None if pair not in self.rows else _points(self.gain(*pair)) for pair in others])
            alone = f"alone\n{spread(self.alone(target) or [None])}"
            texts.append([_cell(self.rows[pair]) if pair in self.rows else alone for pair in others])
            framed.append([pair in self.rows and self.differs(*pair) for pair in others])
        most = max((abs(value) for row in values for value in row if value is not None), default=0.0) or 1.0
        return draw_heat_map(
            self.corpora,
            self.corpora,
            values,
            texts,
            title=f"Gain of F1 (points) on the {self.split} split",
            xlabel=f"Auxiliary corpus; a frame: a difference by the test (runs: {len(self.seeds)})",
            ylabel="Target corpus",
            framed=framed,
            colors="RdBu",
            limits=(-most, most),
        )

    @classmethod
    def from_disk(cls, path: Path) -> "Gains":
        """Read gains back.

        Args:
            path: the JSON file, or the folder that it is in.

        Raises:
            BionerError: it is not there, or holds no gains.
        """
        path = path / FILE if path.is_dir() else path
        with reading_json(path, Errors.E550) as data:
            pairs = {(one["target"], one["auxiliary"]): read_row(one["row"]) for one in data.pop("pairs")}
            curves = {
                corpus: [[(int(n), float(loss)) for n, loss in curve] for curve in runs]
                for corpus, runs in data.pop("curves").items()
            }
            found = cls(**data, rows=pairs, curves=curves)
            if set(found.rows) != set(permutations(found.corpora, 2)):
                raise ValueError("pairs and corpora differ")
            return found


def gain_rows(
    alone: Mapping[str, Sequence[Results]],
    joint: Mapping[frozenset[str], Sequence[Results]],
    *,
    alpha: float = ALPHA,
    resamples: int = RESAMPLES,
) -> dict[Pair, Row]:
    """Gains of all ordered pairs of corpora, with tests.

    Args:
        alone: corpus -> results of the runs on it alone, one for each seed.
        joint: pair of corpora -> results of the runs on both, with scores on both, one for each seed.
        alpha: level of the intervals.
        resamples: number of draws of each test.

    Returns:
        Target and auxiliary -> F1 on the target, see `Gains`.

    Raises:
        BionerError: as `compare` does.
    """
    rows = {}
    for target, auxiliary in permutations(alone, 2):
        runs = joint[frozenset((target, auxiliary))]
        comparison = compare(runs, alone[target], names=NAMES, alpha=alpha, resamples=resamples)
        rows[target, auxiliary] = next(row for row in comparison.corpus_rows if row.corpus == target)
    tested = {pair: row.significance for pair, row in rows.items() if row.significance is not None}
    for (pair, test), p in zip(tested.items(), holm(numpy.array([test.p for test in tested.values()]))):
        rows[pair] = replace(rows[pair], significance=replace(test, adjusted=float(p)))
    return rows


def _points(gain: Optional[float]) -> Optional[float]:
    return None if gain is None else 100 * gain


def _cell(row: Row) -> str:
    return spread(row.differences or [None], sign="+").replace(" ", "\n", 1)
