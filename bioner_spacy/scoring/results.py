"""The results of one pipeline on one split, as a JSON file that is the same for the same pipeline and data."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from glob import glob
from pathlib import Path
from typing import Any, Optional, Union

from ..errors import BionerError, Errors, Warnings, warn
from ..files import replacing
from ..old_names import with_new_names
from .documents import KINDS, UNITS, read_totals
from .metrics import ALL_TYPES as ALL_TYPES
from .metrics import METRICS, STRICT, Metric, get_metric
from .scorer import named_scores

WHAT, ADVICE = "results of an evaluation", "write it with `spacy bioner evaluate`"

UNNAMED = "(unnamed)"


@dataclass(frozen=True)
class Pipeline:
    """What identifies a trained pipeline.

    Attributes:
        name: language and name, as spaCy's package names: `en_bioner`.
        version: version of the pipeline package.
        encoder: name of the pretrained encoder in the config; None if there is none.
        seed: seed of the training, from the config.
        components: names of the components that ran.
        config: checksum of its config; None if unknown.
    """

    name: str
    version: str
    encoder: Optional[str]
    seed: Optional[int]
    components: list[str]
    config: Optional[str] = None


@dataclass(frozen=True)
class Results:
    """Scores of a pipeline on one split of some corpora.

    Attributes:
        pipeline: what was evaluated.
        split: name of the split.
        limit: maximum number of documents per corpus; None for all.
        scores: the scores of `score_mentions` without prefix, by the metric `metric`.
        context: what the pipeline read at once, see `evaluate`.
        context_tokens: maximum number of tokens in a group; None for other contexts.
        documents: counts by document of every corpus, see `DocumentCounts.to_dict`; empty in files of early versions.
        by_metric: the same for the other metrics, by name.
        metric: name of the metric of `scores` and `documents`.
        tokens: number of tokens processed.
        tokens_per_second: speed of `nlp.pipe` on raw text; the only value that differs between identical runs.
        provenance: versions, revision, checksums of the corpora, seed and command, see `bioner_spacy.provenance`.
        path: the file the results were read from; not written.
    """

    pipeline: Pipeline
    split: str
    limit: Optional[int]
    scores: dict[str, Any]
    tokens: int
    tokens_per_second: float
    context: str = "source"
    context_tokens: Optional[int] = None
    documents: dict[str, dict[str, Any]] = field(default_factory=dict)
    by_metric: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    metric: str = STRICT.name
    provenance: dict[str, Any] = field(default_factory=dict)
    path: Optional[Path] = field(default=None, compare=False)

    def by(self, metric: Union[str, Metric]) -> "Results":
        """The same results by another metric.

        Raises:
            BionerError: there is no such metric, or these results have no counts by it.
        """
        chosen = get_metric(metric)
        if chosen.name == self.metric:
            return self
        if chosen.name not in self.by_metric:
            raise BionerError(Errors.E524.format(results=self.label, metric=chosen.name))
        documents = self.by_metric[chosen.name]
        totals = {corpus: read_totals(counts) for corpus, counts in documents.items()}
        scores = named_scores({chosen.name: totals}, [chosen])
        return replace(self, metric=chosen.name, scores=scores, documents=documents)

    @property
    def label(self) -> str:
        """Name for messages: the file, or else the name of the pipeline."""
        return self.pipeline.name if self.path is None else str(self.path)

    @property
    def per_corpus(self) -> dict[str, dict[str, Any]]:
        """Scores by corpus, see `score_mentions`."""
        corpora: dict[str, dict[str, Any]] = self.scores["per_corpus"]
        return corpora

    def to_disk(self, path: Path) -> None:
        """Write the results as JSON, whole or not at all."""
        data = asdict(self)
        del data["path"]
        write_json(path, data)

    @classmethod
    def from_disk(cls, path: Path) -> "Results":
        """Read results back."""
        with reading_json(path, WHAT, ADVICE) as data:
            results = cls(**{**with_new_names(data), "pipeline": Pipeline(**data["pipeline"]), "path": path})
            _require_scores(results)
            return results


def require_replaceable(path: Path, pipeline: str, options: Mapping[str, Any], *, named: bool) -> None:
    """Check that a file can be replaced by new results of a pipeline: that there is none, or one of earlier results.
    Warn of results of the same pipeline with other options.

    Args:
        pipeline: folder or package name, as `spacy bioner evaluate` notes it in the provenance.
        options: values of options of the command by name.
        named: whether the user named the file, so that results of any pipeline may be replaced.

    Raises:
        BionerError: the file holds something else, such as an input, or, unless it is named, results of another
            pipeline.
    """
    if not path.exists() or not path.stat().st_size:
        return
    with reading_json(path, WHAT, "name another file in the option output, or remove this one") as data:
        origin = data.get("provenance", {})
        corpora = sorted(origin.get("catalogue", data["scores"]["per_corpus"]))
        found = {"guideline": True, **data, **origin, "overlap": origin.get("allow_overlap", True), "corpora": corpora}
        before = origin.get("pipeline")
    if before is None or Path(before).resolve() != Path(pipeline).resolve():
        if not named:
            raise BionerError(Errors.E547.format(path=path, before=before or "an unknown pipeline"))
    elif changed := [name for name, value in options.items() if found.get(name, value) != value]:
        warn(Warnings.W515.format(path=path, names=", ".join(changed)))


def _require_scores(results: Results) -> None:
    """Check that everything that tables and comparisons read is there; raise ValueError, KeyError or similar if
    not."""
    if not isinstance(results.pipeline.seed, int | None):
        raise TypeError(f"the seed is {results.pipeline.seed!r}")
    groups = list(results.per_corpus.items())
    if not groups:
        raise ValueError("no corpus")
    for corpus, of_corpus in results.per_corpus.items():
        groups += [(f"{corpus}, {entity_type}", scores) for entity_type, scores in of_corpus["per_type"].items()]
    for group, scores in groups:
        for name in ("f", "gold", *({"p", "r", "predicted"} & scores.keys())):
            if not isinstance(scores[name], float | int | None):
                raise TypeError(f"{name} of {group} is {scores[name]!r}")
    if results.metric not in METRICS:
        raise ValueError(f"the metric {results.metric} is not known")
    for documents_of in (results.documents, *results.by_metric.values()):
        _require_counts(documents_of)


def _require_counts(by_corpus: dict[str, dict[str, Any]]) -> None:
    for corpus, documents in by_corpus.items():
        for entity_type, counts in documents["counts"].items():
            for kind in (*KINDS, *({"right"} & counts.keys())):
                numbers = [float(number) for number in counts[kind].split()]
                if len(numbers) != documents["n"] or documents["unit"] not in UNITS:
                    raise ValueError(f"counts of {corpus}, {entity_type} are not those of {documents['n']} documents")


def corpus_name(corpus: str) -> str:
    """Display name of a corpus; documents that do not name their corpus have an empty one."""
    return corpus or UNNAMED


def read_results(patterns: Sequence[str]) -> list[Results]:
    """Read the results of one side of a comparison.

    Args:
        patterns: files, folders of them, or patterns such as `reports/seed-*/multi.json`.

    Raises:
        BionerError: there is none, or one cannot be read.
    """
    files: list[Path] = []
    for pattern in patterns:
        path = Path(pattern)
        found = sorted(path.glob("*.json")) if path.is_dir() else [Path(name) for name in sorted(glob(pattern))]
        if not found:
            raise BionerError(Errors.E506.format(path=pattern, what=WHAT, reason="no such file", advice=ADVICE))
        files += found
    return [Results.from_disk(file) for file in files]


@contextmanager
def reading_json(path: Path, what: str, advice: str, *, name: str = "") -> Iterator[Any]:
    """Read a JSON file, and report errors in it or in the block that uses it.

    Args:
        what: what it should hold, for the message.
        advice: what to do where it does not hold it.
        name: name of the file in a folder.

    Yields:
        Its content. Numbers are exact, unlike with srsly.

    Raises:
        BionerError: the file is missing or not JSON, or the block raises an error for its content
            (`ValueError`, `KeyError`, `TypeError`, `AttributeError`), or it is nested too deeply.
    """
    path = path / name if path.is_dir() else path
    try:
        yield json.loads(path.read_text(encoding="utf8"))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as problem:
        cause = problem.strerror if isinstance(problem, OSError) else problem
        raise BionerError(Errors.E506.format(path=path, what=what, reason=cause, advice=advice)) from problem


def write_json(path: Path, data: Any) -> None:
    """Write JSON with sorted keys, whole or not at all."""
    write_text(path, json.dumps(data, indent=2, sort_keys=True, ensure_ascii=False) + "\n")


def write_text(path: Path, text: str) -> None:
    """Write a text file, whole or not at all; missing folders are made."""
    with replacing(path) as parts:
        parts[0].write_text(text, encoding="utf8")
