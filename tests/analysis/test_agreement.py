"""Agreement of judges and shares with intervals, against hand-made and published cases and enumeration."""

from itertools import product
from math import inf

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioner_spacy.analysis.agreement import Agreement, Stratum, Z, agreement, stratified, wilson


def answers(table: list[list[int]]) -> tuple[list[int], list[int]]:
    """Answers of two judges from the table of their counts."""
    pairs = [(i, j) for i, row in enumerate(table) for j, count in enumerate(row) for _ in range(count)]
    return [first for first, _ in pairs], [second for _, second in pairs]


def test_kappa_by_hand() -> None:
    """20 both yes, 5 yes and no, 10 no and yes, 15 both no: p_o = 35/50, p_e = 0.5 * 0.6 + 0.5 * 0.4."""
    found = agreement(*answers([[20, 5], [10, 15]]))
    assert (found.items, found.observed, found.kappa) == (50, pytest.approx(0.7), pytest.approx(0.4))
    # The variance as Fleiss, Cohen and Everitt (1969) write it: (A + B - C) / (n (1 - p_e)^4).
    a = 0.4 * (0.5 - 1.1 * 0.3) ** 2 + 0.3 * (0.5 - 0.9 * 0.3) ** 2
    b = 0.3**2 * (0.1 * (0.6 + 0.5) ** 2 + 0.2 * (0.5 + 0.4) ** 2)
    c = (0.7 * 0.5 - 2 * 0.5 + 0.7) ** 2
    error = ((a + b - c) / 50 / 0.5**4) ** 0.5
    assert found.low == pytest.approx(0.4 - Z * error)
    assert found.high == pytest.approx(0.4 + Z * error)


def test_a_published_example() -> None:
    """Diagnoses of 100 people in Fleiss, Levin and Paik (2003), chapter 18: 0.68, from 0.50 to 0.85."""
    found = agreement(*answers([[75, 1, 4], [5, 4, 1], [0, 0, 10]]))
    assert found.kappa == pytest.approx(0.676, abs=5e-4)
    assert (found.low, found.high) == (pytest.approx(0.504, abs=0.002), pytest.approx(0.848, abs=0.002))


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("abc")), min_size=1, max_size=30))
def test_properties(pairs: list[tuple[str, str]]) -> None:
    first, second = map(list, zip(*pairs))
    found, swapped = agreement(first, second), agreement(second, first)
    assert found.kappa == pytest.approx(swapped.kappa) and found.low == pytest.approx(swapped.low)
    assert found.observed == pytest.approx(sum(a == b for a, b in pairs) / len(pairs))
    if found.kappa is not None:
        assert -1 <= found.kappa <= 1 + 1e-9
    if found.low is not None and found.kappa is not None and found.high is not None:
        assert -1 <= found.low <= found.kappa <= found.high <= 1


def test_undefined_kappa() -> None:
    assert agreement([], []) == Agreement(0)
    assert agreement(["yes"] * 4, ["yes"] * 4) == Agreement(4, 1.0)
    everywhere = agreement(["yes", "no", "no"], ["yes", "no", "no"])
    assert everywhere == Agreement(3, 1.0, pytest.approx(1.0), None, None)
    one_sided = agreement(["yes", "yes"], ["yes", "no"])  # no more than chance, because the first judge says nothing
    assert (one_sided.observed, one_sided.kappa) == (0.5, 0.0)
    with pytest.raises(ValueError):
        agreement(["yes"], [])


def test_wilson() -> None:
    """Newcombe (1998), Two-sided confidence intervals for the single proportion, table I, method 3."""
    for yes, items, low, high in [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611)]:
        found = wilson(yes / items, items)
        assert (found.low, found.high) == (pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5))
    assert wilson(1.0, 29) == (1.0, pytest.approx(0.8830, abs=5e-5), 1.0)
    assert wilson(0.3, inf) == (0.3, 0.3, 0.3)


def test_weights_by_hand() -> None:
    """90 of one stratum with 1 of 2 right, 10 of another with 4 of 5: 0.9 * 0.5 + 0.1 * 0.8."""
    found = stratified([Stratum(90, 2, 1), Stratum(10, 5, 4)])
    assert found.value == pytest.approx(0.53)
    variance = 0.9**2 * (1 - 2 / 90) * 0.25 / 1 + 0.1**2 * 0.5 * 0.16 / 4
    assert found == pytest.approx(wilson(0.53, 0.53 * 0.47 / variance))


def test_one_stratum_of_many_is_nearly_a_simple_sample() -> None:
    found = stratified([Stratum(10**9, 40, 30)])
    assert found == pytest.approx(wilson(0.75, 39), abs=1e-6)


def test_all_judged_leaves_no_doubt() -> None:
    assert stratified([Stratum(3, 3, 1), Stratum(2, 2, 2)]) == pytest.approx((0.6, 0.6, 0.6))


def test_strata_without_variance_are_not_believed() -> None:
    """All right in each stratum: a sample of 4 that counts as fewer, as the weights differ."""
    found = stratified([Stratum(900, 2, 2), Stratum(100, 2, 2)])
    assert found.value == found.high == 1.0
    assert found.low == pytest.approx(wilson(1.0, 1 / (0.81 * (898 / 900) / 2 + 0.01 * 0.98 / 2)).low)
    for last in (0, 1):  # variance 0, and a small one
        found = stratified([Stratum(500, 10, 10), Stratum(500, 10, last)])
        assert found == pytest.approx(wilson(found.value, 20 / 0.98))


def test_estimate_is_unbiased_over_all_samples() -> None:
    """Mean over all samples of two from each of two strata is the share in the population."""
    first, second = [1, 0, 0, 1, 1], [0, 0, 1]
    pairs = lambda part: [(a, b) for i, a in enumerate(part) for b in part[i + 1 :]]  # noqa: E731
    found = [
        stratified([Stratum(5, 2, sum(a)), Stratum(3, 2, sum(b))]).value
        for a, b in product(pairs(first), pairs(second))
    ]
    assert numpy.mean(found) == pytest.approx(4 / 8)


def test_intervals_hold_the_true_share() -> None:
    """At least 93 % of the intervals of small samples hold it, where the strata are as different as scores make them."""
    rng = numpy.random.default_rng(0)
    sizes, true, drawn = [400, 400, 400, 50, 50], [0.3, 0.6, 0.95, 0.1, 0.9], 8
    strata = [rng.permutation(numpy.arange(size) < size * share) for size, share in zip(sizes, true)]
    goal = sum(part.sum() for part in strata) / sum(sizes)
    held = 0
    for _ in range(2000):
        sample = [Stratum(len(part), drawn, int(rng.choice(part, drawn, replace=False).sum())) for part in strata]
        found = stratified(sample)
        held += found.low <= goal <= found.high
    assert held / 2000 > 0.93
