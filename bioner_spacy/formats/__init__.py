"""File formats: one module per format, and shared parts.

A module declares its format as `FORMAT`. Packages add formats by the entry point group `bioner_spacy_formats`, and
code by `register`.
"""

from .document import Mention, Passage, SourceDocument
from .format import Format, Option
from .reading import read_documents, read_texts
from .registry import all_formats, get_format, register

__all__ = [
    "Format",
    "Mention",
    "Option",
    "Passage",
    "SourceDocument",
    "all_formats",
    "get_format",
    "read_documents",
    "read_texts",
    "register",
]
