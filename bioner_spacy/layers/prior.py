"""Initial bias of layers that score mentions."""

from typing import Any

from thinc.api import Model

RARE = -4.0
"""Initial log-odds of rare events: few spans are mentions, and few tokens begin or end one.

Learning this first would take many steps, with large gradients that slow Adam down long after. See Lin et al. 2017,
"Focal loss for dense object detection" (section 4.1).
"""


def initial_bias(model: Model) -> Any:
    """(nO,) bias of a layer before training: its attribute "bias", or 0 if that is None."""
    bias = model.attrs["bias"]
    return model.ops.alloc1f(model.get_dim("nO")) if bias is None else model.ops.asarray1f(bias)
