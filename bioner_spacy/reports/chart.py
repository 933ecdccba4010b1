"""F1 of a system and its baseline as a bar chart."""

from itertools import pairwise
from pathlib import Path
from typing import Any, Optional

import matplotlib
import numpy
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..files import replacing
from ..scoring.comparison import Comparison, Row
from ..scoring.table import MISSING, corpus_name, percent

# Blue and orange of Okabe and Ito (2008), which differ for all kinds of colour vision, and in brightness when printed.
BASELINE_COLOR, SYSTEM_COLOR = "#0072B2", "#E69F00"
_BAR = 0.38  # height of a bar; two of them and a gap make one group of height 1

# The same comparison gives the same bytes: ids come from a fixed salt, text stays text, and no date is written.
STYLE: Any = {"svg.hashsalt": "bioner_spacy", "svg.fonttype": "none", "font.family": "DejaVu Sans", "font.size": 10}


def draw_comparison(comparison: Comparison) -> Figure:
    """Draw F1 by corpus and entity type, both sides beside each other.

    The bars lie, so that names of any length can be read and a chart of many corpora grows downwards.

    Args:
        comparison: the comparison; a missing result is drawn as a dash.

    Returns:
        The figure; one group of two bars for each row of the table, and one for the mean over corpora. A whisker
        on the bar of the system is the interval of the difference, put to the end of the bar of the baseline.
    """
    rows = [*comparison.shown_rows, comparison.mean]
    places = _places(rows)
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(8, 1.4 + 0.42 * (places[-1] + 1)), layout="constrained")
        axes = figure.add_subplot()
        baseline, system = comparison.names
        lower, upper = [place - _BAR / 2 for place in places], [place + _BAR / 2 for place in places]
        _draw_bars(axes, lower, [row.baseline for row in rows], baseline, BASELINE_COLOR)
        _draw_bars(axes, upper, [row.system for row in rows], system, SYSTEM_COLOR, _whiskers(rows))
        axes.set_yticks(
            places, [*(f"{corpus_name(row.corpus)}, {row.entity_type}" for row in rows[:-1]), rows[-1].corpus]
        )
        axes.set_ylim(places[-1] + 0.6, places[0] - 0.6)
        axes.set_xlim(0, 110)
        axes.set_xticks(range(0, 101, 20))
        tested = any(row.significance is not None for row in rows)
        whiskers = f"; whiskers: {comparison.level} interval of the difference to {baseline}" if tested else ""
        axes.set_xlabel(f"F1 (%), strict match{whiskers}")
        axes.set_title(comparison.title)
        axes.spines[["top", "right"]].set_visible(False)
        axes.xaxis.grid(True, color="#dddddd")
        axes.set_axisbelow(True)
        figure.legend(loc="outside lower center", ncols=2, frameon=False)
    return figure


def write_chart(comparison: Comparison, path: Path) -> list[Path]:
    """Write the chart as SVG, for papers and pages, and as PNG.

    Args:
        comparison: what to draw.
        path: path of the files without suffix.

    Returns:
        The files that were written: both, or none after an error.
    """
    files = [path.with_name(f"{path.name}.{suffix}") for suffix in ("svg", "png")]
    figure = draw_comparison(comparison)
    with replacing(*files) as parts:
        save_figure(figure, *parts)
    return files


def save_figure(figure: Figure, svg: Path, png: Path) -> None:
    """Write a figure as SVG and as PNG, the same bytes for the same figure."""
    with matplotlib.rc_context(STYLE):
        figure.savefig(svg, format="svg", metadata={"Date": None, "Creator": None})
        figure.savefig(png, format="png", dpi=150, metadata={"Software": None})


def _places(rows: list[Row]) -> list[float]:
    """Vertical place of each row: steps of 1, and half a step more where another corpus begins."""
    places = [0.0]
    for previous, row in pairwise(rows):
        places.append(places[-1] + (1.0 if row.corpus == previous.corpus else 1.5))
    return places


def _whiskers(rows: list[Row]) -> Any:
    """(2, rows) lengths of the whiskers to the left and to the right of the ends of the bars, in percent."""
    lengths = numpy.zeros((2, len(rows)))
    for number, row in enumerate(rows):
        if row.significance is not None and row.difference is not None:
            low, high = row.significance.low, row.significance.high
            lengths[:, number] = row.difference - low, high - row.difference
    return 100 * lengths.clip(min=0)


def _draw_bars(
    axes: Axes, places: list[float], scores: list[Optional[float]], name: str, color: str, whiskers: Any = None
) -> None:
    lengths = [0.0 if score is None else 100 * score for score in scores]
    bars = axes.barh(places, lengths, height=_BAR, label=name, color=color, xerr=whiskers, error_kw={"lw": 1})
    labels = [f"{MISSING} no result" if score is None else percent(score) for score in scores]
    axes.bar_label(bars, labels=labels, padding=3, fontsize=8)
