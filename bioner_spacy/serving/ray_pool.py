"""A pool whose workers are actors of a Ray cluster.

The process that reads the input also writes the shards: actors send theirs as bytes. So nodes need no common disk, and
a killed actor or lost node leaves no files.
"""

import logging
import re
import socket
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, Optional

from ..errors import BionerError, Errors, import_extra, reason
from ..files import replacing
from ..formats import SourceDocument
from .annotator import Annotator, Done, Settings
from .pool import Call, NoRoom, OnProgress, Pool, WorkerDied

START_SECONDS = 120.0
"""Timeouts, in seconds, for the placement and start of an actor."""

CONNECT_SECONDS = 10.0


class RayPool(Pool):
    """Actors of Ray; see `Pool`."""

    def __init__(self, settings: Settings, actors: int, address: Optional[str] = None) -> None:
        """Connect to a cluster, or start one on this machine, unless this process has one already.

        Args:
            actors: number of actors, each with one CPU, or one GPU if set.
            address: address of a cluster; None for a new one.

        Raises:
            BionerError: Ray is not installed, or the cluster cannot be reached.
        """
        ray = import_extra("ray", "ray")
        self._ray, self._connected = ray, not ray.is_initialized()
        if self._connected:
            own: dict[str, Any] = {} if address else {"num_cpus": actors, "include_dashboard": False}
            try:
                if address and (host := re.fullmatch(r"([^/:]+):(\d+)", address)):  # Ray would try for minutes
                    socket.create_connection((host[1], int(host[2])), timeout=CONNECT_SECONDS).close()
                ray.init(address=address or "local", log_to_driver=False, logging_level=logging.ERROR, **own)
            except (OSError, ValueError, RuntimeError) as error:
                raise BionerError(Errors.E688.format(address=address, reason=reason(error))) from None

        def start(number: int) -> _Actor:
            return _Actor(ray, settings, self.is_better_off_without)

        super().__init__(start, actors, strict=settings.strict)

    def close(self) -> None:
        """See `Pool.close`."""
        super().close()
        if self._connected:
            self._ray.shutdown()


class _Actor:
    """See `pool.Worker`."""

    def __init__(self, ray: ModuleType, settings: Settings, is_needless: Callable[[], bool]) -> None:
        self._ray = ray
        gpus = 1 if settings.gpu_id >= 0 else 0
        self._actor = ray.remote(num_cpus=1, num_gpus=gpus)(_Remote).remote(settings)
        ready, end = self._actor.ready.remote(), time.monotonic() + START_SECONDS
        while not ray.wait([ready], timeout=1)[0]:
            if time.monotonic() < end and not is_needless():
                continue
            self.end()
            room = "GPU" if gpus else "CPU"
            raise NoRoom(
                f"were not ready after {START_SECONDS:.0f} s, because no {room} of the Ray cluster is free or it starts them slowly"
            )

    def do(self, call: Call, on_progress: OnProgress) -> Done:
        """Do a task that writes a shard, without progress."""
        _, (documents, path) = call
        exceptions = self._ray.exceptions
        try:
            content, done = self._ray.get(self._actor.write_shard.remote(documents, path.name))
        except exceptions.RayTaskError as error:
            raise (error.cause if isinstance(error.cause, Exception) else error) from None
        except exceptions.RayError as error:
            raise WorkerDied(f"ended ({type(error).__name__})") from None
        if content:
            with replacing(path, folders=True) as (part,):
                for name, data in content.items():
                    file = part / name if name else part
                    file.parent.mkdir(parents=True, exist_ok=True)
                    file.write_bytes(data)
        return done

    def end(self) -> None:
        """See `pool.Worker`."""
        self._ray.kill(self._actor)


class _Remote:
    """The actor on its node."""

    def __init__(self, settings: Settings) -> None:
        self._annotator = Annotator(settings)

    def ready(self) -> None:
        """Return when the actor is placed."""

    def write_shard(self, documents: Sequence[SourceDocument], name: str) -> tuple[dict[str, bytes], Done]:
        """Annotate documents; return the bytes of the files instead of writing them."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, name)
            done = self._annotator.write_shard(documents, path)
            if path.is_file():
                return {"": path.read_bytes()}, done
            files = (file for file in path.rglob("*") if file.is_file())
            return {file.relative_to(path).as_posix(): file.read_bytes() for file in files}, done
