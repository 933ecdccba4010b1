"""An analysis of a pipeline as a page: matches, mistakes, calibration and thresholds, with charts."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from ..analysis.analysis import EXAMPLES, Analysis
from ..analysis.matches import SCHEMES, Scores
from ..analysis.mistakes import GOLD, KINDS, MISSED, PREDICTED, SPURIOUS, Mistake, Mistakes
from ..scoring.metrics import ALL_TYPES
from ..scoring.results import corpus_name
from .calibration_chart import draw_reliability, draw_thresholds
from .page import Block, Chart, Code, Heading, Page, Text
from .table import MISSING, UNDEFINED, Table, percent, with_total

_MATCHES = """\
SemEval 2013, task 9.1, in percent. Strict: boundaries and type are right; exact: boundaries; partial: the mentions overlap,
counted one half if the boundaries differ; type: they overlap and the type is right. A mention has at most one partner."""
_MISTAKES = """\
Every mention is of one kind. Split: one gold mention, several predictions of its type; merged: the reverse.
Wrong boundary: the two overlap and have the same type. A prediction inside a gold mention that is found is spurious."""
_EXAMPLES = """\
The most frequent mention texts of each kind, each with one example; mentions are between ⟦ and ⟧.
`mistakes.tsv` lists every mistake."""
_CALIBRATION = """\
Precision by score, in percent. ECE: expected calibration error, the mean difference of precision and mean score, over
{bins} bins of equal width, or of equal numbers of predictions. Brier score: mean squared error, 0 to 1."""
_THRESHOLDS = """\
Predictions with a lower score than the threshold are left out. AP: average precision, over all thresholds. All: every
prediction is kept. Threshold, P, R, F1: {goal}, chosen for the row. One: at the threshold of the row of all corpora and
types{use}. In percent, on the {split} split, where the thresholds were chosen: elsewhere they tend to give less."""
_USE = """; to use it: `spacy.load(PIPELINE, config={{"components.{component}.threshold": {threshold}}})`"""
_CONFIG = """Thresholds of types over all corpora, for the config; types that are not given keep `threshold`:"""


def analysis_page(analysis: Analysis, *, brief: bool = False) -> Page:
    """An analysis as a page, with `mistakes.tsv` and, if there are scores, two charts.

    Args:
        brief: a short version for terminals: only F1, and no examples.
    """
    blocks: list[Block] = []

    def add(title: str, text: str, table: Table) -> None:
        blocks.extend([Heading(title), Text(text), table])

    add("Matches", _MATCHES, matches_table(analysis.matches, "f" if brief else "prf"))
    add("Mistakes", _MISTAKES, counts_table(analysis.mistakes))
    if not brief:
        add("Examples of mistakes", _EXAMPLES, examples_table(analysis.mistakes.most_frequent(EXAMPLES)))
    if analysis.scored:
        add("Calibration", _CALIBRATION.format(bins=analysis.bins), calibration_table(analysis.calibration))
        add("Thresholds", _about_thresholds(analysis), thresholds_table(analysis.thresholds))
    if analysis.settings:
        blocks += [Text(_CONFIG), Code(analysis.settings, "ini")]
    of_corpora = {corpus: found for (corpus, name), found in analysis.scored.items() if name == ALL_TYPES}
    charts = {
        "reliability": lambda: draw_reliability(of_corpora, split=analysis.split, bins=analysis.bins),
        "thresholds": lambda: draw_thresholds(of_corpora, split=analysis.split, precision=analysis.precision),
    }
    every = examples_table([(mistake, 1) for mistake in analysis.mistakes.found])
    return Page(
        "analysis",
        f"{analysis.pipeline.name} {analysis.pipeline.version}, {analysis.split} split",
        [*blocks, *(Chart(name, name) for name in charts if of_corpora)],
        data=analysis.to_dict(),
        charts=charts if of_corpora else {},
        texts={"mistakes.tsv": every.to_tsv()},
    )


def _about_thresholds(analysis: Analysis) -> str:
    precision, use = analysis.precision, ""
    goal = "highest F1" if precision is None else f"highest recall at a precision of {precision:g}"
    if analysis.component is not None and analysis.threshold is not None:
        use = _USE.format(component=analysis.component, threshold=analysis.threshold)
    return _THRESHOLDS.format(goal=goal, split=analysis.split, use=use)


def matches_table(scores: dict[str, Any], shown: str = "prf") -> Table:
    """Scores by the four schemes as a table, in percent.

    Args:
        scores: the output of `match_scores`.
        shown: any of "p", "r" and "f": precision, recall and F1.

    Returns:
        Columns: corpus, entity type, and the scores of each scheme. A corpus of several types has a row with their
        mean and one over all its mentions; the last two rows of several corpora are their mean and all mentions.
    """
    rows: list[list[str]] = []
    for corpus, found in scores["per_corpus"].items():
        macro = {"mean over types": found["macro"]} if len(found["per_type"]) > 1 else {}
        groups = with_total({**found["per_type"], **macro}, found["micro"])
        rows.extend([corpus_name(corpus), name, *_cells(of_group, shown)] for name, of_group in groups.items())
    if len(scores["per_corpus"]) > 1:
        rows.append(["mean over corpora", ALL_TYPES, *_cells(scores["macro"], shown)])
        rows.append(["all mentions", ALL_TYPES, *_cells(scores["micro"], shown)])
    names = {"p": "P", "r": "R", "f": "F1"}
    header = [f"{names[score]} {scheme}" for scheme in SCHEMES for score in shown]
    return Table(["Corpus", "Entity type", *header], rows, numbers=len(header))


def counts_table(mistakes: Mistakes) -> Table:
    """Number of gold and predicted mentions of each kind.

    Returns:
        Two rows for each corpus and type, and for all types of a corpus: gold and predicted mentions by kind.
    """
    sums: defaultdict[tuple[str, str, str], Counter[str]] = defaultdict(Counter)
    types: defaultdict[str, set[str]] = defaultdict(set)
    for (corpus, entity_type, side, kind), number in mistakes.counts.items():
        types[corpus].add(entity_type)
        sums[corpus, entity_type, side][kind] += number
        sums[corpus, ALL_TYPES, side][kind] += number
    rows = []
    for corpus in sorted(types):
        for entity_type in (*sorted(types[corpus]), ALL_TYPES):
            for side, never in ((GOLD, SPURIOUS), (PREDICTED, MISSED)):
                of_row = sums[corpus, entity_type, side]
                cells = [MISSING if kind == never else str(of_row[kind]) for kind in KINDS]
                rows.append([corpus_name(corpus), entity_type, side, str(of_row.total()), *cells])
    return Table(["Corpus", "Entity type", "Side", "Total", *KINDS], rows, numbers=1 + len(KINDS))


def examples_table(mistakes: Sequence[tuple[Mistake, int]]) -> Table:
    """Mistakes with their text."""
    rows = [
        [corpus_name(found.corpus), found.kind, found.gold, found.predicted, found.doc_id, found.context, str(count)]
        for found, count in mistakes
    ]
    return Table(["Corpus", "Kind", "Gold", "Predicted", "Document", "Context", "Count"], rows, numbers=1)


def calibration_table(described: Mapping[tuple[str, str], Mapping[str, Any]]) -> Table:
    """Calibration by corpus and type, in percent (except the Brier score).

    Args:
        described: corpus and entity type -> output of `describe_calibration`.
    """
    rows = []
    for (corpus, entity_type), of_row in described.items():
        values = [percent(of_row[name]) for name in ("score", "precision", "ece", "ece_equal_mass")]
        brier = UNDEFINED if of_row["brier"] is None else f"{of_row['brier']:.4f}"
        rows.append([corpus_name(corpus), entity_type, str(of_row["predicted"]), *values, brier])
    header = ["Corpus", "Entity type", "Predicted", "Mean score", "Precision", "ECE", "ECE equal mass", "Brier score"]
    return Table(header, rows, numbers=6)


def thresholds_table(described: Mapping[tuple[str, str], Mapping[str, Any]]) -> Table:
    """The chosen thresholds and their scores, in percent; a dash if no threshold was found.

    Args:
        described: the output of `describe_thresholds`.
    """
    rows = []
    for (corpus, entity_type), group in described.items():
        best = group["threshold"]
        cells = [MISSING] * 4 if best is None else [str(best["threshold"]), *(percent(best[name]) for name in "prf")]
        one = MISSING if group["one"] is None else percent(group["one"]["f"])
        fixed = [percent(group["average_precision"]), percent(group["all"]["f"])]
        rows.append([corpus_name(corpus), entity_type, str(group["gold"]), *fixed, *cells, one])
    header = ["Corpus", "Entity type", "Gold", "AP", "F1 all", "Threshold", "P", "R", "F1", "F1 one"]
    return Table(header, rows, numbers=len(header) - 2)


def _cells(scores: Scores, shown: str) -> list[str]:
    return [percent(scores[scheme][name]) for scheme in SCHEMES for name in shown]
