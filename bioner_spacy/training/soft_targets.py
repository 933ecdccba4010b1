"""Soft targets: tag probabilities predicted by teachers for training documents, in files next to these.

A teacher has one file per corpus, `<corpus>/<split>.<teacher>.soft.safetensors`, with probabilities for tokens that
are not certainly outside of mentions. It holds the checksum of the DocBin and is refused for any other.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional

import numpy
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from ..errors import BionerError, Errors, reason
from ..files import replacing
from ..formulations.soft_tags import bio_transitions
from ..tasks import Task
from ..types import Array

TRAIN = "train"
"""The only split that teachers may predict, because evaluation documents must not leak into training."""
TARGETS_KEY = "bioner_soft_targets"
"""Key in `Doc.user_data` of a training document: its `TaughtDocument`."""

_SUFFIX = ".soft.safetensors"
_NAME = re.compile(r"\w[\w.-]*", re.ASCII)
_VERSION = 1


@dataclass(frozen=True)
class TaughtTask:
    """Predictions of a teacher for one task and corpus."""

    types: tuple[str, ...]  # entity types of the task
    corpora: tuple[str, ...]  # corpora on which the teacher learnt the task
    tokens: Array  # (M,) indices, over all records of the corpus, of tokens that are not certainly outside of mentions
    transitions: Array  # (M, T, T) float16 probability of each pair of tags (previous token, token)


@dataclass(frozen=True)
class SoftTargets:
    """Predictions of one teacher for one corpus."""

    tasks: Sequence[TaughtTask]  # the tasks of the teacher
    lengths: Array  # (records,) tokens of each record
    known: Array  # (records,) bool, whether the teacher's tokenization of the record is that of the corpus


def soft_targets_file(corpus_folder: Path, corpus: str, split: str, teacher: str) -> Path:
    """Path of the soft targets of a teacher for a corpus.

    Raises:
        BionerError: the split is for evaluation, or the name cannot be part of a file name.
    """
    if split != TRAIN:
        raise BionerError(Errors.E441.format(split=split))
    if not _NAME.fullmatch(teacher):
        raise BionerError(Errors.E442.format(name=teacher))
    return corpus_folder / corpus / f"{split}.{teacher}{_SUFFIX}"


def teacher_names(corpus_folder: Path, corpus: str, split: str) -> list[str]:
    """Names of the teachers that have files for a corpus, sorted."""
    files = (corpus_folder / corpus).glob(f"{split}.*{_SUFFIX}")
    return sorted(file.name.removeprefix(f"{split}.").removesuffix(_SUFFIX) for file in files)


def write_targets(path: Path, targets: SoftTargets, origin: Mapping[str, Any]) -> None:
    """Write the soft targets of one teacher for one corpus.

    Args:
        origin: provenance: checksums of corpus ("docbin") and pipeline ("teacher").
    """
    arrays = {"lengths": targets.lengths.astype("int32"), "known": targets.known.astype("uint8")}
    for number, task in enumerate(targets.tasks):
        arrays[f"{number}.tokens"] = task.tokens.astype("int64")
        arrays[f"{number}.transitions"] = task.transitions.astype("float16")
    tasks = [{"types": task.types, "corpora": task.corpora} for task in targets.tasks]
    metadata = {"version": str(_VERSION), "origin": json.dumps(origin), "tasks": json.dumps(tasks)}
    with replacing(path) as [part]:
        part.write_bytes(save(arrays, metadata=metadata))


def read_origin(path: Path) -> dict[str, Any]:
    """Provenance of soft targets."""
    return _read(path, arrays=False)[0]


def read_targets(path: Path, *, docbin: str) -> SoftTargets:
    """Read the soft targets of one teacher for one corpus.

    Args:
        docbin: checksum of the corpus.

    Raises:
        BionerError: the file is not there, holds no soft targets, or was made for other documents.
    """
    origin, targets = _read(path)
    if origin.get("docbin") != docbin:
        raise BionerError(Errors.E444.format(path=path))
    return targets


def _read(path: Path, *, arrays: bool = True) -> tuple[dict[str, Any], SoftTargets]:
    if not path.is_file():
        raise BionerError(Errors.E443.format(path=path))
    try:
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            if metadata.get("version") != str(_VERSION):
                raise ValueError(f"version {metadata.get('version')}, and not {_VERSION}")
            origin, tasks = json.loads(metadata["origin"]), json.loads(metadata["tasks"])
            if not arrays:
                return origin, SoftTargets([], numpy.zeros(0), numpy.zeros(0))
            lengths = file.get_tensor("lengths").astype("int64")
            known = file.get_tensor("known").astype(bool)
            if known.shape != lengths.shape or lengths.ndim != 1 or (lengths < 0).any():
                raise ValueError("sizes that contradict one another")
            taught = [_read_task(file, i, task, int(lengths.sum())) for i, task in enumerate(tasks)]
    except (SafetensorError, ValueError, KeyError, TypeError, AttributeError) as error:
        what, advice = "soft targets", "write it again with `spacy bioner teach`"
        raise BionerError(Errors.E506.format(path=path, what=what, reason=reason(error), advice=advice)) from error
    return origin, SoftTargets(taught, lengths, known)


def _read_task(file: Any, number: int, task: Mapping[str, Any], n_tokens: int) -> TaughtTask:
    types, corpora = tuple(map(str, task["types"])), tuple(map(str, task["corpora"]))
    tokens, p = file.get_tensor(f"{number}.tokens"), file.get_tensor(f"{number}.transitions")
    n_tags = 1 + 2 * len(types)
    if tokens.ndim != 1 or p.shape != (len(tokens), n_tags, n_tags):
        raise ValueError(f"probabilities of the shape {p.shape} for {n_tags} tags and {len(tokens)} tokens")
    if len(tokens) and not (0 <= tokens[0] and tokens[-1] < n_tokens and (numpy.diff(tokens) > 0).all()):
        raise ValueError("tokens that the corpus does not have")
    sums = p.sum(axis=(1, 2), dtype="f")
    if not (numpy.abs(sums - 1) < 0.01).all() or (p < 0).any() or p[:, ~bio_transitions(n_tags)].any():
        raise ValueError("numbers that are no probabilities of BIO tags")
    return TaughtTask(types, corpora, tokens, p)


class TaughtCorpus:
    """Predictions of teachers for a corpus, averaged if several know a task."""

    def __init__(self, corpus: str, teachers: Sequence[SoftTargets]) -> None:
        self.corpus = corpus
        self._teachers = teachers
        lengths = teachers[0].lengths
        known = numpy.logical_and.reduce([teacher.known for teacher in teachers])
        # Number of tokens before each token that a teacher has not read.
        self._n_unknown = numpy.concatenate([[0], numpy.cumsum(numpy.repeat(~known, lengths))])
        self._means: dict[Any, Optional[tuple[Array, Array]]] = {}

    def teaches(self, task: Task, *, supervised: bool) -> bool:
        """Whether there is a teacher for a task; see `document`."""
        return self._mean(task, supervised) is not None

    def document(self, begin: int, end: int, task: Task, *, supervised: bool) -> Optional[tuple[Array, Array]]:
        """Predictions of teachers for a task in a document.

        Args:
            begin: index of the first token of the document, over all records of the corpus.
            end: one past its last token.
            task: the task of the student. Its teachers have a task with the same entity types and, for a task of a
                single corpus, learnt it from this corpus only.
            supervised: whether the document supervises the task. Then only teachers that learnt it on this corpus
                count, because others follow other guidelines.

        Returns:
            (M,) tokens of the document that are not certainly outside of mentions, and (M, T, T) probabilities of
            transitions, which sum to 1; None without a teacher.
        """
        if self._n_unknown[end] > self._n_unknown[begin]:
            return None
        mean = self._mean(task, supervised)
        if mean is None:
            return None
        tokens, p = mean
        part = slice(*numpy.searchsorted(tokens, [begin, end]))
        here = p[part].astype("f")
        return tokens[part] - begin, here / here.sum(axis=(1, 2), keepdims=True)

    def _mean(self, task: Task, supervised: bool) -> Optional[tuple[Array, Array]]:
        key = (task.types, task.corpus, supervised)
        if key not in self._means:
            of_teachers = [
                taught
                for teacher in self._teachers
                for taught in teacher.tasks
                if taught.types == task.types
                and (task.corpus is None or taught.corpora == (task.corpus,))
                and (not supervised or self.corpus in taught.corpora)
            ]
            self._means[key] = mean_targets(of_teachers) if of_teachers else None
        return self._means[key]


def mean_targets(taught: Sequence[TaughtTask]) -> tuple[Array, Array]:
    """Mean predictions of teachers of the same types for a corpus.

    Returns:
        (M,) tokens that are not certainly outside of mentions for some teacher, and (M, T, T) probabilities.
    """
    if len(taught) == 1:
        return taught[0].tokens, taught[0].transitions
    tokens = numpy.unique(numpy.concatenate([one.tokens for one in taught]))
    total = numpy.zeros((len(tokens), *taught[0].transitions.shape[1:]), dtype="f")
    total[:, 0, 0] = len(taught)
    for one in taught:
        places = numpy.searchsorted(tokens, one.tokens)
        total[places, 0, 0] -= 1.0
        total[places] += one.transitions
    return tokens, (total / len(taught)).astype("float16")


@dataclass(frozen=True)
class TaughtDocument:
    """Position of a training document in a corpus with predictions of teachers."""

    corpus: TaughtCorpus  # predictions of the teachers
    begin: int  # index of the first token of the document, over all records of the corpus
    end: int  # one past its last token

    def task(self, task: Task, *, supervised: bool) -> Optional[tuple[Array, Array]]:
        """Predictions of teachers for a task, see `TaughtCorpus.document`."""
        return self.corpus.document(self.begin, self.end, task, supervised=supervised)
