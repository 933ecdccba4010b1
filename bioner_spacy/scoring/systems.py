"""Several systems side by side, each tested against the first one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .compare import compare
from .comparison import Comparison, Row
from .metrics import ALL_TYPES
from .results import Results, corpus_name


@dataclass(frozen=True)
class Systems:
    """F1 of several systems on the same documents."""

    title: str  # what is compared
    comparisons: Sequence[Comparison]  # each other system against the first, the baseline

    def columns(self) -> dict[str, dict[str, Row]]:
        """System -> column -> row. Columns are the corpora and their mean or, for a single corpus, its types and all
        types. The first system is the baseline of its rows, each other one the system of its rows."""
        first = self.comparisons[0]
        sides = [(first.names[0], first), *((other.names[1], other) for other in self.comparisons)]
        return {name: {_column(row, comparison): row for row in _rows(comparison)} for name, comparison in sides}

    def to_dict(self) -> dict[str, Any]:
        """All comparisons for a JSON file, and F1 of each run by system and column; fractions of 1."""
        runs = {
            name: {column: row.system_runs if number else row.baseline_runs for column, row in rows.items()}
            for number, (name, rows) in enumerate(self.columns().items())
        }
        comparisons = [comparison.to_dict() for comparison in self.comparisons]
        return {"title": self.title, "split": self.comparisons[0].split, "f": runs, "comparisons": comparisons}


def compare_systems(
    title: str,
    results: Mapping[str, Sequence[Results]],
    **tests: Any,
) -> Systems:
    """Compare systems with the first one, see `compare`.

    Args:
        results: results of two or more systems by name; several results on one corpus are runs with different seeds.

    Raises:
        BionerError: see `compare`.
    """
    baseline, *others = results
    return Systems(
        title,
        [compare(results[name], results[baseline], names=(baseline, name), **tests) for name in others],
    )


def _rows(comparison: Comparison) -> Sequence[Row]:
    corpora = comparison.corpus_rows
    if len(corpora) > 1:
        return [*corpora, comparison.mean]
    return comparison.rows if len(comparison.rows) > 2 else corpora  # a single type equals all types


def _column(row: Row, comparison: Comparison) -> str:
    if row is comparison.mean:
        return "mean"
    return corpus_name(row.corpus) if row.entity_type == ALL_TYPES else row.entity_type
