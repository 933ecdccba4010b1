"""Weights in 8 bits: how far off they are, and that nothing more is lost when they are stored again; products in 8 bits."""

import numpy
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from bioner_spacy.layers.encoder.int8 import (
    SCALE,
    Int8Linear,
    expand_state,
    is_quantized,
    quantize_rows,
    quantize_state,
    use_int8_products,
)

MATRICES = arrays(
    "f",
    array_shapes(min_dims=2, max_dims=2, max_side=8),
    elements=st.floats(-1e6, 1e6, width=32, allow_subnormal=False),
)


@given(MATRICES)
def test_weights_are_off_by_half_a_scale_at_most(array: numpy.ndarray) -> None:
    rows, scales = quantize_rows(torch.from_numpy(array))
    assert rows.dtype == torch.int8 and scales.dtype == torch.float32 and scales.shape == (len(array),)
    errors = numpy.abs(rows.double().numpy() * scales.double().numpy()[:, None] - array.astype("d"))
    assert (errors <= scales.numpy()[:, None] / 2 * (1 + 1e-6)).all()
    # A scale is hardly larger than it has to be.
    assert (scales.numpy() * 127 <= numpy.abs(array).max(axis=1) * (1 + 2**-15) + 1e-37).all()


@given(MATRICES)
def test_expanded_weights_are_stored_alike(array: numpy.ndarray) -> None:
    state = quantize_state({"w": torch.from_numpy(array)})
    again = quantize_state(expand_state(state))
    assert torch.equal(again["w"], state["w"]) and torch.equal(again["w" + SCALE], state["w" + SCALE])


def test_rows_of_zeros_and_matrices_without_rows_or_columns() -> None:
    for shape in ((2, 3), (0, 3), (2, 0)):
        expanded = expand_state(quantize_state({"w": torch.zeros(shape)}))
        assert torch.equal(expanded["w"], torch.zeros(shape))


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_not_finite(value: float) -> None:
    with pytest.raises(ValueError, match="not finite"):
        quantize_state({"w": torch.tensor([[1.0, value]])})


def test_vectors_and_whole_numbers_stay() -> None:
    state = {"b": torch.tensor([0.1, 0.2]), "ids": torch.tensor([[1, 2]]), "half": torch.tensor([0.5]).half()}
    assert not is_quantized(quantize_state(state))
    expanded = expand_state(quantize_state(state))
    assert torch.equal(expanded["b"], state["b"]) and torch.equal(expanded["ids"], state["ids"])
    assert expanded["half"].dtype == torch.float32


@pytest.mark.parametrize("n_rows", [1, 3, 40])
def test_products_of_integers(n_rows: int) -> None:
    linear = torch.nn.Linear(24, 16)
    rows = torch.randn(n_rows, 24) * torch.logspace(-3, 3, n_rows)[:, None]
    with torch.inference_mode():
        found, exact = Int8Linear(linear)(rows), linear(rows)
    weights, scales = quantize_rows(linear.weight)
    steps = rows.abs().amax(dim=1) / 127
    inputs = (rows / steps[:, None]).round()
    expected = inputs.double() @ weights.double().T * steps[:, None] * scales + linear.bias
    assert torch.allclose(found.double(), expected, rtol=1e-5, atol=1e-6)
    # Inputs are off by half a step at most, weights by half a scale.
    bound = steps[:, None] / 2 * linear.weight.abs().sum(dim=1) + scales / 2 * (rows.abs() + steps[:, None]).sum(
        dim=1, keepdim=True
    )
    assert ((found - exact).abs() <= bound * 1.01 + 1e-6).all()


def test_outputs_of_a_row_do_not_depend_on_others() -> None:
    layer = Int8Linear(torch.nn.Linear(32, 8))
    rows = torch.randn(20, 32)
    rows[7] *= 1000
    together = layer(rows)
    assert all(torch.equal(layer(rows[i : i + 1]), together[i : i + 1]) for i in range(len(rows)))


def test_rows_of_zeros_have_the_bias() -> None:
    linear = torch.nn.Linear(4, 8)
    assert torch.equal(Int8Linear(linear)(torch.zeros(2, 4)), linear.bias.detach().expand(2, 8))


def test_every_linear_layer_is_replaced() -> None:
    module = torch.nn.Sequential(
        torch.nn.Linear(4, 8), torch.nn.Sequential(torch.nn.LayerNorm(8), torch.nn.Linear(8, 8))
    )
    use_int8_products(module)
    assert [type(layer) for layer in module.modules()].count(Int8Linear) == 2
    linear = torch.nn.Linear(4, 8)
    with torch.no_grad():
        linear.weight[0, 0] = float("nan")
    with pytest.raises(ValueError, match="not finite"):
        Int8Linear(linear)
