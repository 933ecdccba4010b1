"""WebAnno TSV 3, as INCEpTION and WebAnno export it: one document per file, one token per line, layers of annotations
in columns.

The header names the layers and their features in the order of the columns. A value is `_` if there is no annotation
and `*` where an annotation has no such feature; several are separated by `|`, and `[n]` says that values of several
rows are one annotation. Rows with a third number (1-4.1) are parts of a token. Offsets count UTF-16, as Java does.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, zip_longest
from pathlib import Path
from typing import Any, Optional

from ..errors import BionerError, Errors
from ..files import numbered_lines
from .document import Mention, OnError, SourceDocument, each_readable, fail, stop
from .format import Format
from .standoff import MentionBuilder

_HEAD = "#FORMAT=WebAnno TSV 3"
_LAYER = re.compile(r"#T_(SP|CH|RL)=([^|]*)\|?(.*)")
_ROW = re.compile(r"(\d+-\d+)(\.\d+)?\t(\d+)-(\d+)\t([^\t]*)(?:\t(.*))?")
_VALUE = re.compile(r"((?:\\.|[^|])+)(?:\||$)")
_NUMBERED = re.compile(r"(.*?)(?:\[(\d+)\])?", re.DOTALL)
_ESCAPED = re.compile(r"\\(.)")
_CHARACTERS = {"n": "\n", "t": "\t", "r": "\r", "f": "\f", "b": "\b"}
_TOKENS = ".segmentation."
"""Part of names of layers that annotate no mention."""


@dataclass
class _Annotation:
    """One annotation: its line, its features and their values, and for each token the places of its rows."""

    line: int
    values: Sequence[tuple[str, str]]
    tokens: dict[int, list[tuple[int, int]]] = field(default_factory=lambda: defaultdict(list))
    parts: set[int] = field(default_factory=set)

    def add(self, token: int, part: str, place: tuple[int, int]) -> None:
        """Add a row; rows of parts of a token replace that of the token itself."""
        if part and token not in self.parts:
            self.parts.add(token)
            self.tokens[token] = []
        if part or token not in self.parts:
            self.tokens[token].append(place)


def read(
    path: Path,
    *,
    type: str = "NamedEntity",
    label: str = "value",
    identifier: str = "identifier",
    mismatch: str = "error",
    on_error: OnError = stop,
) -> Iterator[SourceDocument]:
    """Read a file, which is one document. Options and other features of a mention are as for `cas.read`.

    Raises:
        BionerError: the file is missing or not in this format, a token differs from the text, or there is no such
            layer.
    """
    sheet = _Sheet(path)
    ends = [name for name in sheet.spans if name == type or name.endswith(f".{type}")]
    if not ends:
        known = ", ".join(sorted(name for name in sheet.spans if _TOKENS not in name)) or "none"
        raise BionerError(Errors.E180.format(path=path, type=type, known=known))
    builder, mentions = MentionBuilder(path, mismatch), list[Mention]()

    def make(one: _Annotation) -> Optional[Mention]:
        values = dict(one.values)
        if not values.get(label, "").strip():
            fail(path, one.line, f"the annotation has no text in its feature {label!r} (option label)")
        return builder.mention(
            path,
            one.line,
            sheet.text,
            label=values[label].strip(),
            fragments=[sheet.characters(place) for places in one.tokens.values() for place in places],
            claimed="",
            identifiers=[values[identifier]] if values.get(identifier) else [],
            infons={key: value for key, value in values.items() if value and key not in (label, identifier)},
        )

    for name, annotations in sheet.annotations():
        if name in ends:
            mentions += each_readable(annotations, make, on_error)
        elif annotations and _TOKENS not in name:
            layer = name.rpartition(".")[2]
            builder.add(f"annotation {layer}|annotations {layer}", annotations[0].line, len(annotations))
    builder.finish()
    yield sheet.document(mentions)


def read_texts(path: Path, *, on_error: OnError = stop) -> Iterator[SourceDocument]:
    """Read the text of a file, ignoring annotation; see `read`. A file that cannot be read always raises."""
    yield _Sheet(path).document([])


class _Sheet:
    """A file: its text, its layers and its rows.

    Attributes:
        spans: names of the layers of annotated spans.
        text: text of the document: sentences have their places, and line ends where nothing is known of what is
            between them.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.text = ""
        self._length = 0  # of the text, in units of UTF-16
        self._layers: list[tuple[str, str, list[str]]] = []
        self._rows: list[tuple[int, int, str, tuple[int, int], str]] = []  # with the line of the token
        lines = numbered_lines(path)
        if not next(lines, (1, ""))[1].removeprefix("\ufeff").startswith(_HEAD):
            fail(path, 1, f"it does not begin with {_HEAD!r}")
        sentence: list[str] = []
        tokens: list[tuple[int, int, str]] = []
        for line, text in lines:
            if layer := _LAYER.fullmatch(text):
                self._layers.append((layer[1], layer[2], layer[3].split("|")))
            elif text.startswith("#Text="):
                if tokens:
                    self._add_sentence(sentence, tokens)
                    sentence, tokens = [], []
                sentence.append(_unescaped(text.removeprefix("#Text=")))
            elif row := _ROW.fullmatch(text):
                place = (int(row[3]), int(row[4]))
                if not row[2]:
                    tokens.append((line, place[0], _unescaped(row[5])))
                self._rows.append((line, tokens[-1][0] if tokens else line, row[2] or "", place, row[6] or ""))
            elif text.strip() and not text.startswith("#"):
                fail(path, line, "neither a row with the number, the characters and the text of a token nor a comment")
        self._add_sentence(sentence, tokens)
        if not self._rows:
            raise BionerError(Errors.E102.format(path=path))
        units = list(accumulate((1 + (ord(char) > 0xFFFF) for char in self.text), initial=0))
        self._places = {} if units[-1] == len(self.text) else {unit: place for place, unit in enumerate(units)}
        self.spans = [name for kind, name, _ in self._layers if kind == "SP"]

    def characters(self, place: tuple[int, int]) -> tuple[int, int]:
        """Character offsets from UTF-16 offsets; outside of the text if these are, or if they cut a character."""
        if not self._places:
            return place
        return self._places.get(place[0], -1), self._places.get(place[1], -1)

    def document(self, mentions: Sequence[Mention]) -> SourceDocument:
        """The document. Exports have a folder for each document, named after it, with a file for each annotator."""
        folder, name = self.path.parent.name, self.path.name.removesuffix(".gz").removesuffix(".tsv")
        doc_id = f"{folder}:{name}" if "." in folder else name
        return SourceDocument("document", self.text, tuple(mentions), self.path, 1, doc_id)

    def annotations(self) -> Iterator[tuple[str, list[_Annotation]]]:
        """Name and annotations of every layer."""
        width, rows = sum(len(features) for _, _, features in self._layers), []
        for line, token, part, place, columns in self._rows:
            values = columns.split("\t")
            if len(values) < width:
                fail(self.path, line, f"{len(values)} columns of annotations where the header has {width} features")
            rows.append((line, token, part, place, values))
        start = 0
        for _, name, features in self._layers:
            found: dict[tuple[Any, ...], _Annotation] = {}
            for line, token, part, place, values in rows:
                own = [_values(value) for value in values[start : start + len(features)]]
                for index, stacked in enumerate(zip_longest(*own, fillvalue=("", ""))):
                    number = next((number for _, number in stacked if number), "")
                    key = (number,) if number else (token, part, index)
                    one = _Annotation(line, list(zip(features, (value for value, _ in stacked))))
                    found.setdefault(key, one).add(token, part, place)
            yield name, list(found.values())
            start += len(features)

    def _add_sentence(self, lines: Sequence[str], tokens: Sequence[tuple[int, int, str]]) -> None:
        """Place a sentence at its tokens, and check that they are there."""
        if not tokens:
            return
        sentence = "\n".join(lines)
        line, start, token = tokens[0]
        start -= _units(sentence[: max(sentence.find(token), 0)])
        if start < self._length:
            fail(self.path, line, "the sentence begins before the end of the last one")
        self.text += "\n" * (start - self._length) + sentence
        self._length = start + _units(sentence)
        place, at = 0, start
        for line, begin, token in tokens:
            found = sentence.find(token, place)
            at += _units(sentence[place:found])
            if found < 0 or at != begin:
                fail(self.path, line, f"the token {token!r} is not at character {begin} of the text")
            place, at = found + len(token), at + _units(token)


def _values(column: str) -> list[tuple[str, str]]:
    """Values of a feature, each with the number of its annotation, empty where it has none."""
    found = []
    for part in _VALUE.findall(column):
        value, number = _NUMBERED.fullmatch(part).groups(default="")  # type: ignore[union-attr]
        if value != "_":
            found.append(("" if value == "*" else _unescaped(value), number))
    return found


def _unescaped(text: str) -> str:
    return _ESCAPED.sub(lambda match: _CHARACTERS.get(match[1], match[1]), text)


def _units(text: str) -> int:
    """Length in UTF-16."""
    return len(text) + sum(char > "\uffff" for char in text)


FORMAT = Format(
    name="webanno",
    description="WebAnno TSV 3 (INCEpTION, WebAnno): one document per file",
    read=read,
    read_texts=read_texts,
    usual_endings=(".tsv",),
    holds=frozenset({"overlaps", "identifiers", "infons"}),
    recognises=lambda head: head.startswith(_HEAD),
)
