"""Updates of a model whose parts learn at different rates."""

from typing import Any

import numpy
from thinc.api import SGD, Linear, Model, chain

from bioner_spacy.training.updates import update_weights


def test_all_but_the_slow_part_learns_by_the_factor() -> None:
    slow: Model = Linear(2, 2)
    fast, idle = Linear(2, 2), Linear(2, 2)
    model: Model = chain(slow, fast, idle)
    for layer in (slow, fast, idle):
        layer.initialize()
    before: list[Any] = [layer.get_param("W").copy() for layer in (slow, fast, idle)]
    for layer in (slow, fast):
        layer.inc_grad("W", numpy.ones((2, 2), dtype="f"))
    update_weights(model, SGD(0.5, L2=0.0, grad_clip=0.0), plain=slow, factor=10.0)
    moved: list[Any] = [was - layer.get_param("W") for was, layer in zip(before, (slow, fast, idle))]
    assert numpy.allclose(moved[0], 0.5) and numpy.allclose(moved[1], 5.0) and not moved[2].any()
    grads: list[Any] = [layer.get_grad("W") for layer in (slow, fast)]
    assert not any(grad.any() for grad in grads)
