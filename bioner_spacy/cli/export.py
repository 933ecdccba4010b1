"""From a DocBin, or from texts and a pipeline, to a file in the format of another tool."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Optional

from spacy.tokens import Doc
from spacy.vocab import Vocab

from ..corpora import READERS
from ..corpora.files import numbered_lines
from ..corpora.writers import WRITERS
from ..docbin import load_docs
from ..errors import BionerError, Errors
from ..evaluation.evaluate import load_pipeline
from ..scope import SPANS_KEY

TEXT = "text"


def export(
    source: Path,
    output: Path,
    *,
    format: str,
    pipeline: Optional[str] = None,
    input_format: str = TEXT,
    spans_key: str = SPANS_KEY,
    columns: Optional[int] = None,
    gpu_id: int = -1,
) -> None:
    """Write annotated documents in another format.

    Args:
        source: a DocBin (NAME.spacy) of gold documents or of what `spacy apply` made; with a pipeline, texts. Documents
            without an identifier are numbered, so that lines of text have their numbers.
        output: the file to write; for brat, the folder.
        format: name of the format; see `bioner_spacy.corpora.writers.WRITERS`.
        pipeline: folder or package name of the pipeline that annotates the texts.
        input_format: "text", one text a line, or the format of a corpus, of which texts and identifiers are taken; see
            `bioner_spacy.corpora.READERS`.
        spans_key: key in `doc.spans`.
        columns: tag columns, for the format iob only.
        gpu_id: number of the GPU; -1 for the CPU.

    Raises:
        BionerError: if a setting is unknown, if the source is not what it has to be, if the pipeline cannot be
            loaded, or if the format cannot express a document.
    """
    if format not in WRITERS:
        raise BionerError(Errors.E105.format(setting="format", value=format, allowed=", ".join(WRITERS)))
    if columns is not None and format != "iob":
        raise BionerError(Errors.E105.format(setting="columns", value=columns, allowed="only with the format iob"))
    if input_format != TEXT and (pipeline is None or input_format not in READERS):
        allowed = f"with a pipeline, {', '.join([TEXT, *READERS])}"
        raise BionerError(Errors.E105.format(setting="input_format", value=input_format, allowed=allowed))
    if (source.suffix == ".spacy") != (pipeline is None):
        raise BionerError(Errors.E166.format(path=source))
    options: dict[str, Any] = {} if columns is None else {"columns": columns}
    docs = _read(source) if pipeline is None else _annotate(source, input_format, pipeline, spans_key, gpu_id)
    WRITERS[format](docs, output, spans_key=spans_key, **options)


def _read(source: Path) -> list[Doc]:
    if not source.exists():
        raise BionerError(Errors.E101.format(path=source))
    return load_docs(source, Vocab())


def _annotate(source: Path, input_format: str, pipeline: str, spans_key: str, gpu_id: int) -> Iterator[Doc]:
    nlp = load_pipeline(pipeline, gpu_id=gpu_id)
    for doc, doc_id in nlp.pipe(_texts(source, input_format), as_tuples=True):
        if doc_id:
            if not doc.spans:
                doc.spans[spans_key] = list(doc.ents)
            if spans_key in doc.spans:
                doc.spans[spans_key].attrs["doc_id"] = doc_id
        yield doc


def _texts(source: Path, input_format: str) -> Iterator[tuple[str, str]]:
    """Texts and identifiers."""
    if input_format == TEXT:
        return ((text, "") for _, text in numbered_lines(source))
    return ((document.text, document.doc_id) for document in READERS[input_format](source))
