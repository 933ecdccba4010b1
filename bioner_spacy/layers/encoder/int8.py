"""8-bit weights, a quarter of the size, expanded when loaded; and prediction with products of 8-bit integers.

Every row of a matrix has its own scale (symmetric quantization by row, as in Dettmers et al. 2022, LLM.int8(), without
its outliers).
"""

import torch
from torch import Tensor, nn

SCALE = ":scale"
"""Suffix of a matrix's name for its scales; names of weights contain no colon."""

_LARGEST = 127
# Zeroed bits of a scale. With the 16 bits left, products with integers up to 127 are exact in float32, so saving
# loaded weights again loses nothing.
_ZERO_BITS = 8


def quantize_rows(matrix: Tensor) -> tuple[Tensor, Tensor]:
    """Quantize a matrix to integers with a scale per row.

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
    """Quantize every matrix of floating-point weights; vectors are unchanged."""
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
    """Whether weights are quantized."""
    return any(name.endswith(SCALE) for name in state)


class Int8Linear(nn.Module):
    """A linear layer for prediction on a CPU, with products of 8-bit integers.

    Weights have a scale per output and inputs a scale per row, so that the output for a row does not depend on others.

    Args:
        linear: the layer to replace, in float32.

    Raises:
        ValueError: it has weights that are not finite.
    """

    def __init__(self, linear: nn.Linear) -> None:
        super().__init__()
        weights, self.scales = quantize_rows(linear.weight)
        self.weights = weights.T
        self.bias = linear.bias.detach()

    def forward(self, rows: Tensor) -> Tensor:
        """(rows, outputs) float32 for (rows, inputs) float32."""
        scales = rows.abs().amax(dim=1, keepdim=True).div_(_LARGEST).clamp_min_(torch.finfo(rows.dtype).tiny)
        products = torch._int_mm((rows / scales).round_().to(torch.int8), self.weights)
        return torch.addcmul(self.bias, products.float().mul_(scales), self.scales)


def use_int8_products(module: nn.Module) -> None:
    """Replace every linear layer inside a module by an `Int8Linear`.

    Raises:
        ValueError: a layer has weights that are not finite.
    """
    for name, child in module.named_children():
        if type(child) is nn.Linear:
            setattr(module, name, Int8Linear(child))
        else:
            use_int8_products(child)
