"""Best path, partition function and marginals against enumeration of all state sequences."""

from itertools import product
from typing import Any

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from bioner_spacy.formulations.chains import NEVER, best_path, best_path_and_marginals, marginals

# All exact in binary, so that sums of tied sequences compare exactly.
TIED = st.integers(-2, 2).map(float)
SCORES = st.floats(-20, 20)


@st.composite
def chains(draw: st.DrawFn, values: st.SearchStrategy[float]) -> Any:
    """Edges (tokens, chains, states, states), the first token's alike from every state."""
    n_states = draw(st.integers(1, 3))
    n_tokens = draw(st.integers(1, 6))
    edges = draw(hnp.arrays("float64", (n_tokens, draw(st.integers(1, 2)), n_states, n_states), elements=values))
    edges[0] = edges[0, :, :1]
    for token in range(1, n_tokens):
        if draw(st.booleans()) and draw(st.booleans()):
            edges[token] = edges[token, :, :1]
    return edges


def totals(edges: Any) -> tuple[numpy.ndarray, numpy.ndarray]:
    """All state sequences, (Q, N), of one chain (N, S, S), and the sum of the edges of each."""
    n_tokens, n_states = edges.shape[:2]
    paths = numpy.array(list(product(range(n_states), repeat=n_tokens)))
    before = numpy.concatenate([paths[:, :1] * 0, paths[:, :-1]], axis=1)
    return paths, edges[numpy.arange(n_tokens), before, paths].sum(axis=1)


@given(chains(TIED))
@settings(max_examples=100, deadline=None)
def test_best_path(edges: Any) -> None:
    states = best_path(edges)
    assert states.shape == edges.shape[:2]
    for k in range(edges.shape[1]):
        paths, scores = totals(edges[:, k])
        [chosen] = numpy.flatnonzero((paths == states[:, k]).all(axis=1))
        assert scores[chosen] == scores.max()


@given(chains(SCORES))
@settings(max_examples=100, deadline=None)
def test_partition_function_and_marginals(edges: Any) -> None:
    log_z, p = marginals(edges)
    for k in range(edges.shape[1]):
        paths, scores = totals(edges[:, k])
        expected = numpy.logaddexp.reduce(scores)
        assert log_z[k] == pytest.approx(expected, abs=1e-9)
        weight = numpy.exp(scores - expected)
        states = numpy.arange(edges.shape[2])
        for token in range(len(edges)):
            here = paths[:, token, None] == states
            numpy.testing.assert_allclose(p[token, k].sum(axis=0), weight @ here, atol=1e-9)
            if token:
                there = paths[:, token - 1, None] == states
                transitions = numpy.einsum("q,qi,qj->ij", weight, there, here)
                numpy.testing.assert_allclose(p[token, k], transitions, atol=1e-9)


@pytest.mark.parametrize("n_tokens", [50, 299])
def test_long_chain_with_forbidden_transitions_agrees_with_the_plain_recursion(n_tokens: int) -> None:
    rng = numpy.random.default_rng(n_tokens)
    edges = rng.normal(scale=3.0, size=(n_tokens, 1, 3, 3))
    edges[:, 0, 0, 2] = NEVER
    edges[0] = edges[0, :, :1]
    best = total = edges[0, 0, 0]
    for token in range(1, n_tokens):
        best = (best[:, None] + edges[token, 0]).max(axis=0)
        total = numpy.logaddexp.reduce(total[:, None] + edges[token, 0], axis=0)
    states = best_path(edges)[:, 0]
    before = numpy.concatenate([[0], states[:-1]])
    assert edges[numpy.arange(n_tokens), 0, before, states].sum() == pytest.approx(best.max())
    log_z, p = marginals(edges)
    assert log_z[0] == pytest.approx(numpy.logaddexp.reduce(total))
    assert not p[1:, 0, 0, 2].any()
    numpy.testing.assert_allclose(p.sum(axis=(2, 3)), 1.0)


@pytest.mark.parametrize("scale", [1e-2, 30.0, 1e4])
def test_scores_of_any_size(scale: float) -> None:
    """Weights of transitions differ by more than a float can, and the best transition of a token may be out of reach."""
    rng = numpy.random.default_rng(0)
    edges = scale * (rng.normal(size=(200, 1, 3, 3)) + rng.normal(size=(3, 3)))
    edges[:, 0, 0, 2] = NEVER
    edges[::40] = edges[::40, :, :1]
    forward, backward = edges[0, 0, 0], numpy.zeros(3)
    sums = [forward]
    for edge in edges[1:, 0]:
        sums.append(numpy.logaddexp.reduce(sums[-1][:, None] + edge, axis=0))
    log_z, p = marginals(edges)
    assert log_z[0] == pytest.approx(numpy.logaddexp.reduce(sums[-1]))
    for token in range(199, 0, -1):
        log_p = sums[token - 1][:, None] + edges[token, 0] + backward - log_z[0]
        numpy.testing.assert_allclose(p[token, 0], numpy.exp(log_p), atol=max(1e-10, 1e-13 * scale * 200))
        backward = numpy.logaddexp.reduce(edges[token, 0] + backward, axis=1)


@given(chains(TIED))
@settings(max_examples=20, deadline=None)
def test_both_at_once(edges: Any) -> None:
    states, p = best_path_and_marginals(edges)
    numpy.testing.assert_array_equal(states, best_path(edges))
    numpy.testing.assert_array_equal(p, marginals(edges)[1])


def test_no_tokens() -> None:
    edges = numpy.zeros((0, 2, 3, 3))
    assert best_path(edges).shape == (0, 2)
    log_z, p = marginals(edges)
    assert log_z.tolist() == pytest.approx([0.0, 0.0], abs=1e-12)
    assert p.shape == edges.shape
