"""File formats by name; a new format is one module with one function and one line here."""

import inspect
from collections.abc import Callable, Iterator

from . import bioc, brat, genia, iob, jsonlines, pubtator, textspans
from .document import SourceDocument

READERS: dict[str, Callable[..., Iterator[SourceDocument]]] = {
    "bioc": bioc.read,
    "brat": brat.read,
    "genia": genia.read,
    "iob": iob.read,
    "jsonlines": jsonlines.read,
    "pubtator": pubtator.read,
    "textspans": textspans.read,
}
"""Format -> `read(path, *, **options)`; the options are keyword-only arguments of the function, and so is
`on_error`, which is no option of a catalogue."""


def reader_options(format: str) -> list[str]:
    """Names of the options that the reader of a format has."""
    return [name for name in inspect.signature(READERS[format]).parameters if name not in ("path", "on_error")]


SENTENCE_FORMATS = frozenset(("genia", "iob", "jsonlines"))
"""Formats that keep sentences: every document of their readers is one."""
