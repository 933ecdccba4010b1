"""`spacy bioner apply`: from texts and a pipeline to a file of annotated documents."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Optional

from spacy.tokens import Doc
from spacy.vocab import Vocab
from tqdm import tqdm

from ..corpora import READERS
from ..device import threads_of_one
from ..docbin import iter_docs
from ..errors import BionerError, Errors
from ..files import numbered_lines
from ..formats import textspans
from ..formats.documents import (
    DOCBIN,
    ENDINGS,
    INPUTS,
    OUTPUTS,
    TEXT,
    ZONE_DOCUMENTS,
    check_output,
    choose_format,
    in_zones,
    parse_options,
    write,
)
from ..formats.readers import reader_options
from ..scope import SPANS_KEY, get_doc_id, get_passages, set_origin
from ..scoring.evaluate import load_pipeline


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
    batch_size: Optional[int] = None,
    n_process: int = 1,
    gpu_id: int = -1,
) -> tuple[int, int]:
    """Annotate texts, one document after the other, in memory that does not grow with their number.

    Args:
        pipeline: folder or package name of the pipeline.
        source: the texts. Annotations that stand there are not looked at; identifiers and passages are kept. Texts without
            an identifier are numbered, so that lines of text have their numbers.
        output: the file to write; for brat, the folder.
        input_format: "text", one text a line, "docbin", or the format of a corpus; see `bioner_spacy.corpora.READERS`.
            None: as the name of the source tells.
        options: options of the reader of the source, such as `type_infon=kind`, with commas between them.
        format: "docbin", or one of `bioner_spacy.formats.writers.WRITERS`. None: as the name of the output tells.
        spans_key: key in `doc.spans`; of pipelines without any spans, the entities are taken.
        columns: tag columns, for the format iob only.
        batch_size: documents per batch; None for the setting of the pipeline.
        n_process: processes that annotate side by side, each with its share of the threads; 1 on a GPU.
        gpu_id: number of the GPU; -1 for the CPU.

    Returns:
        Numbers of documents and of spans.

    Raises:
        BionerError: if a setting is unknown, if the source is not what it has to be, if the pipeline cannot be
            loaded, or if the format cannot express a document.
    """
    texts, endings = (TEXT, *INPUTS), {**ENDINGS, ".txt": TEXT}
    input_format = choose_format("input_format", input_format, source, allowed=texts, endings=endings)
    format = choose_format("format", format, output, allowed=OUTPUTS)
    if not source.exists():
        raise BionerError(Errors.E101.format(path=source))
    check_output(output, source, format=format, columns=columns)
    reading = parse_options(options, input_format)
    if n_process > 1 and gpu_id >= 0:
        raise BionerError(Errors.E301.format(setting="n_process", value=n_process, allowed="1 on a GPU"))
    nlp = load_pipeline(pipeline, gpu_id=gpu_id)

    def annotate(texts: Iterable[tuple[str, dict[str, Any]]]) -> Iterator[Doc]:
        for doc, origin in nlp.pipe(texts, as_tuples=True, batch_size=batch_size, n_process=n_process):
            if not doc.spans and doc.has_annotation("ENT_IOB"):
                doc.spans[spans_key] = list(doc.ents)
            if spans_key in doc.spans:
                set_origin(doc, spans_key=spans_key, **origin)
            yield doc

    docs = in_zones(nlp, _texts(source, input_format, reading), annotate, size=ZONE_DOCUMENTS * n_process)
    with threads_of_one(n_process):
        return write(
            tqdm(docs, unit=" documents", disable=None), output, format=format, spans_key=spans_key, columns=columns
        )


def _texts(source: Path, input_format: str, options: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Texts with what is known of where they come from."""
    if input_format == TEXT:
        return ((text, {}) for _, text in numbered_lines(source))
    if input_format == DOCBIN:
        docs = iter_docs(source, Vocab())
        return ((doc.text, {"doc_id": get_doc_id(doc), "passages": get_passages(doc)}) for doc in docs)
    if input_format == "textspans":
        found = textspans.read_texts(source)
    else:
        if "mismatch" in reader_options(input_format):
            options = {"mismatch": "offsets", **options}  # of annotations, which do not matter here
        found = READERS[input_format](source, **options)
    return ((document.text, {"doc_id": document.doc_id, "passages": document.passages}) for document in found)
