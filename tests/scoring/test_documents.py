"""Counts of mentions by document."""

import numpy
import pytest

from bioner_spacy.scoring.documents import count_documents, gold_difference, paired
from bioner_spacy.scoring.mentions import Compared
from bioner_spacy.scoring.metrics import STRICT

GENE, OTHER, DRUG = (0, 3, "GENE"), (5, 8, "GENE"), (5, 8, "CHEMICAL")


def counts_of(*texts: Compared) -> dict[str, object]:
    return count_documents(texts, [STRICT])["strict"]["a"].to_dict()


def test_sentences_of_a_document_are_one_unit() -> None:
    found = counts_of(
        Compared("a", "1", {GENE}, {GENE, OTHER}),
        Compared("a", "2", set(), set()),
        Compared("a", "1", {OTHER, DRUG}, {GENE}),
    )
    expected = {
        "CHEMICAL": {"gold": "1 0", "predicted": "0 0", "matched": "0 0"},
        "GENE": {"gold": "2 0", "predicted": "3 0", "matched": "1 0"},
    }
    assert found == {"unit": "document", "n": 2, "counts": expected}


def test_records_without_the_id_of_a_document_are_units() -> None:
    found = counts_of(Compared("a", "", {GENE}, set()), Compared("a", "", {GENE}, set()))
    assert (found["unit"], found["n"]) == ("record", 2)
    assert counts_of(Compared("a", "", set(), set()))["counts"] == {}


def test_columns_of_two_systems() -> None:
    first = counts_of(Compared("a", "1", {GENE}, {GENE}), Compared("a", "2", {GENE}, {DRUG}))
    second = counts_of(Compared("a", "1", {GENE}, set()), Compared("a", "2", {GENE}, {GENE, OTHER}))
    found = paired([first], [second], ["CHEMICAL", "GENE"])
    numpy.testing.assert_array_equal(found.gold, [[0, 1, 1], [0, 1, 1]])
    numpy.testing.assert_array_equal(found.predicted[0, 0], [[0, 1, 1], [1, 0, 1]])
    numpy.testing.assert_array_equal(found.predicted[1, 0], [[0, 0, 0], [0, 2, 2]])
    numpy.testing.assert_array_equal(found.found[:, 0, :, 2], [[1, 0], [0, 1]])


@pytest.mark.parametrize(
    ("texts", "problem"),
    [
        ([Compared("a", "1", {GENE}, {DRUG}), Compared("a", "2", {OTHER}, set())], None),
        ([Compared("a", "1", {GENE}, set())], "2 and 1 documents"),
        (
            [Compared("a", "1", {GENE, OTHER}, set()), Compared("a", "2", set(), set())],
            "1 and 2 gold mentions of GENE in document 1",
        ),
        (
            [Compared("a", "1", {GENE}, set()), Compared("a", "2", {DRUG}, set())],
            "0 and 1 gold mentions of CHEMICAL in document 2",
        ),
    ],
)
def test_other_gold_is_reported(texts: list[Compared], problem: str | None) -> None:
    gold = counts_of(Compared("a", "1", {GENE}, {GENE}), Compared("a", "2", {GENE}, set()))
    assert gold_difference(gold, counts_of(*texts)) == problem
