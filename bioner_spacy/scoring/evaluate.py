"""Run a pipeline over the raw text of converted corpora and score it."""

import hashlib
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional, Union

import spacy
from spacy.language import Language
from spacy.pipeline.transition_parser import Parser
from spacy.tokens import Doc
from spacy.training import Example

from ..corpora.context import CONTEXT_TOKENS, check_context, in_context
from ..corpora.manifest import converted_docs, require_one_conversion
from ..device import require_gpu
from ..docbin import corpus_names
from ..errors import BionerError, Errors, Warnings, check_list, raising, warn
from ..files import as_path
from ..lean import import_spacy_transformers
from ..old_names import accept_old_names
from ..provenance import provenance
from ..scope import SPANS_KEY, get_corpus, name_corpus, state_scopes
from .documents import count_documents
from .mentions import doc_mentions, mentions_in_scope
from .metrics import METRICS, STRICT
from .results import Pipeline, Results
from .scorer import BESIDE, named_scores


@accept_old_names
def evaluate(
    pipeline: Union[str, Path, Language],
    corpus_folder: Union[str, Path],
    *,
    corpora: Optional[Sequence[str]] = None,
    split: str = "test",
    limit: Optional[int] = None,
    context: str = "source",
    context_tokens: int = CONTEXT_TOKENS,
    guideline: bool = True,
    batch_size: Optional[int] = None,
    gpu_id: int = -1,
    spans_key: str = SPANS_KEY,
    predicted_key: Optional[str] = None,
    allow_overlap: bool = True,
    origin: Mapping[str, Any] = {},
) -> Results:
    """Score a pipeline on one split of converted corpora.

    The pipeline gets raw text, as in use. Mentions are counted by all metrics, so results can be compared by any of
    them (`Results.by`).

    Args:
        pipeline: a loaded pipeline, or the folder or package name of one.
        corpus_folder: folder with `<corpus>/<split>.spacy`.
        corpora: corpora to score on; None for all that have the split.
        limit: maximum number of documents per corpus; None for all.
        context: what the pipeline reads at once: a document as it is in the corpus ("source"), one sentence
            ("sentence"), consecutive sentences of one article ("group"), or a whole article ("document"). The gold
            mentions are the same.
        context_tokens: maximum number of tokens in a group.
        guideline: whether documents name the guideline of their corpus.
        batch_size: documents per batch; None for the setting of the pipeline.
        gpu_id: number of the GPU to run on, -1 for the CPU; ignored for a loaded pipeline.
        spans_key: key in `doc.spans` of the gold mentions; "ents" for the entities of documents that have no spans.
        predicted_key: key of the predicted ones, "ents" for a pipeline that sets `doc.ents` alone; None for the same.
        allow_overlap: whether overlapping predicted mentions of the types of a corpus all count, or only the one with
            the highest score, as for systems that predict no nested mentions.
        origin: further provenance to store, such as checksums of catalogue entries.

    Returns:
        The scores and what they were measured on.

    Raises:
        BionerError: the pipeline cannot be loaded or predicts no entities, there is no corpus or no annotated
            document to score on, documents are annotated under another key, or the context is unknown.
    """
    check_list("corpora", corpora, "corpora")
    run = Run(
        pipeline,
        as_path("corpus_folder", corpus_folder),
        corpora=corpora,
        split=split,
        limit=limit,
        context=context,
        context_tokens=context_tokens,
        guideline=guideline,
        batch_size=batch_size,
        gpu_id=gpu_id,
        spans_key=spans_key,
        predicted_key=predicted_key,
    )
    counts = count_documents(
        mentions_in_scope(run.examples(), **run.keys, allow_overlap=allow_overlap), list(METRICS.values())
    )
    totals = {name: {corpus: of.total() for corpus, of in found.items()} for name, found in counts.items()}
    documents = {name: {corpus: of.to_dict() for corpus, of in found.items()} for name, found in counts.items()}
    return Results(
        pipeline=run.described,
        split=split,
        limit=limit,
        context=context,
        context_tokens=context_tokens if context == "group" else None,
        scores=named_scores(totals, [STRICT, *(METRICS[name] for name in BESIDE)]),
        tokens=run.tokens,
        tokens_per_second=round(run.tokens / run.seconds, 1) if run.seconds else 0.0,
        documents=documents.pop(STRICT.name),
        by_metric=documents,
        provenance=run.provenance(allow_overlap=allow_overlap, guideline=guideline, **origin),
    )


