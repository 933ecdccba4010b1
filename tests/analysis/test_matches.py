"""Strict, exact, partial and type matches."""

from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from made_mentions import flat_mentions, mentions

from bioner_spacy.analysis import matches
from bioner_spacy.analysis.matches import SCHEMES, match_scores
from bioner_spacy.reports.analysis import matches_table
from bioner_spacy.scoring.mentions import Compared, Mention
from bioner_spacy.scoring.pairs import overlap

nervaluate = pytest.importorskip("nervaluate")


def doc(gold: set[Mention], predicted: set[Mention], corpus: str = "c") -> Compared:
    return Compared(corpus, "1", gold, predicted)


def counts(gold: set[Mention], predicted: set[Mention]) -> dict[str, list[int]]:
    """Correct, incorrect, partial, missed and spurious mentions by scheme."""
    found = match_scores([doc(gold, predicted)])["micro"]
    return {scheme: [found[scheme][name] for name in matches.COUNTS] for scheme in SCHEMES}


def by_nervaluate(gold: list[Mention], predicted: list[Mention]) -> dict[str, Any]:
    sides = [[[{"start": s, "end": e - 1, "label": t} for s, e, t in side]] for side in (gold, predicted)]
    found = nervaluate.Evaluator(*sides, tags=["A", "B"], loader="dict").evaluate()["overall"]
    return {"type" if name == "ent_type" else name: result for name, result in found.items()}


def credit(scheme: str, gold: Mention, predicted: Mention) -> float:
    """What a pair counts, from the definitions of the schemes."""
    extent, of_type = gold[:2] == predicted[:2], gold[2] == predicted[2]
    return {
        "strict": float(extent and of_type),
        "exact": float(extent),
        "partial": 1.0 if extent else 0.5 * bool(overlap(gold, predicted)),
        "type": float(of_type and bool(overlap(gold, predicted))),
    }[scheme]


@pytest.mark.parametrize(
    "predicted, expected",
    [
        ((0, 6, "A"), {"strict": "correct", "exact": "correct", "partial": "correct", "type": "correct"}),
        ((0, 6, "B"), {"strict": "incorrect", "exact": "correct", "partial": "correct", "type": "incorrect"}),
        ((2, 6, "A"), {"strict": "incorrect", "exact": "incorrect", "partial": "partial", "type": "correct"}),
        ((2, 9, "B"), {"strict": "incorrect", "exact": "incorrect", "partial": "partial", "type": "incorrect"}),
    ],
)
def test_a_pair_by_each_scheme(predicted: Mention, expected: dict[str, str]) -> None:
    found = counts({(0, 6, "A")}, {predicted})
    assert found == {scheme: [int(name == kind) for name in matches.COUNTS] for scheme, kind in expected.items()}


def test_mentions_without_a_partner() -> None:
    assert set(map(tuple, counts({(0, 3, "A")}, set()).values())) == {(0, 0, 0, 1, 0)}
    assert set(map(tuple, counts(set(), {(0, 3, "A")}).values())) == {(0, 0, 0, 0, 1)}
    assert set(map(tuple, counts({(0, 3, "A")}, {(3, 5, "A")}).values())) == {(0, 0, 0, 1, 1)}


def test_a_wrong_prediction_takes_nothing_from_a_right_one() -> None:
    """nervaluate alone gives a gold mention to the first prediction that overlaps it."""
    nested = [(0, 5, "A"), (0, 10, "A")]
    assert by_nervaluate([(0, 10, "A")], nested)["strict"].correct == 0
    assert counts({(0, 10, "A")}, set(nested))["strict"] == [1, 0, 0, 0, 1]
    two_types = [(0, 5, "B"), (0, 5, "A")]
    assert by_nervaluate([(0, 5, "A")], two_types)["strict"].correct == 0
    for entity_type in ("A", "B"):
        assert counts({(0, 5, entity_type)}, set(two_types))["strict"] == [1, 0, 0, 0, 1]


