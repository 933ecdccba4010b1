"""Outputs of tasks and of adversaries against the plain formula."""

from typing import Any

import numpy
import pytest
from finite_differences import differences
from thinc.api import Model

from bioner_spacy.layers.task_linear import ADVERSARY, TaskLinear

WIDTH, REVERSAL = 3, 0.25
# Two tasks whose outputs are not side by side, and what learns against the shared features.
TASKS = [0, 0, 1, 0, 1, ADVERSARY, ADVERSARY]
KINDS = [(True, False), (False, True), (True, True)]


def build(private: bool, shared: bool, n_tokens: int = 5) -> tuple[Model, Any]:
    rng = numpy.random.default_rng(0)
    model = TaskLinear(WIDTH, private=private, shared=shared, reversal=REVERSAL)
    model.attrs["tasks"] = TASKS if shared else TASKS[:5]
    X = rng.normal(size=(n_tokens, (2 * private + shared) * WIDTH))
    model.initialize(X=X)
    for name in ("W", "b"):
        model.set_param(name, rng.normal(size=model.get_param(name).shape))
    return model, X


def features(X: Any, task: int, private: bool, shared: bool) -> Any:
    """[T_k ; S] of each token, zeros for the T of an adversary."""
    T = X[:, task * WIDTH : (task + 1) * WIDTH] if task != ADVERSARY else numpy.zeros((len(X), WIDTH))
    return numpy.concatenate(([T] if private else []) + ([X[:, -WIDTH:]] if shared else []), axis=1)


@pytest.mark.parametrize("private, shared", KINDS)
def test_scores_are_those_of_the_formula(private: bool, shared: bool) -> None:
    model, X = build(private, shared)
    W, b = model.get_param("W"), model.get_param("b")
    scores = model.predict(X)
    assert scores.shape == (5, model.get_dim("nO")) == (5, len(model.attrs["tasks"]))
    for i, task in enumerate(model.attrs["tasks"]):
        numpy.testing.assert_allclose(scores[:, i], features(X, task, private, shared) @ W[i] + b[i])


@pytest.mark.parametrize("private, shared", KINDS)
def test_gradients_by_finite_differences(private: bool, shared: bool) -> None:
    """Of the weights as of any layer; what reaches S from adversaries has another sign and size."""
    model, X = build(private, shared)
    tasks = numpy.array(model.attrs["tasks"])
    d_scores = numpy.random.default_rng(1).normal(size=(5, len(tasks)))
    _, backprop = model.begin_update(X)
    dX = backprop(d_scores)

    def loss(weights: Any) -> float:
        return float((model.predict(X) * weights).sum())

    for name in ("W", "b"):
        array = model.get_param(name)
        numpy.testing.assert_allclose(model.get_grad(name), differences(array, lambda: loss(d_scores)), atol=1e-6)
    by_heads = differences(X, lambda: loss(d_scores * (tasks != ADVERSARY)))
    by_adversaries = differences(X, lambda: loss(d_scores * (tasks == ADVERSARY)))
    numpy.testing.assert_allclose(dX, by_heads - REVERSAL * by_adversaries, atol=1e-6)
    assert by_adversaries[:, -WIDTH:].any() == shared
    assert not by_adversaries[:, :-WIDTH].any()


def test_no_tokens() -> None:
    model, X = build(True, True, n_tokens=0)
    scores, backprop = model.begin_update(X)
    assert scores.shape == (0, len(TASKS))
    assert backprop(scores).shape == X.shape


def test_round_trip() -> None:
    model, X = build(True, True)
    loaded = TaskLinear(WIDTH, private=True, shared=True).from_bytes(model.to_bytes())
    numpy.testing.assert_array_equal(loaded.predict(X), model.predict(X))
