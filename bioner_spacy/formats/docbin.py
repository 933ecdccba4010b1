"""spaCy's DocBin: documents with tokens and span groups, in a file or, where there are many, in a folder of files."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from spacy.tokens import Doc
from spacy.vocab import Vocab

from ..docbin import iter_docs, write_docs
from ..errors import BionerError, Errors
from ..files import replacing, require_file
from ..scope import SPANS_KEY, get_doc_id, get_meta, get_passages
from .document import OnError, Passage, SourceDocument, stop
from .export import Export
from .format import Format
from .reading import is_pattern, source_files


def read(path: Path, *, spans: str = SPANS_KEY, on_error: OnError = stop) -> Iterator[SourceDocument]:
    """Read the texts and mentions of a DocBin, without its tokens.

    All else is as for `Format.read`.

    Args:
        path: the file, or the folder of files.
        spans: key of the mentions in `doc.spans`, "ents" for entities; of documents without any spans, the entities
            are taken, with a warning.

    Yields:
        The documents in order; their lines are their numbers, from 1.

    Raises:
        BionerError: the file is no DocBin, or a document is not annotated.
    """
    export = Export(path, FORMAT, spans)
    for number, doc in enumerate(read_docs(path, Vocab()), start=1):
        try:
            document = export.document(doc, number)
        except BionerError as error:
            on_error(error)
            continue
        doc_id, passages = get_doc_id(doc, spans), tuple(document.passages)
        mentions = tuple(document.mentions)
        yield SourceDocument(document.id, doc.text, mentions, path, number, doc_id, passages, document.meta)
    export.warn_of_entities()


def read_texts(path: Path, *, spans: str = SPANS_KEY, on_error: OnError = stop) -> Iterator[SourceDocument]:
    """Read the texts of a DocBin, annotated or not; see `read`. A DocBin is read whole or not at all."""
    for number, doc in enumerate(read_docs(path, Vocab()), start=1):
        passages = tuple(Passage(*passage) for passage in get_passages(doc, spans))
        doc_id, meta = get_doc_id(doc, spans), get_meta(doc, spans)
        yield SourceDocument(f"{path.stem}:{number}", doc.text, (), path, number, doc_id, passages, meta)


def read_docs(path: Path, vocab: Vocab) -> Iterator[Doc]:
    """Read the documents of a file, a folder or a pattern as they are.

    Args:
        vocab: vocabulary that they share.
    """
    for file in source_files(path) if is_pattern(path) or not path.exists() else [path]:
        yield from iter_docs(file, vocab)


def write(docs: Iterable[Doc], path: Path, *, spans_key: str = SPANS_KEY) -> tuple[int, int]:
    """Write a DocBin, in a folder of files where it is large; documents are written as they are. If the name ends in
    .gz, one gzipped file is written. Arguments, results and errors are those of `Format.write`.

    Args:
        spans_key: key in `doc.spans`, "ents" for entities; documents without any spans may have entities in their
            place, with a warning.
    """
    export, counts = Export(path, FORMAT, spans_key), [0, 0]

    def counted() -> Iterator[Doc]:
        for doc in docs:
            counts[0] += 1
            counts[1] += len(export.annotation(doc, counts[0])[0])
            yield doc

    with replacing(path, folders=True) as (part,):
        # Not the vocabulary of the documents: they have zones of their own.
        write_docs(counted(), part, Vocab(), compressed=path.suffix == ".gz")
        if not counts[0]:
            raise BionerError(Errors.E163.format(path=path))
    export.warn_of_entities()
    return counts[0], counts[1]


def check_output(path: Path) -> None:
    """Check that a DocBin can be written to a path.

    Raises:
        BionerError: it is a folder that holds something else.
    """
    if not (path.is_dir() and all(file.suffix == ".spacy" for file in path.iterdir())):
        require_file(path)


FORMAT = Format(
    name="docbin",
    description="spaCy's DocBin, with tokens, spans and their annotation scope",
    read=read,
    write=write,
    read_texts=read_texts,
    read_docs=read_docs,
    endings=(".spacy",),
    is_folder=True,
    holds=frozenset({"scores", "overlaps", "identifiers", "infons", "passages", "meta"}),
    check_output=check_output,
)
