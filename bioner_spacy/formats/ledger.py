"""What a reader recognises in a file and does not keep: counted, and reported in one warning."""

from pathlib import Path
from typing import Union

from ..errors import Warnings, warn


class Ledger:
    """Counts of one file by kind, with the first place of each.

    Args:
        path: the file or folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._counts: dict[str, int] = {}
        self._first: dict[str, Union[int, str]] = {}

    def add(self, kind: str, line: Union[int, str]) -> None:
        """Count one thing.

        Args:
            kind: what it is, in the plural ("relations").
            line: its line, or in a folder its line and its file ("3 of a.ann").
        """
        self._counts[kind] = self._counts.get(kind, 0) + 1
        self._first.setdefault(kind, line)

    def finish(self) -> None:
        """Warn of what was counted, if there was anything."""
        if self._counts:
            kinds = (f"{count} {kind} (first in line {self._first[kind]})" for kind, count in self._counts.items())
            warn(Warnings.W107.format(path=self.path, what=", ".join(kinds)))
