"""The PubTator format: a title, an abstract and annotations with character offsets.

The format is that of Wei, Kao and Lu, "PubTator: a web-based text mining tool for assisting biocuration", Nucleic
Acids Research 2013.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Optional

from spacy.tokens import Doc

from ..errors import BionerError, Errors
from ..files import BLANK, numbered_lines
from ..scope import SPANS_KEY
from .document import Mention, OnError, Passage, SourceDocument, each_readable, fail, stop
from .export import Annotated, Export
from .format import Format
from .standoff import IDENTIFIER, MentionBuilder, identifier_details, join_identifiers

PARTS = "individual mentions"
"""The infon of the seventh column: the mentions that a composite one is made of ("ovarian cancer|breast cancer")."""

_TEXT = re.compile(r"([^|\t]+)\|([ta])\|(.*)", re.DOTALL)
_NUMBER = re.compile(r"[0-9]{1,9}")
# Lines of relations have four columns, or five with a note; without digits, as l8 is a misread offset.
_RELATION, _RELATION_COLUMNS = re.compile(r"[A-Za-z][A-Za-z_-]*"), (4, 5)
_BREAK = re.compile(r"[\n\r\t]")


@dataclass
class _Record:
    """One record while it is read; `abstract` is None until its line is read."""

    path: Path
    line: int
    pmid: str
    title: str
    abstract: Optional[str] = None

    @property
    def text(self) -> str:
        """Title and abstract with one character between them, which is how offsets count."""
        return f"{self.title} {self.abstract}" if self.abstract else self.title

    def document(self, mentions: Iterable[Mention]) -> SourceDocument:
        passages = [Passage(0, len(self.title), "title")]
        if self.abstract:
            passages.append(Passage(len(self.title) + 1, len(self.text), "abstract"))
        pmid = self.pmid
        return SourceDocument(pmid, self.text, tuple(mentions), self.path, self.line, pmid, tuple(passages))


def read(path: Path, *, mismatch: str = "error", on_error: OnError = stop) -> Iterator[SourceDocument]:
    """Read a PubTator file; every record is one document.

    Records are separated by blank lines; a title line also begins a new record. The sixth column of annotations has
    concept identifiers. Relation lines, which name a relation where annotations have an offset, are no mentions; a
    warning counts them. The text of every annotation is compared with the text at its offsets, whitespace apart.
    All else is as for `Format.read`.

    Yields:
        The records in the order of the file. Several may have one PMID (passages of an article).
    """
    builder = MentionBuilder(path, mismatch)
    for record, rows in _records(path, on_error):
        mentions = each_readable(rows, partial(_mention, record, builder), on_error)
        yield record.document(mentions)
    builder.finish()


def read_texts(path: Path, *, on_error: OnError = stop) -> Iterator[SourceDocument]:
    """Read titles and abstracts, ignoring annotation; see `read`."""
    for record, _ in _records(path, on_error):
        yield record.document(())


def _records(path: Path, on_error: OnError) -> Iterator[tuple[_Record, list[tuple[int, str]]]]:
    """Records, each with the lines after its text."""
    record: Optional[_Record] = None
    rows: list[tuple[int, str]] = []
    empty, lost = True, False  # lost: the record that the line belongs to cannot be read
    for line, text in numbered_lines(path):
        match = _TEXT.fullmatch(text)
        blank = not text.strip(BLANK)
        if record and (blank or (match and match[2] == "t")):
            yield record, rows
            record = None
        if blank:
            lost = False
            continue
        empty = False
        if match and match[2] == "t":
            record, rows, lost = _Record(path, line, match[1], match[3]), [], False
        elif lost:
            continue
        elif record is None or match:
            try:
                _add_abstract(record, match, bool(rows), path, line)
            except BionerError as error:
                on_error(error)
                record, lost = None, True
        else:
            rows.append((line, text))
    if record:
        yield record, rows
    if empty:
        raise BionerError(Errors.E102.format(path=path))


def _add_abstract(
    record: Optional[_Record], match: Optional[re.Match[str]], late: bool, path: Path, line: int
) -> None:
    if record is None or match is None:
        fail(path, line, "a record must open with a line PMID|t|title")
    if match[1] != record.pmid:
        fail(record.path, line, f"the abstract of {match[1]} is in the record of {record.pmid}")
    if record.abstract is not None or late:
        fail(record.path, line, f"the abstract of {match[1]} must stand once, after the title")
    record.abstract = match[3]


def _is_mention(text: str, columns: list[str]) -> bool:
    """Whether a line that looks like a relation is a mention with its text before its offsets, or with a letter in the
    first offset."""
    if not _NUMBER.fullmatch(columns[2]):
        return False
    if _NUMBER.fullmatch(columns[3]) and text[int(columns[2]) : int(columns[3])] == columns[1]:
        return True
    return bool(columns[3]) and text[: int(columns[2])].endswith(columns[3])


def _mention(record: _Record, builder: MentionBuilder, row: tuple[int, str]) -> Optional[Mention]:
    """The mention of a line after the text; None for a relation, and where the mention is left out."""
    path, line, columns = record.path, row[0], row[1].split("\t")
    if columns[0] != record.pmid or len(columns) < 4:
        fail(path, line, f"neither text nor an annotation of {record.pmid} in tab-separated columns")
    if _RELATION.fullmatch(columns[1]) and len(columns) in _RELATION_COLUMNS and not _is_mention(record.text, columns):
        builder.add("relation", line)
        return None
    if not 5 <= len(columns) <= 7:
        raise BionerError(Errors.E104.format(path=path, line=line, count=len(columns), expected="5 to 7"))
    if not (_NUMBER.fullmatch(columns[1]) and _NUMBER.fullmatch(columns[2])):
        fail(path, line, f"offsets must be numbers, not {columns[1]!r} and {columns[2]!r}")
    label = columns[4].strip()
    if not label:
        fail(path, line, "an annotation needs a type")
    identifiers, infons = identifier_details(columns[5] if len(columns) > 5 else "")
    if len(columns) > 6 and columns[6].strip():
        infons[PARTS] = columns[6].strip()
    place = [(int(columns[1]), int(columns[2]))]
    return builder.mention(
        path,
        line,
        record.text,
        label=label,
        fragments=place,
        claimed=columns[3],
        identifiers=identifiers,
        infons=infons,
    )


def write(docs: Iterable[Doc], path: Path, *, spans_key: str = SPANS_KEY) -> tuple[int, int]:
    """Write a PubTator file; every document is one record.

    The title is the first of several passages of the document, or else the first line of its text; the abstract is all
    that follows. Line breaks inside of them, and tabs, are written as spaces with a warning; offsets are
    those of the text. The sixth column has concept identifiers. The format has no room for scores.

    Arguments, results and errors are those of `Format.write`. A label with a line break or a tab
    is an error.
    """
    label = r"\S(?:[^\n\r\t]*\S)?"
    export = Export(path, FORMAT, spans_key, label=label, not_in_id=r"[\s|\ufeff]", infons=(IDENTIFIER, PARTS))

    def render(document: Annotated) -> str:
        end = _title_end(document)
        between = document.text[end : end + 1]
        text = export.without(_BREAK, document, expressed=len(_BREAK.findall(between)))
        title, abstract = text[:end], text[end + 1 :]
        rows = [f"{document.id}|t|{title}", f"{document.id}|a|{abstract}"]
        text = title + " " * len(between) + abstract  # as it will be read
        for mention in document.mentions:
            columns = [document.id, str(mention.start), str(mention.end), text[mention.start : mention.end]]
            columns += [mention.label, join_identifiers(mention), str(mention.infons.get(PARTS, ""))]
            columns[5:] = [_BREAK.sub(" ", column) for column in columns[5:]]
            rows.append("\t".join(columns).rstrip("\t"))
        if len(document.passages) > 2:
            export.lose("document's passages after the second|documents' passages after the second")
        return "\n".join(rows) + "\n\n"

    return export.write_file(docs, render)


def _title_end(document: Annotated) -> int:
    """The place between title and abstract, one character; the end of the text if there is no abstract."""
    if len(document.passages) > 1 and document.passages[0].end < document.passages[1].start:
        return document.passages[0].end
    head, _, rest = document.text.partition("\n")
    return len(head) if rest else len(document.text)


def _recognises(head: str) -> bool:
    return re.match(r"\s*[^|\t\n<{\[]+\|[ta]\|", head) is not None


FORMAT = Format(
    name="pubtator",
    description="PubTator: titles and abstracts with annotations by character offsets",
    read=read,
    write=write,
    read_texts=read_texts,
    endings=(".pubtator",),
    usual_endings=(".txt", ".tsv"),
    holds=frozenset({"overlaps", "identifiers", "passages"}),
    recognises=_recognises,
)
