"""Cross-corpus evaluation: a matrix of scores of pipelines on test corpora."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Optional, Union

from spacy.language import Language
from spacy.training import Example

from ..corpora.context import CONTEXT_TOKENS, check_context
from ..errors import BionerError, Errors, Warnings, warn
from ..provenance import provenance
from ..scope import SPANS_KEY, get_doc_id, get_scope, score_name
from ..scoring.evaluate import Run, corpus_files, describe, finds_entities, load_pipeline, read_gold
from ..scoring.mentions import Compared, Mention, doc_mentions
from ..scoring.metrics import STRICT, Metric, get_metric
from ..scoring.results import Pipeline
from ..scoring.scorer import score_mentions

Types = Optional[frozenset[str]]
"""Entity types; None for all."""


@dataclass(frozen=True)
class Cell:
    """Scores of one pipeline on one corpus."""

    types: list[str]  # shared entity types, after mapping
    in_domain: Optional[bool]  # whether the pipeline was trained on the corpus; None if unknown
    # `p`, `r`, `f` as fractions of 1, `gold`, `predicted` and others of all mentions of these types, and `per_type`;
    # see `score_mentions`. None if no type is shared.
    scores: Optional[dict[str, Any]]

    @property
    def f(self) -> Optional[float]:
        """F1 over all shared types; None if there is none, or no mention of one on either side."""
        return None if self.scores is None else self.scores["f"]


@dataclass(frozen=True)
class CrossCorpus:
    """Scores of pipelines on corpora."""

    pipelines: Mapping[str, Pipeline]  # name -> what was evaluated
    trained_on: Mapping[str, Optional[list[str]]]  # name -> training corpora of the pipeline; None if unknown
    corpora: list[str]  # names of the test corpora
    split: str
    mapped: Mapping[str, str]  # type -> type it is mapped to
    cells: Mapping[tuple[str, str], Cell]  # (name of the pipeline, corpus) -> scores
    metric: str = STRICT.name
    # Where the predictions come from, see `bioner_spacy.provenance`.
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """The scores for a JSON file, as fractions of 1."""
        return {
            "split": self.split,
            "metric": self.metric,
            "provenance": dict(self.provenance),
            "map": dict(self.mapped),
            "corpora": self.corpora,
            "pipelines": [
                {"name": name, "trained_on": self.trained_on[name], "pipeline": asdict(pipeline)}
                for name, pipeline in self.pipelines.items()
            ],
            "cells": [
                {"pipeline": name, "corpus": corpus, **asdict(cell)} for (name, corpus), cell in self.cells.items()
            ],
        }


def cross_corpus(
    pipelines: Sequence[Union[str, Path, Language]],
    corpus_folder: Path,
    *,
    names: Optional[Sequence[str]] = None,
    corpora: Optional[Sequence[str]] = None,
    split: str = "test",
    mapped: Optional[Mapping[str, str]] = None,
    limit: Optional[int] = None,
    context: str = "source",
    context_tokens: int = CONTEXT_TOKENS,
    gpu_id: int = -1,
    metric: Union[str, Metric] = STRICT,
    spans_key: str = SPANS_KEY,
    predicted_keys: Optional[Sequence[str]] = None,
) -> CrossCorpus:
    """Score every pipeline on every corpus, on shared entity types.

    Args:
        pipelines: loaded pipelines, or folders or package names.
        names: a name for each pipeline; None to name them by their training corpora.
        mapped: type -> type it is mapped to, in predictions, gold mentions and annotation scopes.
        gpu_id: number of the GPU to run on, -1 for the CPU; ignored for a loaded pipeline.
        predicted_keys: key of the predicted mentions of each pipeline, such as "ents"; None for the same in all.

    Returns:
        The scores. A warning names pipelines with unknown training corpora.

    Raises:
        BionerError: as `evaluate`, a pipeline has no labels, there are not as many different names as pipelines, the
            map names unknown types, or no type is shared anywhere.
    """
    check_context(context, context_tokens)
    mapped, metric = mapped or {}, get_metric(metric)
    keys = list(predicted_keys or [spans_key] * len(pipelines))
    if len(keys) != len(pipelines):
        raise BionerError(Errors.E540.format(what="keys of predictions", found=len(keys), expected=len(pipelines)))
    files = corpus_files(corpus_folder, corpora, split)
    # Each pipeline is loaded twice: errors are found before hours of work, and only one is in memory at a time.
    known = [_known(load_pipeline(pipeline, gpu_id=gpu_id)) for pipeline in pipelines]
    chosen = list(names) if names is not None else _names(pipelines, [corpora for _, corpora in known])
    different = set(filter(None, chosen))
    if not len(different) == len(chosen) == len(pipelines):
        raise BionerError(Errors.E540.format(what="names", found=len(different), expected=len(pipelines)))
    annotated = {corpus: _annotated(corpus, path, limit, spans_key) for corpus, path in files.items()}
    _check_map(mapped, [types for types, _ in known], list(annotated.values()))
    annotated = {corpus: _mapped(types, mapped) for corpus, types in annotated.items()}
    found: dict[str, Pipeline] = {}
    cells: dict[tuple[str, str], Cell] = {}
    for name, pipeline, (types, trained), key in zip(chosen, pipelines, known, keys):
        nlp = load_pipeline(pipeline, gpu_id=gpu_id)
        found[name] = describe(nlp)
        if trained is None:
            warn(Warnings.W507.format(pipeline=name))
        own = _mapped(types, mapped) or frozenset()
        shared = {corpus: own if scope is None else own & scope for corpus, scope in annotated.items()}
        compared: Iterable[Compared] = ()
        if wanted := [corpus for corpus in files if shared[corpus]]:
            read = (corpus_folder, wanted, split, limit, context, context_tokens)
            run = Run(nlp, *read, spans_key=spans_key, predicted_key=key)
            compared = _compared(run.examples(), own, mapped, (spans_key, key))
        scores = score_mentions(compared, metric=metric)[score_name("per_corpus")]
        for corpus in files:
            in_domain = None if trained is None else corpus in trained
            cells[name, corpus] = Cell(sorted(shared[corpus]), in_domain, scores.get(corpus))
    trained_on = dict(zip(chosen, (trained for _, trained in known)))
    origin = provenance(files=files.values(), root=corpus_folder, spans_key=spans_key, predicted_keys=keys)
    return CrossCorpus(found, trained_on, list(files), split, dict(mapped), cells, metric.name, origin)


def _known(nlp: Language) -> tuple[frozenset[str], Optional[list[str]]]:
    """Entity types that a pipeline predicts, and its training corpora; None if unknown."""
    types: set[str] = set()
    corpora: set[str] = set()
    for name in nlp.pipe_names:
        if finds_entities(nlp, name):
            types.update(nlp.pipe_labels.get(name, ()))
            corpora.update(_corpora_of(getattr(nlp.get_pipe(name), "label_data", None)))
    if not types:
        raise BionerError(Errors.E541.format(pipeline=nlp.meta["name"]))
    if not corpora:
        # For other components, the reader of the training data may name the corpora.
        setting = nlp.config.interpolate().get("corpora", {}).get("train", {}).get("corpora")
        corpora.update(setting.split(",") if isinstance(setting, str) else setting or ())
    return frozenset(types), sorted(name.strip() for name in corpora if name.strip()) or None


def _corpora_of(label_data: Any) -> list[str]:
    """The corpora of label data that are lists of types by corpus; those of spaCy's own components are not."""
    if not isinstance(label_data, Mapping):
        return []
    return [
        corpus for corpus, types in label_data.items() if isinstance(corpus, str) and not isinstance(types, Mapping)
    ]


