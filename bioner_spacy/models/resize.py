"""Changing the number of outputs of an initialised model."""

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
    for node in model.walk():
        if node is not new and node.has_dim("nO") and any(child is new for child in node.walk()):
            node.set_dim("nO", new.get_dim("nO"), force=True)
