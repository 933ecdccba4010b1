"""Update a model whose parts have different learning rates."""

from typing import Any

from thinc.api import Model, Optimizer


def update_weights(model: Model, sgd: Optimizer, *, plain: Model, factor: float) -> None:
    """Update all weights of a model that have a gradient.

    Args:
        plain: part of the model that learns at the plain rate.
        factor: factor on the learning rate of all other parts.
    """
    at_plain_rate = {node.id for node in plain.walk()}

    def scaled(key: Any, weights: Any, gradient: Any) -> Any:
        return sgd(key, weights, gradient, lr_scale=factor)

    for node in model.walk():
        step: Any = sgd if node.id in at_plain_rate else scaled
        for shim in node.shims:
            shim.finish_update(step)
        for name in node.param_names:
            if node.has_grad(name):
                node.set_param(name, step((node.id, name), node.get_param(name), node.get_grad(name))[0])
