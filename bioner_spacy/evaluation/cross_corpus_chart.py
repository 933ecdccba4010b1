"""F1 of pipelines on corpora as a heat map."""

from collections.abc import Sequence
from typing import Any, Optional

import matplotlib
import numpy
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from .chart import STYLE
from .table import MISSING

_EDGE = "#E69F00"  # orange of Okabe and Ito (2008), to be seen on any blue


def draw_matrix(
    names: Sequence[str],
    corpora: Sequence[str],
    scores: Sequence[Sequence[Optional[float]]],
    shared: Sequence[Sequence[int]],
    in_domain: Sequence[Sequence[bool]],
    *,
    split: str,
) -> Figure:
    """Draw F1 of every pipeline on every corpus.

    Args:
        names: pipelines, the rows.
        corpora: test corpora, the columns.
        scores: F1 as fractions of 1, by row; None is drawn as a dash.
        shared: numbers of shared entity types, likewise.
        in_domain: whether the pipeline was trained on the corpus, likewise; such cells have a frame.
        split: name of the split.

    Returns:
        The figure; darker is better.
    """
    values = numpy.array([[numpy.nan if f is None else 100 * f for f in row] for row in scores], dtype="float64")
    size = (3 + 0.9 * len(corpora), 2 + 0.55 * len(names))
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=size, layout="constrained")
        axes = figure.add_subplot()
        axes.imshow(values, cmap="Blues", vmin=0, vmax=100, aspect="auto")
        for (row, column), value in numpy.ndenumerate(values):
            color: Any = "white" if value > 60 else "black"
            types = f"\n{shared[row][column]} type{'s' * (shared[row][column] != 1)}"
            text = f"{MISSING if numpy.isnan(value) else f'{value:.1f}'}{types}"
            axes.text(column, row, text, ha="center", va="center", color=color, fontsize=8)
            if in_domain[row][column]:
                corner = (column - 0.46, row - 0.44)
                axes.add_patch(Rectangle(corner, 0.92, 0.88, fill=False, edgecolor=_EDGE, linewidth=2.5))
        axes.set_xticks(range(len(corpora)), corpora, rotation=30, ha="right", rotation_mode="anchor")
        axes.set_yticks(range(len(names)), names)
        axes.set_title(f"F1 (%) on the {split} split", fontsize=11)
        figure.supxlabel("Test corpus; a frame: the pipeline was trained on it", fontsize=9)
        axes.spines[:].set_visible(False)
        axes.tick_params(length=0)
    return figure
