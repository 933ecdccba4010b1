"""Gaussian error linear units."""

from statistics import NormalDist

import numpy
import pytest
from finite_differences import differences

from bioner_spacy.layers.gelu import Gelu

X = numpy.array([[-9.0, -1.5, -0.1, 0.0], [0.3, 1.0, 2.5, 9.0]], dtype="f")


def test_values_are_those_of_the_formula() -> None:
    expected = [[x * NormalDist().cdf(x) for x in row] for row in X.tolist()]
    assert numpy.allclose(Gelu().predict(X), expected, atol=1e-6)


def test_gradient_by_finite_differences() -> None:
    x, weights = X.astype("float64"), numpy.random.default_rng(0).normal(size=X.shape)
    _, backprop = Gelu().begin_update(x)
    found = backprop(weights)
    assert numpy.allclose(found, differences(x, lambda: float((Gelu().predict(x) * weights).sum())), atol=1e-6)


@pytest.mark.parametrize("shape", [(0, 3), (3, 0)])
def test_nothing(shape: tuple[int, int]) -> None:
    values, backprop = Gelu().begin_update(numpy.zeros(shape, dtype="f"))
    assert values.shape == backprop(values).shape == shape
