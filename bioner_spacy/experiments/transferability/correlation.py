"""How far measures between corpora go along with the gains of auxiliary corpora."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from math import atanh, sqrt, tanh
from pathlib import Path
from statistics import NormalDist
from typing import Any, Optional

import matplotlib
import numpy
from matplotlib.figure import Figure

from ...errors import BionerError, Errors, Warnings, warn
from ...files import replacing
from ...reports.chart import STYLE, save_figure
from ...scoring.results import reading_json, write_json, write_text
from ...scoring.table import MISSING, Section, Table
from .gains import Gains, Pair
from .measures import AFTER_TRAINING, MEASURES, Measures

FILE = "correlations.json"
LEVEL = 0.95
"""Share of samples whose intervals hold the true correlation."""

FEW = 30
"""Pairs below which a warning says that there are few."""

_OVERALL = """\
Each measure with the gain of F1 over all pairs. r: Pearson; rho: Spearman; intervals of 95 % by Fisher's z for r, and with
the variance of Bonett and Wright (2000) for rho; p: two-sided, not corrected for the number of measures. {few}"""
_FEW = """\
There are {n} pairs of {corpora} corpora, and they are not independent: a joint run gives two of them, a corpus stands in
{per_corpus}, and most measures are the same in both directions. The intervals take them for independent and are too
narrow; what is found here is a hint."""
_TARGETS = (
    "Pearson's r over the auxiliaries of one target, with its interval, where there are more than three of them."
)


@dataclass(frozen=True)
class Correlation:
    """A correlation and its interval.

    Attributes:
        n: number of pairs of values.
        value: -1 to 1; None where it is undefined: fewer than three pairs, or no variation.
        low: lower end of the interval; None where it is undefined: fewer than four pairs, or a value of -1 or 1.
        high: upper end.
        p: of a value at least as far from 0 without any correlation, two-sided.
    """

    n: int
    value: Optional[float] = None
    low: Optional[float] = None
    high: Optional[float] = None
    p: Optional[float] = None


@dataclass(frozen=True)
class Correlations:
    """Correlations of measures with gains.

    Attributes:
        split: the split that the gains are of.
        corpora: corpora that both have.
        pearson: measure -> over all pairs.
        spearman: measure -> over all pairs.
        by_target: measure -> target -> Pearson over its auxiliaries.
        points: measure -> target, auxiliary, value, gain in points of F1.
    """

    split: str
    corpora: list[str]
    pearson: dict[str, Correlation]
    spearman: dict[str, Correlation]
    by_target: dict[str, dict[str, Correlation]]
    points: dict[str, list[tuple[str, str, float, float]]]

    def sections(self) -> list[Section]:
        """The tables, with what they say."""
        header = ["Measure", "Pairs", "r", "95 % interval", "p", "rho", "95 % interval", "p"]
        rows = [
            [name, str(self.pearson[name].n), *_cells(self.pearson[name]), *_cells(self.spearman[name])]
            for name in self.pearson
        ]
        n = len(self.corpora)
        few = _FEW.format(n=n * (n - 1), corpora=n, per_corpus=2 * (n - 1))
        by_target = [
            [name, *(" ".join(_cells(found[target])[:2]) for target in self.corpora)]
            for name, found in self.by_target.items()
        ]
        return [
            Section("All pairs", _OVERALL.format(few=few.replace("\n", " ")), Table(header, rows, numbers=7)),
            Section("By target", _TARGETS, Table(["Measure", *self.corpora], by_target, numbers=n)),
        ]

    def to_disk(self, folder: Path) -> list[Path]:
        """Write `correlations.json`, `.md`, `.svg` and `.png`; all or none.

        Returns:
            The files.
        """
        files = [folder / Path(FILE).with_suffix(suffix) for suffix in (".json", ".md", ".svg", ".png")]
        parts = ["# Measures and gains\n", *(section.to_markdown() for section in self.sections())]
        with replacing(*files) as (data, page, svg, png):
            write_json(data, asdict(self))
            write_text(page, "\n".join([*parts, f"![Measures and gains]({Path(FILE).stem}.svg)\n"]))
            save_figure(self._draw(), svg, png)
        return files

    def _draw(self) -> Figure:
        """A scatter plot for each measure, a colour for each target."""
        columns = min(3, len(self.points))
        rows = -(-len(self.points) // columns)
        with matplotlib.rc_context(STYLE):
            figure = Figure(figsize=(4 * columns, 3.4 * rows + 0.6), layout="constrained")
            panels = figure.subplots(rows, columns, squeeze=False)
            for axes in panels.ravel()[len(self.points) :]:
                axes.set_axis_off()
            for axes, (name, points) in zip(panels.ravel(), self.points.items()):
                axes.axhline(0, color="#999999", linewidth=0.8)
                for place, target in enumerate(self.corpora):
                    of_target = [(x, y) for one, _, x, y in points if one == target]
                    color = matplotlib.colormaps["tab10"](place % 10)
                    marker = "os^Dv"[place // 10 % 5]
                    axes.scatter(
                        *(zip(*of_target) if of_target else ([], [])), color=color, marker=marker, label=target
                    )
                axes.set_title(
                    f"{name}: r {_number(self.pearson[name].value)}, rho {_number(self.spearman[name].value)}"
                )
                axes.spines[["top", "right"]].set_visible(False)
            figure.supylabel(f"Gain of F1 on the target (points, {self.split} split)", fontsize=10)
            handles, labels = panels[0, 0].get_legend_handles_labels()
            figure.legend(handles, labels, loc="outside lower center", ncols=5, frameon=False, title="Target")
        return figure


def correlate(gains: Gains, measures: Measures) -> Correlations:
    """Correlate every measure with the gains, on the corpora that both have.

    Args:
        gains: gains of pairs of corpora.
        measures: measures of pairs of corpora.

    Returns:
        The correlations. A warning tells where pairs are few.

    Raises:
        BionerError: fewer than three corpora are in both, or they are of other numbers of words; SciPy is not installed.
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
    stats = _scipy_stats()
    if not _varies(x, y):
        return Correlation(len(x))
    found = stats.pearsonr(x, y)
    return _with_interval(len(x), float(found.statistic), float(found.pvalue), 1.0)


