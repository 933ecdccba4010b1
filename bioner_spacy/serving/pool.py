"""A pool of workers for a run; killed workers are replaced, and their tasks repeated.

Workers are new Python processes, not started by `multiprocessing`: a fork copies locks and dead OpenMP threads, and
workers would hold each other's pipes open. A worker reads tasks from standard input and ends when that closes, so it
never outlives its parent.
"""

import os
import pickle
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any, Optional, Protocol, TypeVar, Union

from ..errors import BionerError, Errors
from .annotator import Annotator, Done, Failure, Settings

Key = TypeVar("Key")
Call = tuple[str, Any]
"""Name of a method of `Annotator`, and its arguments."""
OnProgress = Callable[[int, int], None]
ATTEMPTS = 3
"""Number of workers that a task may kill before it is bisected, and of its documents that may kill one."""

STARTS = 2
"""Number of workers that may die one after the other before they have loaded the pipeline."""

PAUSE = 0.5
"""Seconds before another attempt to start a worker."""

PATIENCE = 5.0
"""Seconds in which all threads of a closed pool may end: a worker may still wait for a place in a cluster."""


class WorkerDied(Exception):
    """A worker died during a task."""


class DiedEarly(WorkerDied):
    """A worker died before it had loaded the pipeline."""


class NoRoom(Exception):
    """A worker could not be started yet."""


class Closed(Exception):
    """The pool was closed during a task."""


class Worker(Protocol):
    """Holds an `Annotator`."""

    def do(self, call: Call, on_progress: OnProgress) -> Done:
        """Do a task; may raise `WorkerDied`, and exceptions of the method."""

    def end(self) -> None:
        """End at once."""


