"""Tables of text cells, and number formats."""

import csv
import io
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Optional, TypeVar

from wasabi import table

from ..formats.spreadsheet import cell, tsv_line
from ..scoring.metrics import ALL_TYPES
from ..scoring.results import Results, corpus_name
from ..scoring.scorer import mean

MISSING, UNDEFINED = "–", "undefined"
"""For a missing result; and for an undefined score (nothing annotated and nothing predicted)."""

T = TypeVar("T")
_LATEX = str.maketrans(
    {
        **{character: f"\\{character}" for character in "&%$#_{}"},
        **{"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"},
        **{
            "±": r"$\pm$",
            "–": "--",
            "⟦": r"$\lbrack$",
            "⟧": r"$\rbrack$",
            "<": r"\textless{}",
            ">": r"\textgreater{}",
        },
    }
)


@dataclass(frozen=True)
class Table:
    """A table of text cells."""

    header: Sequence[str]  # names of the columns; those of `numbers` are right-aligned
    rows: Sequence[Sequence[str]]  # cells, one row each
    numbers: int  # how many of the last columns are numbers

    @property
    def texts(self) -> int:
        """Number of text columns."""
        return len(self.header) - self.numbers

    def to_text(self) -> str:
        """The table with aligned columns, for a terminal or a log."""
        aligns: Any = ["l"] * self.texts + ["r"] * self.numbers
        return str(table(self.rows, header=self.header, divider=True, aligns=aligns))

    def to_markdown(self) -> str:
        """The table in GitHub's Markdown."""
        rule = ["---"] * self.texts + ["---:"] * self.numbers
        lines = [self.header, rule, *self.rows]
        return "\n".join("| " + " | ".join(text.replace("|", "\\|") for text in line) + " |" for line in lines) + "\n"

    def to_tsv(self) -> str:
        """The table as tab-separated values, with formulas escaped for spreadsheets."""
        return "\n".join(map(tsv_line, self._safe_lines())) + "\n"

    def to_csv(self) -> str:
        """The table as comma-separated values, with formulas escaped."""
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(self._safe_lines())
        return text.getvalue()

    def to_latex(self) -> str:
        """The table as a `tabular` of LaTeX, with the rules of the package booktabs."""
        header, *rows = (" & ".join(text.translate(_LATEX) for text in line) for line in (self.header, *self.rows))
        columns = "l" * self.texts + "r" * self.numbers
        body = "".join(f"{row} \\\\\n" for row in rows)
        rules = f"\\toprule\n{header} \\\\\n\\midrule\n{body}\\bottomrule\n"
        return f"\\begin{{tabular}}{{{columns}}}\n{rules}\\end{{tabular}}\n"

    def _safe_lines(self) -> Iterable[list[str]]:
        return ([*map(cell, line[: self.texts]), *line[self.texts :]] for line in (self.header, *self.rows))


def results_table(results: Results) -> Table:
    """Scores by corpus and entity type, in percent, with a row over all types of a corpus of several, and the means.

    Returns:
        Columns: corpus, entity type, gold and predicted mentions, precision, recall, F1. The last two rows of several
            corpora are the mean over them (macro) and the score over all mentions (micro).
    """
    rows = []
    for corpus, scores in results.per_corpus.items():
        for entity_type, part in with_total(scores["per_type"], scores).items():
            rows.append([corpus_name(corpus), entity_type, *_cells(part)])
    corpora = list(results.per_corpus.values())
    if len(corpora) > 1:
        # Results of other systems may be incomplete.
        means = {name: mean(scores.get(name) for scores in corpora) for name in "prf" if name in corpora[0]}
        total = {name: results.scores[name] for name in "prf" if name in results.scores}
        counted = [name for name in ("gold", "predicted") if all(name in scores for scores in corpora)]
        sums = {name: sum(scores[name] for scores in corpora) for name in counted}
        rows.append(["mean over corpora", ALL_TYPES, *_cells(means)])
        rows.append(["all mentions", ALL_TYPES, *_cells({**total, **sums})])
    return Table(["Corpus", "Entity type", "Gold", "Predicted", "P", "R", "F1"], rows, numbers=5)


def with_total(per_type: Mapping[str, T], total: T) -> dict[str, T]:
    """Values by entity type, then for `ALL_TYPES` unless there is only one type."""
    return dict(per_type) if len(per_type) == 1 else {**per_type, ALL_TYPES: total}


def count(number: Optional[float]) -> str:
    """A number of mentions, or a dash."""
    return MISSING if number is None else f"{number:g}" if number % 1 else f"{number:.0f}"


def percent(fraction: Optional[float]) -> str:
    """A score as a percentage with two decimals; `UNDEFINED` for None."""
    return UNDEFINED if fraction is None else f"{100 * fraction:.2f}"


def spread(fractions: Sequence[Optional[float]], *, sign: str = "") -> str:
    """Mean and sample standard deviation in percentage points; a dash where a score is missing.

    Args:
        fractions: score of each run, a fraction of 1.
        sign: "+" to always write the sign.
    """
    values = [100 * fraction for fraction in fractions if fraction is not None]
    if len(values) < len(fractions):
        return MISSING
    mean_ = f"{round(statistics.mean(values), 2) + 0.0:{sign}.2f}"  # no minus before 0
    return mean_ if len(values) == 1 else f"{mean_} ± {statistics.stdev(values):.2f}"


def signed(fraction: float) -> str:
    """A difference in percentage points with its sign; no minus before 0."""
    return f"{round(100 * fraction, 2) + 0.0:+.2f}"


def _cells(scores: Mapping[str, Any]) -> list[str]:
    counts = [count(scores.get(name)) for name in ("gold", "predicted")]
    return counts + [percent(scores[name]) if name in scores else MISSING for name in "prf"]
