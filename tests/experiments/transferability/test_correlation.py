"""Correlations of measures with gains."""

from dataclasses import replace
from math import sqrt
from pathlib import Path
from typing import Any

import numpy
import pytest

from bioner_spacy.errors import BionerError, BionerWarning
from bioner_spacy.experiments.transferability.correlation import (
    Correlations,
    best_measure,
    correlate,
    pearson,
    spearman,
)
from bioner_spacy.experiments.transferability.gains import Gains
from bioner_spacy.experiments.transferability.measures import Measures
from bioner_spacy.reports.transferability import correlations_page
from bioner_spacy.scoring.comparison import Row

X, Y = [1.0, 2.0, 3.0, 4.0, 5.0], [2.0, 1.0, 4.0, 3.0, 10.0]


def test_pearson_by_hand() -> None:
    found = pearson(X, Y)
    assert (found.n, found.value) == (5, pytest.approx(18 / sqrt(10 * 50)))
    z, reach = numpy.arctanh(18 / sqrt(500)), 1.959964 / sqrt(2)
    assert [found.low, found.high] == pytest.approx(numpy.tanh([z - reach, z + reach]).tolist())
    assert found.p == pytest.approx(0.1004, abs=0.0005)  # t = 2.348 with 3 degrees of freedom


def test_spearman_by_hand() -> None:
    found = spearman(X, Y)
    # Ranks 2 1 4 3 5: 1 - 6 * 4 / (5 * 24).
    assert found.value == pytest.approx(0.8)
    z, reach = numpy.arctanh(0.8), 1.959964 * sqrt((1 + 0.64 / 2) / 2)
    assert [found.low, found.high] == pytest.approx(numpy.tanh([z - reach, z + reach]).tolist())


@pytest.mark.parametrize("correlation", [pearson, spearman])
def test_correlations_that_are_undefined(correlation: Any) -> None:
    assert correlation(X, [1.0] * 5).value is None
    assert correlation(X[:2], Y[:2]).value is None
    three = correlation(X[:3], Y[:3])
    assert three.value == pytest.approx(0.6547 if correlation is pearson else 0.5, abs=1e-4)
    assert three.low is three.high is None
    assert correlation(X, X).value == pytest.approx(1) and correlation(X, X).low is None


def made(names: list[str], gain: Any) -> Gains:
    """Gains as a function of target and auxiliary."""
    rows = {(a, b): Row(a, "all types", 10, (0.5,), (0.5 + gain(a, b),)) for a in names for b in names if a != b}
    return Gains(names, "devel", [0], {}, 0, True, 1, {}, 0, rows, {}, 0.05)


def measured(names: list[str], **values: Any) -> Measures:
    pairs = [(a, b) for a in names for b in names if a != b]
    return Measures(names, {}, 0, "encoder", {name: {p: f(*p) for p in pairs} for name, f in values.items()}, {})


def value(a: str, b: str) -> float:
    return (7 * ord(a) + 3 * ord(b)) % 11 / 10


@pytest.fixture
def found() -> Correlations:
    """Vocabulary is half of the gain and what one target has more; topic its opposite; labels not always there."""
    names = list("abcd")
    measures = measured(
        ["d", "c", "b", "a", "x"],
        vocabulary=lambda a, b: value(a, b) / 2 + (a == "a"),
        topic=lambda a, b: -value(a, b),
        labels=lambda a, b: None if {a, b} == {"a", "b"} else 2 * value(a, b),
        encoder=lambda a, b: 0.5,
    )
    with pytest.warns(BionerWarning, match="over 12 pairs"):
        return correlate(made(names, value), measures)


def test_overall_and_by_target(found: Correlations) -> None:
    assert found.corpora == list("abcd")
    assert found.pearson["topic"].value == pytest.approx(-1)
    assert found.spearman["labels"].value == pytest.approx(1)
    assert (found.pearson["labels"].n, found.pearson["topic"].n) == (10, 12)
    assert found.pearson["encoder"].value is None
    assert 0 < found.pearson["vocabulary"].value < 0.9  # type: ignore[operator]
    for corpus in "abcd":
        assert found.by_target["vocabulary"][corpus].value == pytest.approx(1)
    assert found.by_target["labels"]["a"].n == 2
    gains = {(a, b): gain for a, b, _, gain in found.points["topic"]}
    assert gains["c", "a"] == pytest.approx(100 * value("c", "a"))


def test_measures_of_other_numbers_of_tokens() -> None:
    names = list("abcd")
    with pytest.raises(BionerError, match=r"gains are of 0 tokens .* measures of 500 .* measure with --tokens 0"):
        correlate(made(names, value), replace(measured(names, topic=value), budget=500))


def test_files_and_the_best_measure(found: Correlations, tmp_path: Path) -> None:
    files = correlations_page(found).to_disk(tmp_path)
    assert [file.name for file in files] == [f"correlations.{suffix}" for suffix in ("json", "md", "svg", "png")]
    page = files[1].read_text(encoding="utf8")
    assert "There are 12 pairs of 4 corpora, and they are not independent" in page
    assert "| encoder | 12 | undefined | undefined | undefined | undefined | undefined | undefined |" in page
    assert "topic: r -1.00, rho -1.00" in files[2].read_text(encoding="utf8")
    # As close as labels, and the earlier one.
    assert best_measure(tmp_path) == ("topic", pytest.approx(-1))
    curve = {"curve": replace(found.spearman["topic"], value=-1.5)}
    correlations_page(replace(found, spearman={**found.spearman, **curve})).to_disk(tmp_path)
    assert best_measure(tmp_path)[0] == "topic"


@pytest.mark.parametrize("content", ["{}", '{"spearman": {}}', '{"spearman": {"topic": {"value": null}}}'])
def test_files_without_a_best_measure(content: str, tmp_path: Path) -> None:
    for _ in range(2):
        with pytest.raises(BionerError, match="holds no correlations"):
            best_measure(tmp_path)
        (tmp_path / "correlations.json").write_text(content, encoding="utf8")


def test_two_corpora_have_no_correlation() -> None:
    with pytest.raises(BionerError, match="three corpora .* found: a, b"):
        correlate(made(["a", "b", "y"], value), measured(["a", "b", "x"], topic=value))