class Process:
    """A worker in a process on this machine."""

    def __init__(self, settings: Settings, threads: int) -> None:
        """Start the process."""
        code = f"import sys; sys.path[:] = {sys.path!r}; from bioner_spacy.serving.worker import work; work()"
        counts = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), str(threads))
        self._process = subprocess.Popen(
            [sys.executable, "-c", code],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, **counts},
            start_new_session=True,  # Ctrl-C goes to the parent, which ends its workers
        )
        self._has_loaded = False
        self._send(settings)

    def do(self, call: Call, on_progress: OnProgress) -> Done:
        """See `Worker.do`."""
        self._send(call)
        while True:
            kind, content = self._receive()
            if kind == "error":
                raise content
            if kind == "done":
                return content
            if kind == "loaded":
                self._has_loaded = True
            else:
                on_progress(*content)

    def end(self) -> None:
        """See `Worker.end`."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            with suppress(OSError):  # unsent data are lost
                if pipe is not None:
                    pipe.close()

    def _send(self, content: Any) -> None:
        try:
            data = pickle.dumps(content)
            self._process.stdin.write(len(data).to_bytes(8, "big") + data)  # type: ignore[union-attr]
            self._process.stdin.flush()  # type: ignore[union-attr]
        except OSError:
            raise self._died() from None

    def _receive(self) -> Any:
        try:
            return pickle.load(self._process.stdout)  # type: ignore[arg-type]
        except (EOFError, OSError, pickle.UnpicklingError):
            raise self._died() from None

    def _died(self) -> WorkerDied:
        status = self._process.wait()
        how = f"ended by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"
        return WorkerDied(how) if self._has_loaded else DiedEarly(how)


class Here:
    """A pool without workers: tasks are done on submission."""

    size = 1

    def __init__(self, settings: Settings) -> None:
        self.annotator = Annotator(settings)

    def submit(self, call: Call, on_progress: OnProgress) -> "Future[Done]":
        """Do a task; see `Pool.submit`."""
        self.annotator.on_progress = on_progress
        future: Future[Done] = Future()
        future.set_result(getattr(self.annotator, call[0])(*call[1]))
        return future

    def __enter__(self) -> "Here":
        return self

    def __exit__(self, *error: object) -> None:
        pass


class Pool:
    """A pool of workers, each with a thread in this process, started with its first task."""

    def __init__(self, start: Callable[[int], Worker], size: int, *, strict: bool = False) -> None:
        """Begin.

        Args:
            start: starts a worker, given its number.
            strict: whether documents that kill workers are an error instead of being left out.
        """
        self.size = size
        self._start, self._strict = start, strict
        self._tasks: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._workers: dict[int, Worker] = {}
        self._idle: set[int] = set()
        self._refused = 0
        self._closed = threading.Event()
        self._threads = [threading.Thread(target=self._deal, args=(number,), daemon=True) for number in range(size)]
        for thread in self._threads:
            thread.start()

    def submit(self, call: Call, on_progress: OnProgress) -> "Future[Done]":
        """Add a task.

        Args:
            on_progress: called by another thread with the finished documents and tokens of the task.
        """
        future: Future[Done] = Future()
        self._tasks.put((future, call, on_progress))
        return future

    def close(self) -> None:
        """End all workers; unfinished tasks are dropped."""
        self._closed.set()
        for worker in list(self._workers.values()):
            worker.end()
        for _ in self._threads:
            self._tasks.put(None)
        end = time.monotonic() + PATIENCE
        for thread in self._threads:
            thread.join(timeout=max(0.0, end - time.monotonic()))

    def __enter__(self) -> "Pool":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _deal(self, number: int) -> None:
        while (task := self._next_task(number)) is not None and not self._closed.is_set():
            future, call, on_progress = task
            try:
                future.set_result(self._do(number, call, on_progress))
            except NoRoom as error:
                self._refused += 1
                if self._workers or self._refused < ATTEMPTS * self.size:  # another one may do it, or this one later
                    self._tasks.put(task)
                    self._closed.wait(PAUSE)
                else:
                    future.set_exception(BionerError(Errors.E689.format(how=error)))
            except BaseException as error:
                future.set_exception(error)
        if worker := self._workers.pop(number, None):
            worker.end()

    def _next_task(self, number: int) -> Any:
        if number in self._workers:
            self._idle.add(number)
        task = self._tasks.get()
        self._idle.discard(number)
        return task

    def is_better_off_without(self) -> bool:
        """Whether no further worker is needed: one is idle, or the pool is closed."""
        return bool(self._idle) or self._closed.is_set()

    def _do(self, number: int, call: Call, on_progress: OnProgress) -> Done:
        """Do a task, without documents that kill workers."""
        try:
            return self._attempt(number, call, on_progress)
        except WorkerDied as died:
            how = str(died)
        with suppress(WorkerDied):
            if not self._strict and len(fatal := self._fatal(number, call, on_progress)) <= ATTEMPTS:
                method, (documents, *rest) = call
                others = [document for index, document in enumerate(documents) if index not in fatal]
                done = self._attempt(number, (method, (others, *rest)), on_progress)
                why = f"every process that annotated it {how}"
                failures = [Failure.of(documents[index], why) for index in sorted(fatal)]
                return replace(done, failures=[*done.failures, *failures])
        raise BionerError(Errors.E681.format(count=ATTEMPTS, how=how))

    def _fatal(self, number: int, call: Call, on_progress: OnProgress) -> set[int]:
        """Numbers of the documents that kill a worker by themselves, unless there are too many; parts that kill one are
        halved."""
        method, (documents, *rest) = call
        found, parts = set[int](), [(0, len(documents))]
        while parts and len(found) <= ATTEMPTS:
            start, end = parts.pop()
            if end - start == 1:
                found.add(start)
                continue
            middle = (start + end) // 2
            for part in ((start, middle), (middle, end)):
                try:
                    self._attempt(number, (method, (documents[slice(*part)], *rest)), on_progress, attempts=1)
                except WorkerDied:
                    parts.append(part)
        return found

    def _attempt(self, number: int, call: Call, on_progress: OnProgress, *, attempts: Optional[int] = None) -> Done:
        left, starts = attempts or ATTEMPTS, STARTS
        while True:
            try:
                if number not in self._workers:
                    self._workers[number] = self._start(number)
                    self._refused = 0
                if self._closed.is_set():
                    raise WorkerDied
                return self._workers[number].do(call, on_progress)
            except WorkerDied as died:
                if worker := self._workers.pop(number, None):
                    worker.end()
                if self._closed.is_set():
                    raise Closed from None
                if isinstance(died, DiedEarly):
                    starts -= 1
                else:
                    left, starts = left - 1, STARTS
                if not starts:
                    raise BionerError(Errors.E690.format(count=STARTS, how=died)) from None
                if not left:
                    raise


def process_pool(settings: Settings, n_process: int, *, apart: bool = False) -> Union[Here, Pool]:
    """A pool on this machine, with torch's threads shared by its workers; for one process, no pool.

    Args:
        apart: whether a single worker is also a separate process, so that this one survives its death.
    """
    if n_process == 1 and not apart:
        return Here(settings)
    import torch

    more, threads = torch.get_num_threads() % n_process, torch.get_num_threads() // n_process

    def start(number: int) -> Process:
        return Process(settings, max(1, threads + (number < more)))

    return Pool(start, n_process, strict=settings.strict)


def imap(
    pool: Union[Here, Pool],
    calls: Iterable[tuple[Key, Call]],
    on_progress: Callable[[Key, int, int], None],
    *,
    ordered: bool,
) -> Iterator[tuple[Key, Done]]:
    """Do tasks lazily, with few of them queued.

    Args:
        calls: the tasks, each with a key.
        on_progress: called with the key of a task and its finished documents and tokens.
        ordered: whether results come in the order of the tasks.

    Yields:
        Key and result of each task.
    """
    pending: dict[Future[Done], Key] = {}

    def results(most: int) -> Iterator[tuple[Key, Done]]:
        while len(pending) > most:
            if ordered:
                finished = [next(iter(pending))]
            else:
                wait(pending, return_when=FIRST_COMPLETED)
                finished = [future for future in pending if future.done()]
            for future in finished:
                result = future.result()
                yield pending.pop(future), result

    for key, call in calls:
        pending[pool.submit(call, partial(on_progress, key))] = key
        yield from results(2 * pool.size - 1 if pool.size > 1 else 0)
    yield from results(0)
