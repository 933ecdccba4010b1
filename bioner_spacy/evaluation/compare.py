"""One multi-task pipeline against a single-task pipeline for each corpus."""

import json
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Optional

from ..errors import BionerError, Errors, Warnings, warn
from .results import ALL_TYPES, Pipeline, Results, write_json, write_text
from .scorer import mean
from .table import Table, corpus_name, count, percent


@dataclass(frozen=True)
class Row:
    """F1 of both pipelines on one corpus and entity type.

    Attributes:
        corpus: name of the corpus.
        entity_type: an entity type, or `ALL_TYPES`.
        gold: number of gold mentions; None for a mean.
        single: F1 of the single-task pipeline, a fraction of 1; None where there is no such result.
        multi: F1 of the multi-task pipeline, likewise.
    """

    corpus: str
    entity_type: str
    gold: Optional[int]
    single: Optional[float]
    multi: Optional[float]

    @property
    def difference(self) -> Optional[float]:
        """Multi-task minus single-task; None where either is missing."""
        return None if self.single is None or self.multi is None else self.multi - self.single


@dataclass(frozen=True)
class Comparison:
    """Multi-task against single-task results on the same documents.

    Attributes:
        split: name of the split.
        multi: the multi-task pipeline.
        single: the single-task pipeline of each corpus.
        rows: by corpus, its entity types and then all of them together.
    """

    split: str
    multi: Pipeline
    single: dict[str, Pipeline]
    rows: list[Row]

    @property
    def corpus_rows(self) -> list[Row]:
        """The rows over all types of a corpus."""
        return [row for row in self.rows if row.entity_type == ALL_TYPES]

    def means(self) -> Row:
        """Mean over the corpora that both have a score on, as a row."""
        both = [row for row in self.corpus_rows if row.difference is not None]
        single, multi = mean(row.single for row in both), mean(row.multi for row in both)
        return Row(f"mean over {len(both)} of {len(self.corpus_rows)} corpora", ALL_TYPES, None, single, multi)

    def verdict(self) -> list[str]:
        """What the comparison says, in plain sentences, with a sentence for every corpus that cannot be compared."""
        groups: dict[str, list[str]] = {"multi": [], "single": [], "equal": [], "missing": []}
        for row in self.corpus_rows:
            groups[_winner(row)].append(f"{corpus_name(row.corpus)} ({_signed(row.difference)})")
        missing = [corpus_name(row.corpus) for row in self.corpus_rows if row.difference is None]
        told = (
            ("Multi-task is better on: ", groups["multi"]),
            ("Single task is better on: ", groups["single"]),
            ("No difference on: ", groups["equal"]),
            ("Not compared, as one of the two results is missing: ", missing),
        )
        return [f"{start}{', '.join(names)}." for start, names in told if names] + self._mean_sentence()

    def _mean_sentence(self) -> list[str]:
        means = self.means()
        if means.difference is None:
            return ["No corpus has both results, so there is no mean."]
        words = {"multi": "multi-task is better", "single": "single task is better", "equal": "there is no difference"}
        sentence = f"On the {means.corpus}, {words[_winner(means)]} ({_signed(means.difference)} points of F1)."
        return [sentence, "Each pipeline was trained once; other seeds move F1 as well."]

    def to_dict(self) -> dict[str, Any]:
        """The comparison for a JSON file; F1 as fractions of 1."""
        rows = [{**asdict(row), "difference": row.difference} for row in (*self.rows, self.means())]
        single = {corpus: asdict(pipeline) for corpus, pipeline in self.single.items()}
        told = {"rows": rows[:-1], "mean": rows[-1], "verdict": self.verdict()}
        return {"split": self.split, "multi": asdict(self.multi), "single": single, **told}

    def to_disk(self, json_path: Path, markdown_path: Path) -> None:
        """Write the comparison as JSON and as a Markdown page."""
        write_json(json_path, self.to_dict())
        write_text(markdown_path, self.to_markdown())

    @classmethod
    def from_disk(cls, path: Path) -> "Comparison":
        """Read a comparison back from its JSON file.

        Raises:
            BionerError: the file is not there, or holds no comparison.
        """
        try:
            data = json.loads(path.read_text(encoding="utf8"))
            single = {corpus: Pipeline(**pipeline) for corpus, pipeline in data["single"].items()}
            rows = [Row(**{field.name: row[field.name] for field in fields(Row)}) for row in data["rows"]]
            return cls(split=data["split"], multi=Pipeline(**data["multi"]), single=single, rows=rows)
        except OSError as error:
            raise BionerError(Errors.E513.format(path=path, reason=error.strerror)) from error
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise BionerError(Errors.E513.format(path=path, reason=error)) from error

    def to_table(self) -> Table:
        """F1 in percent; the last row is the mean over corpora."""
        rows = []
        for row in (*self.rows, self.means()):
            scores = [percent(row.single), percent(row.multi), _signed(row.difference)]
            rows.append([corpus_name(row.corpus), row.entity_type, count(row.gold), *scores])
        return Table(["Corpus", "Entity type", "Gold", "F1 single", "F1 multi", "Difference"], rows, numbers=4)

    def to_markdown(self) -> str:
        """The table and the verdict as a Markdown page."""
        verdict = "\n".join(f"- {sentence}" for sentence in self.verdict())
        title = f"# Multi-task against single-task ({self.split} split)"
        return f"{title}\n\nF1 in percent, strict match.\n\n{self.to_table().to_markdown()}\n{verdict}\n"


