"""Layers: forward and backward passes; torch is used here and nowhere else."""

from multiprocessing import current_process
from multiprocessing.util import register_after_fork
from types import ModuleType

import torch


def limit_threads(module: ModuleType = torch) -> None:
    """Let this process compute with one thread if it is a worker of `nlp.pipe(n_process=2)`; other processes keep
    theirs.

    OpenMP's threads do not survive a fork, and a worker that waits for them waits for ever. Spawned workers would each
    take all threads of the machine.
    """
    target = getattr(current_process(), "_target", None)
    if getattr(target, "__module__", None) == "spacy.language":
        module.set_num_threads(1)


register_after_fork(torch, limit_threads)  # of a spawned process nothing is run: there the component calls it
