"""What annotates the documents of a run, in this process, in another one or on another machine."""

import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, NoReturn, Optional

from spacy.language import Language
from spacy.tokens import Doc, DocBin
from spacy.util import minibatch

from ..docbin import fast_msgpack
from ..errors import BionerError, BionerWarning, Errors, reason
from ..formats import SourceDocument, get_format
from ..formats.documents import ZONE_DOCUMENTS, in_zones
from ..scope import ENTS, SPANS_KEY, set_origin
from ..scoring.evaluate import load_pipeline, require_length
from .mentions import choose, known_types, predicted_spans

OnFailure = Callable[["Failure"], None]


@dataclass(frozen=True)
class Settings:
    """What all that annotate in a run have in common.

    Attributes:
        pipeline: folder or package name of the pipeline.
        format: name of the format that is written.
        writing: options of its writer.
        spans_key: key in `doc.spans`; `ENTS` for the entities.
        types: entity types to keep; None for all.
        threshold: the least score of mentions that have one.
        flat: whether to keep only the mentions of `doc.ents`, in which none overlap.
        batch_size: documents per batch; None for the setting of the pipeline.
        gpu_id: number of the GPU; -1 for the CPU.
        strict: whether a document that cannot be annotated ends the run.
    """

    pipeline: str
    format: str = "docbin"
    writing: Mapping[str, Any] = field(default_factory=dict)
    spans_key: str = SPANS_KEY
    types: Optional[frozenset[str]] = None
    threshold: float = 0.0
    flat: bool = False
    batch_size: Optional[int] = None
    gpu_id: int = -1
    strict: bool = False

    @property
    def written_key(self) -> str:
        """Key in `doc.spans` of what is written."""
        return SPANS_KEY if self.spans_key == ENTS else self.spans_key


@dataclass(frozen=True)
class Failure:
    """What could not be read or annotated: a document, or the rest of a file.

    Attributes:
        reason: why.
        file: the file.
        line: its line; 0 for a whole file.
        document: identifier of the document; empty for a file.
        text: its text, as far as it could be read.
    """

    reason: str
    file: str
    line: int = 0
    document: str = ""
    text: str = ""

    @classmethod
    def of(cls, document: SourceDocument, reason: str) -> "Failure":
        """That of a document."""
        return cls(reason, str(document.path), document.line, document.doc_id or document.id, document.text)

    @property
    def where(self) -> str:
        """The place, for messages."""
        return f"{self.file}, line {self.line}, document {self.document}" if self.document else self.file


@dataclass(frozen=True)
class Done:
    """What became of some documents.

    Attributes:
        documents: how many were written.
        spans: spans in them.
        tokens: tokens in them.
        failures: those that could not be annotated.
        warnings: what the pipeline and the writer warned of.
        content: the documents as bytes of a DocBin, where they were not written.
    """

    documents: int
    spans: int
    tokens: int
    failures: Sequence[Failure] = ()
    warnings: Sequence[str] = ()
    content: bytes = b""


