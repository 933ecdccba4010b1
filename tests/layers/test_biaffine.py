"""Biaffine span scores against the plain formula."""

from typing import Any

import numpy
import pytest
from finite_differences import slope
from thinc.api import Model

from bioner_spacy.layers.biaffine import Biaffine
from bioner_spacy.layers.prior import RARE


def build(n_tokens: int, *, n_types: int = 3, width: int = 4, size: int = 5) -> tuple[Model, Any]:
    rng = numpy.random.default_rng(0)
    X = rng.normal(size=(n_tokens, 2 * size)).astype("f")
    model = Biaffine(n_types, width)
    model.initialize(X=X)
    model.set_param("u", rng.normal(size=(n_types, 2 * size)).astype("f"))
    model.set_param("b", rng.normal(size=(n_types, width)).astype("f"))
    return model, X


@pytest.mark.parametrize("n_tokens", [1, 2, 9])
def test_scores_are_those_of_the_formula(n_tokens: int) -> None:
    model, X = build(n_tokens)
    W, u, b = (model.get_param(name) for name in "Wub")
    scores = model.predict(X).reshape(n_tokens, 3, 4)
    for i in range(n_tokens):
        for t in range(3):
            for offset in range(min(4, n_tokens - i)):
                start, end = numpy.append(X[i, :5], 1), numpy.append(X[i + offset, 5:], 1)
                of_tokens = sum(u[t] @ X[k] for k in range(i, i + offset + 1))
                expected = start @ W[t] @ end + of_tokens + b[t, offset]
                assert scores[i, t, offset] == pytest.approx(expected, abs=1e-4)


def test_gradients_by_finite_differences() -> None:
    model, X = build(6)
    rng = numpy.random.default_rng(1)
    d_scores = rng.normal(size=(6, 12)).astype("f")
    # Spans behind the last token have no score and get no gradient.
    for i in range(6):
        for offset in range(6 - i, 4):
            d_scores[i].reshape(3, 4)[:, offset] = 0.0
    _, backprop = model.begin_update(X)
    gradients = {"X": backprop(d_scores), **{name: model.get_grad(name) for name in "Wub"}}
    places = {"X": X, **{name: model.get_param(name) for name in "Wub"}}

    def loss() -> float:
        return float((model.predict(X).astype("float64") * d_scores).sum())

    for name, array in places.items():
        for index in list(numpy.ndindex(*array.shape))[::7]:
            expected = slope(array, index, loss, step=1e-2)
            assert gradients[name][index] == pytest.approx(expected, abs=2e-2, rel=1e-2)


def test_no_tokens() -> None:
    model, X = build(2)
    scores, backprop = model.begin_update(X[:0])
    assert scores.shape == (0, 12)
    assert backprop(scores).shape == (0, 10)


def test_spans_are_rare_before_training() -> None:
    model = Biaffine(3, 4, nI=10)
    model.initialize()
    assert (model.get_param("b") == RARE).all()


def test_round_trip() -> None:
    model, X = build(4)
    loaded = Biaffine(3, 4, nI=10).from_bytes(model.to_bytes())
    numpy.testing.assert_array_equal(loaded.predict(X), model.predict(X))
