"""Precision and recall by threshold, and the choice of one."""

from typing import Optional

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_mentions import predictions

from bioner_spacy.analysis.calibration import ALL_CORPORA, ScoredMentions
from bioner_spacy.analysis.thresholds import choose_threshold, curve, describe_thresholds
from bioner_spacy.reports.analysis import thresholds_table

SCORES = st.one_of(st.sampled_from([0.0, 0.25, 0.5, 1.0]), st.floats(0, 1, width=32))
PREDICTIONS = st.lists(st.tuples(SCORES, st.booleans()), max_size=12)


def scores_at(found: ScoredMentions, threshold: float) -> tuple[Optional[float], float, int]:
    """Precision, F1 and right ones of what is left, as the component leaves it: in single precision."""
    kept = found.right[found.scores.astype("f") >= threshold]
    right = int(kept.sum())
    precision = right / len(kept) if len(kept) else None
    return precision, 2 * right / max(len(kept) + found.gold, 1), right


def cuts(found: ScoredMentions) -> list[float]:
    """Every threshold that makes a difference, one of them above all scores."""
    return [*sorted(set(found.scores.tolist())), 2.0]


@given(PREDICTIONS, st.integers(0, 5))
def test_highest_f1_of_all_thresholds(pairs: list[tuple[float, bool]], missed: int) -> None:
    found = predictions(*pairs, gold=sum(right for _, right in pairs) + missed)
    chosen = choose_threshold(found)
    assert chosen is not None
    best = max(scores_at(found, cut)[1] for cut in cuts(found))
    precision, f, _ = scores_at(found, chosen)
    assert f == pytest.approx(best)
    at = curve(found).at(chosen)
    assert (at["f"] or 0.0, at["p"]) == (pytest.approx(f), precision)
    # No lower threshold is as good, but for those that keep the same.
    lower = {scores_at(found, cut)[1] for cut in cuts(found) if cut < chosen}
    assert all(f > other + 1e-12 for other in lower)


@given(PREDICTIONS, st.integers(0, 5), st.sampled_from([0.0, 0.3, 0.5, 0.75, 1.0]))
def test_highest_recall_at_a_precision(pairs: list[tuple[float, bool]], missed: int, precision: float) -> None:
    found = predictions(*pairs, gold=sum(right for _, right in pairs) + missed)
    chosen = choose_threshold(found, precision)
    reached = [scores_at(found, cut) for cut in cuts(found)]
    reached = [scores for scores in reached if scores[0] is not None and scores[0] >= precision]
    assert (chosen is None) == (not reached)
    if chosen is not None:
        assert scores_at(found, chosen)[2] == max(right for _, _, right in reached)
        of_these = [found_ for found_, _, right in reached if right == max(right for _, _, right in reached)]
        assert curve(found).at(chosen)["p"] == max(of_these)


def test_thresholds_are_short_numbers_between_scores() -> None:
    found = predictions((0.912345, True), (0.8, True), (0.412345, False), (0.3, False), gold=2)
    chosen = choose_threshold(found)
    assert chosen == 0.6
    assert curve(found).at(chosen) == {"p": 1.0, "r": 1.0, "f": 1.0, "kept": 2}
    assert choose_threshold(predictions((0.9, True), gold=1)) == choose_threshold(predictions((0.1, True), gold=1))


@given(st.floats(0.0078125, 0.875, width=32))
def test_thresholds_part_neighbours_in_single_precision(score: float) -> None:
    """The component compares in single precision, in which a number between the two is one of them."""
    low, high = numpy.float32(score), numpy.nextafter(numpy.float32(score), numpy.float32(1))
    chosen = choose_threshold(predictions((float(high), True), (float(low), False), gold=1))
    assert chosen is not None
    assert (numpy.array([low, high]) >= chosen).tolist() == [False, True]


def test_average_precision_by_hand() -> None:
    """Right, wrong, right of four gold mentions: 1 / 4 * 1 + 1 / 4 * 2 / 3; equal scores are one step."""
    assert curve(predictions((0.9, True), (0.8, False), (0.7, True), gold=4)).average_precision() == pytest.approx(
        5 / 12
    )
    assert curve(predictions((0.9, True), (0.9, False), gold=1)).average_precision() == pytest.approx(0.5)
    assert curve(predictions((0.9, False), gold=0)).average_precision() is None
    assert curve(predictions(gold=3)).average_precision() == 0.0


def test_nothing_to_choose_from() -> None:
    empty = predictions(gold=3)
    assert choose_threshold(empty, 0.5) is None
    assert choose_threshold(empty) == 0.0
    assert curve(empty).at(0.0) == {"p": None, "r": 0.0, "f": 0.0, "kept": 0}


def test_table_of_thresholds() -> None:
    of_a = predictions((0.9, True), (0.2, False), gold=1)
    of_b = predictions((0.6, False), (0.3, True), gold=2)
    everything = predictions((0.9, True), (0.2, False), (0.6, False), (0.3, True), gold=3)
    groups = {("c", "A"): of_a, ("c", "B"): of_b, (ALL_CORPORA, "all types"): everything}
    described = describe_thresholds(groups)
    assert described["c", "A"]["one"] == {"p": 1.0, "r": 1.0, "f": 1.0, "kept": 1}
    assert described["c", "A"]["curve"]["f"][:6] == [pytest.approx(2 / 3)] * 5 + [1.0]
    assert thresholds_table(described).rows == [
        ["c", "A", "1", "100.00", "66.67", "0.6", "100.00", "100.00", "100.00", "100.00"],
        ["c", "B", "2", "25.00", "50.00", "0.0", "50.00", "50.00", "50.00", "50.00"],
        ["all corpora", "all types", "3", "55.56", "57.14", "0.25", "66.67", "66.67", "66.67", "66.67"],
    ]
    strict = describe_thresholds(groups, 0.9)
    assert thresholds_table(strict).rows[1][5:] == ["–", "–", "–", "–", "0.00"]
    assert strict["c", "B"]["threshold"] is None