class Annotator:
    """A pipeline, loaded when it is first needed, and what is written of its documents."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.on_progress: Callable[[int, int], None] = lambda documents, tokens: None
        self._documents = self._tokens = 0

    @cached_property
    def nlp(self) -> Language:
        """The pipeline.

        Raises:
            BionerError: it cannot be loaded, or does not know an entity type that is to be kept.
        """
        nlp = load_pipeline(self.settings.pipeline, gpu_id=self.settings.gpu_id)
        known = known_types(nlp)
        if known and (unknown := sorted((self.settings.types or frozenset()).difference(known))):
            raise BionerError(Errors.E301.format(setting="types", value=", ".join(unknown), allowed=", ".join(known)))
        return nlp

    def write_shard(self, documents: Sequence[SourceDocument], path: Path) -> Done:
        """Annotate documents and write them to a file of their own, whole or not at all; to none if all of them
        fail."""
        failures: list[Failure] = []
        with _collected_warnings() as messages:
            docs = self.docs(documents, failures.append)
            written, spans = 0, 0
            if (first := next(docs, None)) is not None:
                key = self.settings.written_key
                rest = _chained(first, docs)
                format = get_format(self.settings.format)
                written, spans = format.written(rest, path, spans_key=key, **self.settings.writing)
        return Done(written, spans, self._tokens, failures, messages)

    def annotate(self, documents: Sequence[SourceDocument]) -> Done:
        """Annotate documents, for another process to write them."""
        failures: list[Failure] = []
        with _collected_warnings() as messages, fast_msgpack():
            data = DocBin(docs=self.docs(documents, failures.append))
            content = data.to_bytes()
        return Done(len(data), 0, self._tokens, failures, messages, content)

    def docs(self, documents: Iterable[SourceDocument], on_failure: OnFailure) -> Iterator[Doc]:
        """Annotate documents, in memory that does not grow with their number.

        Args:
            documents: the documents.
            on_failure: is called for each that cannot be annotated.

        Yields:
            The others, each of which is usable until the next one is asked for.

        Raises:
            BionerError: the pipeline cannot be loaded, finds no entities, or a document fails in a strict run.
        """
        self._documents = self._tokens = 0
        on_failure = _stop if self.settings.strict else on_failure

        def make(zone: Iterable[SourceDocument]) -> Iterator[Doc]:
            for batch in minibatch(zone, self.settings.batch_size or self.nlp.batch_size):
                done = list(self._batch(batch, on_failure))
                self._documents += len(batch)
                self._tokens += sum(len(doc) for _, doc in done)
                self.on_progress(self._documents, self._tokens)
                for document, doc in done:
                    self._name_spans(doc, document)
                    yield doc

        return in_zones(self.nlp, documents, make, size=ZONE_DOCUMENTS)

    def _batch(self, batch: Sequence[SourceDocument], on_failure: OnFailure) -> Iterable[tuple[SourceDocument, Doc]]:
        """Annotate a batch; where it fails, halves of it, until it is known which documents do."""
        try:
            return list(zip(batch, self.nlp.pipe([document.text for document in batch], batch_size=len(batch))))
        except BionerError:  # of our component: a setting, not a document, is wrong
            raise
        except Exception as error:  # whatever a component raises
            if len(batch) == 1:
                on_failure(self._failure(batch[0], error))
                return []
        middle = len(batch) // 2
        return [*self._batch(batch[:middle], on_failure), *self._batch(batch[middle:], on_failure)]

    def _failure(self, document: SourceDocument, error: Exception) -> Failure:
        name, why = document.doc_id or document.id, f"{type(error).__name__}: {reason(error)}"
        try:
            require_length(self.nlp, document.text, f"Document {name}")
        except BionerError as too_long:
            why = str(too_long)
        return Failure.of(document, why)

    def _name_spans(self, doc: Doc, document: SourceDocument) -> None:
        key, written_key = self.settings.spans_key, self.settings.written_key
        spans, _ = predicted_spans(doc, key, self.settings.pipeline)
        if key != written_key or key not in doc.spans:
            doc.spans[written_key] = list(spans)
        if self.settings.types is not None or self.settings.threshold or self.settings.flat:
            choose(doc, self.settings.types, self.settings.threshold, written_key, flat=self.settings.flat)
        passages, meta = document.passages, document.meta
        set_origin(doc, doc_id=document.doc_id, passages=passages, meta=meta, spans_key=written_key)


def _chained(first: Doc, rest: Iterator[Doc]) -> Iterator[Doc]:
    yield first
    yield from rest


def _stop(failure: Failure) -> NoReturn:
    raise BionerError(
        Errors.E680.format(path=failure.file, line=failure.line, document=failure.document, reason=failure.reason)
    )


@contextmanager
def _collected_warnings() -> Iterator[list[str]]:
    """Keep the texts of our warnings instead of showing them, each once."""
    found: dict[str, None] = {}
    with warnings.catch_warnings():
        show = warnings.showwarning
        warnings.simplefilter("always", BionerWarning)

        def collect(message: Any, category: type[Warning], *args: Any, **kwargs: Any) -> None:
            if issubclass(category, BionerWarning):
                found[str(message)] = None
            else:
                show(message, category, *args, **kwargs)

        warnings.showwarning = collect
        messages: list[str] = []
        yield messages
        messages += found
