"""A linear layer per task, on private and shared features."""

from collections.abc import Callable
from functools import partial
from typing import Any, Optional

import numpy
from thinc.api import Model
from thinc.initializers import glorot_uniform_init
from thinc.types import Floats2d

from .prior import initial_bias

# In place of a task index: an output of the adversary.
ADVERSARY = -1


def TaskLinear(width: int, *, private: bool, shared: bool, reversal: float = 0.0) -> Model[Floats2d, Floats2d]:
    """Score tokens by the features of tasks.

    An output of task k is w' [T_k ; S] + b; without private features it is w' S + b, without shared ones w' T_k + b.
    An adversary sees S only, and its gradient is passed to S multiplied by `-reversal` (gradient reversal, Ganin et
    al. 2016, "Domain-adversarial training of neural networks").

    Args:
        width: size of S and of T_k.
        private: whether the input begins with T_1, ..., T_K.
        shared: whether the input ends with S.
        reversal: factor on the reversed gradient of adversaries.

    Returns:
        Layer from (N, nI) features to (N, nO) scores. The attribute "tasks" must be set before initialisation: for
        each output the number of its task, or `ADVERSARY`. "bias" is the initial bias; None for 0.
    """
    return Model(
        "task_linear",
        partial(forward, width=width, private=private, shared=shared, reversal=reversal),
        init=partial(init, size=(private + shared) * width),
        dims={"nO": None},
        params={"W": None, "b": None},
        attrs={"tasks": [], "bias": None},
    )


def init(model: Model, X: Optional[Floats2d] = None, Y: Any = None, *, size: int) -> None:
    n_outputs = len(model.attrs["tasks"])
    model.set_dim("nO", n_outputs)
    model.set_param("W", glorot_uniform_init(model.ops, (n_outputs, size)))
    model.set_param("b", initial_bias(model))


def forward(
    model: Model, X: Floats2d, is_train: bool, *, width: int, private: bool, shared: bool, reversal: float
) -> tuple[Floats2d, Callable[[Floats2d], Floats2d]]:
    xp = model.ops.xp
    W: Any = model.get_param("W")
    b: Any = model.get_param("b")
    tasks = numpy.array(model.attrs["tasks"])
    blocks = [xp.asarray(numpy.flatnonzero(tasks == k)) for k in range(tasks.max() + 1)] if private else []
    Y = xp.tile(b, (len(X), 1))
    if shared:
        Y += X[:, -width:] @ W[:, -width:].T
    for k, outputs in enumerate(blocks):
        Y[:, outputs] += X[:, k * width : (k + 1) * width] @ W[outputs, :width].T

    def backprop(dY: Floats2d) -> Floats2d:
        dX, dW = xp.zeros_like(X), xp.zeros_like(W)
        if shared:
            dW[:, -width:] = dY.T @ X[:, -width:]
            signs = xp.asarray(numpy.where(tasks == ADVERSARY, -reversal, 1.0).astype(W.dtype))
            dX[:, -width:] = (dY * signs) @ W[:, -width:]
        for k, outputs in enumerate(blocks):
            here = slice(k * width, (k + 1) * width)
            d_block = dY[:, outputs]
            dW[outputs, :width] = d_block.T @ X[:, here]
            dX[:, here] = d_block @ W[outputs, :width]
        model.inc_grad("W", dW)
        model.inc_grad("b", dY.sum(axis=0))
        return dX

    return Y, backprop
