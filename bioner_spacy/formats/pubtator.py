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
from ..files import BLANK, numbered_lines
from .document import Mention, OnError, Passage, SourceDocument, stop

_TEXT = re.compile(r"([^|\t]+)\|([ta])\|(.*)", re.DOTALL)
_NUMBER = re.compile(r"[0-9]{1,9}")
# Lines of relations have four columns, or five with a note; without digits, as l8 is a misread offset.
_RELATION, _RELATION_COLUMNS = re.compile(r"[A-Za-z][A-Za-z_-]*"), (4, 5)

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

    @property
    def passages(self) -> tuple[Passage, ...]:
        title = Passage(0, len(self.title), "title")
        return (title, Passage(title.end + 1, len(self.text), "abstract")) if self.abstract else (title,)


def read(path: Path, *, mismatch: str = "error", on_error: OnError = stop) -> Iterator[SourceDocument]:
    """Read a PubTator file; every record is one document.

    Records are apart by blank lines; a title line opens a new record too. Relation lines, which name a relation
    where annotations have an offset, are no mentions and are left out. The text of every annotation is compared
    with the text at its offsets.

    Args:
        path: the file.
        mismatch: what to do with an annotation whose text is not the one at its offsets, spaces at its ends apart:
            "error", or "offsets" to believe the offsets and to warn at the end.
        on_error: what to do about a record or an annotation that cannot be read: raise the error, or take note of it, so
            that all of them are found in one go; it is left out then.

    Yields:
        The records in the order of the file. Several may have one PMID (passages of an article).

    Raises:
        BionerError: if the file is missing, empty, not UTF-8, or has a malformed line, or if an annotation's text
            is not the one at its offsets.
    """
    if mismatch not in MISMATCH:
        raise BionerError(Errors.E105.format(setting="mismatch", value=mismatch, allowed=", ".join(MISMATCH)))
    record: Optional[_Record] = None
    empty, lost = True, False  # lost: the record that the line belongs to cannot be read
    mismatches: list[int] = []
    for line, text in numbered_lines(path):
        match = _TEXT.fullmatch(text)
        blank = not text.strip(BLANK)
        if record and (blank or (match and match[2] == "t")):
            yield _finish(record)
            record = None
        if blank:
            lost = False
            continue
        empty = False
        if match and match[2] == "t":
            record, lost = _Record(path, line, match[1], match[3]), False
        elif lost:
            continue
        elif record is None or match:
            try:
                _add_abstract(record, match, path, line)
            except BionerError as error:
                on_error(error)
                record, lost = None, True
        else:
            try:
                if not _add_annotation(record, text.split("\t"), line, mismatch):
                    mismatches.append(line)
            except BionerError as error:
                on_error(error)
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
        record.pmid,
        record.text,
        tuple(record.mentions),
        record.path,
        record.line,
        doc_id=record.pmid,
        passages=record.passages,
    )


def _add_abstract(record: Optional[_Record], match: Optional[re.Match[str]], path: Path, line: int) -> None:
    if record is None or match is None:
        _fail(path, line, "a record must open with a line PMID|t|title")
    if match[1] != record.pmid:
        _fail(record.path, line, f"the abstract of {match[1]} stands in the record of {record.pmid}")
    if record.abstract is not None or record.mentions:
        _fail(record.path, line, f"the abstract of {match[1]} must stand once, after the title")
    record.abstract = match[3]


def _is_mention(text: str, columns: list[str]) -> bool:
    """Whether what looks like a relation is a mention, with its text before its offsets or a word for the first of them."""
    if not _NUMBER.fullmatch(columns[2]):
        return False
    if _NUMBER.fullmatch(columns[3]) and text[int(columns[2]) : int(columns[3])] == columns[1]:
        return True
    return bool(columns[3]) and text[: int(columns[2])].endswith(columns[3])


def _add_annotation(record: _Record, columns: list[str], line: int, mismatch: str) -> bool:
    """Add the mention of a line after the text, and tell whether its text is the one at its offsets.

    A relation line, which names the relation in place of an offset, adds nothing. Spaces at the ends of the text column
    do not count: files have more of them than the offsets say.
    """
    if columns[0] != record.pmid or len(columns) < 4:
        _fail(record.path, line, f"neither text nor an annotation of {record.pmid} in tab-separated columns")
    if _RELATION.fullmatch(columns[1]) and len(columns) in _RELATION_COLUMNS and not _is_mention(record.text, columns):
        return True
    if not 5 <= len(columns) <= 7:
        raise BionerError(Errors.E104.format(path=record.path, line=line, count=len(columns), expected="5 to 7"))
    if not (_NUMBER.fullmatch(columns[1]) and _NUMBER.fullmatch(columns[2])):
        _fail(record.path, line, f"offsets must be numbers, not {columns[1]!r} and {columns[2]!r}")
    start, end, label = int(columns[1]), int(columns[2]), columns[4].strip()
    if not start < end <= len(record.text):
        _fail(record.path, line, f"characters {start} to {end} of a text of {len(record.text)} characters")
    if not label:
        _fail(record.path, line, "an annotation needs a type")
    same = record.text[start:end].strip() == columns[3].strip()
    if not same and mismatch == "error":
        _fail(record.path, line, f"the annotation {columns[3]!r} is not the text at its offsets")
    record.mentions.append(Mention(start, end, label, line))
    return same
