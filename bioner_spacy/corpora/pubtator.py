"""Reader of the PubTator format: a title, an abstract and annotations with character offsets.

The format is that of Wei, Kao and Lu, "PubTator: a web-based text mining tool for assisting biocuration", Nucleic
Acids Research 2013.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn, Optional

from ..errors import BionerError, Errors, Warnings, warn
from .document import Mention, SourceDocument
from .files import BLANK, numbered_lines

_TEXT = re.compile(r"([^|\t]+)\|([ta])\|(.*)", re.DOTALL)
_NUMBER = re.compile(r"[0-9]{1,9}")
_RELATION = re.compile(r"[A-Za-z][\w-]*")

MISMATCH = ("error", "offsets")


@dataclass
class _Record:
    """One record while it is read; `abstract` is None until its line has come."""

    path: Path
    line: int
    pmid: str
    title: str
    abstract: Optional[str] = None
    mentions: list[Mention] = field(default_factory=list)

    @property
    def text(self) -> str:
        """Title and abstract with one character between them, which is how offsets count."""
        return f"{self.title} {self.abstract}" if self.abstract else self.title


def read(path: Path, *, mismatch: str = "error") -> Iterator[SourceDocument]:
    """Read a PubTator file; every record is one document.

    Records are apart by blank lines; a title line opens a new record too. Relation lines, which name a relation
    where annotations have an offset, are no mentions and are left out. The text of every annotation is compared
    with the text at its offsets.

    Args:
        path: the file.
        mismatch: what to do with an annotation whose text is not the one at its offsets, spaces at its ends apart:
            "error", or "offsets" to believe the offsets and to warn at the end.

    Yields:
        The records in the order of the file. Several may have one PMID (passages of an article).

    Raises:
        BionerError: if the file is missing, empty, not UTF-8, or has a malformed line, or if an annotation's text
            is not the one at its offsets.
    """
    if mismatch not in MISMATCH:
        raise BionerError(Errors.E105.format(setting="mismatch", value=mismatch, allowed=", ".join(MISMATCH)))
    record: Optional[_Record] = None
    empty = True
    mismatches: list[int] = []
    for line, text in numbered_lines(path):
        match = _TEXT.fullmatch(text)
        blank = not text.strip(BLANK)
        if record and (blank or (match and match[2] == "t")):
            yield _finish(record)
            record = None
        if blank:
            continue
        empty = False
        if match and match[2] == "t":
            record = _Record(path, line, match[1], match[3])
        elif record is None:
            _fail(path, line, "a record must open with a line PMID|t|title")
        elif match:
            _add_abstract(record, match, line)
        else:
            columns = text.split("\t")
            if not _is_relation(record, columns, line) and not _add_mention(record, columns, line):
                mismatches.append(line)
                if mismatch == "error":
                    _fail(path, line, f"the annotation {columns[3]!r} is not the text at its offsets")
    if record:
        yield _finish(record)
    if empty:
        raise BionerError(Errors.E102.format(path=path))
    if mismatches:
        warn(Warnings.W102.format(path=path, count=len(mismatches), line=mismatches[0]))


def _fail(path: Path, line: int, reason: str) -> NoReturn:
    raise BionerError(Errors.E106.format(path=path, line=line, reason=reason))


def _finish(record: _Record) -> SourceDocument:
    return SourceDocument(
        record.pmid, record.text, tuple(record.mentions), record.path, record.line, doc_id=record.pmid
    )


def _add_abstract(record: _Record, match: re.Match[str], line: int) -> None:
    if match[1] != record.pmid:
        _fail(record.path, line, f"the abstract of {match[1]} stands in the record of {record.pmid}")
    if record.abstract is not None or record.mentions:
        _fail(record.path, line, f"the abstract of {match[1]} must stand once, after the title")
    record.abstract = match[3]


def _is_relation(record: _Record, columns: list[str], line: int) -> bool:
    """Whether a line after the text is a relation line, which names the relation in place of an offset."""
    if columns[0] != record.pmid or len(columns) < 4:
        _fail(record.path, line, f"neither text nor an annotation of {record.pmid} in tab-separated columns")
    return _RELATION.fullmatch(columns[1]) is not None


def _add_mention(record: _Record, columns: list[str], line: int) -> bool:
    """Add the mention of an annotation line and tell whether its text is the one at its offsets.

    Spaces at the ends of the text column do not count: files have more of them than the offsets say.
    """
    if not 5 <= len(columns) <= 7:
        raise BionerError(Errors.E104.format(path=record.path, line=line, count=len(columns), expected="5 to 7"))
    if not (_NUMBER.fullmatch(columns[1]) and _NUMBER.fullmatch(columns[2])):
        _fail(record.path, line, f"offsets must be numbers, not {columns[1]!r} and {columns[2]!r}")
    start, end, label = int(columns[1]), int(columns[2]), columns[4].strip()
    if not start < end <= len(record.text):
        _fail(record.path, line, f"characters {start} to {end} of a text of {len(record.text)} characters")
    if not label:
        _fail(record.path, line, "an annotation needs a type")
    record.mentions.append(Mention(start, end, label, line))
    return record.text[start:end].strip() == columns[3].strip()
