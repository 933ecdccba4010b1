"""What a layer that scores mentions expects before it has been trained."""

from typing import Any

from thinc.api import Model

RARE = -4.0
"""Log-odds of what is to be found: few spans are mentions, and few tokens begin or end one.

Learning that first would take many steps, and the large gradients of those steps would leave an optimizer that divides
by their size with small ones for long after. Lin et al. 2017, "Focal loss for dense object detection" (section 4.1),
begin likewise.
"""


def initial_bias(model: Model) -> Any:
    """(nO,) bias of a layer before training: its attribute "bias", or 0 if that is None."""
    bias = model.attrs["bias"]
    return model.ops.alloc1f(model.get_dim("nO")) if bias is None else model.ops.asarray1f(bias)
