"""Layers: forward and backward passes; torch is used here and nowhere else."""

import os

import torch

# OpenMP's threads do not survive a fork, and a worker of `nlp.pipe(n_process=2)` that waits for them waits for ever.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=lambda: torch.set_num_threads(1))
