"""Change the number of outputs of a model."""

from thinc.api import Model


def replace_output(model: Model, new: Model) -> None:
    """Replace a model's "output_layer", in place.

    A new node is needed, because Thinc layers with weights cannot be resized, and optimizers keep state by node.

    Args:
        new: the layer, initialised, with any number of outputs.
    """
    old = model.get_ref("output_layer")
    new.name = old.name
    model.replace_node(old, new)
    set_n_outputs(model, new.get_dim("nO"))


def set_n_outputs(model: Model, n_outputs: int) -> None:
    """Set the number of outputs of a model's "output_layer" and of the layers around it, in place."""
    output = model.get_ref("output_layer")
    for node in model.walk():
        if node.has_dim("nO") is not False and any(child is output for child in node.walk()):
            node.set_dim("nO", n_outputs, force=True)
