"""BioC, in XML and in JSON: collections of documents, passages and annotations with infons."""

from ..format import Format
from .reader import read, read_texts
from .writer import write


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
