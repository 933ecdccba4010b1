"""Calibration of scores."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_mentions import predictions

from bioner_spacy.analysis.calibration import (
    ALL_CORPORA,
    brier_score,
    calibration_error,
    describe_calibration,
    equal_mass_bins,
    equal_width_bins,
    scored_mentions,
)
from bioner_spacy.reports.analysis import calibration_table
from bioner_spacy.scoring.mentions import Compared


def test_equal_width_bins_hold_their_upper_border() -> None:
    found = predictions((0.0, False), (0.1, True), (0.10001, True), (0.2, False), (0.95, True), (1.0, True))
    bins = equal_width_bins(found, 10)
    assert [(part.low, part.high, part.count) for part in bins] == [
        (0.0, pytest.approx(0.1), 2),
        (pytest.approx(0.1), pytest.approx(0.2), 2),
        (pytest.approx(0.9), 1.0, 2),
    ]
    assert [part.precision for part in bins] == [0.5, 0.5, 1.0]
    assert [part.score for part in bins] == pytest.approx([0.05, 0.150005, 0.975])


def test_calibration_error_by_hand() -> None:
    """Four predictions of 0.9, of which three are right, and one of 0.3 that is wrong: (4 * 0.15 + 1 * 0.3) / 5."""
    found = predictions((0.9, True), (0.9, True), (0.9, True), (0.9, False), (0.3, False))
    assert calibration_error(equal_width_bins(found, 10)) == pytest.approx(0.18)
    assert brier_score(found) == pytest.approx((3 * 0.01 + 0.81 + 0.09) / 5)


def test_one_bin_compares_the_means() -> None:
    found = predictions((0.2, True), (0.8, False))
    assert calibration_error(equal_width_bins(found, 1)) == pytest.approx(0.0)
    assert calibration_error(equal_width_bins(found, 2)) == pytest.approx(0.8)


def test_perfect_scores_have_no_error() -> None:
    found = predictions(*[(0.75, True)] * 3, (0.75, False), *[(0.25, False)] * 3, (0.25, True))
    for bins in (equal_width_bins(found), equal_mass_bins(found, 2)):
        assert calibration_error(bins) == pytest.approx(0.0)


def test_equal_mass_bins_keep_equal_scores_together() -> None:
    pairs = [(score / 100, True) for score in range(1, 13)]
    assert [part.count for part in equal_mass_bins(predictions(*pairs), 4)] == [3, 3, 3, 3]
    tied = predictions(*[(0.5, False)] * 7, (0.1, True), (0.9, True), (0.95, True))
    bins = equal_mass_bins(tied, 5)
    assert [(part.low, part.high) for part in bins] == [(0.1, 0.5), (0.9, 0.95)]
    assert sum(part.count for part in bins) == 10


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), max_size=30), st.integers(1, 12))
def test_bins_hold_every_prediction_once(pairs: list[tuple[float, bool]], bins: int) -> None:
    found = predictions(*pairs)
    for parts in (equal_width_bins(found, bins), equal_mass_bins(found, bins)):
        assert sum(part.count for part in parts) == len(pairs)
        assert len(parts) <= bins
        assert sum(part.count * part.precision for part in parts) == pytest.approx(sum(right for _, right in pairs))
        for part in parts:
            assert part.low - 1e-9 <= part.score <= part.high + 1e-9
    assert not pairs or 0 <= (calibration_error(equal_width_bins(found, bins)) or 0) <= 1


def test_predictions_by_corpus_and_type() -> None:
    docs = [
        Compared(
            "c", "1", {(0, 2, "A"), (3, 4, "A")}, {(0, 2, "A"), (0, 2, "B")}, "", {(0, 2, "A"): 0.9, (0, 2, "B"): 0.4}
        ),
        Compared("d", "1", {(0, 2, "A")}, {(0, 2, "A")}, "", {(0, 2, "A"): 0.8}),
    ]
    found = scored_mentions(docs)
    assert list(found) == [
        ("c", "A"),
        ("c", "B"),
        ("c", "all types"),
        ("d", "A"),
        ("d", "all types"),
        (ALL_CORPORA, "A"),
        (ALL_CORPORA, "B"),
        (ALL_CORPORA, "all types"),
    ]
    everything = found[ALL_CORPORA, "all types"]
    assert (everything.scores.tolist(), everything.right.tolist(), everything.gold) == (
        [0.9, 0.4, 0.8],
        [True, False, True],
        3,
    )
    assert (found["c", "B"].right.tolist(), found["c", "B"].gold) == ([False], 0)


def test_nothing_predicted_is_shown_by_dashes() -> None:
    empty = describe_calibration(predictions(gold=3))
    assert (empty["ece"], empty["brier"], empty["score"], empty["bins"]) == (None, None, None, [])
    assert calibration_table({("c", "A"): empty}).rows == [["c", "A", "0", *["undefined"] * 5]]
    told = calibration_table({("c", "A"): describe_calibration(predictions((0.9, True), (0.7, False)))})
    assert told.rows == [["c", "A", "2", "80.00", "50.00", "40.00", "40.00", "0.2500"]]
