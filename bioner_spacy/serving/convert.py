"""`spacy bioner convert`: from one file of annotated documents to another, without a catalogue."""

import warnings
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Optional, Union

from spacy.tokens import Doc
from spacy.vocab import Vocab

from ..corpora import Corpus, SourceDocument, SplitReport, convert_documents, tokenizing_pipeline
from ..corpora.catalogue import NOT_KNOWN
from ..corpora.to_doc import ALIGNMENTS, DISCONTINUOUS
from ..errors import BionerError, BionerWarning, Errors, check_setting
from ..files import as_path
from ..formats import read_documents
from ..formats.documents import (
    check_output,
    choose_format,
    choose_input,
    in_zones,
    input_formats,
    output_formats,
    parse_options,
    parse_pairs,
)
from ..scope import SPANS_KEY


def convert_file(
    source: Union[str, Path],
    output: Union[str, Path],
    *,
    input_format: Optional[str] = None,
    format: Optional[str] = None,
    options: Union[str, Mapping[str, Any]] = "",
    labels: Union[str, Mapping[str, Optional[str]]] = "",
    alignment: str = "expand",
    discontinuous: str = "report",
    spans_key: Optional[str] = None,
    columns: Optional[int] = None,
) -> tuple[int, int, Optional[SplitReport]]:
    """Write annotated documents in another format.

    Documents of formats with tokens and spans (DocBins) are written unchanged. Others are tokenized like in our
    pipelines; their annotation scope are the types of all labels in the file or in `labels`.

    Args:
        output: the file to write, or a folder for some formats.
        input_format: name of a format, see `bioner_spacy.formats.all_formats`; None to choose by the name of the
            source.
        format: name of an output format; None to choose by the name of the output.
        options: options of the reader, such as `mismatch=offsets`, separated by commas, or a dictionary of them.
        labels: mapping of labels to types, a dictionary or LABEL=TYPE, separated by commas; an empty TYPE, null or None drops
            a label. Other labels are unchanged.
        alignment: what to do with mentions that are not on token boundaries, see `bioner_spacy.corpora.to_doc`.
        discontinuous: what to do with discontinuous mentions, see there.
        spans_key: key of the spans in `doc.spans`, for formats that have it; None for "bioner".
        columns: number of tag columns, for formats that have them.

    Returns:
        Numbers of documents and spans and, unless documents are written unchanged, a conversion report.

    Raises:
        BionerError: a setting is invalid, the source is invalid, or the format cannot represent a document.
    """
    source, output = as_path("source", source), as_path("output", output)
    reader = choose_input("input_format", input_format, source, allowed=input_formats())
    writer = choose_format("format", format, output, allowed=output_formats())
    writing = {} if columns is None else {"columns": columns}
    check_output(output, source, writer, writing)
    reading = parse_options(options, reader)
    check_setting("alignment", alignment, ALIGNMENTS)
    check_setting("discontinuous", discontinuous, DISCONTINUOUS)
    if reader.read_docs:
        for setting, value in (("labels", labels), ("options", options)):
            check_setting(setting, value, "only with other formats", not value)
        docs = reader.read_docs(source, Vocab())
        return *writer.written(docs, output, spans_key=spans_key or SPANS_KEY, **writing), None
    check_setting("spans_key", spans_key, "only of a DocBin", spans_key is None)
    types = {label: "" if type_ == "null" else type_ for label, type_ in parse_pairs("labels", labels).items()}
    corpus = _corpus(source, reader.name, reading, types)
    report = SplitReport(corpus.name, source.name, list(corpus.types))
    nlp = tokenizing_pipeline()

    def make(documents: Iterable[SourceDocument]) -> Iterator[Doc]:
        settings = {"alignment": alignment, "discontinuous": discontinuous}
        return (doc for _, doc in convert_documents(documents, corpus, report, nlp=nlp, **settings))

    docs = in_zones(nlp, corpus.read(source), make)
    return *writer.written(docs, output, spans_key=SPANS_KEY, **writing), report


def _corpus(source: Path, input_format: str, options: dict[str, Any], named: dict[str, str]) -> Corpus:
    """Make a catalogue entry for a file, after reading all labels in it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BionerWarning)  # repeated when the file is converted
        documents = read_documents(input_format, source, **options)
        found = {mention.label for document in documents for mention in document.mentions}
    if unknown := sorted(set(named) - found):
        known = ", ".join(sorted(found)) or "none"
        raise BionerError(Errors.E169.format(path=source, labels=", ".join(unknown), known=known))
    types = {label: named.get(label, label) or None for label in sorted(found)}
    return Corpus(source.stem, input_format, options, types, licence=NOT_KNOWN)
