"""Statistics of corpora as a chart of six panels."""

from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any

import numpy

from ..corpora.catalogue import SPLITS
from ..corpora.statistics import SplitStatistics, dice, merge_statistics
from .chart import Figure, drawing, tidy
from .colors import color_of
from .heat_map import paint

# Colours of Okabe and Ito (2008), safe for colour blindness, and steps from light to dark.
_SPLIT_COLORS = ("#0072B2", "#E69F00", "#009E73")
_STEPS = ("#cfe1f2", "#93c4de", "#4a97c9", "#1764ab", "#08306b")
_SHORT, _LONGEST = (1, 2, 3, 4), 5  # mention lengths shown separately


def draw_statistics(statistics: Mapping[tuple[str, str], SplitStatistics]) -> Figure:
    """Draw sizes, types, lengths, nesting, ambiguity and shared names of corpora.

    Returns:
        The figure, with horizontal bars.
    """
    corpora = list(dict.fromkeys(corpus for corpus, _ in statistics))
    totals = [
        merge_statistics(found for (name, _), found in statistics.items() if name == corpus) for corpus in corpora
    ]
    types = sorted({entity_type for total in totals for entity_type in total.mentions})
    bars, legend = 1.3 + 0.26 * len(corpora), 0.055 * len(types)
    with drawing(13, 3 * bars + legend + 1) as figure:
        panels: Any = figure.subfigures(3, 2, height_ratios=[bars + legend, bars, bars + 1], wspace=0.03)
        of_split = {
            split: [
                statistics[corpus, split].tokens / 1000 if (corpus, split) in statistics else 0 for corpus in corpora
            ]
            for split in SPLITS
        }
        _bars(panels[0, 0], "Tokens (thousands) by split", corpora, of_split, _SPLIT_COLORS)
        mentions = {entity_type: [total.mentions[entity_type] for total in totals] for entity_type in types}
        _bars(panels[0, 1], "Gold mentions by type", corpora, mentions, [color_of(name) for name in types])
        _bars(panels[1, 0], "Lengths of mentions in tokens (%)", corpora, _lengths(totals), _STEPS)
        _bars(panels[1, 1], "Mentions inside others (%)", corpora, _depths(totals), _STEPS[2:])
        ambiguous = {"": [100 * total.ambiguous for total in totals]}
        _bars(panels[2, 0], "Names that are mentions of several types (%)", corpora, ambiguous, _STEPS[2:])
        _heat_map(panels[2, 1], "Shared names (Dice coefficient, %)", corpora, totals)
    return figure


def _lengths(totals: Sequence[SplitStatistics]) -> dict[str, list[float]]:
    """Share of the mentions of each length, of each corpus."""
    shares = [[_percent(total.lengths[length], total.lengths.total()) for total in totals] for length in _SHORT]
    longer = [100 - sum(column) if total.lengths else 0 for total, column in zip(totals, zip(*shares))]
    return dict(zip([*map(str, _SHORT), f"{_LONGEST} or more"], [*shares, longer]))


def _depths(totals: Sequence[SplitStatistics]) -> dict[str, list[float]]:
    """Share of the mentions at each nesting depth, of each corpus."""
    shares = [[_percent(total.depths[depth], total.depths.total()) for total in totals] for depth in (1, 2)]
    deeper = [_percent(total.nested, total.depths.total()) - sum(c) for total, c in zip(totals, zip(*shares))]
    return {"inside one": shares[0], "inside two": shares[1], "inside more": [max(0.0, share) for share in deeper]}


def _percent(count: int, total: int) -> float:
    return 100 * count / total if total else 0.0


def _bars(
    panel: Any, title: str, names: Sequence[str], parts: Mapping[str, Sequence[float]], colors: Sequence[str]
) -> None:
    """Stacked horizontal bars, one per name, with a legend if there are several parts."""
    axes = panel.add_subplot()
    widths = numpy.array(list(parts.values()), dtype="float64").reshape(len(parts), len(names))
    for label, left, width, color in zip(parts, accumulate(widths, initial=numpy.zeros(len(names))), widths, colors):
        axes.barh(names, width, left=left, label=label, color=color)
    axes.invert_yaxis()
    axes.set_xlim(0, max(1.0, widths.sum(axis=0).max(initial=0)) * 1.02)
    axes.xaxis.set_major_formatter("{x:,g}")
    axes.set_title(title, fontsize=10)
    tidy(axes, axis="x")
    if len(parts) > 1:
        panel.legend(loc="outside lower center", ncols=3 if len(parts) > 5 else len(parts), frameon=False, fontsize=8)


def _heat_map(panel: Any, title: str, names: Sequence[str], totals: Sequence[SplitStatistics]) -> None:
    """A triangular heat map of percentages."""
    axes = panel.add_subplot()
    vocabularies = [total.vocabulary for total in totals]
    shared = numpy.full((len(names), len(names)), numpy.nan)
    for row, column in zip(*numpy.tril_indices(len(names), -1)):
        shared[row, column] = 100 * dice(vocabularies[row], vocabularies[column])
    texts = [["" if numpy.isnan(share) else f"{share:.0f}" for share in row] for row in shared]
    paint(axes, names, names, shared, texts, limits=(0, numpy.nanmax(shared, initial=1.0)))
    axes.set_title(title, fontsize=10)