def test_a_right_one_is_correct_even_if_two_partial_ones_could_be_had() -> None:
    assert counts({(0, 6, "A"), (4, 10, "A")}, {(0, 6, "A"), (1, 3, "A")})["partial"] == [1, 0, 0, 1, 1]


def test_nested_mentions_match_each_for_itself() -> None:
    gold: set[Mention] = {(0, 10, "A"), (0, 4, "B"), (5, 10, "A")}
    assert counts(gold, gold)["strict"] == [3, 0, 0, 0, 0]
    assert counts(gold, {(0, 4, "B"), (5, 9, "A"), (0, 10, "B")}) == {
        "strict": [1, 2, 0, 0, 0],
        "exact": [2, 1, 0, 0, 0],
        "partial": [2, 0, 1, 0, 0],
        "type": [2, 1, 0, 0, 0],
    }


@given(mentions(most=4), mentions(most=4))
def test_scores_are_the_best_that_pairs_can_give(gold: set[Mention], predicted: set[Mention]) -> None:
    found = match_scores([doc(gold, predicted)])["micro"]
    for scheme in SCHEMES:
        assert sum(found[scheme][name] for name in ("correct", "incorrect", "partial", "missed")) == len(gold)
        assert sum(found[scheme][name] for name in ("correct", "incorrect", "partial", "spurious")) == len(predicted)
        fewer, more = sorted((sorted(gold), sorted(predicted)), key=len)
        best = max(
            sum(credit(scheme, one, other) for one, other in zip(fewer, chosen))
            for chosen in permutations(more, len(fewer))
        )
        if gold or predicted:
            f = found[scheme]["f"]
            assert f == pytest.approx(2 * best / (len(gold) + len(predicted)))


@given(flat_mentions(), flat_mentions())
def test_flat_mentions_are_scored_as_by_nervaluate_alone(gold: set[Mention], predicted: set[Mention]) -> None:
    found = match_scores([doc(gold, predicted)])["micro"]
    expected = by_nervaluate(sorted(gold), sorted(predicted))
    for scheme in ("strict", "exact", "partial"):
        assert [found[scheme][name] for name in matches.COUNTS] == [
            getattr(expected[scheme], name) for name in matches.COUNTS
        ]
    assert found["type"]["correct"] >= expected["type"].correct


def test_corpora_and_types() -> None:
    """Corpus c: A half right, B right; corpus d: B wrong."""
    docs = [
        doc({(0, 2, "A"), (4, 6, "A")}, {(0, 2, "A"), (4, 5, "A")}),
        doc({(0, 2, "B")}, {(0, 2, "B")}),
        doc({(0, 2, "B")}, {(4, 6, "B")}, corpus="d"),
        doc(set(), set(), corpus="empty"),
    ]
    found = match_scores(docs)
    of_c = found["per_corpus"]["c"]
    assert {name: scores["strict"]["f"] for name, scores in of_c["per_type"].items()} == {"A": 0.5, "B": 1.0}
    assert of_c["micro"]["strict"]["f"] == pytest.approx(2 / 3)
    assert of_c["macro"]["strict"]["f"] == 0.75
    assert found["per_corpus"]["empty"]["micro"]["partial"]["f"] is None
    assert found["macro"]["strict"]["f"] == pytest.approx((2 / 3 + 0) / 2)
    assert found["micro"]["strict"]["f"] == pytest.approx(0.5)
    assert found["micro"]["partial"]["f"] == pytest.approx(2.5 / 4)
    assert found["per_type"]["B"]["type"]["f"] == 0.5
    rows = {tuple(row[:2]): list(row[2:]) for row in matches_table(found, "f").rows}
    assert rows["c", "A"] == ["50.00", "50.00", "75.00", "100.00"]
    assert rows["c", "mean over types"] == ["75.00", "75.00", "87.50", "100.00"]
    assert rows["all mentions", "all types"] == ["50.00", "50.00", "62.50", "75.00"]
    assert ("d", "mean over types") not in rows
    assert len(matches_table(found).header) == 2 + 3 * len(SCHEMES)
