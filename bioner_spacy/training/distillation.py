"""Distillation: store predictions of trained pipelines (teachers) for training documents.

Within the scope of a task, the share of teachers in the targets falls during training (Clark et al. 2019, "BAM!
Born-again multi-task networks for natural language understanding", arXiv 1907.04829), and outside it they are the only
supervision.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Optional, Union

import numpy
from spacy.language import Language
from spacy.tokens import Doc
from spacy.util import load_model, logger
from thinc.api import Model

from ..corpora.manifest import converted_docs
from ..device import require_gpu
from ..errors import BionerError, Errors, Warnings, raising, warn
from ..files import checksum, replacing
from ..tasks import Task
from ..tokens import same_tokens
from .batching import MultiCorpusBatcher, total_steps
from .corpora import MultiCorpus
from .soft_targets import (
    TRAIN,
    SoftTargets,
    TaughtTask,
    read_origin,
    soft_targets_file,
    write_targets,
)

MOST_OUTSIDE = 0.95
"""Tokens are not stored if they and the token before are outside of mentions with at least this probability."""
_BATCH_TOKENS = 4096


def write_soft_targets(
    teachers: Union[Sequence[Path], Mapping[str, Path]],
    corpus_folder: Union[str, Path],
    corpora: Optional[Sequence[str]] = None,
    *,
    split: str = TRAIN,
    gpu_id: int = -1,
) -> list[Path]:
    """Store tag probabilities that trained pipelines predict for the training documents.

    Args:
        teachers: name of each teacher -> folder of its pipeline; or folders, see `name_teachers`.

    Returns:
        The files, one per teacher and corpus. Files made from the same pipeline and corpus are kept.

    Raises:
        BionerError: the split is not for training, a pipeline cannot be loaded or predicts no tags, two teachers have
            the same name, or a corpus is missing.
    """
    corpus_folder = Path(corpus_folder)
    named = dict(teachers) if isinstance(teachers, Mapping) else name_teachers(list(map(str, teachers)))
    for folder in named.values():
        if not (folder / "meta.json").is_file():
            raise BionerError(Errors.E601.format(pipeline=folder))
    reader = MultiCorpus(corpus_folder, corpora, split, soft_targets=list(named))
    docbins = dict(zip(reader.corpora, reader.files()))
    if gpu_id >= 0:
        require_gpu(gpu_id)
    read = {name: checksum(docbin) for name, docbin in docbins.items()}
    files = []
    for teacher, folder in named.items():
        nlp, made_by = None, checksum(folder)
        for name in docbins:
            file = soft_targets_file(corpus_folder, name, split, teacher)
            files.append(file)
            origin = {"docbin": read[name], "teacher": made_by}
            if _is_made_of(file, origin):
                logger.info("Soft targets of %s for %s are there", teacher, name)
                continue
            with raising(Errors.E504, pipeline=folder):
                nlp = nlp or load_model(folder)
            write_targets(file, predict_targets(nlp, converted_docs(docbins[name], nlp.vocab), name), origin)
            logger.info("Soft targets of %s for %s: %s", teacher, name, file)
    return files


def name_teachers(folders: Sequence[str]) -> dict[str, Path]:
    """Names of teachers and their folders.

    Args:
        folders: NAME=FOLDER or FOLDER; then the name is that of the folder or, for model-best and model-last, of its
            parent.
    """
    named: dict[str, Path] = {}
    for text in folders:
        name, given, rest = text.partition("=")
        folder = Path(rest if given else text)
        if not given:
            inner = folder.name in ("model-best", "model-last")
            name = (folder.absolute().parent if inner else folder.absolute()).name
        if name in named:
            raise BionerError(Errors.E446.format(name=name))
        named[name] = folder
    return named


def predict_targets(nlp: Language, records: Iterable[Doc], corpus: str) -> SoftTargets:
    """Predict the soft targets of a teacher for the records of a corpus.

    Args:
        records: all records of the corpus; annotation is ignored.
        corpus: name of the corpus; its guideline is used if the teacher knows it.

    Raises:
        BionerError: no component of the pipeline predicts tags.
    """
    name, teacher = _component(nlp)
    later = nlp.pipe_names[nlp.pipe_names.index(name) :]
    tasks: Sequence[Task] = teacher.tasks
    lengths, known = [], []
    tokens: list[list[Any]] = [[] for _ in tasks]
    transitions: list[list[Any]] = [[] for _ in tasks]
    base = 0
    with nlp.select_pipes(disable=later):
        for batch in _batches(records):
            docs = []
            for record in batch:
                doc = nlp.tokenizer(record.text)
                doc._.guideline = corpus
                known.append(same_tokens(doc, record))
                # Records that are tokenized differently get empty predictions.
                docs.append(doc if known[-1] else Doc(nlp.vocab, words=[token.text for token in record]))
                lengths.append(len(record))
            for k, (found, p) in enumerate(teacher.transitions(list(nlp.pipe(docs)), most=MOST_OUTSIDE)):
                tokens[k].append(found + base)
                transitions[k].append(p.astype("float16"))
            base += sum(map(len, docs))
    if n_unknown := len(known) - sum(known):
        warn(Warnings.W412.format(n=n_unknown, total=len(known), corpus=corpus))
    sizes = [1 + 2 * len(task.types) for task in tasks]
    taught = [
        TaughtTask(
            task.types,
            _learnt_from(task, teacher.label_data),
            numpy.concatenate([numpy.zeros(0, dtype="int64"), *tokens[k]]),
            numpy.concatenate([numpy.zeros((0, size, size), dtype="float16"), *transitions[k]]),
        )
        for k, (task, size) in enumerate(zip(tasks, sizes))
    ]
    return SoftTargets(taught, numpy.array(lengths, dtype="int64"), numpy.array(known, dtype=bool))


def teacher_annealing(
    epochs: Union[int, str], reader: Union[MultiCorpus, str], batcher: Union[MultiCorpusBatcher, str]
) -> Callable[[Language, Mapping[str, int]], None]:
    """Build a callback for `[training.before_update]` that anneals the targets from teachers to gold.

    The share of gold in the targets rises linearly from 0 in the first step to 1 in the last one, in every component
    that learns from teachers within the scope (setting `teach_scope`).

    Args:
        epochs: epochs of training, `${training.max_epochs}`.
        reader: the training corpora, `${corpora.train}`.
        batcher: the batcher, `${training.batcher}`.

    Returns:
        The callback, which takes the pipeline and a dictionary with the number of the step.
    """
    n_steps: list[int] = []

    def anneal(nlp: Language, progress: Mapping[str, int]) -> None:
        for _, pipe in nlp.pipeline:
            if getattr(pipe, "teach_scope", 0.0):
                if not n_steps:
                    n_steps.append(total_steps(epochs, reader, batcher))
                pipe.annealing = min(1.0, progress["step"] / max(1, n_steps[0] - 1))  # type: ignore[attr-defined]

    return anneal


def shrink(pipeline: Union[str, Path], output: Path, n_layers: int) -> list[int]:
    """Save a pipeline with fewer layers in its encoder, from which a student of the pipeline starts (`vars.init_from`).

    The layers that are kept are evenly spaced, the first and the last among them (Sanh et al. 2019, "DistilBERT", arXiv
    1910.01108). Without training, the result predicts little.

    Args:
        pipeline: folder or package name of a trained pipeline.
        output: folder to write; replaced if it is there.
        n_layers: number of layers to keep.

    Returns:
        Indices of the layers kept.

    Raises:
        BionerError: the pipeline cannot be loaded, its encoder is not of the BERT family, or it has no more layers.
    """
    with raising(Errors.E504, pipeline=pipeline):
        nlp = load_model(pipeline)
    models: list[Any] = [getattr(pipe, "model", None) for _, pipe in nlp.pipeline]
    nodes = [node for model in models if isinstance(model, Model) for node in model.walk()]
    shims = [shim for node in nodes for shim in node.shims if hasattr(shim, "drop_layers")]
    if not shims:
        raise BionerError(Errors.E317.format(pipeline=pipeline, components=", ".join(nlp.pipe_names) or "none"))
    [kept, *_] = [shim.drop_layers(n_layers) for shim in shims]
    with replacing(output, folders=True) as [part]:
        nlp.to_disk(part)
    return kept


def _component(nlp: Language) -> tuple[str, Any]:
    """The first component that predicts tag probabilities."""
    for name, pipe in nlp.pipeline:
        if getattr(pipe, "has_tags", False):
            return name, pipe
    raise BionerError(Errors.E447.format(name=nlp.meta.get("name"), components=", ".join(nlp.pipe_names) or "none"))


def _learnt_from(task: Task, label_data: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    return tuple(corpus for corpus, types in label_data.items() if task.supervised_by(corpus, types))


def _is_made_of(file: Path, origin: Mapping[str, str]) -> bool:
    try:
        return file.is_file() and read_origin(file) == origin
    except BionerError:  # it is written again
        return False


def _batches(docs: Iterable[Doc]) -> Iterator[list[Doc]]:
    """Consecutive documents with about as many tokens as are predicted at once."""
    batch: list[Doc] = []
    n_tokens = 0
    for doc in docs:
        batch.append(doc)
        n_tokens += len(doc)
        if n_tokens >= _BATCH_TOKENS:
            yield batch
            batch, n_tokens = [], 0
    if batch:
        yield batch
