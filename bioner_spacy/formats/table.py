"""Tables in CSV, TSV or Parquet: of texts to annotate, one per row, and of mentions, one per row."""

import csv
import io
import json
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Optional

from spacy.tokens import Doc

from ..errors import BionerError, Errors, check_setting, import_extra
from ..files import lines_with_ends, open_bytes, replacing
from ..scope import SPANS_KEY
from .document import OnError, Passage, SourceDocument, fail, join_passages, require_some, stop
from .export import Annotated, Export
from .format import Format, plain_name
from .json_records import IDS
from .ledger import RepeatedIds
from .spreadsheet import cell
from .standoff import join_identifiers

COLUMNS = ("document", "passage", "section", "start", "end", "text", "type", "score", "flat", "identifiers")
"""Columns of a table of mentions."""

ROWS = 1000
"""Rows of a Parquet file that are in memory at once when it is read."""

_GROUP = 50_000
"""Rows of a group of a Parquet file that is written."""

_PARQUET = b"PAR1"
_DELIMITERS = ",\t;|"


def read(
    path: Path,
    *,
    text: Sequence[str] = ("text",),
    id: Optional[str] = None,
    quotes: bool = True,
    on_error: OnError = stop,
) -> Iterator[SourceDocument]:
    """Read a table of texts, one document per row; a row without a text is an empty document.

    Files are Parquet by their content, else CSV or TSV in UTF-8, whose first row has the names of the columns, apart
    by commas, tabs, semicolons or bars. Other columns are kept for the output. All else is as for `Format.read`.

    Args:
        text: columns of the text; of several, each is a passage called as its column.
        id: column of the identifier; None for the first of document, doc_id, id, pmid and PMID that is there.
        quotes: whether values may be in double quotes, with delimiters and line breaks in them; in TSV without, quotes
            are characters as others.

    Raises:
        BionerError: the file is missing, empty, no such table, has no such column or one twice, or a row has not
            as many values as there are columns. Quotes that are not closed always raise.
    """
    with open_bytes(path) as file:
        is_parquet = file.read(len(_PARQUET)) == _PARQUET
    if not is_parquet and plain_name(path).endswith(".parquet"):
        raise BionerError(Errors.E118.format(path=path, kind="Parquet", reason="it does not begin as one"))
    rows = _parquet_rows(path, text, id) if is_parquet else _csv_rows(path, text, id, quotes, on_error)
    ids = RepeatedIds(path)
    for line, key, row in require_some(path, rows):
        try:
            document = _document(path, line, row, text, key)
        except BionerError as error:
            on_error(error)
        else:
            ids.add(document.doc_id, line)
            yield document
    ids.finish()


def _document(
    path: Path, line: int, row: dict[str, Any], columns: Sequence[str], key: Optional[str]
) -> SourceDocument:
    parts: list[tuple[str, str, dict[str, Any]]] = []
    for column in columns:
        value = row.get(column)
        value = "" if value is None or value != value else value  # as pandas has missing texts: NaN
        if not isinstance(value, str):
            fail(path, line, f"the value of the column {column} is no text but of the type {type(value).__name__}")
        parts.append((column, value, {}))
    text, passages = (parts[0][1], ()) if len(parts) == 1 else join_passages(parts)
    doc_id = _plain_id(row.get(key)) if key else ""
    meta = {name: _as_json(value) for name, value in row.items() if name not in (*columns, key)}
    meta = {name: value for name, value in meta.items() if value not in (None, "")}
    return SourceDocument(doc_id or f"{path.stem}:{line}", text, (), path, line, doc_id, passages, meta)


def _plain_id(value: Any) -> str:
    """An identifier as a string; whole numbers without the decimal point that pandas adds if some are missing."""
    if value is None or value != value:
        return ""
    return str(int(value) if isinstance(value, float) and value.is_integer() else value).strip()


def _as_json(value: Any) -> Any:
    """A value as JSON can hold it: None for NaN, and a string for other types, such as dates."""
    if value != value:
        return None
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError):
        return str(value)
    return value


_SHOWN = 50
"""Number of characters of a column's name in a message; in files of another kind it may be a whole text."""


def _key(path: Path, names: Sequence[str], text: Sequence[str], id: Optional[str]) -> Optional[str]:
    """The column of the identifiers.

    Raises:
        BionerError: a column that is needed is not there, or is there twice.
    """
    if set(COLUMNS) <= set(names) and "text" in text:
        fail(path, 1, "a table of mentions, which has no texts to annotate")
    for option, column in (*(("text", column) for column in text), *([("id", id)] if id else [])):
        if column not in names:
            known = ", ".join(str(name)[:_SHOWN] for name in names) or "none"
            raise BionerError(Errors.E178.format(path=path, column=column, option=option, known=known))
    key = id or next((name for name in ("document", *IDS) if name in names), None)
    for column in (*text, *([key] if key else [])):
        if names.count(column) > 1:
            fail(path, 1, f"there are {names.count(column)} columns called {column}")
    return key


