"""Ranks of auxiliary corpora."""

import pytest

from bioner_spacy.errors import BionerError
from bioner_spacy.experiments.transferability.measures import Measures
from bioner_spacy.experiments.transferability.ranking import rank
from bioner_spacy.reports.transferability import ranking_table

VALUES = {
    "vocabulary": {"a": 0.1, "b": 0.2, "c": 0.3},  # ranks 3 2 1
    "topic": {"a": 0.5, "b": 0.5, "c": 0.4},  # 1.5 1.5 3
    "labels": {"a": None, "b": 0.2, "c": 0.9},
    "curve": {"a": 9.0, "b": 0.0, "c": 0.0},
}
MEASURES = Measures(
    ["t", "a", "b", "c"],
    {},
    0,
    "",
    {n: {("t", corpus): v for corpus, v in of.items()} for n, of in VALUES.items()},
    {},
)


def test_the_mean_rank_counts_measures_that_are_there_for_all() -> None:
    found = rank(MEASURES, "t")
    assert found.counted == ["vocabulary", "topic"]
    assert found.ranks == {"a": 2.25, "b": 1.75, "c": 2.0}
    assert found.auxiliaries == ["b", "c", "a"]
    assert "vocabulary, topic" in found.method() and "not measured" in found.method()
    assert ranking_table(found).rows[0] == ["b", "1.75", "0.2000", "0.5000", "0.2000"]


def test_one_measure_decides_in_the_direction_of_its_sign() -> None:
    assert rank(MEASURES, "t", by="vocabulary").auxiliaries == ["c", "b", "a"]
    assert rank(MEASURES, "t", by="vocabulary", sign=-0.4).auxiliaries == ["a", "b", "c"]
    assert "vocabulary alone" in rank(MEASURES, "t", by="vocabulary").method()


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_what_is_not_known_comes_last(sign: float) -> None:
    found = rank(MEASURES, "t", by="labels", sign=sign)
    assert found.auxiliaries == (["c", "b", "a"] if sign > 0 else ["b", "c", "a"])
    assert found.missing == ["a"] and ranking_table(found).rows[-1][:2] == ["a", "–"]


def test_wrong_names() -> None:
    with pytest.raises(BionerError, match="no measure without training 'curve'"):
        rank(MEASURES, "t", by="curve")
    with pytest.raises(BionerError, match="target x is not among"):
        rank(MEASURES, "x")
