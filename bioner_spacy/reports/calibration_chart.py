"""Scores of predicted mentions as charts: reliability diagrams, and precision and recall by threshold."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy

from ..analysis.calibration import BINS, ScoredMentions, calibration_error, equal_width_bins
from ..analysis.thresholds import choose_threshold, curve
from ..scoring.results import corpus_name
from .chart import Axes, Figure, drawing, tidy
from .table import UNDEFINED, percent

# Colours of Okabe and Ito (2008), safe for colour blindness; lines also differ in their dashes.
_BLUE, _SKY, _ORANGE, _GREEN = "#0072B2", "#56B4E9", "#E69F00", "#009E73"
_LINES = (("precision", "p", _BLUE, "--"), ("recall", "r", _ORANGE, ":"), ("F1", "f", _GREEN, "-"))
_THRESHOLDS = numpy.linspace(0, 1, 401).tolist()
_COLUMNS, _SIZE = 3, 3.1  # panels in a row, and the length of their sides in inches


def draw_reliability(groups: Mapping[str, ScoredMentions], *, split: str, bins: int = BINS) -> Figure:
    """Draw reliability diagrams: precision by score.

    Args:
        groups: name -> predictions; one panel each.

    Returns:
        The figure. Bars are precision, dots mean scores of a bin; with perfect calibration, bars end at the dashed
        line. The dark line is the share of predictions in the bin.
    """

    def draw(axes: Axes, name: str, found: ScoredMentions) -> None:
        parts = equal_width_bins(found, bins)
        lows, widths = [part.low for part in parts], [part.high - part.low for part in parts]
        precision = [part.precision for part in parts]
        shares = [part.count / len(found.scores) for part in parts]
        axes.bar(lows, precision, widths, align="edge", color=_SKY, edgecolor="white", label="precision")
        axes.plot([0, 1], [0, 1], "--", color="black", linewidth=1, label="perfectly calibrated")
        axes.plot([part.score for part in parts], precision, "o", color=_BLUE, label="mean score", markersize=4)
        middles = [low + width / 2 for low, width in zip(lows, widths)]
        axes.plot(middles, shares, color="#444444", marker=".", linewidth=1, label="share of the predictions")
        axes.set_title(f"{corpus_name(name)}: ECE {_percent(calibration_error(parts))}", fontsize=9)
        axes.set_xlabel("score")

    return _panels(groups, f"Precision by score ({split} split)", draw)


def draw_thresholds(groups: Mapping[str, ScoredMentions], *, split: str, precision: float | None = None) -> Figure:
    """Draw precision, recall and F1 by threshold, with the threshold that `choose_threshold` chooses.

    Args:
        groups: name -> predictions; one panel each.
        precision: the wanted precision; None for the highest F1.
    """

    def draw(axes: Axes, name: str, found: ScoredMentions) -> None:
        swept = curve(found)
        at = [swept.at(threshold) for threshold in _THRESHOLDS]
        for name_, score, color, dashes in _LINES:
            # NaN without predictions: no point of the line.
            axes.plot(
                _THRESHOLDS,
                [numpy.nan if of[score] is None else of[score] for of in at],
                dashes,
                color=color,
                label=name_,
            )
        chosen = choose_threshold(found, precision)
        if chosen is not None:
            axes.axvline(chosen, color="black", linewidth=1, label="chosen threshold")
        text = "no threshold" if chosen is None else f"{chosen}, F1 {_percent(swept.at(chosen)['f'])}"
        axes.set_title(f"{corpus_name(name)}: {text}", fontsize=9)
        axes.set_xlabel("threshold")

    return _panels(groups, f"Precision, recall and F1 by threshold ({split} split)", draw)


def _panels(
    groups: Mapping[str, ScoredMentions], title: str, draw: Callable[[Axes, str, ScoredMentions], None]
) -> Figure:
    """A square panel per group, and one legend."""
    columns = min(_COLUMNS, max(1, len(groups)))
    rows = -(-max(1, len(groups)) // columns)
    with drawing(max(2, columns) * _SIZE, rows * _SIZE + 0.9) as figure:
        panels: Any = figure.subplots(rows, columns, squeeze=False).ravel()
        legend: dict[str, Any] = {}
        for axes, (name, found) in zip(panels, groups.items()):
            if len(found.scores):
                draw(axes, name, found)
            else:
                axes.set_title(f"{corpus_name(name)}: no prediction", fontsize=9)
            axes.set_xlim(0, 1)
            axes.set_ylim(0, 1.02)
            tidy(axes)
            legend.update({label: line for line, label in zip(*axes.get_legend_handles_labels())})
        for axes in panels[len(groups) :]:
            axes.remove()
        figure.suptitle(title, fontsize=11)
        if legend:
            figure.legend(legend.values(), legend.keys(), loc="outside lower center", ncols=len(legend), frameon=False)
    return figure


def _percent(fraction: float | None) -> str:
    return UNDEFINED if fraction is None else f"{percent(fraction)} %"
