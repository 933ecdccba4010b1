"""Several systems side by side, each tested against the first one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .compare import compare
from .comparison import Comparison, Row, interval_text, p_text
from .results import ALL_TYPES, Results, write_json, write_text
from .significance import ALPHA, RESAMPLES
from .table import MISSING, Table, corpus_name, spread


@dataclass(frozen=True)
class Systems:
    """F1 of several systems on the same documents.

    Attributes:
        title: what is compared.
        comparisons: of the first system, the baseline of all of them, with each other one.
    """

    title: str
    comparisons: Sequence[Comparison]

    def to_table(self) -> Table:
        """A row for each system, with the difference of its mean from that of the first one, which is tested.

        F1 is in percent, mean ± standard deviation over runs: of every corpus and their mean, or where there is one
        corpus, of its types and of all of them.
        """
        first = self.comparisons[0]
        tests = ["Difference", f"{first.level} interval", "p", "Better"]
        header = ["System", *(_column(row, first) for row in _columns(first)), *tests]
        rows = [[first.names[0], *(spread(row.baseline_runs or [None]) for row in _columns(first)), *[MISSING] * 4]]
        for other in self.comparisons:
            scores = [spread(row.system_runs or [None]) for row in _columns(other)]
            difference = spread(other.mean.differences or [None], sign="+")
            test = [interval_text(other.mean), p_text(other.mean), other.better(other.mean)]
            rows.append([other.names[1], *scores, difference, *test])
        return Table(header, rows, numbers=len(header) - 2)

    def method(self) -> list[str]:
        """How the columns of the tests are to be read, in sentences."""
        return self.comparisons[0].method()

    def to_dict(self) -> dict[str, Any]:
        """All comparisons for a JSON file, and F1 of each run by system and column of the table; fractions of 1."""
        first = self.comparisons[0]
        sides = [(first.names[0], first, "baseline_runs")]
        sides += [(other.names[1], other, "system_runs") for other in self.comparisons]
        runs = {
            name: {_column(row, comparison): getattr(row, side) for row in _columns(comparison)}
            for name, comparison, side in sides
        }
        comparisons = [comparison.to_dict() for comparison in self.comparisons]
        return {"title": self.title, "split": first.split, "f": runs, "comparisons": comparisons}

    def to_text(self) -> str:
        """The table of all systems and those of the tests, for a terminal."""
        return "\n".join(table.to_text() for table in (self.to_table(), *(c.to_table() for c in self.comparisons)))

    def to_markdown(self) -> str:
        """The same as a page."""
        parts = [f"# {self.title}\n", "F1 in percent, strict match.\n", self.to_table().to_markdown()]
        for comparison in self.comparisons:
            verdict = "".join(f"- {sentence}\n" for sentence in comparison.verdict())
            parts += [f"## {comparison.title}\n", comparison.to_table().to_markdown(), verdict]
        return "\n".join([*parts, "".join(f"- {sentence}\n" for sentence in self.method())])

    def to_disk(self, stem: Path) -> list[Path]:
        """Write `stem`.json, .md and .txt; returns the files."""
        files = [stem.with_name(f"{stem.name}.{ending}") for ending in ("json", "md", "txt")]
        write_json(files[0], self.to_dict())
        write_text(files[1], self.to_markdown())
        write_text(files[2], self.to_text())
        return files


def compare_systems(
    title: str, results: Mapping[str, Sequence[Results]], *, alpha: float = ALPHA, resamples: int = RESAMPLES
) -> Systems:
    """Compare systems with the first one of them, see `compare`.

    Args:
        title: what is compared.
        results: results of two systems or more by name; those on one corpus are runs with different seeds.
        alpha: level of the tests.
        resamples: number of draws of each test.

    Raises:
        BionerError: as `compare` does.
    """
    baseline, *others = results
    comparisons = [
        compare(results[name], results[baseline], names=(baseline, name), alpha=alpha, resamples=resamples)
        for name in others
    ]
    return Systems(title, comparisons)


def _columns(comparison: Comparison) -> Sequence[Row]:
    corpora = comparison.corpus_rows
    if len(corpora) > 1:
        return [*corpora, comparison.mean]
    return comparison.rows if len(comparison.rows) > 2 else corpora  # a single type and all types are one


def _column(row: Row, comparison: Comparison) -> str:
    if row is comparison.mean:
        return "mean"
    return corpus_name(row.corpus) if row.entity_type == ALL_TYPES else row.entity_type
