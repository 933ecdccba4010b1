"""Scores as a table for the terminal and for Markdown."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Optional, TypeVar

from wasabi import table

from ..reports.spreadsheet import cell, tsv_line
from .results import ALL_TYPES, Results
from .scorer import mean

MISSING = "–"
UNNAMED = "(unnamed)"
T = TypeVar("T")


@dataclass(frozen=True)
class Table:
    """A table of text cells.

    Attributes:
        header: names of the columns; those of `numbers` are right-aligned.
        rows: cells, one row each.
        numbers: how many of the last columns are numbers.
    """

    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    numbers: int

    def to_text(self) -> str:
        """The table with aligned columns, for a terminal or a log."""
        words = len(self.header) - self.numbers
        aligns: Any = ["l"] * words + ["r"] * self.numbers
        return str(table(self.rows, header=self.header, divider=True, aligns=aligns))

    def to_markdown(self) -> str:
        """The table in GitHub's Markdown."""
        words = len(self.header) - self.numbers
        rule = ["---"] * words + ["---:"] * self.numbers
        lines = [self.header, rule, *self.rows]
        return "\n".join("| " + " | ".join(text.replace("|", "\\|") for text in line) + " |" for line in lines) + "\n"

    def to_tsv(self) -> str:
        """The table as tab-separated values, for a spreadsheet, which takes no text of a corpus in it for a formula."""
        words = len(self.header) - self.numbers
        lines = ([*map(cell, line[:words]), *line[words:]] for line in (self.header, *self.rows))
        return "\n".join(map(tsv_line, lines)) + "\n"


@dataclass(frozen=True)
class Section:
    """A part of a page: a title, what the table below says, and the table."""

    title: str
    text: str
    table: Table

    def to_markdown(self) -> str:
        """The part in GitHub's Markdown."""
        return f"## {self.title}\n\n{self.text}\n\n{self.table.to_markdown()}"


def results_table(results: Results) -> Table:
    """Scores by corpus and entity type, in percent, with a row over all types of a corpus of several, and the means.

    Args:
        results: the results of one pipeline.

    Returns:
        Columns: corpus, entity type, gold and predicted mentions, precision, recall, F1. The last two rows are the
        mean over corpora (each corpus counts the same) and the score over all mentions.
    """
    rows = []
    for corpus, scores in results.per_corpus.items():
        for entity_type, part in with_total(scores["per_type"], scores).items():
            rows.append([corpus_name(corpus), entity_type, *_cells(part)])
    corpora = list(results.per_corpus.values())
    # Results of other systems may have no more than what is compared.
    means = {score: mean(scores.get(score) for scores in corpora) for score in ("p", "r", "f")}
    total = {score: results.scores.get(score) for score in ("p", "r", "f")}
    counted = [name for name in ("gold", "predicted") if all(name in scores for scores in corpora)]
    sums = {name: sum(scores[name] for scores in corpora) for name in counted}
    rows.append(["mean over corpora", ALL_TYPES, *_cells(means)])
    rows.append(["all mentions", ALL_TYPES, *_cells({**total, **sums})])
    return Table(["Corpus", "Entity type", "Gold", "Predicted", "P", "R", "F1"], rows, numbers=5)


def with_total(per_type: Mapping[str, T], total: T) -> dict[str, T]:
    """What belongs to each entity type, and then to `ALL_TYPES`; where there is one type, to this one alone."""
    return dict(per_type) if len(per_type) == 1 else {**per_type, ALL_TYPES: total}


def corpus_name(corpus: str) -> str:
    """Name of a corpus for people; documents that do not say where they come from have the empty name."""
    return corpus or UNNAMED


def count(number: Optional[int]) -> str:
    """A number of mentions, or a dash."""
    return MISSING if number is None else str(number)


def percent(fraction: Optional[float]) -> str:
    """A score as a percentage with two decimals, as papers give it, or a dash."""
    return MISSING if fraction is None else f"{100 * fraction:.2f}"


def spread(fractions: Sequence[Optional[float]], *, sign: str = "") -> str:
    """Mean and sample standard deviation in percentage points; a dash where a score is missing.

    Args:
        fractions: one of each run, fractions of 1.
        sign: "+" to write the sign of a mean above 0 too.
    """
    values = [100 * fraction for fraction in fractions if fraction is not None]
    if len(values) < len(fractions):
        return MISSING
    mean_ = f"{round(statistics.mean(values), 2) + 0.0:{sign}.2f}"  # no minus before 0
    return mean_ if len(values) == 1 else f"{mean_} ± {statistics.stdev(values):.2f}"


def _cells(scores: dict[str, Any]) -> list[str]:
    counts = [count(scores.get(name)) for name in ("gold", "predicted")]
    return counts + [percent(scores.get(name)) for name in ("p", "r", "f")]
