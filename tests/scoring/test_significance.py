"""Tests of significance against enumeration of all that can be drawn, and against what they promise."""

from itertools import product

import numpy
import pytest
from numpy.random import default_rng

from bioner_spacy.scoring import significance as module
from bioner_spacy.scoring.significance import (
    Paired,
    Significance,
    f1,
    holm,
    observed,
    p_values,
    randomised,
    resampled,
    run_weights,
    significance,
)


def same_numerators(gold: numpy.ndarray, predicted: numpy.ndarray, matched: numpy.ndarray) -> Paired:
    """Counts of a metric by which a mention counts the same on both sides."""
    return Paired(*(part.astype("float64") for part in (gold, predicted, matched, matched)))


def random_counts(seed: int, *, documents: int, runs: int = 1, better: float = 0.0) -> Paired:
    """Counts of two columns; both systems find 70 % of the mentions, the second one so much more."""
    rng = default_rng(seed)
    gold = rng.integers(0, 5, (documents, 2))
    matched = numpy.stack([rng.binomial(gold, share, (runs, documents, 2)) for share in (0.7, 0.7 + better)])
    return same_numerators(gold, matched + rng.integers(0, 3, matched.shape), matched)


def difference(counts: Paired, numbers: list[int], swap: tuple[bool, ...]) -> numpy.ndarray:
    """(columns,) difference on some documents, in some of which the systems change places; one number at a time."""
    _, runs, _, columns = counts.predicted.shape
    found = numpy.zeros(columns)
    for column, run in product(range(columns), range(runs)):
        gold = sum(counts.gold[number, column] for number in numbers)
        f = []
        for system in (0, 1):
            sides = [(1 - system if change else system, number) for number, change in zip(numbers, swap)]
            predicted = sum(counts.predicted[side, run, number, column] for side, number in sides)
            matched = sum(counts.found[side, run, number, column] for side, number in sides)
            f.append(2 * matched / (gold + predicted) if gold + predicted else 0.0)
        found[column] += (f[1] - f[0]) / runs
    return found


@pytest.mark.parametrize("runs", [1, 3])
def test_randomisation_is_that_over_all_changes_of_places(runs: int) -> None:
    counts = random_counts(3, documents=8, runs=runs, better=0.2)
    numbers = list(range(8))
    of_all = numpy.array([difference(counts, numbers, swap) for swap in product((False, True), repeat=8)])
    found = observed(counts)
    numpy.testing.assert_allclose(found, of_all[0])
    exact = (numpy.abs(of_all) >= numpy.abs(found) - 1e-12).mean(axis=0)
    assert 0.01 < exact.min() < 0.9
    draws = randomised(counts, 20_000, default_rng(0))
    # Four standard errors of a share of 20,000 draws.
    numpy.testing.assert_allclose(p_values(found, draws), exact, atol=4 * (0.25 / 20_000) ** 0.5)
    numpy.testing.assert_allclose(numpy.unique(draws.round(9)), numpy.unique(of_all.round(9)))


def test_bootstrap_is_that_over_all_samples() -> None:
    counts = random_counts(5, documents=5, runs=2, better=0.2)
    keep = (False,) * 5
    of_all = numpy.array([difference(counts, list(sample), keep) for sample in product(range(5), repeat=5)])
    draws = resampled(counts, numpy.full((2, 40_000, 2), 0.5), default_rng(0))
    assert set(draws.round(9).ravel()) <= set(of_all.round(9).ravel())
    numpy.testing.assert_allclose(draws.mean(axis=0), of_all.mean(axis=0), atol=4 * of_all.std() / 40_000**0.5)
    for level in (0.025, 0.25, 0.975):
        numpy.testing.assert_allclose(*(numpy.quantile(part, level, axis=0) for part in (draws, of_all)), atol=0.01)


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = random_counts(1, documents=6)
    weights = run_weights(1, 50, default_rng(0))
    whole = resampled(counts, weights, default_rng(1))
    monkeypatch.setattr(module, "BLOCK", 20)
    numpy.testing.assert_array_equal(resampled(counts, weights, default_rng(1)), whole)
    assert randomised(counts, 50, default_rng(1)).shape == (50, 2)


