"""Asking for a GPU that is not there, or that torch cannot use."""

import sys
from pathlib import Path
from typing import Any, Optional

import pytest
from thinc.api import NumpyOps, get_current_ops, set_current_ops

from bioner_spacy import device
from bioner_spacy.errors import BionerError


@pytest.mark.parametrize("error", [ValueError("No GPU devices detected"), RuntimeError("cudaErrorInvalidDevice")])
@pytest.mark.parametrize(
    "cupy, told",
    [
        ("import no_such_module_as_this", "CuPy is not installed"),
        ("raise ImportError('no libcublasLt')", "CuPy is installed, but not what it needs: no libcublasLt"),
        ("", None),
    ],
)
def test_a_gpu_that_is_not_there(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, error: Exception, cupy: str, told: Optional[str]
) -> None:
    def require_gpu(gpu_id: int) -> None:
        set_current_ops(NumpyOps())  # as Thinc does before it asks for the device
        raise error

    (tmp_path / "cupy").mkdir()
    (tmp_path / "cupy" / "__init__.py").touch()
    (tmp_path / "cupy" / "cublas.py").write_text(cupy)
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("cupy", "cupy.cublas"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setattr(device, "require_gpu_of_thinc", require_gpu)
    # Thinc's own errors do not tell why it takes CuPy for missing; those of CuPy mean that it is there.
    expected = told if told and isinstance(error, ValueError) else error
    before = get_current_ops()
    with pytest.raises(BionerError, match=rf"GPU 3 cannot be used \({expected}\); install .* --gpu-id -1"):
        device.require_gpu(3)
    assert get_current_ops() is before


@pytest.mark.parametrize("cuda", [True, False])
def test_a_torch_without_cuda(monkeypatch: pytest.MonkeyPatch, cuda: bool) -> None:
    """Thinc looks at CuPy alone."""
    asked: list[Any] = []
    monkeypatch.setattr(device, "require_gpu_of_thinc", asked.append)
    monkeypatch.setattr(device, "CupyOps", type(get_current_ops()))
    monkeypatch.setattr(device, "has_torch_cuda_gpu", cuda)
    if cuda:
        device.require_gpu(0)
    else:
        with pytest.raises(BionerError, match="torch .* is not built for CUDA"):
            device.require_gpu(0)
    assert asked == [0]
