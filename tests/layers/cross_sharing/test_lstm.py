"""BiLSTMs side by side against torch's own, one sequence and one BiLSTM at a time."""

from collections.abc import Sequence

import numpy
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bioner_spacy.layers.cross_sharing.lstm import bilstms, pack, torch_bilstms

# Number of BiLSTMs, size of a token, hidden units.
J, D, H = 3, 4, 5
LENGTHS = [[1], [2], [4, 1, 7, 4], [1, 1, 1]]


def random_weights(seed: int = 0) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    shapes = [(2, J, D, 4 * H), (2, J, H, 4 * H), (2, J, 4 * H)]
    return [torch.randn(shape, generator=generator, dtype=torch.float64) for shape in shapes]


def run(x: torch.Tensor, weights: Sequence[torch.Tensor], lengths: list[int]) -> torch.Tensor:
    """(J, n, 2H) states in the order of the tokens."""
    counts = numpy.array(lengths, dtype="int64")
    packing = pack(numpy.cumsum(counts) - counts, counts)
    states = bilstms(x[torch.from_numpy(packing.rows)], *weights, packing)
    return states[:, torch.from_numpy(numpy.argsort(packing.rows))]


def torch_lstm(weights: list[torch.Tensor], j: int) -> torch.nn.LSTM:
    """torch's BiLSTM, whose gates are in another order, with the weights of one of ours."""
    order = torch.cat([torch.arange(4 * H).split(H)[i] for i in (0, 1, 3, 2)])
    lstm = torch.nn.LSTM(D, H, bidirectional=True, dtype=torch.float64)
    for direction, suffix in enumerate(("l0", "l0_reverse")):
        W, U, b = (array[direction, j][..., order] for array in weights)
        for name, value in (("weight_ih", W.T), ("weight_hh", U.T), ("bias_ih", b), ("bias_hh", b * 0)):
            getattr(lstm, f"{name}_{suffix}").data = value.contiguous()
    return lstm


@pytest.mark.parametrize("lengths", LENGTHS)
def test_states_are_those_of_torch(lengths: list[int]) -> None:
    weights = random_weights()
    x = torch.randn(sum(lengths), D, dtype=torch.float64)
    states = run(x, weights, lengths)
    for j in range(J):
        lstm = torch_lstm(weights, j)
        expected = torch.cat([lstm(part)[0] for part in x.split(lengths)])
        torch.testing.assert_close(states[j], expected)


@pytest.mark.parametrize("lengths", LENGTHS)
def test_gradients_by_finite_differences(lengths: list[int]) -> None:
    torch.manual_seed(0)
    inputs = [torch.randn(sum(lengths), D, dtype=torch.float64), *random_weights()]
    inputs = [array.requires_grad_() for array in inputs]
    assert torch.autograd.gradcheck(lambda x, *weights: run(x, weights, lengths), inputs, fast_mode=True)


def test_gradients_are_those_of_torch() -> None:
    """Of every single weight, where the other test takes random directions."""
    lengths = [4, 1, 7, 4]
    weights = [array.requires_grad_() for array in random_weights()]
    x = torch.randn(sum(lengths), D, dtype=torch.float64, requires_grad=True)
    d_states = torch.randn(J, sum(lengths), 2 * H, dtype=torch.float64)
    d_x, *gradients = torch.autograd.grad(run(x, weights, lengths), [x, *weights], d_states)
    order = torch.cat([torch.arange(4 * H).split(H)[i] for i in (0, 1, 3, 2)])
    for j in range(J):
        lstm = torch_lstm([array.detach() for array in weights], j)
        torch.cat([lstm(part)[0] for part in x.split(lengths)]).backward(d_states[j])
        for direction, suffix in enumerate(("l0", "l0_reverse")):
            for name, gradient in zip(("weight_ih", "weight_hh", "bias_ih"), gradients, strict=True):
                expected = getattr(lstm, f"{name}_{suffix}").grad
                ours = gradient[direction, j][..., order]
                torch.testing.assert_close(ours, expected.T if expected.ndim == 2 else expected)
    torch.testing.assert_close(d_x, x.grad)


@pytest.mark.parametrize("lengths", LENGTHS)
def test_what_runs_on_gpus_is_the_same(lengths: list[int]) -> None:
    counts = numpy.array(lengths, dtype="int64")
    packing = pack(numpy.cumsum(counts) - counts, counts)
    inputs = [torch.randn(sum(lengths), D, dtype=torch.float64), *random_weights()]
    inputs = [array.requires_grad_() for array in inputs]
    states = [function(*inputs, packing) for function in (bilstms, torch_bilstms)]
    torch.testing.assert_close(*states)
    d_states = torch.randn_like(states[0])
    for ours, of_torch in zip(*(torch.autograd.grad(one, inputs, d_states) for one in states), strict=True):
        torch.testing.assert_close(ours, of_torch)


def test_no_tokens() -> None:
    weights = [array.requires_grad_() for array in random_weights()]
    x = torch.zeros(0, D, dtype=torch.float64, requires_grad=True)
    states = run(x, weights, [])
    assert states.shape == (J, 0, 2 * H)
    d_x, *gradients = torch.autograd.grad(states, [x, *weights], torch.zeros_like(states))
    assert d_x.shape == x.shape
    assert not any(gradient.any() for gradient in gradients)


@given(st.lists(st.integers(1, 6), max_size=6))
@settings(max_examples=50, deadline=None)
def test_packing(lengths: list[int]) -> None:
    """Every token stands once, step by step, and its mirror is as far from the other end."""
    starts = 10 * numpy.arange(len(lengths))
    packing = pack(starts, numpy.array(lengths, dtype="int64"))
    tokens = list(zip(packing.sequences.tolist(), packing.rows.tolist()))
    assert sorted(tokens) == [(m, 10 * m + i) for m, length in enumerate(lengths) for i in range(length)]
    steps = [row % 10 for _, row in tokens]
    assert steps == sorted(steps)
    assert packing.sizes == [steps.count(step) for step in range(max(lengths, default=1))]
    for (m, row), mirror in zip(tokens, packing.mirror):
        assert tokens[mirror] == (m, 10 * m + lengths[m] - 1 - (row - 10 * m))
