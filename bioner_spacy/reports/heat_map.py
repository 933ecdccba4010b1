"""Heat maps with texts in the cells."""

from collections.abc import Sequence
from typing import Optional

import numpy
from numpy.typing import NDArray

from .chart import Axes, Figure, drawing

_EDGE = "#E69F00"  # orange of Okabe and Ito (2008), visible on any blue
_LIGHT = numpy.array([0.2126, 0.7152, 0.0722])  # of red, green and blue (ITU-R BT.709)


def draw_heat_map(
    rows: Sequence[str],
    columns: Sequence[str],
    values: Sequence[Sequence[Optional[float]]],
    texts: Sequence[Sequence[str]],
    *,
    title: str,
    xlabel: str = "",
    ylabel: str = "",
    framed: Optional[Sequence[Sequence[bool]]] = None,
    colors: str = "Blues",
    limits: tuple[float, float] = (0, 100),
) -> Figure:
    """Draw a matrix as a heat map.

    Args:
        values: values by row; None has no colour.
        texts: text of each cell, by row.
        framed: whether each cell has a frame, by row; None for none.
        colors: name of a colour map of matplotlib.
        limits: values of its ends.
    """
    numbers = numpy.array([[numpy.nan if v is None else v for v in row] for row in values], dtype="float64")
    with drawing(3 + 0.9 * len(columns), 2 + 0.55 * len(rows)) as figure:
        from matplotlib.patches import Rectangle

        axes = figure.add_subplot()
        paint(axes, rows, columns, numbers, texts, colors=colors, limits=limits)
        for row, column in numpy.argwhere(numpy.array(framed or [], dtype=bool)):
            corner = (column - 0.46, row - 0.44)
            axes.add_patch(Rectangle(corner, 0.92, 0.88, fill=False, edgecolor=_EDGE, linewidth=2.5))
        axes.set_title(title, fontsize=11)
        figure.supxlabel(xlabel, fontsize=9)
        axes.set_ylabel(ylabel, fontsize=9)
    return figure


def paint(
    axes: Axes,
    rows: Sequence[str],
    columns: Sequence[str],
    numbers: NDArray,
    texts: Sequence[Sequence[str]],
    *,
    colors: str = "Blues",
    limits: tuple[float, float],
) -> None:
    """Draw the cells of a matrix with their texts, and its names; not a number has no colour."""
    image = axes.imshow(numbers, cmap=colors, vmin=limits[0], vmax=limits[1], aspect="auto")
    for (row, column), value in numpy.ndenumerate(numbers):
        dark = not numpy.isnan(value) and _LIGHT @ image.to_rgba(value)[:3] < 0.5
        color = "white" if dark else "black"
        axes.text(column, row, texts[row][column], ha="center", va="center", color=color, fontsize=8)
    axes.set_xticks(range(len(columns)), columns, rotation=30, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(len(rows)), rows)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
