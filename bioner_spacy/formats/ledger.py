"""Count what a reader recognises in a file but does not keep, and report it in one warning."""

from pathlib import Path
from typing import Union

from ..errors import Warnings, counted, warn


class Ledger:
    """Counts of one file by kind, with the first place of each."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._counts: dict[str, int] = {}
        self._first: dict[str, Union[int, str]] = {}

    def add(self, kind: str, line: Union[int, str], count: int = 1) -> None:
        """Count one thing, or several.

        Args:
            kind: what it is ("relation"), with its plural behind a bar if that is not one with an s.
            line: its line, or in a folder its line and its file ("3 of a.ann").
        """
        if count:
            self._counts[kind] = self._counts.get(kind, 0) + count
            self._first.setdefault(kind, line)

    def finish(self) -> None:
        """Warn of what was counted, if there was anything."""
        if self._counts:
            found = (f"{named(kind, self._counts[kind])} (first in line {line})" for kind, line in self._first.items())
            warn(Warnings.W107.format(path=self.path, what=", ".join(found)))


def named(kind: str, count: int) -> str:
    """A number of a kind, which is as for `Ledger.add`: "1 list of references"."""
    return counted(count, *kind.partition("|")[::2])


class RepeatedIds:
    """Count documents with repeated identifiers, and report them in one warning."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._known: set[str] = set()
        self._repeated: list[tuple[str, int]] = []

    def add(self, doc_id: str, line: int) -> None:
        """Take note of a document; one without an identifier repeats none."""
        if doc_id in self._known:
            self._repeated.append((doc_id, line))
        elif doc_id:
            self._known.add(doc_id)

    def finish(self) -> None:
        """Warn of what was repeated, if anything was."""
        if self._repeated:
            doc_id, line = self._repeated[0]
            warn(Warnings.W114.format(path=self.path, count=len(self._repeated), doc_id=doc_id, line=line))
