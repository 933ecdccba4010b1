"""One line of a file of JSON lines; what is wrong with it is told with its number."""

import json
from pathlib import Path
from typing import Any, NoReturn

from ..errors import BionerError, Errors


class JsonLine:
    """A line that holds one JSON object.

    Args:
        path: the file.
        line: number of the line, from 1.
    """

    def __init__(self, path: Path, line: int) -> None:
        self.path = path
        self.line = line

    def fail(self, reason: str) -> NoReturn:
        """Raise a `BionerError` that names file and line."""
        raise BionerError(Errors.E106.format(path=self.path, line=self.line, reason=reason))

    def record(self, text: str) -> dict[str, Any]:
        """The object; an error if the text is none."""
        try:
            record = json.loads(text)
            if "\\u" in text:  # an escape may be half of a surrogate pair, which no UTF-8 file can hold
                json.dumps(record, ensure_ascii=False).encode("utf-8")
        except (ValueError, RecursionError) as error:
            self.fail(f"not valid JSON ({error})")
        if not isinstance(record, dict):
            self.fail("a JSON object is needed")
        return record

    def identifier(self, record: dict[str, Any], key: str) -> str:
        """A value that is a string or a whole number, as a string; empty where there is none."""
        value = record.get(key, "")
        if not isinstance(value, (str, int)):
            self.fail(f"{key} must be a string")
        return str(value)
