"""Asking for a GPU that is not there, or that torch cannot use."""

from typing import Any

import pytest
import torch
from thinc.api import get_current_ops

from bioner_spacy import device
from bioner_spacy.errors import BionerError


@pytest.mark.parametrize("error", [ValueError("No GPU devices detected"), RuntimeError("cudaErrorInvalidDevice")])
def test_a_gpu_that_is_not_there(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def require_gpu(gpu_id: int) -> None:
        raise error

    monkeypatch.setattr(device, "require_gpu_of_thinc", require_gpu)
    with pytest.raises(BionerError, match=rf"GPU 3 cannot be used \({error}\); install .* --gpu-id -1"):
        device.require_gpu(3)


@pytest.mark.parametrize("cuda", [True, False])
def test_a_torch_without_cuda(monkeypatch: pytest.MonkeyPatch, cuda: bool) -> None:
    """Thinc looks at CuPy alone."""
    asked: list[Any] = []
    monkeypatch.setattr(device, "require_gpu_of_thinc", asked.append)
    monkeypatch.setattr(device, "CupyOps", type(get_current_ops()))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    if cuda:
        device.require_gpu(0)
    else:
        with pytest.raises(BionerError, match="torch .* is not built for CUDA"):
            device.require_gpu(0)
    assert asked == [0]
