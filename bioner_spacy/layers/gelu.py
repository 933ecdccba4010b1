"""GELU by torch, many times faster than Thinc's on a CPU."""

from collections.abc import Callable

import torch
from thinc.api import Model, torch2xp, xp2torch
from thinc.types import Floats2d


def Gelu() -> Model[Floats2d, Floats2d]:
    """Gaussian error linear units, exact, without the tanh approximation.

    Hendrycks and Gimpel 2016 ("Gaussian error linear units").

    Returns:
        Layer from an array to one of its shape; it has no weights.
    """
    return Model("gelu", forward)


def forward(model: Model, X: Floats2d, is_train: bool) -> tuple[Floats2d, Callable[[Floats2d], Floats2d]]:
    inputs = xp2torch(X)

    def backprop(d_output: Floats2d) -> Floats2d:
        return torch2xp(torch.ops.aten.gelu_backward(xp2torch(d_output), inputs))  # type: ignore[return-value]

    return torch2xp(torch.nn.functional.gelu(inputs)), backprop  # type: ignore[return-value]
