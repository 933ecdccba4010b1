"""Gains of auxiliary corpora, measures between corpora, and their correlations as pages."""

from dataclasses import asdict
from pathlib import Path
from typing import Optional

from ..experiments.transferability.correlation import FILE as CORRELATIONS
from ..experiments.transferability.correlation import Correlation, Correlations
from ..experiments.transferability.gains import FILE as GAINS
from ..experiments.transferability.gains import Gains
from ..experiments.transferability.measures import FILE as MEASURED
from ..experiments.transferability.measures import MEASURES, Measures
from ..experiments.transferability.ranking import MEAN_RANK, Ranking
from ..experiments.transferability.slopes import SHARES
from ..scoring.comparison import NOT_SIGNIFICANT
from ..scoring.metrics import get_metric
from .chart import Figure, drawing
from .comparison import level, row_cells
from .heat_map import draw_heat_map
from .page import Block, Chart, Heading, Page, Text
from .table import MISSING, UNDEFINED, Table, spread

DECIMALS = {"encoder": 6}
"""Decimals of measures that need more than four: cosines of mean [CLS] vectors are close to 1."""

_ABOUT = """\
F1 in percent on the target ({split} split, {match}) after training on target and auxiliary, minus F1 after training on
the target alone. {budget} {epochs}A joint run is scored on both corpora and gives the gains in both directions.{seeds}"""
_VERDICT = """\
Interval: of the gain, from samples of the documents{runs} (paired bootstrap), not corrected. p: approximate randomisation
over documents, two-sided, corrected by Holm's method for the {n} gains. "Not significant": p is not below {alpha:g}, or the
interval includes 0."""
_OVERALL = """\
Each measure with the gain of F1 over all pairs. r: Pearson; rho: Spearman; intervals of 95 % by Fisher's z for r, and with
the variance of Bonett and Wright (2000) for rho; p: two-sided, not corrected for the number of measures. {few}"""
_FEW = """\
There are {n} pairs of {corpora} corpora, and they are not independent: a joint run gives two of them, a corpus is in
{per_corpus}, and most measures are symmetric. The intervals assume independence and are too narrow; treat results as hints."""
_TARGETS = "Pearson's r over the auxiliaries of one target, with an interval if there are more than three."


def gains_page(gains: Gains) -> Page:
    """Gains as a page with a heat map."""
    budget = ", ".join(f"{corpus} {tokens:,}" for corpus, tokens in gains.tokens.items())
    alone = ", ".join(f"{corpus} {steps:,}" for corpus, steps in gains.steps.items())
    asked = f"Equal budgets of about {gains.budget:,} tokens" if gains.budget else "All training data"
    seeds = f" Mean of {len(gains.seeds)} runs (seeds {', '.join(map(str, gains.seeds))}) ± their standard deviation."
    if len(gains.seeds) == 1:
        seeds = " One run each: F1 also varies between seeds, which the tests do not cover."
    about = _ABOUT.format(
        split=gains.split,
        match=get_metric(gains.metric).description,
        budget=f"{asked} of each corpus ({budget}).",
        epochs=f"Joint runs have {gains.epochs} epochs, {gains.joint_steps:,} steps on average; single runs {alone} steps. ",
        seeds=seeds,
    )
    runs = " and of the runs" if len(gains.seeds) > 1 else ""
    verdict = _VERDICT.format(runs=runs, n=len(gains.rows), alpha=gains.alpha)
    title = f"Gains of auxiliary corpora over training alone for as many {'steps' if gains.equal_steps else 'epochs'}"
    name = Path(GAINS).stem
    blocks: list[Block] = [Text(about), gains_table(gains), Text(verdict), Chart(name, "Gains")]
    return Page(name, title, blocks, gains.to_dict(), {name: lambda: draw_gains(gains)})