def compare(multi: Results, singles: Sequence[Results]) -> Comparison:
    """Compare a multi-task pipeline with single-task pipelines, corpus by corpus.

    Args:
        multi: results of the multi-task pipeline on all corpora.
        singles: results of the single-task pipelines, each on its own corpus.

    Returns:
        A row for every corpus and entity type that either side has a result on.

    Raises:
        BionerError: two single-task results are on the same corpus, or results that are to be compared were not
            measured on the same documents.
    """
    single_of: dict[str, Results] = {}
    for single in singles:
        for setting in ("split", "context", "context_words"):
            values = {"single": getattr(single, setting), "multi": getattr(multi, setting)}
            if values["single"] != values["multi"]:
                raise BionerError(Errors.E511.format(name=single.pipeline.name, setting=setting, **values))
        for corpus in single.per_corpus:
            if corpus in single_of:
                raise BionerError(Errors.E510.format(corpus=corpus_name(corpus)))
            single_of[corpus] = single
    rows: list[Row] = []
    for corpus in sorted(multi.per_corpus.keys() | single_of.keys()):
        single_scores = single_of[corpus].per_corpus[corpus] if corpus in single_of else None
        rows.extend(_corpus_rows(corpus, single_scores, multi.per_corpus.get(corpus)))
    encoders = {str(results.pipeline.encoder) for results in (multi, *singles)}
    if len(encoders) > 1:
        warn(Warnings.W501.format(encoders=", ".join(sorted(encoders))))
    return Comparison(
        split=multi.split,
        multi=multi.pipeline,
        single={corpus: single_of[corpus].pipeline for corpus in sorted(single_of)},
        rows=rows,
    )


def seeds_table(comparisons: Sequence[Comparison]) -> Table:
    """Mean and spread of comparisons that differ in the seed of their training alone.

    Args:
        comparisons: one of each seed.

    Returns:
        F1 in percent as mean ± sample standard deviation over the seeds, and in how many of them multi-task is better.
    """
    by_name: dict[tuple[str, str], list[Row]] = {}
    for comparison in comparisons:
        for row in (*comparison.rows, comparison.means()):
            by_name.setdefault((row.corpus, row.entity_type), []).append(row)
    rows = []
    for (corpus, entity_type), same in by_name.items():
        sides: list[list[Optional[float]]] = [[row.single for row in same], [row.multi for row in same]]
        cells = [_spread(values) for values in (*sides, [row.difference for row in same])]
        better = sum(_winner(row) == "multi" for row in same)
        rows.append([corpus_name(corpus), entity_type, count(same[0].gold), *cells, f"{better} of {len(same)}"])
    header = ["Corpus", "Entity type", "Gold", "F1 single", "F1 multi", "Difference", "Multi better"]
    return Table(header, rows, numbers=5)


def _spread(fractions: Sequence[Optional[float]]) -> str:
    """Mean and sample standard deviation in percentage points; a dash where a score is missing."""
    values = [100 * fraction for fraction in fractions if fraction is not None]
    if len(values) < len(fractions):
        return percent(None)
    mean_ = f"{statistics.mean(values):.2f}"
    return mean_ if len(values) == 1 else f"{mean_} ± {statistics.stdev(values):.2f}"


def _corpus_rows(corpus: str, single: Optional[dict[str, Any]], multi: Optional[dict[str, Any]]) -> list[Row]:
    """Rows of one corpus, of which at least one side has scores: its entity types, then all types."""
    sides = (single, multi)
    present = [scores for scores in sides if scores is not None]
    rows = []
    for entity_type in sorted({name for scores in present for name in scores["per_type"]}):
        of_type = [None if scores is None else scores["per_type"].get(entity_type) for scores in sides]
        rows.append(_row(corpus, entity_type, *of_type))
    return [*rows, _row(corpus, ALL_TYPES, single, multi)]


def _row(corpus: str, entity_type: str, single: Optional[dict[str, Any]], multi: Optional[dict[str, Any]]) -> Row:
    counts = {scores["gold"] for scores in (single, multi) if scores is not None}
    if len(counts) > 1:
        raise BionerError(
            Errors.E512.format(corpus=corpus_name(corpus), entity_type=entity_type, counts=sorted(counts))
        )
    f = [None if scores is None else scores["f"] for scores in (single, multi)]
    return Row(corpus, entity_type, counts.pop(), *f)


def _winner(row: Row) -> str:
    """Which side is better, at the precision that the table shows."""
    if row.difference is None:
        return "missing"
    points = round(100 * row.difference, 2)
    return "equal" if points == 0 else "multi" if points > 0 else "single"


def _signed(difference: Optional[float]) -> str:
    """A difference in percentage points with its sign, or a dash."""
    return percent(None) if difference is None else f"{round(100 * difference, 2) + 0.0:+.2f}"
