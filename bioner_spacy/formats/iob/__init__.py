"""Column files: one token per line with its tags, sentences separated by blank lines (IOB1, IOB2, IOBES, BILUO)."""

from ..format import Format
from .reader import DOCSTART, read, read_texts
from .tags import SCHEMES, TagError, decode_tags, is_tag
from .writer import write


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