def _names(pipelines: Sequence[Union[str, Path, Language]], trained: Sequence[Optional[Sequence[str]]]) -> list[str]:
    """Names of pipelines: their corpora or, if these are many, unknown or the same, their paths."""
    found = [", ".join(corpora) if corpora and len(corpora) <= 3 else "" for corpora in trained]
    paths = [pipeline.meta["name"] if isinstance(pipeline, Language) else str(pipeline) for pipeline in pipelines]
    return [name if name and found.count(name) == 1 else path for name, path in zip(found, paths)]


def _annotated(corpus: str, path: Path, limit: Optional[int], spans_key: str) -> Types:
    """Entity types in the scopes of the documents of a corpus; None if a document states no scope."""
    docs = read_gold(Language(), corpus, path, limit=limit, spans_key=spans_key)
    scopes = [get_scope(doc, spans_key) for doc in docs]
    stated = [scope for scope in scopes if scope is not None]
    return frozenset().union(*stated) if len(stated) == len(scopes) else None


def _check_map(mapped: Mapping[str, str], predicted: Sequence[frozenset[str]], annotated: Sequence[Types]) -> None:
    """Refuse a map of unknown types, and pipelines and corpora that share no type after mapping."""
    all_predicted = frozenset[str]().union(*predicted)
    all_annotated = frozenset[str]().union(*(types or () for types in annotated))
    known = sorted(all_predicted | all_annotated)
    if unknown := sorted(set(mapped) - set(known)):
        raise BionerError(Errors.E542.format(types=", ".join(unknown), known=", ".join(known)))
    any_shared = (_mapped(all_predicted, mapped) or frozenset()) & (_mapped(all_annotated, mapped) or frozenset())
    if not any_shared and None not in annotated:
        types = {"predicted": ", ".join(sorted(all_predicted)), "annotated": ", ".join(sorted(all_annotated))}
        raise BionerError(Errors.E543.format(**types))


def _mapped(types: Types, mapped: Mapping[str, str]) -> Types:
    return None if types is None else frozenset(mapped.get(name, name) for name in types)


def _compared(
    examples: Iterable[Example], own: frozenset[str], mapped: Mapping[str, str], keys: tuple[str, str]
) -> Iterator[Compared]:
    """Mentions of shared types, after mapping."""
    for example in examples:
        gold = example.reference
        scope = _mapped(get_scope(gold, keys[0]), mapped)
        types = own if scope is None else own & scope
        docs = zip((gold, example.predicted), keys)
        found, predicted = (_renamed(doc_mentions(doc, key) or set(), types, mapped) for doc, key in docs)
        # The name of the folder; documents may name another corpus.
        yield Compared(example.predicted._.guideline, get_doc_id(gold, keys[0]), found, predicted)


def _renamed(mentions: Iterable[Mention], types: frozenset[str], mapped: Mapping[str, str]) -> set[Mention]:
    renamed = {(start, end, mapped.get(entity_type, entity_type)) for start, end, entity_type in mentions}
    return {mention for mention in renamed if mention[2] in types}
