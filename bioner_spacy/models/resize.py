"""Changing the number of outputs of a model."""

from thinc.api import Model


def replace_output(model: Model, new: Model) -> None:
    """Put a new layer in the place of a model's "output_layer", in place.

    Another node, because Thinc lets no layer with weights change its size, and optimizers keep sums by node.

    Args:
        model: an initialised model.
        new: the layer, initialised, with any number of outputs.
    """
    old = model.get_ref("output_layer")
    new.name = old.name
    model.replace_node(old, new)
    set_n_outputs(model, new.get_dim("nO"))


def set_n_outputs(model: Model, n_outputs: int) -> None:
    """Note the number of outputs of a model's "output_layer" on it and on what it stands in, in place."""
    output = model.get_ref("output_layer")
    for node in model.walk():
        if node.has_dim("nO") is not False and any(child is output for child in node.walk()):
            node.set_dim("nO", n_outputs, force=True)
