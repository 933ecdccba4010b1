"""Progress of a run: finished documents and tokens, share of the input, rate, and remaining time."""

import sys
import threading
import time
from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any, Optional

from tqdm import tqdm

from ..errors import check_setting, counted
from ..files import bytes_read
from ..formats import SourceDocument

MODES = ("none", "bar", "log")
LOG_SECONDS = 30.0


class Progress:
    """Shows the progress of a run, relative to the size of the input."""

    def __init__(self, mode: Optional[str], total: int, *, before: int = 0) -> None:
        """Begin.

        Args:
            mode: one of `MODES`; None for a bar on a terminal only.
            total: bytes of the input.
            before: bytes done by an earlier start.

        Raises:
            BionerError: the mode is unknown.
        """
        check_setting("progress", mode, MODES, mode in (None, *MODES))
        self._mode = mode or ("bar" if sys.stderr.isatty() else "none")
        self._total, self._before = total, before
        self._documents = self._tokens = self._read = self._skipped = self._bytes = 0
        self._running: dict[Any, tuple[int, int]] = {}
        self._lock = threading.Lock()
        self._start = self._logged = time.monotonic()
        self._bar: Optional[tqdm] = None

    def __enter__(self) -> "Progress":
        self._read_before = bytes_read()
        if self._mode == "bar":
            form = "{percentage:3.0f}%|{bar}| {desc} [{elapsed}<{remaining}]"
            total = self._before + self._total
            self._bar = tqdm(total=total, initial=self._before, bar_format=form, dynamic_ncols=True)
        return self

    def __exit__(self, *error: object) -> None:
        if not error[0]:
            self._show(1.0, last=True)
        if self._bar is not None:
            self._bar.close()

    def reading(self, documents: Iterable[SourceDocument]) -> Iterator[SourceDocument]:
        """Pass documents of the input on, and count them."""
        for document in documents:
            self.has_read(1)
            yield document

    def has_read(self, documents: int, done: bool = False) -> None:
        """Record that documents were read; `done`: by an earlier start."""
        self._read += documents
        self._skipped += documents * done
        self._bytes = bytes_read() - self._read_before

    def running(self, task: Any, documents: int, tokens: int) -> None:
        """Record the progress of a task; it falls when a task is repeated."""
        with self._lock:
            self._running[task] = (documents, tokens)
            done = self._skipped + self._documents + sum(documents for documents, _ in self._running.values())
            self._show(min(1.0, self._bytes / self._total * done / self._read) if self._total and self._read else 0.0)

    def finished(self, task: Any, documents: int, tokens: int) -> None:
        """Record that a task is done."""
        self.running(task, documents, tokens)
        with self._lock:
            del self._running[task]
            self._documents, self._tokens = self._documents + documents, self._tokens + tokens

    def _show(self, share: float, last: bool = False) -> None:
        now = time.monotonic()
        documents = self._documents + sum(documents for documents, _ in self._running.values())
        tokens = self._tokens + sum(tokens for _, tokens in self._running.values())
        seconds = now - self._start
        text = f"{counted(documents, 'document')}, {counted(tokens, 'token')}, {documents / max(seconds, 1e-9):,.1f} documents/s"
        if self._bar is not None:
            self._bar.n = self._before + int(share * self._total)
            self._bar.set_description_str(text, refresh=last)
            self._bar.update(0)
        elif self._mode == "log" and (last or now - self._logged >= LOG_SECONDS):
            self._logged = now
            done = (self._before + share * self._total) / max(self._before + self._total, 1)
            left = f", {timedelta(seconds=round(seconds / share - seconds))} left" if share and not last else ""
            sys.stderr.write(f"{text}{f', {done:.0%} of the input' if share else ''}{left}\n")
            sys.stderr.flush()
