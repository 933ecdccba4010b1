"""Records of JSON files: one per line, in an array, or one after the other over several lines."""

import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Any, NoReturn, Optional

from ..errors import BionerError, Errors
from ..files import numbered_lines, whole_text
from .document import fail, require_some

IDS = ("doc_id", "id", "pmid", "PMID", "sourceid")
"""Keys of identifiers of documents, in a record or in its `meta`."""

NOT_ACCEPTED = (
    "document that was rejected or ignored when it was annotated (answer)"
    "|documents that were rejected or ignored when they were annotated (answer)"
)
"""Documents from which nothing can be learnt, for a ledger."""

_BLANKS = re.compile(r"[ \t\r\n]*")


class JsonRecord:
    """One record of a file, or a part of the file that is not a record.

    Args:
        line: number of its first line, from 1.
        text: the record as the file has it.
    """

    def __init__(self, path: Path, line: int, text: str) -> None:
        self.path = path
        self.line = line
        self.text = text

    @property
    def name(self) -> str:
        """Name of its document in messages."""
        return f"{self.path.stem}:{self.line}"

    def fail(self, reason: str) -> NoReturn:
        """Raise a `BionerError` that names file and line."""
        fail(self.path, self.line, reason)

    def value(self) -> Any:
        """Value of the record; an error if it is not valid JSON."""
        try:
            value = json.loads(self.text, parse_constant=constant)
            if "\\u" in self.text:  # an escape may be half of a surrogate pair, which no UTF-8 file can hold
                json.dumps(value, ensure_ascii=False).encode("utf-8")
        except (ValueError, RecursionError) as error:
            self.fail(f"not valid JSON ({error})")
        return value

    def object(self) -> dict[str, Any]:
        """The record as an object; an error if it is not one."""
        value = self.value()
        if not isinstance(value, dict):
            self.fail("a JSON object is needed")
        return value

    def identifier(self, record: Mapping[str, Any], key: Optional[str] = None) -> tuple[str, str]:
        """The identifier of a document, and the key that it is under, both empty if there is none.

        Args:
            key: its key, with a dot before a key of an object in it ("meta.pmid"); None for any of `IDS`.

        Raises:
            BionerError: it is neither a text nor a number.
        """
        meta = record.get("meta")
        inner = [f"meta.{name}" for name in IDS] if isinstance(meta, dict) else []
        for name in [key] if key else [*IDS, *inner]:
            value: Any = record
            for part in name.split("."):
                value = value.get(part) if isinstance(value, dict) else None
            if isinstance(value, float) and math.isfinite(value) and value.is_integer():
                value = int(value)  # as pandas writes it where some are missing
            if value is None or value == "" or (isinstance(value, float) and math.isnan(value)):
                continue
            if isinstance(value, bool) or not isinstance(value, str | int | float):
                self.fail(f"{name} must be a string")
            return str(value), name
        return "", ""


def score_of(value: Mapping[str, Any]) -> Optional[float]:
    """The score of a span, if it has one."""
    score = value.get("score")
    return float(score) if isinstance(score, int | float) and not isinstance(score, bool) else None


def constant(name: str) -> Optional[str]:
    """What is read for NaN, Infinity and -Infinity, as pandas and others write them, which are no JSON to write again:
    a missing value, or their name."""
    return None if name == "NaN" else name


def json_records(path: Path) -> Iterator[JsonRecord]:
    """The records of a file in order. Files with one record per line are read line by line, others whole.

    Raises:
        BionerError: the file is missing, holds no record, is not UTF-8, or is an array that is not valid JSON.
    """
    lines = ((number, text) for number, text in numbered_lines(path) if text.strip())
    first = next(lines, None)
    records: Iterable[JsonRecord] = ()
    if first is not None:
        by_lines = _is_by_lines(first[1])
        records = (JsonRecord(path, *line) for line in chain([first], lines)) if by_lines else _whole(path)
    yield from require_some(path, records)


def _is_by_lines(text: str) -> bool:
    """Whether the first line is a complete record, or at least not the beginning of one."""
    try:
        value = json.loads(text)
    except RecursionError:
        return True
    except ValueError as error:
        # What breaks off at its end may go on in the next line.
        return getattr(error, "pos", 0) < len(text.rstrip())
    return not isinstance(value, list) or (bool(value) and isinstance(value[0], str))


def _whole(path: Path) -> Iterator[JsonRecord]:
    text = whole_text(path).removeprefix("\ufeff")
    decoder = json.JSONDecoder()
    place = _skip(text, 0)
    is_array = text.startswith("[", place)
    place = _skip(text, place + is_array)
    line, counted = 1, 0  # line of the position counted so far
    while place < len(text) and not (is_array and text.startswith("]", place)):
        line, counted = line + text.count("\n", counted, place), place
        try:
            _, end = decoder.raw_decode(text, place)
        except (ValueError, RecursionError) as error:
            where, reason = getattr(error, "lineno", line), getattr(error, "msg", str(error))
            raise BionerError(Errors.E106.format(path=path, line=where, reason=f"not valid JSON ({reason})")) from None
        yield JsonRecord(path, line, text[place:end])
        place = _skip(text, end)
        if is_array and text.startswith(",", place):
            place = _skip(text, place + 1)
        elif is_array and not text.startswith("]", place):
            fail(path, line, "not valid JSON (the array does not end here, and no comma follows)")


def _skip(text: str, place: int) -> int:
    match = _BLANKS.match(text, place)
    return match.end() if match else place