def _csv_rows(
    path: Path, text: Sequence[str], id: Optional[str], quotes: bool, on_error: OnError
) -> Iterator[tuple[int, Optional[str], dict[str, Any]]]:
    lines = lines_with_ends(path)
    head = next(((number, line) for number, line in lines if line.strip()), None)
    if head is None:
        return

    def reader(lines: Iterable[str], delimiter: str) -> Any:
        return csv.reader(
            lines, delimiter=delimiter, quoting=csv.QUOTE_MINIMAL if quotes else csv.QUOTE_NONE, strict=True
        )

    def names_by(delimiter: str) -> list[str]:
        try:
            return [name.strip() for name in next(reader([head[1]], delimiter))]
        except csv.Error:  # a name of several lines
            return []

    likely = max(_DELIMITERS, key=head[1].count)
    delimiter = next((one for one in _DELIMITERS if set(text) <= set(names_by(one))), likely)
    rows = reader((line for lines in ([head], lines) for _, line in lines), delimiter)
    names: list[str] = []
    key, line = None, head[0]
    while (row := _next_row(rows, path, line)) is not None:
        first, line = line, head[0] + rows.line_num
        if not names:
            names = [name.strip() for name in row]
            key = _key(path, names, text, id)
        elif len(row) == len(names):
            yield first, key, dict(zip(names, row))
        elif row:
            expected = str(len(names))
            on_error(BionerError(Errors.E104.format(path=path, line=first, count=len(row), expected=expected)))


def _next_row(rows: Any, path: Path, line: int) -> Optional[list[str]]:
    """The next row, with values of any length; the limit, which is that of the whole process, is restored."""
    before = csv.field_size_limit(2**31 - 1)
    try:
        return next(rows, None)
    except csv.Error as error:  # what follows cannot be trusted
        fail(
            path, line, f"not a valid row ({error}); where double quotes are no marks, set the option quotes to false"
        )
    finally:
        csv.field_size_limit(before)


def _parquet() -> Any:
    import_extra("pyarrow.parquet", "tables")
    return import_extra("pyarrow", "tables")


def _parquet_rows(
    path: Path, text: Sequence[str], id: Optional[str]
) -> Iterator[tuple[int, Optional[str], dict[str, Any]]]:
    arrow = _parquet()
    with open_bytes(path) as file:
        try:
            table = arrow.parquet.ParquetFile(file)
            key = _key(path, table.schema_arrow.names, text, id)
            number = 0
            for batch in table.iter_batches(batch_size=ROWS):
                for row in batch.to_pylist():
                    number += 1
                    yield number, key, row
        except (arrow.ArrowException, OSError, UnicodeDecodeError) as error:
            reason = str(error).partition("\n")[0]
            raise BionerError(Errors.E118.format(path=path, kind="Parquet", reason=reason)) from None


def write(docs: Iterable[Doc], path: Path, *, spans_key: str = SPANS_KEY) -> tuple[int, int]:
    """Write a table of mentions: Parquet where the name ends in .parquet, TSV where it ends in .tsv, else CSV.

    The rows are in the order of the documents, and have its identifier, the type of the passage in which the mention
    begins, the section that this is in, start and end in the text of the document, its text, entity type and score,
    whether it is in the flat view, and the identifiers of its concepts with semicolons between them. Documents without
    mentions have no row. In CSV and TSV, texts are on one line, and one that a spreadsheet would take for a formula
    has an apostrophe before it.

    Arguments, results and errors are those of `Format.write`.
    """
    export, name = Export(path, FORMAT, spans_key), plain_name(path)
    if name.endswith(".parquet"):
        _write_parquet(export, docs)
        return export.finish()

    def lines(rows: Iterable[Sequence[Any]]) -> str:
        text = io.StringIO()
        csv.writer(text, delimiter="\t" if name.endswith(".tsv") else ",", lineterminator="\n").writerows(rows)
        return text.getvalue()

    def render(document: Annotated) -> str:
        return lines([cell(value) if isinstance(value, str) else value for value in row] for row in _rows(document))

    return export.write_file(docs, render, head=lines([COLUMNS]))


def _rows(document: Annotated) -> Iterator[tuple[Any, ...]]:
    passages = [Passage(0, 0, ""), *document.passages]
    starts = [passage.start for passage in passages]
    for mention in document.mentions:
        start, end, text = mention.start, mention.end, document.text[mention.start : mention.end]
        passage = passages[bisect_right(starts, start) - 1]
        section = str((passage.infons or {}).get("section", ""))
        about = (text, mention.label, mention.score, mention.flat, join_identifiers(mention))
        yield document.id, passage.type, section, start, end, *about


def _write_parquet(export: Export, docs: Iterable[Doc]) -> None:
    arrow = _parquet()
    allowed = "a name that ends in .parquet: these files are compressed already"
    check_setting("output", str(export.path), allowed, export.path.suffix != ".gz")
    numbers: Mapping[str, Callable[[], Any]] = {
        **dict.fromkeys(("start", "end"), arrow.int64),
        "score": arrow.float64,
        "flat": arrow.bool_,
    }
    schema = arrow.schema([(name, numbers.get(name, arrow.string)()) for name in COLUMNS])
    rows: list[tuple[Any, ...]] = []
    with replacing(export.path) as (part,), arrow.parquet.ParquetWriter(part, schema) as file:

        def flush() -> None:
            file.write_table(arrow.table([list(column) for column in zip(*rows)], schema=schema))
            rows.clear()

        for document in export.documents(docs):
            rows += _rows(document)
            if len(rows) >= _GROUP:
                flush()
        if rows:
            flush()


def _recognises(head: str) -> bool:
    return head.startswith(_PARQUET.decode())


FORMAT = Format(
    name="table",
    description="CSV, TSV or Parquet: reads tables of texts to annotate, writes tables of mentions",
    read=read,
    write=write,
    endings=(".csv", ".tsv", ".parquet"),
    is_annotated=False,
    holds=frozenset({"scores", "overlaps", "identifiers", "passages"}),
    recognises=_recognises,
)
