"""`spacy bioner apply`: from texts and a pipeline to a file of annotated documents."""

from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Any, Optional

from spacy.tokens import Doc
from tqdm import tqdm

from ..device import threads_of_one
from ..errors import BionerError, Errors
from ..formats import read_texts
from ..formats.documents import (
    ZONE_DOCUMENTS,
    check_output,
    choose_format,
    choose_input,
    in_zones,
    output_formats,
    parse_options,
    text_formats,
)
from ..scope import SPANS_KEY, set_origin
from ..scoring.evaluate import load_pipeline, require_length
from .mentions import choose, known_types


def apply_pipeline(
    pipeline: str,
    source: Path,
    output: Path,
    *,
    input_format: Optional[str] = None,
    options: str = "",
    format: Optional[str] = None,
    spans_key: str = SPANS_KEY,
    columns: Optional[int] = None,
    types: Optional[Collection[str]] = None,
    threshold: float = 0.0,
    flat: bool = False,
    batch_size: Optional[int] = None,
    n_process: int = 1,
    gpu_id: int = -1,
) -> tuple[int, int]:
    """Annotate texts, one document after the other, in memory that does not grow with their number.

    Args:
        pipeline: folder or package name of the pipeline.
        source: the texts. Annotations in it are not looked at; identifiers, passages and further keys are kept. Texts
            without an identifier are numbered, so that lines of text have their numbers.
        output: the file to write, or the folder where the format has folders.
        input_format: name of a format, see `bioner_spacy.formats.all_formats`. None: as the name of the source tells.
        options: options of the reader of the source, such as `type_infon=kind`, with commas between them.
        format: name of a format that can be written. None: as the name of the output tells.
        spans_key: key in `doc.spans`; of pipelines without any spans, the entities are taken.
        columns: tag columns, of formats that have them.
        types: entity types to keep; None for all.
        threshold: the least score of mentions that have one.
        flat: whether to keep only the mentions of `doc.ents`, in which none overlap.
        batch_size: documents per batch; None for the setting of the pipeline.
        n_process: processes that annotate side by side, each with its share of the threads; 1 on a GPU.
        gpu_id: number of the GPU; -1 for the CPU.

    Returns:
        Numbers of documents and of spans.

    Raises:
        BionerError: if a setting is unknown, if the source is not what it has to be, if the pipeline cannot be
            loaded, or if the format cannot express a document.
    """
    reader = choose_input("input_format", input_format, source, allowed=text_formats())
    writer = choose_format("format", format, output, allowed=output_formats())
    writing = {} if columns is None else {"columns": columns}
    check_output(output, source, writer, writing)
    reading = parse_options(options, reader)
    if n_process > 1 and gpu_id >= 0:
        raise BionerError(Errors.E301.format(setting="n_process", value=n_process, allowed="1 on a GPU"))
    nlp = load_pipeline(pipeline, gpu_id=gpu_id)
    known = known_types(nlp)
    if known and (unknown := sorted(set(types or ()).difference(known))):
        raise BionerError(Errors.E301.format(setting="types", value=", ".join(unknown), allowed=", ".join(known)))

    def annotate(texts: Iterable[tuple[str, dict[str, Any]]]) -> Iterator[Doc]:
        for doc, origin in nlp.pipe(texts, as_tuples=True, batch_size=batch_size, n_process=n_process):
            if not doc.spans and doc.has_annotation("ENT_IOB"):
                doc.spans[spans_key] = list(doc.ents)
            if types is not None or threshold or flat:
                choose(doc, types, threshold, spans_key, flat=flat)
            if spans_key in doc.spans:
                set_origin(doc, spans_key=spans_key, **origin)
            yield doc

    def texts() -> Iterator[tuple[str, dict[str, Any]]]:
        for number, document in enumerate(read_texts(reader, source, **reading), start=1):
            require_length(nlp, document.text, f"{source}, document {document.doc_id or number}")
            yield document.text, {"doc_id": document.doc_id, "passages": document.passages, "meta": document.meta}

    docs = in_zones(nlp, texts(), annotate, size=ZONE_DOCUMENTS * n_process)
    with threads_of_one(n_process):
        return writer.written(tqdm(docs, unit=" documents", disable=None), output, spans_key=spans_key, **writing)
