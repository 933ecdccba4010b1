"""Common parts of charts: style, files, and the late import of matplotlib."""

from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Optional

from ..errors import import_extra

if TYPE_CHECKING:
    from matplotlib.axes import Axes as Axes
    from matplotlib.figure import Figure as Figure
else:  # matplotlib is optional
    Axes = Figure = Any

# Blue and orange of Okabe and Ito (2008), safe for colour blindness and in grey.
BASELINE_COLOR, SYSTEM_COLOR = "#0072B2", "#E69F00"

# Reproducible files: fixed salt for ids, text as text, no date.
STYLE: Any = {"svg.hashsalt": "bioner_spacy", "svg.fonttype": "none", "font.family": "DejaVu Sans", "font.size": 10}


@contextmanager
def drawing(width: float, height: float) -> Iterator["Figure"]:
    """A figure to draw on, in the style of all charts."""
    with styled():
        from matplotlib.figure import Figure

        yield Figure(figsize=(width, height), layout="constrained")


@contextmanager
def styled() -> Iterator[None]:
    """Draw and write in the style of all charts."""
    matplotlib = import_extra("matplotlib", "charts")
    with matplotlib.rc_context(STYLE):
        yield


def save_figure(figure: "Figure", svg: Path, png: Optional[Path] = None) -> None:
    """Write a figure as SVG and PNG, reproducibly."""
    svg.write_text(svg_text(figure), encoding="utf8")
    if png is not None:
        with styled():
            figure.savefig(png, format="png", dpi=150, metadata={"Software": None})


def svg_text(figure: "Figure") -> str:
    """A figure as SVG."""
    text = StringIO()
    with styled():
        figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
    return text.getvalue()


def tidy(axes: "Axes", **grid: Any) -> None:
    """Remove the upper and right frame, and put the grid in the background."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(True, color="#dddddd", **grid)
    axes.set_axisbelow(True)
