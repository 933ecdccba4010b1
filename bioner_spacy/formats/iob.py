"""Reader of column files: one token a line with its tags, sentences apart by blank lines (IOB2, IOBES, BILUO).

The tag schemes are those of Ratinov and Roth, "Design challenges and misconceptions in named entity recognition",
CoNLL 2009; the file layout is that of the CoNLL-2003 shared task.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Optional

from ..errors import BionerError, Errors, Warnings, warn
from ..files import BLANK, numbered_lines
from ..tokenization import detokenize
from .document import Mention, OnError, SourceDocument, stop

DOCSTART = "-DOCSTART-"

SCHEMES: dict[str, dict[str, str]] = {
    "iob2": {"B": "B", "I": "I"},
    "iobes": {"B": "B", "I": "I", "E": "E", "S": "S"},
    "biluo": {"B": "B", "I": "I", "L": "E", "U": "S"},
}
"""Prefixes of every scheme, each with its name in IOBES."""

INVALID = ("error", "begin")

OPEN_AT_START = "begins the sentence inside a mention: the sentence breaks of the file may be wrong"
OPEN_AT_END = "ends the sentence inside a mention: the sentence breaks of the file may be wrong"


class TagError(ValueError):
    """A tag that has no place in its sequence: `index` says which, the message why."""

    def __init__(self, index: int, reason: str) -> None:
        super().__init__(reason)
        self.index = index


@dataclass
class _Sentence:
    """Rows of one sentence, column by column; one is broken where a row could not be read."""

    doc_id: str
    broken: bool = False
    lines: list[int] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    tags: list[list[str]] = field(default_factory=list)


def read(
    path: Path,
    *,
    scheme: str = "auto",
    tag_columns: Optional[Sequence[int]] = None,
    default_label: Optional[str] = None,
    invalid: str = "error",
    on_error: OnError = stop,
) -> Iterator[SourceDocument]:
    """Read a column file; every sentence is one document.

    Columns are separated by tabs, or by spaces in lines without a tab. A line that begins with `-DOCSTART-` opens
    an article; sentences after it carry its identifier, or a number where it has none.

    Args:
        path: the file.
        scheme: "iob2", "iobes", "biluo", or "auto" to tell them by the prefixes that the file uses.
        tag_columns: numbers of the columns that hold tags, the token being column 0; all of them if None. Several
            columns are layers of nested mentions.
        default_label: label of tags without a type (bare `B` and `I`).
        invalid: what to do with a tag that does not continue the mention before it, or with a mention that has no
            end tag: "error", or "begin" to begin a mention there and to warn at the end.
        on_error: what to do about a row or a tag that cannot be read: raise the error, or take note of it, so that all
            of them are found in one go; the sentence is left out then.

    Yields:
        The sentences in the order of the file.

    Raises:
        BionerError: if the file is missing, empty, not UTF-8, or has a malformed line or tag, or if a setting is
            unknown.
    """
    _check_settings(scheme, invalid)
    if scheme == "auto":
        scheme = detect_scheme(path, tag_columns=tag_columns, on_error=on_error)
    repairs: list[int] = []
    number = 0
    for number, sentence in enumerate(_sentences(path, tag_columns, on_error), start=1):
        if sentence.broken:
            continue
        text, offsets = detokenize(sentence.words)
        mentions = []
        for column in sentence.tags:
            try:
                spans, repaired = decode_tags(column, scheme=scheme, default_label=default_label, invalid=invalid)
            except TagError as error:
                line = sentence.lines[error.index]
                on_error(BionerError(Errors.E106.format(path=path, line=line, reason=error)))
                break
            repairs.extend(sentence.lines[i] for i in repaired)
            for start, end, label in spans:
                mentions.append(Mention(offsets[start][0], offsets[end - 1][1], label, sentence.lines[start]))
        else:
            yield SourceDocument(
                f"{path.stem}:{number}", text, tuple(mentions), path, sentence.lines[0], sentence.doc_id
            )
    if number == 0:
        raise BionerError(Errors.E102.format(path=path))
    if repairs:
        warn(Warnings.W101.format(path=path, count=len(repairs), line=repairs[0]))


def decode_tags(
    tags: Sequence[str], *, scheme: str, default_label: Optional[str] = None, invalid: str = "error"
) -> tuple[list[tuple[int, int, str]], list[int]]:
    """Mentions of one column of tags.

    Args:
        tags: tags of the tokens of one sentence.
        scheme: "iob2", "iobes" or "biluo".
        default_label: label of tags without a type.
        invalid: "error" or "begin", as for `read`.

    Returns:
        (first token, token after the last one, label) of every mention in order, and the indices of tags that were
        read as the beginning of a mention, or as the end of one, without being it.

    Raises:
        TagError: at a tag that is unknown or, with "error", not valid where it stands.
    """
    spans: list[tuple[int, int, str]] = []
    repaired: list[int] = []

    def problem(index: int, reason: str) -> None:
        if invalid == "error":
            raise TagError(index, reason)
        repaired.append(index)

    start, label = -1, ""  # the open mention; -1: none
    for i, tag in enumerate(tags):
        prefix, new_label = _split_tag(tag, i, scheme, default_label)
        continues = prefix in ("I", "E")
        if continues and (start < 0 or new_label != label):
            problem(i, f"the tag {tag} {'does not continue the mention before it' if i else OPEN_AT_START}")
            continues, prefix = False, "B" if prefix == "I" else "S"
        elif start >= 0 and not continues and scheme != "iob2":
            problem(i, f"the mention before the tag {tag} has no end tag")
        if start >= 0 and not continues:
            spans.append((start, i, label))
            start = -1
        if prefix in ("B", "S"):
            start, label = i, new_label
        if prefix in ("E", "S"):
            spans.append((start, i + 1, label))
            start = -1
    if start >= 0:
        if scheme != "iob2":
            problem(len(tags) - 1, f"the tag {tags[-1]} {OPEN_AT_END}")
        spans.append((start, len(tags), label))
    return spans, repaired


def detect_scheme(path: Path, *, tag_columns: Optional[Sequence[int]] = None, on_error: OnError = stop) -> str:
    """Tell the tag scheme of a column file by the prefixes that it uses.

    Args:
        path: the file.
        tag_columns: as for `read`.
        on_error: as for `read`.

    Returns:
        "iobes", "biluo" or, where no tag has a prefix of those, "iob2".

    Raises:
        BionerError: if the file mixes schemes or cannot be read.
    """
    prefixes: Counter[str] = Counter()
    for sentence in _sentences(path, tag_columns, on_error):
        for column in sentence.tags:
            prefixes.update(tag.partition("-")[0] for tag in column)
    iobes, biluo = bool(prefixes["E"] or prefixes["S"]), bool(prefixes["L"] or prefixes["U"])
    if iobes and biluo:
        raise BionerError(Errors.E107.format(path=path))
    return "iobes" if iobes else "biluo" if biluo else "iob2"


def _check_settings(scheme: str, invalid: str) -> None:
    if scheme != "auto" and scheme not in SCHEMES:
        raise BionerError(Errors.E105.format(setting="scheme", value=scheme, allowed=", ".join(["auto", *SCHEMES])))
    if invalid not in INVALID:
        raise BionerError(Errors.E105.format(setting="invalid", value=invalid, allowed=", ".join(INVALID)))


def _split_tag(tag: str, index: int, scheme: str, default_label: Optional[str]) -> tuple[str, str]:
    """Prefix of a tag by its IOBES name, and its label."""
    if tag == "O":
        return "O", ""
    prefix, dash, label = tag.partition("-")
    if prefix not in SCHEMES[scheme] or (dash and not label):
        raise TagError(index, f"{tag!r} is no tag of the scheme {scheme}")
    if not dash:
        if default_label is None:
            raise TagError(index, f"the tag {tag} has no type; name one in the option default_label of the corpus")
        label = default_label
    return SCHEMES[scheme][prefix], label


def _sentences(path: Path, tag_columns: Optional[Sequence[int]], on_error: OnError) -> Iterator[_Sentence]:
    """Sentences of a column file; all rows of a file have the same number of columns."""
    sentence = _Sentence("")
    articles = width = 0
    for line, text in numbered_lines(path):
        columns = _split_columns(text)
        if (sentence.lines or sentence.broken) and (not columns or columns[0] == DOCSTART):
            yield sentence
            sentence = _Sentence(sentence.doc_id)
        if not columns:
            continue
        try:
            if columns[0] == DOCSTART:
                articles += 1
                sentence = _Sentence(_article_id(columns, path, line) or f"{path.stem}-{articles}")
                continue
            width = width or len(columns)
            _check_row(columns, width, path, line)
            _add_row(sentence, columns, tag_columns, path, line)
        except BionerError as error:
            on_error(error)
            sentence.broken = True
    if sentence.lines or sentence.broken:
        yield sentence


def _split_columns(text: str) -> list[str]:
    if not text.strip(BLANK):
        return []
    if text.startswith(DOCSTART):
        return text.split()
    return text.split("\t") if "\t" in text else re.split(" +", text.strip(" "))


def _article_id(columns: list[str], path: Path, line: int) -> str:
    """Identifier on a -DOCSTART- line, such as `-DOCSTART- (MEDLINE:123)`; empty if it only has fillers."""
    for column in columns[1:]:
        if re.match(r"[BIESLU](-|$)", column):
            raise BionerError(
                Errors.E106.format(path=path, line=line, reason=f"a {DOCSTART} line cannot have the tag {column}")
            )
        if column not in ("O", "X", "-X-", ""):
            return column.strip("()")
    return ""


def _check_row(columns: list[str], width: int, path: Path, line: int) -> None:
    if len(columns) != width or width < 2:
        raise BionerError(Errors.E104.format(path=path, line=line, count=len(columns), expected=max(width, 2)))
    if columns[0].split() != [columns[0]]:
        reason = f"the token {columns[0]!r} is empty or holds whitespace"
        raise BionerError(Errors.E106.format(path=path, line=line, reason=reason))


def _add_row(
    sentence: _Sentence, columns: list[str], tag_columns: Optional[Sequence[int]], path: Path, line: int
) -> None:
    selected = range(1, len(columns)) if tag_columns is None else tag_columns
    if any(not 0 < column < len(columns) for column in selected):
        raise BionerError(
            Errors.E105.format(setting="tag_columns", value=tag_columns, allowed=f"1 to {len(columns) - 1} in {path}")
        )
    if not sentence.tags:
        sentence.tags = [[] for _ in selected]
    sentence.lines.append(line)
    sentence.words.append(columns[0])
    for tags, column in zip(sentence.tags, selected):
        tags.append(columns[column])