def gains_table(gains: Gains) -> Table:
    """A row for each pair, with mean and standard deviation over runs."""
    header = ["Target", "Auxiliary", "Gold", "F1 alone", "F1 with auxiliary", "Gain"]
    rows = [[*pair, *row_cells(row), _gain_verdict(gains, *pair)] for pair, row in gains.rows.items()]
    return Table([*header, f"{level(gains.alpha)} interval", "p", "Verdict"], rows, numbers=7)


def _gain_verdict(gains: Gains, target: str, auxiliary: str) -> str:
    gain = gains.gain(target, auxiliary)
    if gain is None:
        return MISSING
    return ("gain" if gain > 0 else "loss") if gains.differs(target, auxiliary) else NOT_SIGNIFICANT


def draw_gains(gains: Gains) -> Figure:
    """A heat map: targets are rows, auxiliaries columns."""
    values: list[list[Optional[float]]] = []
    texts, framed = [], []
    for target in gains.corpora:
        others = [(target, other) for other in gains.corpora]
        points = [gains.gain(*pair) if pair in gains.rows else None for pair in others]
        values.append([None if gain is None else 100 * gain for gain in points])
        cells = [
            spread(gains.rows[pair].differences or [None], sign="+") if pair in gains.rows else "" for pair in others
        ]
        alone = f"alone\n{spread(gains.alone(target) or [None])}"
        texts.append([cell.replace(" ", "\n", 1) or alone for cell in cells])
        framed.append([pair in gains.rows and gains.differs(*pair) for pair in others])
    most = max((abs(value) for row in values for value in row if value is not None), default=0.0) or 1.0
    return draw_heat_map(
        gains.corpora,
        gains.corpora,
        values,
        texts,
        title=f"Gain of F1 (points) on the {gains.split} split",
        xlabel=f"Auxiliary corpus; a frame: significant by the test (runs: {len(gains.seeds)})",
        ylabel="Target corpus",
        framed=framed,
        colors="RdBu",
        limits=(-most, most),
    )


def measures_page(measures: Measures) -> Page:
    """A table and a heat map for each measure: targets are rows, auxiliaries columns."""
    tokens = ", ".join(f"{corpus} {number:,}" for corpus, number in measures.tokens.items())
    blocks: list[Block] = [Text(f"Training tokens that were read: {tokens}. Encoder: {measures.encoder}.")]
    for name in measures.values:
        texts = _texts(measures, name)
        rows = [[corpus, *row] for corpus, row in zip(measures.corpora, texts)]
        table = Table(["Target", *measures.corpora], rows, numbers=len(measures.corpora))
        blocks += [Heading(name.capitalize()), Text(MEASURES[name]), table]
    if measures.slopes:
        header = ["Corpus", *(f"{100 * share:g} %" for share in SHARES)]
        rows = [
            [corpus, *(value_text("curve", slope) for slope in found)] for corpus, found in measures.slopes.items()
        ]
        text = "Change of the mean loss per share of the training, relative to the loss of the first tenth."
        blocks += [Heading("Slopes of the learning curves"), Text(text), Table(header, rows, numbers=len(SHARES))]
    blocks += [Chart(f"measure-{name}", name.capitalize()) for name in measures.values]
    charts = {f"measure-{name}": lambda name=name: draw_measure(measures, name) for name in measures.values}
    return Page(Path(MEASURED).stem, "Measures between corpora", blocks, measures.to_dict(), charts)


def draw_measure(measures: Measures, name: str) -> Figure:
    """A heat map of one measure."""
    values = [[measures.values[name].get((one, other)) for other in measures.corpora] for one in measures.corpora]
    known = [value for row in values for value in row if value is not None]
    low, high = min(known, default=0.0), max(known, default=1.0)
    return draw_heat_map(
        measures.corpora,
        measures.corpora,
        values,
        _texts(measures, name),
        title=name.capitalize(),
        xlabel="Auxiliary corpus; the colours go from the smallest to the largest value",
        ylabel="Target corpus",
        limits=(low, high if high > low else low + 1),
    )


