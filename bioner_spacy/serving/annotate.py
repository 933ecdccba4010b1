"""`bioner_spacy.annotate` and `to_dataframe`: texts in Python, or tables of them, for notebooks."""

from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Any, Optional, Union

from spacy.language import Language
from spacy.tokens import Doc

from ..errors import BionerError, Errors, check_list, check_number, check_setting, import_extra, reason
from ..scope import SPANS_KEY, get_doc_id
from ..scoring.evaluate import load_pipeline, require_length
from .mentions import Known, choose, find_mentions, predicted_spans, with_guideline


def annotate(
    texts: Any,
    pipeline: Union[str, Path, Language],
    *,
    text_column: str = "text",
    id_column: Optional[str] = None,
    types: Optional[Collection[str]] = None,
    threshold: float = 0.0,
    spans_key: str = SPANS_KEY,
    guideline: Optional[str] = None,
    batch_size: Optional[int] = None,
    n_process: int = 1,
    gpu_id: int = -1,
) -> Any:
    """Annotate texts.

    Args:
        texts: texts or documents that are not annotated yet, such as a list or a column of a table; or a table (a data
            frame of pandas, polars, or another that narwhals knows), which needs the extra `frames`.
        pipeline: a loaded pipeline, or the folder or package name of one.
        text_column: column of a table with the texts; rows without a text have no mentions.
        id_column: column of a table with identifiers of its rows; None for row numbers, from 0.
        types: entity types to keep; None for all.
        threshold: minimum score of mentions, if they have one.
        spans_key: key in `doc.spans`; "ents" for the entities.
        guideline: corpus whose guideline to follow; None for none, or for that of each document.
        batch_size: texts per batch; None for the setting of the pipeline.
        gpu_id: number of the GPU, -1 for the CPU; ignored for a loaded pipeline.

    Returns:
        For texts, an iterator of documents, with mentions in `doc.spans[spans_key]` and `doc.ents`. For a table, a
        table of the same library with one row per mention: document, start, end (in characters), text, type, score,
        and flat (whether it is in `doc.ents`, where no mentions overlap).

    Raises:
        BionerError: the pipeline cannot be loaded or finds no entities, a column is missing, or a value is not a text.
    """
    is_one = isinstance(texts, (str, bytes, Doc))
    are_many = not is_one and any(hasattr(type(texts), name) for name in ("__iter__", "__getitem__", "columns"))
    check_setting("texts", texts[:20] if is_one else texts, "a list of texts or a table", are_many)
    check_number("threshold", threshold, 0, 1)
    check_number("n_process", 1 if n_process == -1 else n_process, 1)  # -1: all cores, as in spaCy
    check_number("batch_size", 1 if batch_size is None else batch_size, 1)
    check_list("types", types, "entity types")
    nlp = load_pipeline(pipeline, gpu_id=gpu_id)
    chosen = None if types is None else frozenset(types)
    Known.of(nlp).require(chosen, guideline)

    def docs(given: Iterable[Any], name: str) -> Iterator[Doc]:
        piped = nlp.pipe(_checked(nlp, given, name, guideline), batch_size=batch_size, n_process=n_process)
        for doc in piped:
            predicted_spans(doc, spans_key, nlp.meta["name"])
            choose(doc, chosen, threshold, spans_key)
            yield doc

    if not hasattr(type(texts), "columns"):
        return docs(texts, "texts")
    frame = _frame(texts)
    for column in filter(None, (text_column, id_column)):
        if column not in frame.columns:
            raise BionerError(Errors.E523.format(what="column", name=column, known=", ".join(map(str, frame.columns))))
    given = frame[text_column]
    missing = given.is_null().to_list()
    texts = ["" if is_missing else text for text, is_missing in zip(given.to_list(), missing)]
    ids = frame[id_column].to_list() if id_column else range(len(texts))
    id_type = frame.schema[id_column] if id_column else None
    return _table(frame.implementation, zip(ids, docs(texts, text_column)), id_type, spans_key)


def to_dataframe(docs: Iterable[Doc], *, spans_key: str = SPANS_KEY, library: str = "pandas") -> Any:
    """A table of the mentions of annotated documents, which needs the extra `frames`.

    Args:
        docs: documents of a pipeline.
        spans_key: key in `doc.spans`; "ents" for the entities.
        library: "pandas", "polars", or another that narwhals can make a table of.

    Returns:
        A table with the columns of `annotate`; documents without an identifier have their number, from 0.

    Raises:
        BionerError: a document has no mentions under the key because no pipeline wrote them, one is not a document,
            or there is no such library or extra.
    """
    narwhals = import_extra("narwhals", "frames")
    check_setting("docs", docs, "a list of documents", not isinstance(docs, (str, Doc)))
    try:
        narwhals.from_dict({}, {}, backend=library)
    except (TypeError, ValueError, ImportError) as error:
        check_setting("library", library, f"pandas, polars, or another that narwhals knows ({reason(error)})", False)

    def numbered() -> Iterator[tuple[str, Doc]]:
        for number, doc in enumerate(docs):
            check_setting(f"docs[{number}]", doc, "a document that a pipeline returned", isinstance(doc, Doc))
            yield get_doc_id(doc) or str(number), doc

    return _table(library, numbered(), narwhals.String(), spans_key)


def _checked(nlp: Language, texts: Iterable[Any], name: str, guideline: Optional[str]) -> Iterator[Union[str, Doc]]:
    for row, text in enumerate(texts):
        if not isinstance(text, (str, Doc)):
            raise BionerError(Errors.E672.format(row=row, column=name, kind=type(text).__name__))
        if isinstance(text, str):
            require_length(nlp, text, f"Row {row} of {name}")
        if guideline is not None:  # otherwise the processes tokenise
            text = with_guideline(nlp.make_doc(text) if isinstance(text, str) else text, guideline)
        yield text


def _frame(table: Any) -> Any:
    """A table as narwhals has it, all of it in memory."""
    narwhals = import_extra("narwhals", "frames")
    try:
        frame = narwhals.from_native(table)
    except TypeError:
        kind = type(table).__name__
        raise BionerError(
            Errors.E301.format(setting="texts", value=kind, allowed="a table that narwhals knows")
        ) from None
    return frame.collect() if isinstance(frame, narwhals.LazyFrame) else frame


def _table(library: Any, docs: Iterable[tuple[Any, Doc]], id_type: Any, spans_key: str) -> Any:
    """A table of mentions, of a library as narwhals names it."""
    import narwhals

    schema = {
        "document": id_type or narwhals.Int64(),
        "start": narwhals.Int64(),
        "end": narwhals.Int64(),
        "text": narwhals.String(),
        "type": narwhals.String(),
        "score": narwhals.Float64(),
        "flat": narwhals.Boolean(),
    }
    columns: dict[str, list[Any]] = {name: [] for name in schema}
    for doc_id, doc in docs:
        for mention in find_mentions(doc, spans_key):
            text = doc.text[mention.start : mention.end]
            row = (doc_id, mention.start, mention.end, text, mention.label, mention.score, mention.flat)
            for column, value in zip(columns.values(), row):
                column.append(value)
    return narwhals.from_dict(columns, schema, backend=library).to_native()
