"""Learning curves: F1 and loss by updates."""

from collections.abc import Mapping, Sequence
from typing import Any, Optional

from ..experiments.curves import Curve
from ..scoring.results import corpus_name
from .chart import Axes, Figure, drawing, tidy

MULTI, SINGLE = "multi-task", "single-task"

# Colours of Okabe and Ito (2008), safe for colour blindness; black is for all corpora.
_COLORS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#7F7F7F")
_MARKERS = "os^Dv"
_LINES = {MULTI: "-", SINGLE: "--"}


def draw_curves(runs: Mapping[str, Mapping[str, Curve]]) -> Figure:
    """Draw F1 by corpus, and the loss of each run.

    Args:
        runs: `MULTI` and `SINGLE` -> name of a run -> its curve; the name of a single-task run is its corpus.

    Returns:
        The figure. Colours are corpora in the upper panel and runs in the lower one; multi-task runs have solid lines.
    """
    lines = [(side, name, curve) for side, of_side in runs.items() for name, curve in of_side.items()]
    corpora = sorted(
        {corpus for side, name, curve in lines for corpus in _scores(side, name, curve) if corpus != MULTI}
    )
    colors = {corpus: _COLORS[number % len(_COLORS)] for number, corpus in enumerate(corpora)}
    markers = {corpus: _MARKERS[number // len(_COLORS) % len(_MARKERS)] for number, corpus in enumerate(corpora)}

    def draw(axes: Axes, side: str, name: str, updates: Sequence[int], values: Any) -> None:
        axes.plot(
            updates,
            values,
            _LINES[side],
            color=colors.get(name, "#000000"),
            marker=markers.get(name, "o"),
            markersize=3,
            linewidth=1.4,
            label=side if name == MULTI else f"{corpus_name(name)}, {side}",
        )

    with drawing(4.8, 5.6 + 0.1 * len(corpora)) as figure:
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=[3, 2])
        for side, name, curve in lines:
            for corpus, values in _scores(side, name, curve).items():
                percents = [float("nan") if value is None else 100 * value for value in values]
                draw(upper, side, corpus, curve.updates, percents)
            draw(lower, side, MULTI if side == MULTI else name, curve.updates, curve.loss)
        upper.set_ylabel("F1 (%), development data")
        lower.set_ylabel("Loss of an update")
        lower.set_xlabel("Updates of the weights")
        if all(loss > 0 for _, _, curve in lines for loss in curve.loss):  # uncertainty weights may not be
            lower.set_yscale("log")
        upper.set_ylim(bottom=0)
        for axes in (upper, lower):
            tidy(axes)
        handles = {label: line for axes in (upper, lower) for line, label in zip(*axes.get_legend_handles_labels())}
        figure.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=2, frameon=False, fontsize=8)
    return figure


def _scores(side: str, name: str, curve: Curve) -> Mapping[str, Sequence[Optional[float]]]:
    """F1 by corpus or, if unknown, the score of the run."""
    return curve.per_corpus or {MULTI if side == MULTI else name: curve.score}
