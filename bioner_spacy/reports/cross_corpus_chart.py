"""F1 of pipelines on corpora as a heat map."""

from collections.abc import Sequence
from typing import Optional

from matplotlib.figure import Figure

from ..scoring.table import MISSING
from .heat_map import draw_heat_map


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
    return draw_heat_map(
        names,
        corpora,
        [[None if f is None else 100 * f for f in row] for row in scores],
        [[_text(f, types) for f, types in zip(*row)] for row in zip(scores, shared)],
        title=f"F1 (%) on the {split} split",
        xlabel="Test corpus; a frame: the pipeline was trained on it",
        framed=in_domain,
    )


def _text(f: Optional[float], types: int) -> str:
    return f"{MISSING if f is None else f'{100 * f:.1f}'}\n{types} type{'s' * (types != 1)}"
