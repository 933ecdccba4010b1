"""Decide by a trial whether to compute in bfloat16, and check for products of 8-bit integers."""

import faulthandler
import functools
import os
import signal
import time
import warnings
from typing import Optional

import torch

from ...errors import BionerError, Errors, Warnings, warn

PRECISIONS = ("auto", "bfloat16", "float32", "int8")

# Exit status of the trial process, by outcome; a crash ends it with a signal instead.
_FASTER, _SLOWER = 0, 1
_TRIAL_SECONDS = 20


def bfloat16_enabled(precision: str, device: torch.device) -> bool:
    """Whether the encoder computes in bfloat16.

    Args:
        precision: "float32" (never), "bfloat16" (always), or another (if it works and is faster).

    Raises:
        BionerError: `precision` is "bfloat16" and computing in it crashes on this CPU.
    """
    if precision == "float32":
        return False
    if device.type == "cuda":
        return precision == "bfloat16" or torch.cuda.is_bf16_supported(including_emulation=False)
    if device.type != "cpu":
        return precision == "bfloat16"
    outcome = _try_on_cpu()
    if precision == "bfloat16" and outcome is None:
        raise BionerError(Errors.E307)
    return precision == "bfloat16" or outcome is True


@functools.cache
def int8_supported() -> bool:
    """Whether this CPU multiplies 8-bit integers (VNNI); without, torch does so very slowly.

    Warns if not, or if bfloat16 is faster: with matrix units for it (AMX), integers reach 0.65 of its speed.
    """
    supported = getattr(torch.cpu, "_is_vnni_supported", lambda: False)()
    if not supported:
        warn(Warnings.W303)
    elif getattr(torch.cpu, "_is_amx_tile_supported", lambda: False)():
        warn(Warnings.W304)
    return bool(supported)


@functools.cache
def _try_on_cpu() -> Optional[bool]:
    """Compare bfloat16 and float32 on this CPU: True if faster, False if not, None if it crashes.

    CPU flags are not enough: some virtual machines report matrix units whose instructions crash, and some CPUs only
    emulate bfloat16. The trial runs in a forked process and takes milliseconds.
    """
    reports_units = getattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)()
    if not reports_units or not hasattr(os, "fork"):
        return False
    with warnings.catch_warnings():
        # Python warns about forking with threads; the child starts none.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        _run_trial()
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) != signal.SIGALRM:
        return None
    return os.WIFEXITED(status) and os.WEXITSTATUS(status) == _FASTER


def _run_trial() -> None:
    """Time both precisions and end this process without any clean-up of the parent's."""
    import resource  # only on systems with fork

    status = _SLOWER
    try:
        # A crash is a valid outcome: no report, no core file.
        faulthandler.disable()
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        signal.alarm(_TRIAL_SECONDS)
        torch.set_num_threads(1)
        layer, x = torch.nn.Linear(512, 512), torch.randn(256, 512)
        seconds = {enabled: _time_layer(layer, x, enabled) for enabled in (True, False)}
        status = _FASTER if seconds[True] < seconds[False] else _SLOWER
    finally:
        os._exit(status)


def _time_layer(layer: torch.nn.Module, x: torch.Tensor, bfloat16: bool) -> float:
    """Minimum time of a few passes, in seconds."""
    best = float("inf")
    with torch.no_grad():
        for _ in range(5):
            with torch.autocast("cpu", dtype=torch.bfloat16, enabled=bfloat16):
                begin = time.perf_counter()
                layer(x)
                best = min(best, time.perf_counter() - begin)
    return best
