"""The declaration of a file format, from which commands and the catalogue know it."""

import inspect
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any, Optional, Union, get_args, get_origin, get_type_hints

from spacy.tokens import Doc
from spacy.vocab import Vocab

from ..errors import BionerError, Errors
from ..files import require_file
from .document import SourceDocument

HOLDS = ("scores", "overlaps", "identifiers", "infons", "discontinuous", "passages", "meta")
"""What a format may hold besides texts, document identifiers and labelled mentions."""

_NO_OPTIONS = ("path", "on_error", "docs", "spans_key")


@dataclass(frozen=True)
class Format:
    """One file format, complete.

    A module of this package declares its format as `FORMAT`; other packages name theirs in the entry point group
    `bioner_spacy_formats`.

    Attributes:
        name: its name in settings and commands.
        description: what it is, in a few words.
        read: `read(path, *, on_error, **options)`, which yields documents in the order of the file. `on_error` is what
            to do about a part of it that cannot be read: raise the error, or take note of it, so that all of them are
            found in one go; it is left out then. Options are its keyword-only parameters; where there is `mismatch`,
            it is what to do with an annotation whose text is not the one at its offsets: "error"; "offsets" to believe
            the offsets, and leave out what is outside of the text; or "drop" to leave out both. A warning counts them.
            It raises a `BionerError` if the file is missing, empty, not UTF-8 or not of the format.
        write: `write(docs, path, *, spans_key, **options)`, which writes a file (or folder) of annotated documents
            whole or not at all, and returns the numbers of documents and of mentions that it has written. It raises a
            `BionerError` if there is no document, if one is not annotated or its scores are not as many as its spans,
            or if a label is empty or has whitespace at an end. None if the format is only read.
        read_texts: as `read`, for texts to annotate: it looks at no annotation, so that none can stop it. It has
            `on_error`, and may have a part of the options. None: `read` is used, and mentions that it cannot read are
            left out.
        read_docs: `read_docs(path, vocab)`, which yields documents with tokens and spans, for formats that hold these.
        endings: ends of names that say that a file is of this format.
        usual_endings: further ends of names of such files, which other formats have too. In a folder they are read.
        folder_endings: ends of names of files in a folder that say that the folder is of this format.
        is_folder: whether a document, or a whole corpus, is a folder; else a folder is read file by file.
        keeps_sentences: whether every document is one sentence.
        is_annotated: whether it holds annotation at all; else there are texts in it and nothing to convert or to train
            on.
        holds: which of `HOLDS` it can hold.
        recognises: whether a text looks like the beginning of a file of this format; only messages depend on it. None:
            it cannot be seen.
        check_output: raises an error if a path is not one to write to, before the work that leads to it.
    """

    name: str
    description: str
    read: Callable[..., Iterator[SourceDocument]]
    write: Optional[Callable[..., tuple[int, int]]] = None
    read_texts: Optional[Callable[..., Iterator[SourceDocument]]] = None
    read_docs: Optional[Callable[[Path, Vocab], Iterator[Doc]]] = None
    endings: tuple[str, ...] = ()
    usual_endings: tuple[str, ...] = ()
    folder_endings: tuple[str, ...] = ()
    is_folder: bool = False
    keeps_sentences: bool = False
    is_annotated: bool = True
    holds: frozenset[str] = frozenset()
    recognises: Optional[Callable[[str], bool]] = None
    check_output: Callable[[Path], None] = require_file

    @cached_property
    def reader_options(self) -> Mapping[str, "Option"]:
        """Options of the reader by name."""
        return MappingProxyType(_options(self.read))

    @cached_property
    def text_options(self) -> Mapping[str, "Option"]:
        """Options of reading texts only."""
        return MappingProxyType(_options(self.read_texts or self.read))

    @cached_property
    def writer_options(self) -> Mapping[str, "Option"]:
        """Options of the writer by name."""
        return MappingProxyType(_options(self.write) if self.write else {})

    def written(self, docs: Iterable[Doc], path: Path, **options: Any) -> tuple[int, int]:
        """Write documents, see `write`.

        Raises:
            BionerError: the format is only read, or as its writer does.
        """
        if self.write is None:
            raise BionerError(
                Errors.E301.format(setting="format", value=self.name, allowed="formats that can be written")
            )
        return self.write(docs, path, **options)

    def has_ending(self, path: Path) -> bool:
        """Whether the name of a file has an ending of this format, apart from `.gz`."""
        return plain_name(path).endswith((*self.endings, *self.usual_endings))


def plain_name(path: Path) -> str:
    """Name of a file in lower case, without `.gz`."""
    return path.name.lower().removesuffix(".gz")


@dataclass(frozen=True)
class Option:
    """An option of a reader or writer.

    Attributes:
        name: its name.
        item: type of its value, or of each of several values: `str`, `int` or `bool`.
        many: whether it has several values.
    """

    name: str
    item: type
    many: bool

    @property
    def wanted(self) -> str:
        """What a value must be, in words."""
        one = {str: "text", int: "number", bool: "true or false"}[self.item]
        return f"a list of {one}s" if self.many else one if self.item is bool else f"a {one}"

    def accepts(self, value: Any) -> bool:
        """Whether a value from YAML has the type of the option."""
        values = value if self.many else [value]
        return isinstance(values, list) and bool(values) and all(type(part) is self.item for part in values)

    def parse(self, text: str) -> Any:
        """Parse a value from the command line. Several values are separated by spaces; a space in one of them is
        escaped by a backslash.

        Raises:
            ValueError: the text is none of the type of the option.
        """
        parts = [text]
        if self.many:
            parts = [part.replace("\\ ", " ") for part in re.split(r"(?<!\\)\s+", text.strip()) if part]
        values = [(_truth if self.item is bool else self.item)(part) for part in parts]
        if not values:
            raise ValueError(text)
        return values if self.many else values[0]


def _truth(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise ValueError(text)
    return text.lower() == "true"


def _options(function: Callable[..., Any]) -> dict[str, Option]:
    hints = get_type_hints(function)
    names = [
        name
        for name, parameter in inspect.signature(function).parameters.items()
        if parameter.kind is parameter.KEYWORD_ONLY and name not in _NO_OPTIONS
    ]
    return {name: _option(name, hints.get(name, str)) for name in names}


def _option(name: str, hint: Any) -> Option:
    if get_origin(hint) is Union:  # Optional
        hint = next(part for part in get_args(hint) if part is not type(None))
    many = get_origin(hint) in (list, tuple, Sequence)
    item = get_args(hint)[0] if many else hint
    return Option(name, item if item in (int, bool) else str, many)
