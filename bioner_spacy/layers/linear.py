"""A multi-threaded linear layer."""

from collections.abc import Callable
from typing import Any, Optional

from thinc.api import Model, zero_init
from thinc.initializers import glorot_uniform_init
from thinc.layers.linear import init as init_linear
from thinc.types import Floats2d

from .prior import initial_bias


def linear(nO: Optional[int] = None, nI: Optional[int] = None) -> Model[Floats2d, Floats2d]:
    """Thinc's `Linear` with the array library's product, 2 to 3 times as fast as BLIS.

    Returns:
        Layer from (N, nI) to (N, nO). The attribute "bias" is the initial bias; None for 0.
    """
    return Model(
        "linear",
        forward,
        init=init,
        dims={"nO": nO, "nI": nI},
        params={"W": None, "b": None},
        attrs={"bias": None},
    )


def init(model: Model, X: Optional[Floats2d] = None, Y: Optional[Floats2d] = None) -> None:
    init_linear(glorot_uniform_init, zero_init, model, X, Y)
    model.set_param("b", initial_bias(model))


def forward(model: Model, X: Floats2d, is_train: bool) -> tuple[Floats2d, Callable[[Floats2d], Floats2d]]:
    W: Any = model.get_param("W")
    Y: Any = X @ W.T
    Y += model.get_param("b")

    def backprop(d_Y: Any) -> Any:
        model.inc_grad("b", d_Y.sum(axis=0))
        model.inc_grad("W", d_Y.T @ X)
        return d_Y @ W

    return Y, backprop
