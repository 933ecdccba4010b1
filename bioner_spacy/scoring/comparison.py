"""F1 of a system and a baseline side by side: what it says, and how it is written."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Optional

from ..errors import Errors
from ..files import replacing
from .results import ALL_TYPES, Pipeline, reading_json, write_json, write_text
from .scorer import mean
from .significance import Significance
from .table import MISSING, Table, corpus_name, count, spread

NO_DIFFERENCE, NOT_TESTED = "no difference", "not tested"


@dataclass(frozen=True)
class Row:
    """F1 of both sides on one corpus and entity type.

    Attributes:
        corpus: name of the corpus.
        entity_type: an entity type, or `ALL_TYPES`.
        gold: number of gold mentions; None for a mean.
        baseline_runs: F1 of each run (seed) of the baseline, fractions of 1; None where there is no such result.
        system_runs: F1 of each run of the system, likewise.
        significance: test of the difference; None where it could not be tested.
    """

    corpus: str
    entity_type: str
    gold: Optional[int]
    baseline_runs: Optional[tuple[float, ...]]
    system_runs: Optional[tuple[float, ...]]
    significance: Optional[Significance] = None

    @property
    def baseline(self) -> Optional[float]:
        """Mean F1 of the baseline over its runs; None where there is no result."""
        return mean(self.baseline_runs or ())

    @property
    def system(self) -> Optional[float]:
        """Mean F1 of the system over its runs; None where there is no result."""
        return mean(self.system_runs or ())

    @property
    def differences(self) -> Optional[list[float]]:
        """System less baseline in each run; None where either is missing."""
        if self.baseline_runs is None or self.system_runs is None:
            return None
        return [system - baseline for baseline, system in zip(self.baseline_runs, self.system_runs, strict=True)]

    @property
    def difference(self) -> Optional[float]:
        """Mean of the differences; None where either side is missing."""
        return mean(self.differences or ())


@dataclass(frozen=True)
class Comparison:
    """Results of a system and of a baseline on the same documents.

    Attributes:
        split: name of the split.
        names: of the baseline and of the system, in this order.
        baseline: the pipelines of the baseline by corpus, one for each run.
        system: those of the system.
        rows: by corpus, its entity types and then all of them together.
        mean: mean over the corpora that both have a result on.
        records: tested corpora whose records are taken for documents, because they do not tell their documents.
        alpha: level of the tests.
        resamples: number of draws of each test.
    """

    split: str
    names: tuple[str, str]
    baseline: dict[str, list[Pipeline]]
    system: dict[str, list[Pipeline]]
    rows: list[Row]
    mean: Row
    records: list[str]
    alpha: float
    resamples: int

    @property
    def corpus_rows(self) -> list[Row]:
        """The rows over all types of a corpus."""
        return [row for row in self.rows if row.entity_type == ALL_TYPES]

    @property
    def shown_rows(self) -> list[Row]:
        """The rows for tables and charts: a corpus of one entity type has one row, by the name of its type."""
        types: dict[str, list[str]] = {}
        for row in self.rows:
            types.setdefault(row.corpus, []).append(row.entity_type)
        return [row for row in self.rows if row.entity_type != ALL_TYPES or len(types[row.corpus]) != 2]

    @property
    def runs(self) -> int:
        """Number of runs of each side; 0 where nothing can be compared."""
        return len(self.mean.system_runs or ())

    @property
    def title(self) -> str:
        """What is compared, as a title."""
        return f"{_sentence(self.names[1])} against {self.names[0]} ({self.split} split)"

    @property
    def level(self) -> str:
        """Level of the intervals in percent."""
        return f"{100 * (1 - self.alpha):g} %"

    def better(self, row: Row) -> str:
        """Name of the side that is better by the test, `NO_DIFFERENCE`, `NOT_TESTED`, or a dash without two results."""
        if row.difference is None:
            return MISSING
        if row.significance is None:
            return NOT_TESTED
        return self.names[row.difference > 0] if row.significance.differs(self.alpha) else NO_DIFFERENCE

    def verdict(self) -> list[str]:
        """What the comparison says, in plain sentences, with a sentence for every corpus that cannot be compared."""
        groups: dict[str, list[str]] = {}
        for row in self.corpus_rows:
            difference = "" if row.difference is None else f" ({_signed(row.difference)})"
            groups.setdefault(self.better(row), []).append(corpus_name(row.corpus) + difference)
        told = {
            **{name: f"{_sentence(name)} is better on: " for name in self.names[::-1]},
            NO_DIFFERENCE: "No difference on: ",
            NOT_TESTED: "Not tested, as counts by document are missing (score again with `spacy bioner evaluate`): ",
            MISSING: "Not compared, as one of the two results is missing: ",
        }
        found = [f"{start}{', '.join(groups[group])}." for group, start in told.items() if group in groups]
        return found + self._mean_sentences()

    def _mean_sentences(self) -> list[str]:
        if self.mean.difference is None:
            return ["No corpus has both results, so there is no mean."]
        better = self.better(self.mean)
        points = f"{_signed(self.mean.difference)} points of F1"
        if self.mean.significance is not None:
            points += f", {self.level} interval {interval_text(self.mean)}, p = {p_text(self.mean)}"
        words = {NO_DIFFERENCE: "there is no difference", NOT_TESTED: "the difference was not tested"}
        sentence = f"On the {self.mean.corpus}, {words.get(better, f'{better} is better')} ({points})."
        if self.runs == 1:
            return [sentence, "Each pipeline was trained once; other seeds move F1 as well."]
        return [sentence, f"F1 is the mean of {self.runs} runs ± their standard deviation."]

    def method(self) -> list[str]:
        """How the columns of the test are to be read, in sentences; empty where nothing was tested."""
        if all(row.significance is None for row in self.rows):
            return []
        drawn = "the documents" if self.runs == 1 else "the documents and of the runs"
        found = [
            f"Interval: of the difference, from {self.resamples:,} samples of {drawn} with replacement (paired bootstrap).",
            f"p: of a difference at least as large by chance, from {self.resamples:,} draws of approximate randomisation "
            "over documents, two-sided; corrected by Holm's method for the number of corpora, and in the rows of single "
            "types of a corpus with several for the number of those; not corrected for the mean.",
            f"Better: the side for which p is below {self.alpha:g} and the interval leaves out 0, else no difference.",
        ]
        if self.records:
            names = ", ".join(corpus_name(corpus) for corpus in self.records)
            found.append(f"Records count as documents in {names}, so that intervals there may be too narrow.")
        return found

    def to_dict(self) -> dict[str, Any]:
        """The comparison for a JSON file; F1 as fractions of 1."""
        data = asdict(self)
        for row, found in zip((*self.rows, self.mean), (*data["rows"], data["mean"])):
            found.update(baseline=row.baseline, system=row.system, difference=row.difference, better=self.better(row))
        return {**data, "verdict": self.verdict(), "method": self.method()}

    def to_disk(self, json_path: Path, markdown_path: Path) -> None:
        """Write the comparison as JSON and as a Markdown page; both or none."""
        with replacing(json_path, markdown_path) as (data, page):
            write_json(data, self.to_dict())
            write_text(page, self.to_markdown())

    @classmethod
    def from_disk(cls, path: Path) -> "Comparison":
        """Read a comparison back from its JSON file.

        Raises:
            BionerError: the file is not there, or holds no comparison.
        """
        with reading_json(path, Errors.E513) as data:
            values = {field.name: data[field.name] for field in fields(cls)}
            values.update(
                names=tuple(data["names"]), mean=read_row(data["mean"]), rows=list(map(read_row, data["rows"]))
            )
            for side in ("baseline", "system"):
                values[side] = {name: [Pipeline(**one) for one in runs] for name, runs in data[side].items()}
            return cls(**values)

    def to_table(self) -> Table:
        """F1 in percent, with the spread over runs where there are several; the last row is the mean over corpora."""
        baseline, system = self.names
        header = ["Corpus", "Entity type", "Gold", f"F1 {baseline}", f"F1 {system}", "Difference"]
        header += [f"{self.level} interval", "p", "Better"]
        rows = []
        for row in (*self.shown_rows, self.mean):
            cells = [corpus_name(row.corpus), row.entity_type, count(row.gold)]
            cells += [spread(runs or [None]) for runs in (row.baseline_runs, row.system_runs)]
            cells.append(spread(row.differences or [None], sign="+"))
            cells += [interval_text(row), p_text(row), self.better(row)]
            if self.runs > 1:
                cells.append(_ahead(row.differences))
            rows.append(cells)
        if self.runs > 1:
            header.append(f"Runs with {system} ahead")
        return Table(header, rows, numbers=len(header) - 2)

    def to_markdown(self) -> str:
        """The table, the verdict and the method as a Markdown page."""
        lists = ["".join(f"- {sentence}\n" for sentence in part) for part in (self.verdict(), self.method())]
        parts = [
            f"# {self.title}\n",
            "F1 in percent, strict match.\n",
            self.to_table().to_markdown(),
            *filter(None, lists),
        ]
        return "\n".join(parts)


def read_row(data: dict[str, Any]) -> Row:
    """A row of a JSON file."""
    values = {field.name: data[field.name] for field in fields(Row)}
    for side in ("baseline_runs", "system_runs"):
        values[side] = None if values[side] is None else tuple(values[side])
    if values["significance"] is not None:
        values["significance"] = Significance(**values["significance"])
    return Row(**values)


def _ahead(differences: Optional[Sequence[float]]) -> str:
    """In how many runs the system is ahead, at the precision that the table shows."""
    if differences is None:
        return MISSING
    return f"{sum(round(100 * difference, 2) > 0 for difference in differences)} of {len(differences)}"


def interval_text(row: Row) -> str:
    """The interval of a difference in percentage points, or a dash."""
    test = row.significance
    return MISSING if test is None else f"{_signed(test.low)} to {_signed(test.high)}"


def p_text(row: Row) -> str:
    """p of a difference, corrected where there are several tests, or a dash."""
    test = row.significance
    return MISSING if test is None else f"{test.p if test.adjusted is None else test.adjusted:.4f}"


def _signed(fraction: float) -> str:
    """A difference in percentage points with its sign; no minus before 0."""
    return f"{round(100 * fraction, 2) + 0.0:+.2f}"


def _sentence(name: str) -> str:
    """A name at the beginning of a sentence."""
    return name[:1].upper() + name[1:]
