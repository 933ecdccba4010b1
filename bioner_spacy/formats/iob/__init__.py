"""Column files: one token per line with its tags, sentences separated by blank lines (IOB1, IOB2, IOBES, BILUO)."""

from collections.abc import Iterable
from pathlib import Path

from spacy.tokens import Doc

from ...scope import SPANS_KEY
from ..format import Format
from . import writer
from .reader import DOCSTART, read, read_texts
from .tags import SCHEMES, TagError, decode_tags, is_tag


def write(docs: Iterable[Doc], path: Path, *, spans_key: str = SPANS_KEY, columns: int = 1) -> tuple[int, int]:
    """Write a column file; every document is one sentence, under a line `-DOCSTART- (identifier)` where that changes.

    Columns are separated by tabs, tags are IOB2. Spans that overlap stand in several tag columns, the innermost in the
    first; those for which there are too few columns are left out with a warning. Tokens of whitespace are left out,
    and tokens with whitespace inside become several. The format has no room for scores and identifiers of concepts.

    Args:
        columns: number of tag columns.

    Returns:
        Numbers of documents and of mentions that are written.

    Raises:
        BionerError: `columns` is not at least 1, there is no document, one is not annotated or its scores
            are not as many as its spans, if a label has whitespace, or if a token is `-DOCSTART-`.
    """
    return writer.write(FORMAT, docs, path, spans_key, columns)


def _recognises(head: str) -> bool:
    rows = [line.split() for line in head.splitlines()[:-1][:200] if line.strip() and not line.startswith("#")]
    return bool(rows) and all(len(row) > 1 and any(map(is_tag, row)) for row in rows)


FORMAT = Format(
    name="iob",
    description="columns: one token per line with its tags (IOB1, IOB2, IOBES, BILUO), blank lines between sentences",
    read=read,
    write=write,
    read_texts=read_texts,
    endings=(".iob", ".iob2", ".bio", ".conll"),
    usual_endings=(".tsv", ".txt"),
    keeps_sentences=True,
    holds=frozenset({"overlaps"}),
    recognises=_recognises,
)

__all__ = ["DOCSTART", "FORMAT", "SCHEMES", "TagError", "decode_tags", "read", "read_texts", "write"]
