"""BioC, in XML and in JSON: collections of documents, passages and annotations with infons."""

from collections.abc import Iterable
from pathlib import Path

from spacy.tokens import Doc

from ...scope import SPANS_KEY
from ..format import Format
from . import writer
from .reader import read, read_texts


def write(docs: Iterable[Doc], path: Path, *, spans_key: str = SPANS_KEY) -> tuple[int, int]:
    """Write a BioC file, JSON where its name ends in .json, else XML.

    Documents have the passages that their source distinguished, with their infons, or else one passage without a type;
    an annotation is in the passage that it begins in. Annotations have their entity type in the infon `type`,
    their score, where they are predicted, in the infon `score`, their concept identifiers in the infons of their
    source or in `identifier`. What a collection and a document say about themselves is kept. Characters that XML does
    not have are written as spaces with a warning; offsets are those of the text.

    Arguments, results and errors are those of `Format.write`. A label with a character that XML does
    not have is an error in XML.
    """
    return writer.write(FORMAT, docs, path, spans_key)


def _recognises(head: str) -> bool:
    if head.lstrip().startswith("<"):
        return "<collection" in head and "<bibliomisc" not in head
    return (
        head.lstrip().startswith(("{", "["))
        and ('"documents"' in head or '"passages"' in head and '"offset"' in head)
        and '"offsets"' not in head
    )


FORMAT = Format(
    name="bioc",
    description="BioC in XML or JSON: documents of passages with annotations, also responses of PubTator 3",
    read=read,
    write=write,
    read_texts=read_texts,
    usual_endings=(".xml", ".json", ".jsonl"),
    holds=frozenset({"scores", "overlaps", "identifiers", "infons", "discontinuous", "passages", "meta"}),
    recognises=_recognises,
)

__all__ = ["FORMAT", "read", "read_texts", "write"]
