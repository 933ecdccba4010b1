"""Reader of column files: one token per line with its tags, sentences separated by blank lines.

The file layout is that of the CoNLL-2003 shared task.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Optional

from ...errors import BionerError, Errors, Warnings, check_setting, warn
from ...files import BLANK, numbered_lines
from ...tokenization import detokenize
from ..document import Mention, OnError, SourceDocument, fail, require_some, stop
from .tags import SCHEMES, TagError, decode_tags, find_scheme, is_tag

DOCSTART = "-DOCSTART-"

INVALID = ("error", "begin")

_MEDLINE = re.compile(r"###([A-Za-z]+:\S+)\s*")
"""What opens an article in the original files of JNLPBA."""

_COMMENTED_ID = re.compile(r"\W*(?:newdoc id|doc_id|document_id)\s*=\s*(\S.*?)\s*")
"""What a comment says that names the document of the sentences after it, as in CoNLL-U."""

_FILLERS = ("-X-", "_")
"""What columns without a value hold."""


@dataclass
class _Sentence:
    """Rows of one sentence, column by column; one is broken where a row could not be read."""

    doc_id: str
    broken: bool = False
    lines: list[int] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    tags: list[list[str]] = field(default_factory=list)


def read(
    path: Path,
    *,
    scheme: str = "auto",
    tag_columns: Optional[Sequence[int]] = None,
    token_column: int = 0,
    comments: Optional[str] = None,
    default_label: Optional[str] = None,
    invalid: str = "error",
    on_error: OnError = stop,
) -> Iterator[SourceDocument]:
    """Read a column file; every sentence is one document.

    Columns are separated by tabs, or by spaces in lines without a tab. A line that begins with `-DOCSTART-` opens
    an article, and so does one such as `###MEDLINE:123`; sentences after it carry its identifier, or a number where it
    has none and there are several such lines. All else is as for `Format.read`.

    Args:
        scheme: "iob2", "iob1", "iobes", "biluo", or "auto" to see it from the prefixes that the file uses and from how
            its mentions begin.
        tag_columns: numbers of the columns that hold tags, from 0, or from -1 backwards; all but that of the token if
            None. Several columns are layers of nested mentions.
        token_column: number of the column that holds the token.
        comments: what comment lines begin with, such as "#"; None if there are none.
        default_label: label of tags without a type (bare `B` and `I`).
        invalid: what to do with a tag that does not continue the mention before it, or with a mention that has no
            end tag: "error", or "begin" to begin a mention there and to warn at the end.
    """
    check_setting("scheme", scheme, ["auto", *SCHEMES])
    check_setting("invalid", invalid, INVALID)
    rows = _Rows(path, token_column, tag_columns, comments)
    if scheme == "auto":
        scheme = rows.scheme()
    repairs: list[int] = []
    for number, sentence in enumerate(require_some(path, rows.sentences(on_error)), start=1):
        if sentence.broken:
            continue
        text, offsets = detokenize(sentence.tokens)
        mentions = []
        for column in sentence.tags:
            try:
                spans, repaired = decode_tags(column, scheme=scheme, default_label=default_label, invalid=invalid)
            except TagError as error:
                line = sentence.lines[error.index]
                on_error(BionerError(Errors.E135.format(path=path, line=line, reason=error)))
                break
            repairs.extend(sentence.lines[i] for i in repaired)
            for start, end, label in spans:
                mentions.append(Mention(offsets[start][0], offsets[end - 1][1], label, sentence.lines[start]))
        else:
            yield _document(path, number, sentence, text, mentions)
    if repairs:
        warn(Warnings.W101.format(path=path, count=len(repairs), line=repairs[0]))


def read_texts(
    path: Path, *, token_column: int = 0, comments: Optional[str] = None, on_error: OnError = stop
) -> Iterator[SourceDocument]:
    """Read the sentences of a column file, ignoring other columns; see `read`."""
    errors: list[BionerError] = []
    rows = _Rows(path, token_column, (), comments)
    for number, sentence in enumerate(require_some(path, rows.sentences(errors.append)), start=1):
        if sentence.broken:
            on_error(errors.pop(0))
            errors.clear()
            continue
        yield _document(path, number, sentence, detokenize(sentence.tokens)[0], [])


def _document(path: Path, number: int, sentence: _Sentence, text: str, mentions: Sequence[Mention]) -> SourceDocument:
    name = f"{path.stem}:{number}"
    return SourceDocument(name, text, tuple(mentions), path, sentence.lines[0], sentence.doc_id)


class _Rows:
    """Rows of a column file. A first pass finds how many columns they have, because one odd row must not decide it.

    Args:
        token_column: as for `read`.
        tag_columns: as for `read`; none to look at no tags, and to take rows of any number of columns.
        comments: as for `read`.
    """

    def __init__(
        self, path: Path, token_column: int, tag_columns: Optional[Sequence[int]], comments: Optional[str]
    ) -> None:
        self.path = path
        self.token_column = token_column
        self.tag_columns = tag_columns
        self.comments = comments
        widths: Counter[int] = Counter()
        self.articles = 0
        for _, text in numbered_lines(path):
            if comments is not None and text.startswith(comments):  # or a token like one, as wide as the others
                continue
            columns = _split_columns(text)
            self.articles += _opens_article(columns)
            if columns and not _opens_article(columns):
                widths[len(columns)] += 1
        self.width = max(widths, key=lambda width: (widths[width], width > 1), default=0)

    def scheme(self) -> str:
        """The scheme of all tags."""
        found = find_scheme(tags for sentence in self.sentences(lambda error: None) for tags in sentence.tags)
        if found is None:
            raise BionerError(Errors.E107.format(path=self.path))
        return found

    def sentences(self, on_error: OnError) -> Iterator[_Sentence]:
        """The sentences; all rows have the same number of columns where tags are read."""
        sentence = _Sentence("")
        articles = 0
        for line, text in numbered_lines(self.path):
            columns = _split_columns(text)
            if self._is_comment(columns, text):
                if named := _COMMENTED_ID.fullmatch(text):
                    if sentence.lines or sentence.broken:
                        yield sentence
                    sentence = _Sentence(named[1])
                continue
            opens = _opens_article(columns)
            if (sentence.lines or sentence.broken) and (not columns or opens):
                yield sentence
                sentence = _Sentence(sentence.doc_id)
            if not columns:
                continue
            try:
                if opens:
                    articles += 1
                    number = f"{self.path.stem}-{articles}" if self.articles > 1 else ""
                    sentence = _Sentence(_article_id(columns, self.path, line) or number)
                else:
                    self._add_row(sentence, columns, line)
            except _ColumnsError as error:
                raise BionerError(str(error)) from None  # it is that of all rows
            except BionerError as error:
                on_error(error)
                sentence.broken = True
        if sentence.lines or sentence.broken:
            yield sentence

    def _is_comment(self, columns: list[str], text: str) -> bool:
        """Whether a line is a comment; the row of a token that looks like one has as many columns as others, the last a
        tag."""
        if self.comments is None or not text.startswith(self.comments):
            return False
        return len(columns) != self.width or not is_tag(columns[-1])

    def _add_row(self, sentence: _Sentence, columns: list[str], line: int) -> None:
        place, width = {"path": self.path, "line": line}, len(columns)
        looks_at_tags = self.tag_columns is None or self.tag_columns
        if looks_at_tags and (width != self.width or width < 2):
            raise BionerError(Errors.E138.format(**place, count=width, expected=max(self.width, 2)))
        token_column = self._column("token_column", self.token_column, width)
        token = columns[token_column]
        if token.split() != [token]:
            fail(self.path, line, f"the token {token!r} is empty or holds whitespace")
        selected: Sequence[int] = [column for column in range(width) if column != token_column]
        if self.tag_columns is not None:
            selected = [self._column("tag_columns", column, width) for column in self.tag_columns]
            if token_column in selected:
                raise _ColumnsError(Errors.E136.format(path=self.path, column=token_column))
        elif width > 2:
            self._check_unnamed(columns, selected, line)
        if not sentence.tags:
            sentence.tags = [[] for _ in selected]
        sentence.lines.append(line)
        sentence.tokens.append(token)
        for tags, column in zip(sentence.tags, selected):
            tags.append("O" if columns[column] in _FILLERS else columns[column])

    def _column(self, setting: str, column: int, width: int) -> int:
        if not -width <= column < width:
            allowed = f"0 to {width - 1}, or -1 to -{width}, in {self.path}"
            raise _ColumnsError(Errors.E301.format(setting=setting, value=column, allowed=allowed))
        return column % width

    def _check_unnamed(self, columns: list[str], selected: Sequence[int], line: int) -> None:
        """If columns are not named, all must hold tags; one error reports this for the whole file."""
        for column in selected:
            if not is_tag(columns[column]) and columns[column] not in _FILLERS:
                tags = [other for other in selected if is_tag(columns[other])]
                wanted = tags[-1] if tags else "-1"
                place = {"path": self.path, "line": line, "column": column, "value": columns[column]}
                raise _ColumnsError(Errors.E137.format(**place, wanted=wanted))


class _ColumnsError(BionerError):
    """Columns that are not as the options say, for all rows of a file."""


def _split_columns(text: str) -> list[str]:
    if not text.strip(BLANK):
        return []
    if text.startswith(DOCSTART) or _MEDLINE.fullmatch(text):
        return text.split()
    if "\t" not in text:
        return re.split(" +", text.strip(" "))
    token, *others = text.split("\t")
    return [token, *(column.strip(" ") for column in others)]


def _opens_article(columns: list[str]) -> bool:
    return bool(columns) and (columns[0] == DOCSTART or (len(columns) == 1 and bool(_MEDLINE.fullmatch(columns[0]))))


def _article_id(columns: list[str], path: Path, line: int) -> str:
    """Identifier on a line that opens a document, such as `-DOCSTART- (MEDLINE:123)`; empty if it only has fillers."""
    if match := _MEDLINE.fullmatch(columns[0]):
        return match[1]
    for column in columns[1:]:
        if re.match(r"[BIESLU](-|$)", column):
            fail(path, line, f"a {DOCSTART} line cannot have the tag {column}")
        if column not in ("O", "X", *_FILLERS, ""):
            return column.strip("()")
    return ""
