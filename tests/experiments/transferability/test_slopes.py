"""Slopes of learning curves."""

import math

import pytest

from bioner_spacy.experiments.transferability.slopes import SHARES, slopes


@pytest.mark.parametrize("every", [1, 7, 50])
def test_a_line_has_its_slope_everywhere(every: int) -> None:
    """The loss falls from 2 to 1 in 1,000 steps: by 1 over the whole training, of 1.95 in the first tenth."""
    curve: list[tuple[int, float]] = []
    since: list[float] = []
    for step in range(1000):
        since.append(2 - (step + 0.5) / 1000)
        if step % every == 0:
            curve.append((step + 1, sum(since) / len(since)))
            since = []
    assert slopes(curve, 1000) == pytest.approx([-1 / 1.95] * len(SHARES), rel=0.02)


def test_slopes_are_those_of_the_exponential() -> None:
    """Mean losses of tenths of exp(-5 x): differences of neighbours are those of integrals."""

    def integral(a: float, b: float) -> float:
        return (math.exp(-5 * a) - math.exp(-5 * b)) / 5

    curve = [(n, 100 * integral((n - 10) / 1000, n / 1000)) for n in range(10, 1001, 10)]
    expected = [(integral(x, x + 0.1) - integral(x - 0.1, x)) / 0.1 / integral(0, 0.1) for x in SHARES]
    assert slopes(curve, 1000) == pytest.approx(expected)
    # In other units of the loss the same.
    assert slopes([(n, 30 * loss) for n, loss in curve], 1000) == pytest.approx(expected)
