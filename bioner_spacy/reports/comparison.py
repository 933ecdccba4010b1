"""A comparison of two systems, or of several, as a page and as a bar chart."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, Optional

import numpy

from ..files import replacing
from ..scoring.comparison import NOT_COMPARED, NOT_SIGNIFICANT, NOT_TESTED, Comparison, Row
from ..scoring.metrics import STRICT, get_metric
from ..scoring.results import corpus_name
from ..scoring.systems import Systems
from .chart import BASELINE_COLOR, SYSTEM_COLOR, Axes, Figure, drawing, save_figure, tidy
from .page import Block, Heading, Items, Page, Text
from .table import MISSING, Table, count, percent, signed, spread

_BAR = 0.38  # height of a bar; a group of two bars and a gap has height 1


def comparison_page(comparison: Comparison, name: str = "comparison") -> Page:
    """A comparison as a page: table, verdict and method."""
    blocks: list[Block] = [Text(_match(comparison)), comparison_table(comparison), Items(verdict(comparison))]
    return Page(name, title(comparison), [*blocks, Items(method(comparison))], data=comparison.to_dict())


def systems_page(systems: Systems, name: str = "systems") -> Page:
    """Several systems as a page: a summary, then each comparison with the first one."""
    first = systems.comparisons[0]
    blocks: list[Block] = [Text(_match(first)), systems_table(systems)]
    for comparison in systems.comparisons:
        blocks += [Heading(title(comparison)), comparison_table(comparison), Items(verdict(comparison))]
    return Page(name, systems.title, [*blocks, Items(method(first))], data=systems.to_dict())


def comparison_table(comparison: Comparison) -> Table:
    """F1 in percent, with the spread over runs if there are several; the last of several corpora is their mean."""
    baseline, system = comparison.names
    header = ["Corpus", "Entity type", "Gold", f"F1 {baseline}", f"F1 {system}", "Difference"]
    header += [f"{level(comparison.alpha)} interval", "p", "Better"]
    rows = []
    for row in comparison.shown_rows:
        cells = [corpus_name(row.corpus), row.entity_type, *row_cells(row), comparison.better(row)]
        rows.append([*cells, _ahead(row.differences)] if comparison.runs > 1 else cells)
    if comparison.runs > 1:
        header.append(f"Runs with {system} ahead")
    return Table(header, rows, numbers=len(header) - 2)


def systems_table(systems: Systems) -> Table:
    """A row per system, with the tested difference of its mean from that of the first one.

    F1 is in percent, mean ± standard deviation over runs, see `Systems.columns`.
    """
    columns = systems.columns()
    first = systems.comparisons[0]
    baseline, *others = columns.items()
    header = ["System", *baseline[1], "Difference", f"{level(first.alpha)} interval", "p", "Better"]
    rows = [[baseline[0], *(spread(row.baseline_runs or [None]) for row in baseline[1].values()), *[MISSING] * 4]]
    for (name, of_system), comparison in zip(others, systems.comparisons):
        scores = [spread(row.system_runs or [None]) for row in of_system.values()]
        rows.append([name, *scores, *row_cells(comparison.mean)[3:], comparison.better(comparison.mean)])
    return Table(header, rows, numbers=len(header) - 2)


def row_cells(row: Row) -> list[str]:
    """Gold mentions, F1 of both sides, difference, interval and p, corrected if there are several tests."""
    test = row.significance
    return [
        count(row.gold),
        *(spread(runs or [None]) for runs in (row.baseline_runs, row.system_runs)),
        spread(row.differences or [None], sign="+"),
        _interval(row),
        MISSING if test is None else f"{test.p if test.adjusted is None else test.adjusted:.4f}",
    ]


def verdict(comparison: Comparison) -> list[str]:
    """The conclusion of a comparison, in sentences, and corpora that cannot be compared."""
    groups: dict[str, list[str]] = {}
    for row in comparison.corpus_rows:
        difference = "" if row.difference is None else f" ({signed(row.difference)})"
        groups.setdefault(comparison.better(row), []).append(corpus_name(row.corpus) + difference)
    starts = {
        **{name: f"{_sentence(name)} is better on: " for name in comparison.names[::-1]},
        NOT_SIGNIFICANT: "Not significant on: ",
        NOT_TESTED: "Not tested, because counts by document are missing (score again with `spacy bioner evaluate`): ",
        NOT_COMPARED: "Not compared, because one of the two results is missing: ",
    }
    found = [f"{start}{', '.join(groups[group])}." for group, start in starts.items() if group in groups]
    mean = comparison.mean
    if mean.difference is None:
        return [*found, "No corpus has both results, so there is no mean."]
    if mean in comparison.shown_rows:
        better = comparison.better(mean)
        points = f"{signed(mean.difference)} points of F1"
        if mean.significance is not None:
            points += f", {level(comparison.alpha)} interval {_interval(mean)}, p = {row_cells(mean)[-1]}"
        words = {NOT_SIGNIFICANT: "the difference is not significant", NOT_TESTED: "the difference was not tested"}
        found.append(f"On the {mean.corpus}, {words.get(better, f'{better} is better')} ({points}).")
    if comparison.runs == 1:
        return [*found, "Each pipeline was trained once; F1 also varies between seeds."]
    return [*found, f"F1 is the mean of {comparison.runs} runs ± their standard deviation."]


def method(comparison: Comparison) -> list[str]:
    """Explanation of the test columns, in sentences; empty if nothing was tested."""
    if all(row.significance is None for row in comparison.rows):
        return []
    drawn = "the documents" if comparison.runs == 1 else "the documents and of the runs"
    draws = f"{comparison.resamples:,}"
    found = [
        f"Interval: paired bootstrap of the difference, {draws} samples of {drawn} with replacement.",
        f"p: approximate randomisation over documents, two-sided, {draws} draws; corrected by Holm's method for the "
        "number of corpora (in rows of single types, of types); not corrected for the mean.",
        f"Better: the system with p below {comparison.alpha:g} and an interval that excludes 0, otherwise {NOT_SIGNIFICANT}.",
    ]
    if comparison.records:
        names = ", ".join(map(corpus_name, comparison.records))
        found.append(f"Records count as documents in {names}, so intervals there may be too narrow.")
    return found


def title(comparison: Comparison) -> str:
    """Title of a comparison."""
    details = f"{comparison.split} split" + (f", {comparison.metric}" if comparison.metric != STRICT.name else "")
    return f"{_sentence(comparison.names[1])} against {comparison.names[0]} ({details})"


def level(alpha: float) -> str:
    """Confidence level in percent."""
    return f"{100 * (1 - alpha):g} %"


def draw_comparison(comparison: Comparison) -> Figure:
    """Draw F1 of both sides by corpus and entity type.

    Bars are horizontal, to fit long names and many corpora.

    Args:
        comparison: the comparison; a missing result is drawn as a dash.

    Returns:
        The figure; one group of two bars per row of the table. Whiskers are the interval of the difference, drawn from
        the baseline.
    """
    rows = comparison.shown_rows
    places = _places(rows)
    with drawing(8, 1.4 + 0.42 * (places[-1] + 1)) as figure:
        axes = figure.add_subplot()
        baseline, system = comparison.names
        lower, upper = [place - _BAR / 2 for place in places], [place + _BAR / 2 for place in places]
        _draw_bars(axes, lower, [row.baseline for row in rows], baseline, BASELINE_COLOR)
        _draw_bars(axes, upper, [row.system for row in rows], system, SYSTEM_COLOR, _whiskers(rows))
        of_corpora = {id(row): f"{corpus_name(row.corpus)}, {row.entity_type}" for row in comparison.rows}
        axes.set_yticks(places, [of_corpora.get(id(row), row.corpus) for row in rows])
        axes.set_ylim(places[-1] + 0.6, places[0] - 0.6)
        axes.set_xlim(0, 110)
        axes.set_xticks(range(0, 101, 20))
        tested = any(row.significance is not None for row in rows)
        interval = f"{level(comparison.alpha)} interval of the difference to {baseline}"
        description = get_metric(comparison.metric).description
        axes.set_xlabel(f"F1 (%), {description}{f'; whiskers: {interval}' if tested else ''}")
        axes.set_title(title(comparison))
        tidy(axes, axis="x")
        figure.legend(loc="outside lower center", ncols=2, frameon=False)
    return figure


def write_chart(comparison: Comparison, path: Path) -> list[Path]:
    """Write the chart as SVG, for papers and pages, and as PNG."""
    files = [path.with_name(f"{path.name}.{suffix}") for suffix in ("svg", "png")]
    figure = draw_comparison(comparison)
    with replacing(*files) as parts:
        save_figure(figure, *parts)
    return files


def _places(rows: Sequence[Row]) -> list[float]:
    """Vertical position of each row, with half a step more between corpora."""
    places = [0.0]
    for previous, row in pairwise(rows):
        places.append(places[-1] + (1.0 if row.corpus == previous.corpus else 1.5))
    return places


def _whiskers(rows: Sequence[Row]) -> Any:
    """(2, rows) lengths of the whiskers to the left and right, in percent."""
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


def _match(comparison: Comparison) -> str:
    return f"F1 in percent, {get_metric(comparison.metric).description}."


def _ahead(differences: Optional[Sequence[float]]) -> str:
    """Number of runs in which the system is ahead, after rounding."""
    if differences is None:
        return MISSING
    return f"{sum(round(100 * difference, 2) > 0 for difference in differences)} of {len(differences)}"


def _interval(row: Row) -> str:
    """The interval of a difference in percentage points, or a dash."""
    test = row.significance
    return MISSING if test is None else f"{signed(test.low)} to {signed(test.high)}"


def _sentence(name: str) -> str:
    """A name at the beginning of a sentence."""
    return name[:1].upper() + name[1:]