def load_pipeline(pipeline: Union[str, Path, Language], *, gpu_id: int = -1) -> Language:
    """Load a pipeline, optionally on a GPU. Text length is unlimited unless it has spaCy's `ner` or `parser`.

    Args:
        pipeline: a loaded pipeline (returned as it is), or the folder or package name of one.

    Raises:
        BionerError: the GPU cannot be used, there is no such pipeline, or it is broken.
    """
    if isinstance(pipeline, Language):
        return pipeline
    if gpu_id >= 0:
        require_gpu(gpu_id)
    import_spacy_transformers()
    with raising(Errors.E504, pipeline=pipeline):
        nlp = spacy.load(pipeline)
    if not any(isinstance(pipe, Parser) for _, pipe in nlp.pipeline):  # whose memory the limit is for
        nlp.max_length = sys.maxsize
    return nlp


def require_length(nlp: Language, text: str, where: str) -> None:
    """Check that a text is not too long for a pipeline.

    Args:
        where: where the text is from, for the message.

    Raises:
        BionerError: the text is longer than its `max_length`.
    """
    if len(text) > nlp.max_length:
        raise BionerError(Errors.E508.format(where=where, count=len(text), limit=nlp.max_length))


def describe(nlp: Language) -> Pipeline:
    """Describe a pipeline by its metadata and config."""
    config = nlp.config.interpolate()  # where encoder and seed are variables
    seed = config.get("training", {}).get("seed")
    return Pipeline(
        name=f"{nlp.lang}_{nlp.meta['name']}",
        version=nlp.meta["version"],
        encoder=_encoder_name(config.get("components", {})),
        seed=seed if isinstance(seed, int) else None,
        components=list(nlp.pipe_names),
        config=hashlib.sha256(config.to_str().encode()).hexdigest(),
    )


def finds_entities(nlp: Language, name: str) -> bool:
    """Whether a component of a pipeline declares that it writes entities or spans."""
    return any(assigned.startswith(("doc.ents", "doc.spans")) for assigned in nlp.get_pipe_meta(name).assigns)


def corpus_files(corpus_folder: Path, corpora: Optional[Sequence[str]], split: str) -> dict[str, Path]:
    """Find the file of one split for each corpus.

    Returns:
        Name of the corpus -> file, sorted by name or in the order asked for.

    Raises:
        BionerError: there is none, or one that is asked for is missing or not of the last conversion into the folder.
    """
    found = corpus_names(corpus_folder, split)
    if missing := [name for name in corpora or () if name not in found]:
        names = {"missing": ", ".join(missing), "found": ", ".join(found) or "none"}
        raise BionerError(Errors.E502.format(split=split, folder=corpus_folder, **names))
    chosen = found if corpora is None else corpora
    if not chosen:
        raise BionerError(Errors.E153.format(split=split, folder=corpus_folder))
    files = {name: corpus_folder / name / f"{split}.spacy" for name in chosen}
    for file in files.values():
        require_one_conversion(file)
    return files


def read_gold(
    nlp: Language, corpus: str, path: Path, *, limit: Optional[int] = None, spans_key: str = SPANS_KEY
) -> list[Doc]:
    """Read the annotated documents of a converted corpus.

    Args:
        nlp: pipeline whose vocabulary the documents get.
        corpus: name of the corpus, for documents that do not name theirs.
        spans_key: key in `doc.spans` of the gold mentions; "ents" for the entities of documents that have no spans.

    Raises:
        BionerError: the file is not a `DocBin`, has no annotated document, or has one that is annotated under another
            key. A warning is given if documents name another corpus.
    """
    annotated = [doc for doc in converted_docs(path, nlp.vocab) if doc_mentions(doc, spans_key) is not None]
    if not annotated:
        raise BionerError(Errors.E509.format(corpus=corpus, path=path, key=spans_key))
    for doc in annotated:
        name_corpus(doc, corpus, spans_key)
    if others := {get_corpus(doc, spans_key) for doc in annotated} - {corpus}:
        warn(Warnings.W511.format(path=path, names=", ".join(sorted(others))))
    learnt = [pipe for _, pipe in nlp.pipeline if hasattr(pipe, "unscoped") and hasattr(pipe, "label_data")]
    if all(pipe.unscoped != "all" for pipe in learnt):
        known = [pipe.label_data.get(corpus, ()) for pipe in learnt]
        state_scopes(annotated, {corpus: {label for types in known for label in types}}, spans_key)
    return annotated[:limit]


