"""Writers of annotated documents, in the formats that the readers of corpora read."""

from collections.abc import Callable

from . import bioc, brat, iob, jsonlines, pubtator, textspans

WRITERS: dict[str, Callable[..., None]] = {
    "bioc": bioc.write,
    "brat": brat.write,
    "iob": iob.write,
    "jsonlines": jsonlines.write,
    "pubtator": pubtator.write,
    "textspans": textspans.write,
}
"""Format -> `write(docs, path, *, spans_key, **options)`; the options are keyword-only arguments of the function."""

__all__ = ["WRITERS"]
