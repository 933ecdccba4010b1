"""Weights in 8 bits: how far off they are, and that nothing more is lost when they are stored again."""

import numpy
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from bioner_spacy.layers.encoder.int8 import SCALE, expand_state, is_quantized, quantize_rows, quantize_state

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
