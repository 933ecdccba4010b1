"""Counts over gold documents, and the comparison of guidelines."""

import pytest
from spacy.tokens import Doc, Span
from toy_corpora import blank_nlp

from bioner_spacy.corpora.statistics import Usage, compare_guidelines, describe, dice
from bioner_spacy.scope import set_gold


def gold(words: str, *mentions: tuple[int, int, str], scope: str = "GENE CELL", doc_id: str = "") -> Doc:
    nlp = blank_nlp()
    tokens = words.split()
    doc = Doc(nlp.vocab, tokens)
    spans = [Span(doc, start, end, label) for start, end, label in mentions]
    set_gold(doc, spans, corpus="A", scope=scope.split(), doc_id=doc_id)
    return doc


def test_counts() -> None:
    found = describe(
        [
            gold("human IL-2 gene in T cells", (0, 3, "GENE"), (1, 2, "GENE"), (4, 6, "CELL"), doc_id="1"),
            gold("il-2 again", (0, 1, "GENE"), (0, 1, "CELL"), doc_id="1"),
            gold("nothing", doc_id="2"),
        ]
    )
    assert (found.documents, found.articles, found.tokens) == (3, 2, 9)
    assert found.types == {"GENE", "CELL"}
    assert found.mentions == {"GENE": 3, "CELL": 2}
    assert found.lengths == {1: 3, 2: 1, 3: 1}
    assert found.mean_length == pytest.approx(8 / 5)
    assert found.depths == {0: 4, 1: 1}
    assert found.nested == 1
    assert found.surfaces["GENE"] == {("human", "il-2", "gene"): 1, ("il-2",): 2}
    # Of three names, "il-2" is a gene and a cell.
    assert found.ambiguous == pytest.approx(1 / 3)
    assert found.vocabulary == {("human", "il-2", "gene"), ("il-2",), ("t", "cells")}


def test_nothing_to_count() -> None:
    found = describe([])
    assert (found.mean_length, found.nested, found.ambiguous, found.articles) == (0.0, 0, 0.0, 0)


def test_entity_types_without_a_statement_of_scope_are_those_that_stand_there() -> None:
    doc = gold("IL-2", (0, 1, "GENE"))
    del doc.spans["bioner"].attrs["scope"]
    assert describe([doc]).types == {"GENE"}


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [("ab", "bc", 0.5), ("ab", "ab", 1.0), ("a", "", 0.0), ("", "", 0.0), ("a", "abc", 0.5)],
)
def test_dice(one: str, other: str, expected: float) -> None:
    assert dice([(name,) for name in one], [(name,) for name in other]) == expected


def test_names_that_one_corpus_annotates_and_the_other_does_not() -> None:
    one = [
        gold("p53 binds NF-kappa B", (0, 1, "GENE"), (2, 4, "GENE")),
        gold("P53 and insulin", (0, 1, "GENE"), scope="GENE"),
        gold("insulin , insulin", (0, 1, "GENE"), scope="GENE"),
    ]
    other = [
        gold("insulin and p53 and NF-kappa B", (0, 1, "GENE"), (2, 3, "GENE"), scope="GENE CHEMICAL"),
        gold("Nf-Kappa b", scope="GENE"),
    ]
    [found] = compare_guidelines({"one": one, "other": other})
    assert (found.corpora, found.entity_type) == (("one", "other"), "GENE")
    assert found.shared == 3
    assert found.disagreeing == 2
    assert found.examples == [
        (("nf-kappa", "b"), Usage(1, 1), Usage(2, 0)),
        (("insulin",), Usage(3, 1), Usage(1, 1)),
    ]
    [short] = compare_guidelines({"one": one, "other": other}, n_examples=1)
    assert len(short.examples) == 1
    assert short.disagreeing == 2


def test_corpora_without_a_shared_type_are_not_compared() -> None:
    assert compare_guidelines({"one": [gold("a", scope="GENE")], "other": [gold("a", scope="CELL")]}) == []