def test_weights_of_runs_vary_as_runs_do() -> None:
    f = numpy.array([0.70, 0.74, 0.71])
    weights = run_weights(3, 50_000, default_rng(0))
    numpy.testing.assert_allclose(weights.sum(axis=2), 1)
    means = (weights @ f)[0]
    assert means.mean() == pytest.approx(f.mean(), abs=1e-3)
    assert means.var() == pytest.approx(f.var(ddof=1) / 3, rel=0.05)
    assert (run_weights(1, 4, default_rng(0)) == 1).all()


def test_runs_that_differ_widen_the_interval() -> None:
    same = random_counts(2, documents=100, runs=2, better=0.25)
    same = same_numerators(same.gold, same.predicted[:, :1].repeat(2, axis=1), same.found[:, :1].repeat(2, axis=1))
    worse = same.found.copy()
    worse[1, 1] = 0  # one run of the second system finds nothing
    tests = [significance({"a": counts})[1] for counts in (same, same_numerators(same.gold, same.predicted, worse))]
    assert tests[0].differs(0.05)
    assert not tests[1].differs(0.05)
    assert tests[1].high - tests[1].low > 4 * (tests[0].high - tests[0].low)


def test_equal_systems_do_not_differ() -> None:
    counts = random_counts(1, documents=30)
    equal = same_numerators(counts.gold, counts.predicted[[0, 0]], counts.found[[0, 0]])
    found, mean = significance({"a": equal}, resamples=200)
    assert [*found["a"], mean] == [Significance(0.0, 0.0, 1.0)] * 3
    assert not mean.differs(0.05)


def test_a_level_has_that_share_of_false_findings() -> None:
    tests = [significance({"a": random_counts(seed, documents=50)}, resamples=199)[1] for seed in range(300)]
    by_p = sum(test.p < 0.1 for test in tests)
    by_interval = sum(not test.low <= 0 <= test.high for test in tests)
    assert 15 <= by_p <= 48  # 30 expected, three standard deviations of 5.2
    assert 5 <= by_interval <= 33  # 15 expected at 95 %, and some more as percentile intervals are too narrow
    found = [
        significance({"a": random_counts(seed, documents=200, better=0.2)}, resamples=199)[1] for seed in range(20)
    ]
    assert sum(test.differs(0.1) for test in found) >= 19


def test_p_is_never_zero_and_ties_count() -> None:
    chance = numpy.array([[0.1, 0.3], [-0.2, 0.3 - 1e-15], [0.0, 0.1]])
    numpy.testing.assert_allclose(p_values(numpy.array([0.4, -0.3]), chance), [1 / 4, 3 / 4])


def test_correction_by_hand() -> None:
    numpy.testing.assert_allclose(holm(numpy.array([0.01, 0.04, 0.03, 0.005])), [0.03, 0.06, 0.06, 0.02])
    numpy.testing.assert_allclose(holm(numpy.array([0.6, 0.7])), [1, 1])
    assert holm(numpy.array([0.03])) == pytest.approx(0.03)
    assert len(holm(numpy.array([]))) == 0


def test_both_must_say_that_there_is_a_difference() -> None:
    assert Significance(0.01, 0.03, p=0.01).differs(0.05)
    assert not Significance(0.01, 0.03, p=0.01, adjusted=0.06).differs(0.05)
    assert not Significance(-0.01, 0.03, p=0.01).differs(0.05)


def test_a_corpus_is_drawn_alike_whatever_is_beside_it() -> None:
    corpora = {name: random_counts(seed, documents=20, better=0.1) for seed, name in enumerate("abc")}
    found, mean = significance(corpora, resamples=300)
    alone, mean_alone = significance({"b": corpora["b"]}, resamples=300)
    assert alone["b"] == found["b"]
    assert mean_alone == alone["b"][-1]
    # The mean varies less than its parts, as the corpora are drawn independently.
    widths = [of_corpus[-1].high - of_corpus[-1].low for of_corpus in found.values()]
    assert 0.4 < (mean.high - mean.low) / (sum(widths) / 3) < 0.75


def test_nothing_counted_is_zero() -> None:
    zero = numpy.zeros(2)
    numpy.testing.assert_array_equal(f1(zero, zero, zero, zero), [0, 0])
    nothing = Paired(*(numpy.zeros(shape, dtype="int64") for shape in ((4, 1), *3 * [(2, 1, 4, 1)])))
    assert significance({"a": nothing}, resamples=10)[1] == Significance(0.0, 0.0, 1.0)