def ranking_table(ranking: Ranking) -> Table:
    """A row for each auxiliary: rank, then its measures."""
    by = ranking.by.capitalize() if ranking.by == MEAN_RANK else f"Rank by {ranking.by}"
    rows = []
    for corpus in ranking.auxiliaries:
        cells = [MISSING if corpus in ranking.missing else f"{ranking.ranks[corpus]:.2f}"]
        cells += [value_text(name, of_measure[corpus]) for name, of_measure in ranking.values.items()]
        rows.append([corpus, *cells])
    header = ["Auxiliary", by, *ranking.values]
    return Table(header, rows, numbers=len(header) - 1)


def correlations_page(found: Correlations) -> Page:
    """Correlations over all pairs and by target, with scatter plots."""
    header = ["Measure", "Pairs", "r", "95 % interval", "p", "rho", "95 % interval", "p"]
    rows = [
        [name, str(found.pearson[name].n), *_cells(found.pearson[name]), *_cells(found.spearman[name])]
        for name in found.pearson
    ]
    n = len(found.corpora)
    few = _FEW.format(n=n * (n - 1), corpora=n, per_corpus=2 * (n - 1))
    by_target = [
        [name, *(" ".join(_cells(of_measure[target])[:2]) for target in found.corpora)]
        for name, of_measure in found.by_target.items()
    ]
    name = Path(CORRELATIONS).stem
    blocks: list[Block] = [
        Heading("All pairs"),
        Text(_OVERALL.format(few=few.replace("\n", " "))),
        Table(header, rows, numbers=7),
    ]
    blocks += [Heading("By target"), Text(_TARGETS), Table(["Measure", *found.corpora], by_target, numbers=n)]
    blocks.append(Chart(name, "Measures and gains"))
    return Page(name, "Measures and gains", blocks, asdict(found), {name: lambda: draw_correlations(found)})


def draw_correlations(found: Correlations) -> Figure:
    """A scatter plot for each measure, a colour for each target."""
    columns = min(3, len(found.points))
    rows = -(-len(found.points) // columns)
    with drawing(4 * columns, 3.4 * rows + 0.6) as figure:
        from matplotlib import colormaps

        panels = figure.subplots(rows, columns, squeeze=False)
        for axes in panels.ravel()[len(found.points) :]:
            axes.set_axis_off()
        for axes, (name, points) in zip(panels.ravel(), found.points.items()):
            axes.axhline(0, color="#999999", linewidth=0.8)
            for place, target in enumerate(found.corpora):
                of_target = [(x, y) for one, _, x, y in points if one == target]
                color = colormaps["tab10"](place % 10)
                marker = "os^Dv"[place // 10 % 5]
                axes.scatter(*(zip(*of_target) if of_target else ([], [])), color=color, marker=marker, label=target)
            axes.set_title(
                f"{name}: r {_number(found.pearson[name].value)}, rho {_number(found.spearman[name].value)}"
            )
            axes.spines[["top", "right"]].set_visible(False)
        figure.supylabel(f"Gain of F1 on the target (points, {found.split} split)", fontsize=10)
        handles, labels = panels[0, 0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=5, frameon=False, title="Target")
    return figure


def value_text(name: str, value: Optional[float]) -> str:
    """A value of a measure for a table, or a dash."""
    return MISSING if value is None else f"{value + 0.0:.{DECIMALS.get(name, 4)}f}"


def _texts(measures: Measures, name: str) -> list[list[str]]:
    values = measures.values[name]
    return [[value_text(name, values.get((one, other))) for other in measures.corpora] for one in measures.corpora]


def _cells(found: Correlation) -> list[str]:
    interval = UNDEFINED if found.low is None else f"{_number(found.low)} to {_number(found.high)}"
    return [_number(found.value), interval, UNDEFINED if found.p is None else f"{found.p:.4f}"]


def _number(value: Optional[float]) -> str:
    return UNDEFINED if value is None else f"{round(value, 2) + 0.0:+.2f}"
