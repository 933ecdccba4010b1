"""Files of documents that commands read and write: DocBins, and the formats of corpora."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain, islice
from pathlib import Path
from typing import Any, Optional, TypeVar

from spacy.language import Language
from spacy.tokens import Doc
from spacy.vocab import Vocab

from ..docbin import write_docs
from ..errors import BionerError, Errors
from ..files import replacing, require_file
from ..scope import SPANS_KEY
from .readers import READERS, reader_options
from .writers import WRITERS

Item = TypeVar("Item")

TEXT = "text"
DOCBIN = "docbin"
INPUTS = (DOCBIN, *READERS)
OUTPUTS = (DOCBIN, *WRITERS)
ENDINGS = {".spacy": DOCBIN, ".jsonl": "textspans"}
"""Formats that the end of a name tells."""
ZONE_DOCUMENTS = 1000
"""Documents after which the words that came with them are forgotten."""


def choose_format(
    setting: str, value: Optional[str], path: Path, *, allowed: Iterable[str], endings: Mapping[str, str] = ENDINGS
) -> str:
    """The format of a file, as it was asked for, or else as the end of its name tells.

    Args:
        setting: name of the setting, for messages.
        value: what was asked for; None where nothing was.
        path: the file.
        allowed: names of formats.
        endings: end of a name -> format.

    Raises:
        BionerError: there is no such format, or none was asked for and the name does not tell it.
    """
    found = value or endings.get(path.suffix.lower())
    if found is None:
        raise BionerError(Errors.E166.format(path=path, setting=setting, allowed=", ".join(allowed)))
    if found not in allowed:
        raise BionerError(Errors.E105.format(setting=setting, value=found, allowed=", ".join(allowed)))
    return found


def parse_pairs(setting: str, text: str) -> dict[str, str]:
    """The value of a setting such as `A=x,B=y`.

    Raises:
        BionerError: it is not of that form, or has a name twice.
    """
    pairs = [part.partition("=") for part in text.split(",") if part.strip()]
    found = {name.strip(): value.strip() for name, sign, value in pairs if name.strip() and sign and "=" not in value}
    if len(found) < len(pairs):
        allowed = "NAME=VALUE,NAME=VALUE with each name once"
        raise BionerError(Errors.E105.format(setting=setting, value=text, allowed=allowed))
    return found


def parse_options(text: str, format: str) -> dict[str, Any]:
    """Options of the reader of a format, such as `mismatch=offsets`; numbers of columns with spaces between them.

    Raises:
        BionerError: the text is not of that form, or the reader has no such option.
    """
    known = reader_options(format) if format in READERS else []
    options: dict[str, Any] = parse_pairs("options", text)
    columns = options.get("tag_columns", "0")
    if not set(options) <= set(known) or not columns.replace(" ", "").isdecimal():
        allowed = ", ".join(known) or f"none with the format {format}"
        raise BionerError(Errors.E105.format(setting="options", value=text, allowed=allowed))
    if "tag_columns" in options:
        options["tag_columns"] = [int(column) for column in columns.split()]
    return options


def check_output(output: Path, source: Path, *, format: str, columns: Optional[int]) -> None:
    """See that a file can be written, before the work that leads to it.

    Raises:
        BionerError: it is the input, or a folder that holds something else, or there are columns in a format without.
    """
    if columns is not None and format != "iob":
        raise BionerError(Errors.E105.format(setting="columns", value=columns, allowed="only with the format iob"))
    if output.exists() and output.samefile(source):
        raise BionerError(Errors.E168.format(path=output))
    is_docbin = format == DOCBIN and output.is_dir() and all(file.suffix == ".spacy" for file in output.iterdir())
    if format != "brat" and not is_docbin:  # the writer of brat looks at its folder itself
        require_file(output)


def write(
    docs: Iterable[Doc], output: Path, *, format: str, spans_key: str = SPANS_KEY, columns: Optional[int] = None
) -> tuple[int, int]:
    """Write annotated documents, one at a time.

    Args:
        docs: the documents.
        output: the file to write; for brat, the folder; of a DocBin, a folder if it is large.
        format: "docbin", or one of `bioner_spacy.formats.writers.WRITERS`.
        spans_key: key in `doc.spans`.
        columns: tag columns, for the format iob.

    Returns:
        Numbers of documents and of their spans.

    Raises:
        BionerError: there is no document, one is not annotated, or as the writer of the format does.
    """
    counts = [0, 0]

    def counted() -> Iterator[Doc]:
        for doc in docs:
            counts[0] += 1
            if spans_key in doc.spans:
                counts[1] += len(doc.spans[spans_key])
            elif format == DOCBIN and not (doc.has_annotation("ENT_IOB") and not doc.spans):
                known = ", ".join(doc.spans) or "none"
                raise BionerError(Errors.E162.format(number=counts[0], key=spans_key, known=known))
            yield doc

    if format == DOCBIN:
        with replacing(output, folders=True) as (part,):
            write_docs(counted(), part, Vocab())  # not the vocabulary of the documents: they have zones of their own
            if not counts[0]:
                raise BionerError(Errors.E163.format(path=output))
    else:
        options: dict[str, Any] = {} if columns is None else {"columns": columns}
        WRITERS[format](counted(), output, spans_key=spans_key, **options)
    return counts[0], counts[1]


def in_zones(
    nlp: Language, items: Iterable[Item], make: Callable[[Iterable[Item]], Iterable[Doc]], size: int = ZONE_DOCUMENTS
) -> Iterator[Doc]:
    """Make documents, and forget their words every now and then, so that memory does not grow with their number.

    Args:
        nlp: the pipeline that makes them.
        items: what they are made of.
        make: makes documents of some of the items.
        size: number of items after which a memory zone of spaCy ends.

    Yields:
        The documents; each is usable until the next one is asked for.
    """
    rest = iter(items)
    for first in rest:
        with nlp.memory_zone():
            yield from make(chain([first], islice(rest, size - 1)))
