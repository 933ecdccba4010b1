"""Corpora: the catalogue, readers of their file formats, and conversion from files to training data."""

from ..formats.document import Mention, SourceDocument
from .assets import Asset, fetch, verify
from .catalogue import SPLITS, Catalogue, Corpus, CorpusSet
from .catalogue_file import load_catalogue
from .convert import SplitReport, convert, convert_documents, summary, tokenizing_pipeline
from .to_doc import Issue, to_doc

__all__ = [
    "SPLITS",
    "Asset",
    "Catalogue",
    "Corpus",
    "CorpusSet",
    "Issue",
    "Mention",
    "SourceDocument",
    "SplitReport",
    "convert",
    "convert_documents",
    "fetch",
    "load_catalogue",
    "summary",
    "to_doc",
    "tokenizing_pipeline",
    "verify",
]
