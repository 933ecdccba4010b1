"""Calibration of scores."""

import numpy
import pytest

from bioner_spacy.analysis.calibrate import platt


@pytest.mark.parametrize(("slope", "intercept"), [(0.5, 0.0), (1.5, -1.0), (1.0, 0.7)])
def test_platt_finds_the_line_that_scores_were_bent_by(slope: float, intercept: float) -> None:
    rng = numpy.random.default_rng(0)
    odds = rng.normal(scale=2.0, size=20_000)
    right = rng.random(len(odds)) < 1 / (1 + numpy.exp(-(slope * odds + intercept)))
    found = platt(1 / (1 + numpy.exp(-odds)), right)
    assert found == pytest.approx((slope, intercept), abs=0.1)


def test_few_predictions_are_not_taken_for_certain() -> None:
    slope, intercept = platt(numpy.array([0.9, 0.95]), numpy.array([True, True]))
    assert 0 < slope < 3 and -2 < intercept < 2
    slope, _ = platt(numpy.array([0.9, 0.1, 0.8]), numpy.array([False, True, False]))
    assert slope >= 0.05


def test_worst_order_keeps_a_positive_slope() -> None:
    scores = numpy.linspace(0.01, 0.99, 200)
    assert platt(scores, scores < 0.5)[0] == 0.05
