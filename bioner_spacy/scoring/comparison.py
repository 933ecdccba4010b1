"""Results of a comparison: F1 of a system and a baseline, side by side."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Optional

from .metrics import ALL_TYPES, STRICT
from .results import Pipeline, reading_json
from .scorer import mean
from .significance import Significance

NOT_SIGNIFICANT, NOT_TESTED, NOT_COMPARED = "not significant", "not tested", "–"


@dataclass(frozen=True)
class Row:
    """F1 of both sides on one corpus and entity type.

    Attributes:
        corpus: name of the corpus.
        entity_type: an entity type, or `ALL_TYPES`.
        gold: number of gold mentions; None for a mean.
        baseline_runs: F1 of each run (seed) of the baseline, fractions of 1; None if there is no such result.
        system_runs: F1 of each run of the system.
        significance: test of the difference; None if it could not be tested.
    """

    corpus: str
    entity_type: str
    gold: Optional[int]
    baseline_runs: Optional[tuple[float, ...]]
    system_runs: Optional[tuple[float, ...]]
    significance: Optional[Significance] = None

    @property
    def baseline(self) -> Optional[float]:
        """Mean F1 of the baseline over its runs; None if there is no result."""
        return mean(self.baseline_runs or ())

    @property
    def system(self) -> Optional[float]:
        """Mean F1 of the system over its runs; None if there is no result."""
        return mean(self.system_runs or ())

    @property
    def differences(self) -> Optional[list[float]]:
        """System minus baseline for each run; None if either is missing."""
        if self.baseline_runs is None or self.system_runs is None:
            return None
        return [system - baseline for baseline, system in zip(self.baseline_runs, self.system_runs, strict=True)]

    @property
    def difference(self) -> Optional[float]:
        """Mean of the differences; None if either side is missing."""
        return mean(self.differences or ())

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Row":
        """A row of a JSON file."""
        values = {field.name: data[field.name] for field in fields(cls)}
        for side in ("baseline_runs", "system_runs"):
            values[side] = None if values[side] is None else tuple(values[side])
        if values["significance"] is not None:
            values["significance"] = Significance(**values["significance"])
        return cls(**values)


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
        records: tested corpora in which each record counts as a document, because records do not name their documents.
        alpha: level of the tests.
        resamples: number of draws of each test.
        metric: name of the metric.
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
    metric: str = STRICT.name

    @property
    def corpus_rows(self) -> list[Row]:
        """The rows over all types of a corpus."""
        return [row for row in self.rows if row.entity_type == ALL_TYPES]

    @property
    def shown_rows(self) -> list[Row]:
        """The rows for tables and charts: a corpus of one entity type has one row, by the name of its type; the mean
        over corpora is last, unless there is only one."""
        types: dict[str, list[str]] = {}
        for row in self.rows:
            types.setdefault(row.corpus, []).append(row.entity_type)
        shown = [row for row in self.rows if row.entity_type != ALL_TYPES or len(types[row.corpus]) != 2]
        return [*shown, self.mean] if len(types) > 1 else shown

    @property
    def runs(self) -> int:
        """Number of runs of each side; 0 where nothing can be compared."""
        return len(self.mean.system_runs or ())

    def better(self, row: Row) -> str:
        """Name of the side that is better by the test; `NOT_SIGNIFICANT`, `NOT_TESTED`, or `NOT_COMPARED` without two
        results."""
        if row.difference is None:
            return NOT_COMPARED
        if row.significance is None:
            return NOT_TESTED
        return self.names[row.difference > 0] if row.significance.differs(self.alpha) else NOT_SIGNIFICANT

    def to_dict(self) -> dict[str, Any]:
        """The comparison for a JSON file; F1 as fractions of 1."""
        data = asdict(self)
        for row, found in zip((*self.rows, self.mean), (*data["rows"], data["mean"])):
            found.update(baseline=row.baseline, system=row.system, difference=row.difference, better=self.better(row))
        return data

    @classmethod
    def from_disk(cls, path: Path) -> "Comparison":
        """Read a comparison back from its JSON file."""
        with reading_json(path, "comparison", "write it with `spacy bioner compare`") as data:
            # Files that were written before there were other metrics do not name theirs.
            values = {field.name: data[field.name] for field in fields(cls) if field.name != "metric"}
            values.update(
                names=tuple(data["names"]),
                mean=Row.from_dict(data["mean"]),
                rows=list(map(Row.from_dict, data["rows"])),
                metric=data.get("metric", STRICT.name),
            )
            for side in ("baseline", "system"):
                values[side] = {name: [Pipeline(**one) for one in runs] for name, runs in data[side].items()}
            return cls(**values)
