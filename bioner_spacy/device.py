"""The device for computations."""

from importlib import import_module
from typing import Optional

from thinc.api import CupyOps, get_current_ops, set_current_ops
from thinc.api import require_gpu as require_gpu_of_thinc
from thinc.compat import has_torch_cuda_gpu, torch_version

from .errors import BionerError, Errors, reason


def require_gpu(gpu_id: int) -> None:
    """Make a GPU the device of spaCy and of torch.

    Raises:
        BionerError: CuPy or torch cannot use it; the device stays the one that it was.
    """
    ops = get_current_ops()
    try:
        require_gpu_of_thinc(gpu_id)
        if isinstance(get_current_ops(), CupyOps) and not has_torch_cuda_gpu:
            raise RuntimeError(f"torch {torch_version} is not built for CUDA, or finds no GPU")
    except (ValueError, RuntimeError) as error:  # of Thinc, which looks at CuPy alone, and of CuPy
        set_current_ops(ops)
        found = _why_cupy_is_not_loaded() if isinstance(error, ValueError) else None
        raise BionerError(Errors.E505.format(gpu_id=gpu_id, reason=found or reason(error))) from error


def _why_cupy_is_not_loaded() -> Optional[str]:
    """Why Thinc does not use CuPy, which it does not report: it ignores CuPy without CUDA's libraries."""
    try:
        import_module("cupy.cublas")
    except ModuleNotFoundError:
        return "CuPy is not installed"
    except ImportError as error:
        return f"CuPy is installed, but not what it needs: {reason(error)}"
    return None
