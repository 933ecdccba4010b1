"""Texts of several clients, annotated together by one thread."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Result = TypeVar("Result")
logger = logging.getLogger(__name__)


class TooManyWaiting(Exception):
    """There is no room for further texts at the moment."""


@dataclass
class _Item(Generic[Result]):
    text: str
    future: "Future[Result]" = field(default_factory=Future)


class Batcher(Generic[Result]):
    """One thread that takes what waits and annotates it as one batch.

    A batch begins with the first text that waits and is annotated when it is full or after a short time. Requests take
    turns in it, so one of a single text does not wait for all of one with a thousand.
    """

    def __init__(
        self,
        annotate: Callable[[list[str]], Sequence[Result]],
        *,
        batch_size: int = 64,
        batch_characters: int = 200_000,
        wait: float = 0.005,
        max_waiting: int = 5_000,
        on_batch: Callable[[int, float], None] = lambda texts, seconds: None,
    ) -> None:
        """Begin; nothing runs before `start`.

        Args:
            annotate: makes the results of texts, in their order. Only the thread of the batcher calls it.
            batch_size: maximum number of texts of a batch.
            batch_characters: characters after which nothing more is taken into a batch.
            wait: seconds that an unfinished batch waits for more texts.
            max_waiting: maximum number of texts that wait.
            on_batch: called after each batch with the number of its texts and the seconds that it took.
        """
        self._annotate = annotate
        self._batch_size, self._batch_characters, self._wait = batch_size, batch_characters, wait
        self._max_waiting, self._on_batch = max_waiting, on_batch
        self._requests: deque[deque[_Item[Result]]] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="bioner-batches", daemon=True)
        self.waiting = 0

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Annotate what waits, and end the thread."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._thread.join()

    @property
    def is_alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread.is_alive()

    def submit(self, texts: Sequence[str]) -> "list[Future[Result]]":
        """Add the texts of one request.

        Args:
            texts: the texts.

        Returns:
            Their results, in their order; a text whose result is cancelled before its turn is not annotated.

        Raises:
            TooManyWaiting: there is no room for them, or the batcher was stopped.
        """
        items: list[_Item[Result]] = [_Item(text) for text in texts]
        with self._changed:
            if self._closed or self.waiting + len(items) > self._max_waiting:
                raise TooManyWaiting
            if items:
                self._requests.append(deque(items))
                self.waiting += len(items)
                self._changed.notify_all()
        return [item.future for item in items]

    def _run(self) -> None:
        while batch := self._take():
            running = [item for item in batch if item.future.set_running_or_notify_cancel()]
            start = time.perf_counter()
            self._finish(running)
            if running:
                self._on_batch(len(running), time.perf_counter() - start)

    def _take(self) -> list[_Item[Result]]:
        """The next batch; empty after the end."""
        batch: list[_Item[Result]] = []
        characters = 0
        with self._changed:
            self._changed.wait_for(lambda: self._requests or self._closed)
            self._changed.wait_for(lambda: self.waiting >= self._batch_size or self._closed, timeout=self._wait)
            while self._requests and len(batch) < self._batch_size and characters < self._batch_characters:
                request = self._requests.popleft()
                batch.append(request.popleft())
                characters += len(batch[-1].text)
                if request:
                    self._requests.append(request)
            self.waiting -= len(batch)
        return batch

    def _finish(self, batch: Sequence[_Item[Result]]) -> None:
        """Give every text of a batch its result; where the batch fails, every text is tried alone."""
        if not batch:
            return
        try:
            results = self._annotate([item.text for item in batch])
        except Exception as error:  # whatever a component of the pipeline raises
            if len(batch) == 1:
                logger.exception("A text of %d characters cannot be annotated", len(batch[0].text))
                batch[0].future.set_exception(error)
                return
            for item in batch:
                self._finish([item])
        else:
            for item, result in zip(batch, results, strict=True):
                item.future.set_result(result)