def make_doc(nlp: Language, text: str, corpus: Optional[str]) -> Doc:
    """Make a document to annotate by the guideline of a corpus, or by none."""
    require_length(nlp, text, f"The text {text[:40]!r}")
    doc = nlp.make_doc(text)
    doc._.guideline = corpus
    return doc


@dataclass
class Run:
    """One timed pass of a pipeline over one split of converted corpora; for arguments and errors see `evaluate`.

    Attributes:
        nlp: the loaded pipeline.
        described: its description.
        files: name of each corpus -> its file.
        keys: keys of the gold and of the predicted mentions, as keyword arguments.
        tokens: number of tokens read so far.
        seconds: time of predictions so far.
    """

    pipeline: Union[str, Path, Language]
    corpus_folder: Path
    corpora: Optional[Sequence[str]] = None
    split: str = "test"
    limit: Optional[int] = None
    context: str = "source"
    context_tokens: int = CONTEXT_TOKENS
    guideline: bool = True
    batch_size: Optional[int] = None
    gpu_id: int = -1
    spans_key: str = SPANS_KEY
    predicted_key: Optional[str] = None

    def __post_init__(self) -> None:
        check_context(self.context, self.context_tokens)
        self.nlp = load_pipeline(self.pipeline, gpu_id=self.gpu_id)
        self.described = describe(self.nlp)
        self.files = corpus_files(self.corpus_folder, self.corpora, self.split)
        self.keys: dict[str, Any] = {
            "spans_key": self.spans_key,
            "predicted_key": self.predicted_key or self.spans_key,
        }
        self.tokens, self.seconds = 0, 0.0

    def examples(self) -> Iterator[Example]:
        """Yield examples of predicted and gold documents one at a time, because predictions on a GPU are large.

        Raises:
            BionerError: a file cannot be read, or, after the last example, the pipeline predicts no entities.
        """
        any_prediction = False
        for corpus, path in self.files.items():
            docs = read_gold(self.nlp, corpus, path, limit=self.limit, spans_key=self.spans_key)
            gold = list(in_context(docs, self.context, self.context_tokens))
            named = corpus if self.guideline else None
            texts = (make_doc(self.nlp, doc.text, named) for doc in gold)
            predictions = self.nlp.pipe(texts, batch_size=self.batch_size)
            for reference, predicted in zip(gold, self._timed(predictions), strict=True):
                self.tokens += len(predicted)
                any_prediction |= doc_mentions(predicted, self.keys["predicted_key"]) is not None
                yield Example(predicted, reference)
        if not any_prediction:
            components = ", ".join(self.nlp.pipe_names) or "none"
            raise BionerError(Errors.E507.format(name=self.nlp.meta["name"], components=components))

    def provenance(self, **details: Any) -> dict[str, Any]:
        """Where the predictions come from, see `bioner_spacy.provenance`."""
        details = {"seed": self.described.seed, **self.keys, **details}
        return provenance(files=self.files.values(), root=self.corpus_folder, **details)

    def _timed(self, predictions: Iterator[Doc]) -> Iterator[Doc]:
        """Pass predictions on, and measure the time they take without scoring."""
        while True:
            start = time.perf_counter()
            predicted = next(predictions, None)
            self.seconds += time.perf_counter() - start
            if predicted is None:
                return
            yield predicted


def _encoder_name(block: Any) -> Optional[str]:
    """The name of the first pretrained model in a config, depth first: a block of an architecture with a `name`."""
    if not isinstance(block, Mapping):
        return None
    if "@architectures" in block and isinstance(block.get("name"), str):
        return str(block["name"])
    return next(filter(None, map(_encoder_name, block.values())), None)
