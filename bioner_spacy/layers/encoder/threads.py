"""Threads that compute side by side with torch, which releases Python's lock, one core each."""

import functools
import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch

Item = TypeVar("Item")
Result = TypeVar("Result")


def map_threads(function: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
    """Results of a function for each item, in order, computed by as many threads as torch uses, which are kept.

    Args:
        function: called in threads in which torch uses one core, with the gradient mode of the caller.
    """
    grad, inference = torch.is_grad_enabled(), torch.is_inference_mode_enabled()

    def call(item: Item) -> Result:
        with torch.inference_mode(inference), torch.set_grad_enabled(grad):
            return function(item)

    # A forked process has none of the threads of its parent.
    return list(_pool(os.getpid(), torch.get_num_threads()).map(call, items))


@functools.lru_cache(maxsize=1)
def _pool(process: int, n_threads: int) -> ThreadPoolExecutor:
    """Threads in which torch, and the libraries that it calls, may start no further threads."""
    ready = threading.Barrier(n_threads + 1)

    def begin() -> None:
        torch.set_num_threads(1)
        # A thread keeps the number that is set when it first computes, which must be before it is reset below.
        torch.zeros(2**16).add_(1.0)
        ready.wait()

    pool = ThreadPoolExecutor(n_threads, thread_name_prefix="bioner-encoder", initializer=begin)
    for _ in range(n_threads):
        pool.submit(int)
    ready.wait()
    # The number of the calling thread has not changed, but that of future threads has.
    torch.set_num_threads(n_threads)
    return pool