def spearman(x: Sequence[float], y: Sequence[float]) -> Correlation:
    """Spearman's rank correlation, and its interval by Bonett and Wright (2000), Sample size requirements for estimating
    Pearson, Kendall and Spearman correlations: as Fisher's, with the variance (1 + rho^2 / 2) / (n - 3)."""
    stats = _scipy_stats()
    if not _varies(x, y):
        return Correlation(len(x))
    found = stats.spearmanr(x, y)
    return _with_interval(len(x), float(found.statistic), float(found.pvalue), 1 + float(found.statistic) ** 2 / 2)


def best_measure(path: Path) -> tuple[str, float]:
    """The measure without training that went along with gains most closely: the largest Spearman correlation by size.

    Args:
        path: correlations.json, or the folder that it is in.

    Returns:
        Its name and its correlation; below 0 where smaller values went with larger gains.

    Raises:
        BionerError: the file is not there, or holds no such correlation.
    """
    path = path / FILE if path.is_dir() else path
    with reading_json(path, Errors.E556) as data:
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
    """Pairs of which both the measure and the gain are known."""
    found = []
    for pair in gains.rows:
        value, gain = values.get(pair), gains.gain(*pair)
        if set(pair) <= set(corpora) and value is not None and gain is not None:
            found.append((pair, value, gain))
    return found


def _columns(points: Sequence[tuple[str, str, float, float]]) -> tuple[list[float], list[float]]:
    return [x for *_, x, _ in points], [y for *_, y in points]


def _varies(x: Sequence[float], y: Sequence[float]) -> bool:
    return len(x) > 2 and all(numpy.ptp(side) > 1e-12 for side in (x, y))


def _with_interval(n: int, value: float, p: float, variance: float) -> Correlation:
    if n < 4 or abs(value) > 1 - 1e-12:
        return Correlation(n, value, p=p)
    reach = NormalDist().inv_cdf((1 + LEVEL) / 2) * sqrt(variance / (n - 3))
    return Correlation(n, value, tanh(atanh(value) - reach), tanh(atanh(value) + reach), p)


def _scipy_stats() -> Any:
    try:
        from scipy import stats
    except ImportError:
        raise BionerError(Errors.E552) from None
    return stats


def _cells(found: Correlation) -> list[str]:
    interval = MISSING if found.low is None else f"{_number(found.low)} to {_number(found.high)}"
    return [_number(found.value), interval, MISSING if found.p is None else f"{found.p:.4f}"]


def _number(value: Optional[float]) -> str:
    return MISSING if value is None else f"{round(value, 2) + 0.0:+.2f}"
