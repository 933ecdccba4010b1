"""From a DocBin, or from texts and a pipeline, to a file in the format of another tool."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Optional

from spacy.tokens import Doc
from spacy.vocab import Vocab

from ..corpora.files import numbered_lines
from ..corpora.writers import WRITERS
from ..docbin import load_docs
from ..errors import BionerError, Errors
from ..evaluation.evaluate import load_pipeline
from ..scope import SPANS_KEY


def export(
    source: Path,
    output: Path,
    *,
    format: str,
    pipeline: Optional[str] = None,
    spans_key: str = SPANS_KEY,
    columns: Optional[int] = None,
    gpu_id: int = -1,
) -> None:
    """Write annotated documents in another format.

    Args:
        source: a DocBin (NAME.spacy) of gold documents or of what `spacy apply` made; with a pipeline, a file with
            one text a line. Documents without an identifier are numbered, so that texts have the numbers of their
            lines.
        output: the file to write; for brat, the folder.
        format: name of the format; see `bioner_spacy.corpora.writers.WRITERS`.
        pipeline: folder or package name of the pipeline that annotates the texts.
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
    if (source.suffix == ".spacy") != (pipeline is None):
        raise BionerError(Errors.E166.format(path=source))
    options: dict[str, Any] = {} if columns is None else {"columns": columns}
    docs = _read(source) if pipeline is None else _annotate(source, pipeline, gpu_id)
    WRITERS[format](docs, output, spans_key=spans_key, **options)


def _read(source: Path) -> list[Doc]:
    if not source.exists():
        raise BionerError(Errors.E101.format(path=source))
    return load_docs(source, Vocab())


def _annotate(source: Path, pipeline: str, gpu_id: int) -> Iterable[Doc]:
    nlp = load_pipeline(pipeline, gpu_id=gpu_id)
    return nlp.pipe(text for _, text in numbered_lines(source))
