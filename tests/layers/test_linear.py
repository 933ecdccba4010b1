"""Linear layers, against Thinc's own."""

from typing import Any

import numpy
import pytest
from thinc.api import Linear

from bioner_spacy.layers.linear import linear


@pytest.mark.parametrize("n_tokens", [0, 1, 7])
def test_values_and_gradients_are_those_of_thinc(n_tokens: int) -> None:
    rng = numpy.random.default_rng(0)
    X, d_Y = rng.normal(size=(n_tokens, 5)).astype("f"), rng.normal(size=(n_tokens, 3)).astype("f")
    ours, theirs = linear(3, 5), Linear(3, 5)
    for layer in (ours, theirs):
        layer.initialize()
        layer.set_param("W", rng.normal(size=(3, 5)).astype("f"))
        layer.set_param("b", numpy.array([1.0, -2.0, 0.5], dtype="f"))
    theirs.from_bytes(ours.to_bytes())
    (Y, backprop), (expected, expected_backprop) = (layer.begin_update(X) for layer in (ours, theirs))
    assert numpy.allclose(Y, expected, atol=1e-5)
    assert numpy.allclose(backprop(d_Y), expected_backprop(d_Y), atol=1e-5)
    for name in ("W", "b"):
        grads: list[Any] = [layer.get_grad(name) for layer in (ours, theirs)]
        assert numpy.allclose(*grads, atol=1e-5)


def test_sizes_are_found_from_a_sample() -> None:
    layer = linear().initialize(X=numpy.zeros((2, 4), dtype="f"), Y=numpy.zeros((2, 3), dtype="f"))
    W: Any = layer.get_param("W")
    assert W.shape == (3, 4) and W.any()
