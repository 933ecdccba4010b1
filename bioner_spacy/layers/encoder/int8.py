"""Weights in 8 bits: a quarter of the size, expanded again when they are loaded.

Every row of a matrix has a scale of its own, so that an embedding or an output is as exact as its own largest weight
allows (symmetric quantization by row, as in Dettmers et al. 2022, LLM.int8(), without its outliers).
"""

import torch
from torch import Tensor

SCALE = ":scale"
"""Added to the name of a matrix, it is the name of its scales; names of weights contain no colon."""

_LARGEST = 127
# Bits of a scale that are zero. With 16 bits left, products with whole numbers up to 127 are exact in float32, so that
# weights that were expanded give the same whole numbers and scales again: saving what was loaded loses nothing more.
_ZERO_BITS = 8


def quantize_rows(matrix: Tensor) -> tuple[Tensor, Tensor]:
    """Round a matrix to whole numbers times a scale for each row.

    Args:
        matrix: (rows, columns), finite.

    Returns:
        (rows, columns) int8 from -127 to 127 and (rows,) float32 scales. Their product differs from the matrix by half
        a scale at most.

    Raises:
        ValueError: the matrix has weights that are not finite.
    """
    matrix = matrix.detach().cpu().float()
    if not torch.isfinite(matrix).all():
        raise ValueError("weights that are not finite")
    largest = matrix.abs().amax(dim=1) if matrix.shape[1] else matrix.new_zeros(len(matrix))
    bits = (largest / _LARGEST).view(torch.int32)
    scales = ((bits + (2**_ZERO_BITS - 1)) & -(2**_ZERO_BITS)).view(torch.float32)
    divisors = torch.where(scales > 0, scales, torch.ones_like(scales))
    return (matrix / divisors[:, None]).round().clamp(-_LARGEST, _LARGEST).to(torch.int8), scales


def quantize_state(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Replace every matrix of floating-point weights by whole numbers and scales; vectors stay as they are."""
    result = {}
    for name, tensor in state.items():
        if tensor.ndim == 2 and tensor.is_floating_point():
            result[name], result[name + SCALE] = quantize_rows(tensor)
        else:
            result[name] = tensor
    return result


def expand_state(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Undo `quantize_state`: all floating-point weights in float32."""
    result = {}
    for name, tensor in state.items():
        if name.endswith(SCALE):
            continue
        scales = state.get(name + SCALE)
        if scales is not None:
            result[name] = tensor.float().mul_(scales[:, None])
        else:
            result[name] = tensor.float() if tensor.is_floating_point() else tensor
    return result


def is_quantized(state: dict[str, Tensor]) -> bool:
    """Whether weights are as `quantize_state` makes them."""
    return any(name.endswith(SCALE) for name in state)
