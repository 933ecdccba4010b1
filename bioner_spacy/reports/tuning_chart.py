"""Trials of a search for settings as a chart: scores in their order, and against each setting."""

import statistics
from collections.abc import Sequence
from itertools import accumulate
from typing import Any

from ..experiments.search_space import Range
from ..experiments.tuning import Tuning, value_text
from .chart import BASELINE_COLOR, SYSTEM_COLOR, Axes, Figure, drawing, tidy
from .table import percent

_COLUMNS = 3
_SHOWN = 10.0  # the F1 axis ends this many times the distance from best to median below the best


def draw_tuning(tuning: Tuning) -> Figure:
    """Draw the trials of a search.

    Returns:
        The figure: F1 by trial, with a line for the best so far, and F1 by value of each setting. A star marks the
        best trial; outliers are triangles at the lower edge.
    """
    scores = [100 * trial.score for trial in tuning.trials]
    low, high = _limits(scores)
    shown = [max(score, low) for score in scores]
    names, settings = tuning.names(), tuning.varied
    columns = min(_COLUMNS, max(1, len(settings)))
    rows = -(-len(settings) // columns)
    with drawing(9, 3.6 + 2.4 * rows) as figure:
        from matplotlib.ticker import MaxNLocator

        grid = figure.add_gridspec(1 + rows, columns, height_ratios=[1.3] + [1.0] * rows)
        top = figure.add_subplot(grid[0, :])
        numbers = list(range(1, len(scores) + 1))
        top.step(
            numbers, list(accumulate(shown, max)), where="post", color="#888888", linewidth=1.2, label="best so far"
        )
        _points(top, numbers, scores, low, tuning.best)
        top.set_xlabel("Trial")
        top.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        top.set_xlim(0.5, len(scores) + 0.5)
        panels = [top]
        for place, name in enumerate(settings):
            axes = figure.add_subplot(grid[1 + place // columns, place % columns], sharey=top)
            _setting_axis(axes, tuning, name)
            _points(axes, _positions(tuning, name), scores, low, tuning.best)
            axes.set_xlabel(names[name], fontsize=9)
            panels.append(axes)
        for number, axes in enumerate(panels):
            tidy(axes)
            axes.tick_params(labelsize=8)
            if number == 0 or (number - 1) % columns == 0:
                axes.set_ylabel("F1 (%)", fontsize=9)
            else:
                axes.tick_params(labelleft=False)
        top.set_ylim(low - 0.06 * (high - low), high + 0.06 * (high - low))
        figure.suptitle(tuning.title, fontsize=11)
        handles, labels = top.get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=len(labels), frameon=False, fontsize=9)
    return figure


def _limits(scores: list[float]) -> tuple[float, float]:
    """Ends of the F1 axis in percent, always different."""
    best, worst = max(scores), min(scores)
    reach = _SHOWN * (best - statistics.median(scores))
    low = max(worst, best - reach) if reach > 0 else worst
    return (low, best) if best - low >= 0.1 else (best - 0.5, best + 0.5)


def _points(axes: Axes, places: Sequence[float], scores: Sequence[float], low: float, best: int) -> None:
    groups = {"o": [n for n, score in enumerate(scores) if score >= low], "v": []}
    groups["v"] = [n for n in range(len(scores)) if n not in groups["o"]]
    labels = {"o": "trial", "v": "trial below the axis"}
    for marker, group in groups.items():
        if group:
            x, y = [places[n] for n in group], [max(scores[n], low) for n in group]
            axes.plot(x, y, marker, color=BASELINE_COLOR, markersize=5, alpha=0.75, linestyle="", label=labels[marker])
    style: Any = {"marker": "*", "markersize": 15, "color": SYSTEM_COLOR, "markeredgecolor": "black", "linestyle": ""}
    label = f"best: trial {best + 1}, F1 {percent(scores[best] / 100)} %"
    axes.plot([places[best]], [scores[best]], markeredgewidth=0.7, label=label, zorder=3, **style)


def _positions(tuning: Tuning, name: str) -> list[float]:
    """Positions of the values of a setting: numbers, or indices of choices."""
    setting = tuning.space.settings[name]
    values: Any = [trial.values[name] for trial in tuning.trials]
    return list(values) if isinstance(setting, Range) else [setting.values.index(value) for value in values]


def _setting_axis(axes: Axes, tuning: Tuning, name: str) -> None:
    from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

    setting = tuning.space.settings[name]
    if not isinstance(setting, Range):
        axes.set_xticks(range(len(setting.values)), [value_text(value) for value in setting.values])
        axes.set_xlim(-0.5, len(setting.values) - 0.5)
        if sum(len(value_text(value)) for value in setting.values) > 32:
            axes.tick_params(axis="x", rotation=20)
        return
    if setting.log:
        axes.set_xscale("log")
        axes.set_xlim(
            setting.low / (setting.high / setting.low) ** 0.05, setting.high * (setting.high / setting.low) ** 0.05
        )
        axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.xaxis.set_minor_formatter(NullFormatter())
    else:
        margin = 0.05 * (setting.high - setting.low)
        axes.set_xlim(setting.low - margin, setting.high + margin)
        axes.xaxis.set_major_locator(MaxNLocator(nbins=5, steps=[1, 2, 5, 10], integer=setting.whole))
