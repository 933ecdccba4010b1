"""The annotator of a run: in this process, in another one or on another machine."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Any, NoReturn, Optional

from spacy.language import Language
from spacy.tokens import Doc, DocBin, SpanGroup
from spacy.util import minibatch

from ..docbin import fast_msgpack
from ..errors import BionerError, Errors, collected_warnings, reason
from ..formats import SourceDocument, get_format
from ..formats.documents import ZONE_DOCUMENTS, in_zones
from ..scope import ENTS, SPANS_KEY, set_origin
from ..scoring.evaluate import load_pipeline, require_length
from .mentions import Known, choose, predicted_spans, with_guideline

OnFailure = Callable[["Failure"], None]


@dataclass(frozen=True)
class Settings:
    """Settings of a run, for all workers."""

    pipeline: str  # folder or package name of the pipeline
    format: str = "docbin"  # name of the output format
    writing: Mapping[str, Any] = field(default_factory=dict)  # options of its writer
    spans_key: str = SPANS_KEY  # key in `doc.spans`; `ENTS` for the entities
    types: Optional[frozenset[str]] = None  # entity types to keep; None for all
    threshold: float = 0.0  # minimum score of mentions, if they have one
    flat: bool = False  # whether to keep only the mentions of `doc.ents`, which do not overlap
    guideline: Optional[str] = None  # corpus whose guideline is followed; None for none
    batch_size: Optional[int] = None  # documents per batch; None for the setting of the pipeline
    gpu_id: int = -1  # number of the GPU; -1 for the CPU
    strict: bool = False  # whether a failure ends the run

    @property
    def written_key(self) -> str:
        """Key in `doc.spans` of the output."""
        return SPANS_KEY if self.spans_key == ENTS else self.spans_key


@dataclass(frozen=True)
class Failure:
    """A document, or the rest of a file, that could not be read or annotated."""

    reason: str
    file: str
    line: Optional[int] = None  # its line; None for a whole file
    document: str = ""  # identifier of the document; empty for a file
    text: str = ""  # its text, as far as known

    @classmethod
    def of(cls, document: SourceDocument, reason: str) -> "Failure":
        """The failure of a document."""
        return cls(reason, str(document.path), document.line, document.doc_id or document.id, document.text)

    @property
    def where(self) -> str:
        """The place, for messages."""
        return f"{self.file}, line {self.line}, document {self.document}" if self.document else self.file


@dataclass(frozen=True)
class Done:
    """Results of a task."""

    documents: int  # number of documents written
    spans: int  # number of spans in them
    tokens: int  # number of tokens in them
    failures: Sequence[Failure] = ()  # documents that could not be annotated
    warnings: Sequence[str] = ()  # warnings of pipeline and writer
    content: bytes = b""  # the documents as bytes of a DocBin, if they were not written


class Annotator:
    """Annotates and writes documents; the pipeline is loaded when first needed."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.on_progress: Callable[[int, int], None] = lambda documents, tokens: None
        self._documents = self._tokens = 0

    @cached_property
    def nlp(self) -> Language:
        """The pipeline.

        Raises:
            BionerError: it cannot be loaded, or an entity type or the guideline is unknown.
        """
        nlp = load_pipeline(self.settings.pipeline, gpu_id=self.settings.gpu_id)
        Known.of(nlp).require(self.settings.types, self.settings.guideline)
        return nlp

    def write_shard(self, documents: Sequence[SourceDocument], path: Path) -> Done:
        """Annotate documents and write them to a file, whole or not at all; no file if all of them fail."""
        failures: list[Failure] = []
        with collected_warnings() as messages:
            docs = self.docs(documents, failures.append)
            written, spans = 0, 0
            if (first := next(docs, None)) is not None:
                key, format = self.settings.written_key, get_format(self.settings.format)
                written, spans = format.written(chain([first], docs), path, spans_key=key, **self.settings.writing)
        return Done(written, spans, self._tokens, failures, messages)

    def annotate(self, documents: Sequence[SourceDocument]) -> Done:
        """Annotate documents, to be written by another process."""
        failures: list[Failure] = []
        with collected_warnings() as messages, fast_msgpack():
            data = DocBin(docs=self.docs(documents, failures.append))
            content = data.to_bytes()
        return Done(len(data), 0, self._tokens, failures, messages, content)

    def docs(self, documents: Iterable[SourceDocument], on_failure: OnFailure) -> Iterator[Doc]:
        """Annotate documents in bounded memory.

        Args:
            on_failure: called for each document that fails.

        Yields:
            The annotated documents; each is valid until the next one is requested.

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
        """Annotate a batch; if it fails, bisect it to find the failing documents."""
        try:
            docs = [with_guideline(self.nlp.make_doc(document.text), self.settings.guideline) for document in batch]
            return list(zip(batch, self.nlp.pipe(docs, batch_size=len(batch))))
        except BionerError:  # raised by our component for a wrong setting
            raise
        except Exception as error:  # any exception of a component
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
        spans, attrs = predicted_spans(doc, key, self.settings.pipeline)
        if key != written_key or key not in doc.spans:
            doc.spans[written_key] = SpanGroup(doc, name=written_key, attrs=dict(attrs), spans=list(spans))
        if self.settings.types is not None or self.settings.threshold or self.settings.flat:
            choose(doc, self.settings.types, self.settings.threshold, written_key, flat=self.settings.flat)
        passages, meta = document.passages, document.meta
        set_origin(doc, doc_id=document.doc_id, passages=passages, meta=meta, spans_key=written_key)


def _stop(failure: Failure) -> NoReturn:
    raise BionerError(
        Errors.E680.format(path=failure.file, line=failure.line, document=failure.document, reason=failure.reason)
    )
