"""`spacy bioner convert`: from one file of annotated documents to another, without a catalogue."""

import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Optional

from spacy.tokens import Doc
from spacy.vocab import Vocab

from ..corpora import READERS, Corpus, SourceDocument, SplitReport, convert_documents, tokenizing_pipeline
from ..corpora.catalogue import NOT_KNOWN
from ..docbin import iter_docs
from ..errors import BionerError, BionerWarning, Errors
from ..formats.documents import (
    DOCBIN,
    INPUTS,
    OUTPUTS,
    check_output,
    choose_format,
    in_zones,
    parse_options,
    parse_pairs,
    write,
)
from ..scope import SPANS_KEY


def convert_file(
    source: Path,
    output: Path,
    *,
    input_format: Optional[str] = None,
    format: Optional[str] = None,
    options: str = "",
    labels: str = "",
    alignment: str = "expand",
    discontinuous: str = "report",
    spans_key: Optional[str] = None,
    columns: Optional[int] = None,
) -> tuple[int, int, Optional[SplitReport]]:
    """Write annotated documents in another format.

    Documents of a DocBin are written as they are. Those of other formats are tokenized as our pipelines do it, and their
    annotation scope is what their labels stand for: all types that the file holds or `labels` names.

    Args:
        source: the documents.
        output: the file to write; for brat, the folder.
        input_format: "docbin", or the format of a corpus; see `bioner_spacy.corpora.READERS`. None: as the name of the
            source tells.
        format: "docbin", or one of `bioner_spacy.formats.writers.WRITERS`. None: as the name of the output tells.
        options: options of the reader of the source, such as `mismatch=offsets`, with commas between them.
        labels: what labels of the file stand for, LABEL=TYPE with commas between them; nothing after the sign leaves a label
            out. Others stand for themselves.
        alignment: what to do with mentions that are not on token borders, as for `bioner_spacy.corpora.to_doc`.
        discontinuous: what to do with discontinuous mentions, likewise.
        spans_key: key of the spans of a DocBin in `doc.spans`; None for "bioner".
        columns: tag columns, for the format iob only.

    Returns:
        Numbers of documents and of spans, and what became of every mention, if the source is no DocBin.

    Raises:
        BionerError: if a setting is unknown or does not fit, if the source is not what it has to be, or if the format
            cannot express a document.
    """
    input_format = choose_format("input_format", input_format, source, allowed=INPUTS)
    format = choose_format("format", format, output, allowed=OUTPUTS)
    if not source.exists():
        raise BionerError(Errors.E101.format(path=source))
    check_output(output, source, format=format, columns=columns)
    reading = parse_options(options, input_format)
    if input_format == DOCBIN:
        if labels:
            raise BionerError(Errors.E105.format(setting="labels", value=labels, allowed="only with other formats"))
        docs = iter_docs(source, Vocab())
        return *write(docs, output, format=format, spans_key=spans_key or SPANS_KEY, columns=columns), None
    if spans_key is not None:
        raise BionerError(Errors.E105.format(setting="spans_key", value=spans_key, allowed="only of a DocBin"))
    corpus = _corpus(source, input_format, reading, parse_pairs("labels", labels))
    report = SplitReport(corpus.name, source.name, list(corpus.types))
    nlp = tokenizing_pipeline()

    def make(documents: Iterable[SourceDocument]) -> Iterator[Doc]:
        settings = {"alignment": alignment, "discontinuous": discontinuous}
        return (doc for _, doc in convert_documents(documents, corpus, report, nlp=nlp, **settings))

    counts = write(in_zones(nlp, corpus.read(source), make), output, format=format, columns=columns)
    return *counts, report


def _corpus(source: Path, input_format: str, options: dict[str, Any], named: dict[str, str]) -> Corpus:
    """A catalogue entry for a file, after a first look at all labels in it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BionerWarning)  # which come again when the file is converted
        documents = READERS[input_format](source, **options)
        found = {mention.label for document in documents for mention in document.mentions}
    if unknown := sorted(set(named) - found):
        known = ", ".join(sorted(found)) or "none"
        raise BionerError(Errors.E169.format(path=source, labels=", ".join(unknown), known=known))
    return Corpus(
        name=source.stem,
        description="",
        format=input_format,
        options=options,
        files={},
        shares={},
        folder="",
        url=None,
        labels={label: named.get(label, label) or None for label in sorted(found)},
        licence=NOT_KNOWN,
        homepage="",
        citation="",
        redistributable="",
    )
