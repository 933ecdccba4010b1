"""Layers: forward and backward passes; torch is used here and nowhere else."""

from multiprocessing import current_process
from multiprocessing.util import register_after_fork
from types import ModuleType

import torch


def limit_threads(module: ModuleType = torch) -> None:
    """Use one thread if this process is a worker of `nlp.pipe(n_process=2)`.

    OpenMP's threads do not survive a fork, so a forked worker would hang. Spawned workers would each use all threads
    of the machine.
    """
    target = getattr(current_process(), "_target", None)
    if getattr(target, "__module__", None) == "spacy.language":
        module.set_num_threads(1)


register_after_fork(torch, limit_threads)  # not run in spawned processes, where the component calls it
