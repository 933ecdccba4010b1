"""Dynamic batching: texts of several clients are annotated by one thread."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Generic, NamedTuple, Optional, TypeVar

Result = TypeVar("Result")
logger = logging.getLogger(__name__)


class TooManyWaiting(Exception):
    """Too many texts are waiting."""


class Waiting(NamedTuple):
    """A text that waits, and the guideline that it follows, or None."""

    text: str
    guideline: Optional[str] = None


_Item = tuple[Waiting, Future[Result]]


class Batcher(Generic[Result]):
    """One thread that annotates waiting texts in batches.

    A batch is annotated when it is full or after a short wait. Requests take turns, so small ones do not wait for
    large ones.
    """

    def __init__(
        self,
        annotate: Callable[[list[Waiting]], Sequence[Result]],
        *,
        batch_size: int = 64,
        batch_characters: int = 200_000,
        wait: float = 0.005,
        max_waiting: int = 5_000,
        on_batch: Callable[[int, float], None] = lambda texts, seconds: None,
    ) -> None:
        """Create the batcher; `start` starts it.

        Args:
            annotate: annotates texts; called by the batcher's thread only.
            batch_characters: number of characters that fill a batch.
            wait: seconds that an incomplete batch waits for more texts.
            max_waiting: maximum number of waiting texts.
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
        """Annotate waiting texts, and end the thread."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._thread.join()

    @property
    def is_alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread.is_alive()

    def submit(self, texts: Sequence[Waiting]) -> "list[Future[Result]]":
        """Add the texts of one request.

        Returns:
            Futures of their results, in order; they can be cancelled.

        Raises:
            TooManyWaiting: too many texts are waiting, or the batcher was stopped.
        """
        items: list[_Item[Result]] = [(text, Future()) for text in texts]
        with self._changed:
            if self._closed or self.waiting + len(items) > self._max_waiting:
                raise TooManyWaiting
            if items:
                self._requests.append(deque(items))
                self.waiting += len(items)
                self._changed.notify_all()
        return [future for _, future in items]

    def _run(self) -> None:
        while batch := self._take():
            running = [item for item in batch if item[1].set_running_or_notify_cancel()]
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
                characters += len(batch[-1][0].text)
                if request:
                    self._requests.append(request)
            self.waiting -= len(batch)
        return batch

    def _finish(self, batch: Sequence[_Item[Result]]) -> None:
        """Set the results of a batch; if it fails, try every text separately."""
        if not batch:
            return
        try:
            results = self._annotate([text for text, _ in batch])
        except Exception as error:  # any exception of a component
            if len(batch) == 1:
                [(waiting, future)] = batch
                logger.exception("A text of %d characters cannot be annotated", len(waiting.text))
                future.set_exception(error)
                return
            for item in batch:
                self._finish([item])
        else:
            for (_, future), result in zip(batch, results, strict=True):
                future.set_result(result)
