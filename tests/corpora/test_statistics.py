"""Counts over gold documents, and the comparison of guidelines."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from spacy.tokens import Doc, Span
from toy_corpora import blank_nlp

from bioner_spacy.corpora.statistics import (
    LONGEST_SURFACE,
    Usage,
    compare_guidelines,
    count_usage,
    describe,
    dice,
    fold,
    merge_statistics,
    name_text,
)
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
            gold("IL-2 again", (0, 1, "GENE"), (0, 1, "CELL"), doc_id="1"),
            gold("nothing", doc_id="2"),
        ]
    )
    assert (found.records, found.documents, found.tokens) == (3, 2, 9)
    assert found.types == {"GENE", "CELL"}
    assert found.mentions == {"GENE": 3, "CELL": 2}
    assert found.lengths == {1: 3, 2: 1, 3: 1}
    assert found.mean_length == pytest.approx(8 / 5)
    assert found.depths == {0: 4, 1: 1}
    assert found.nested == 1
    assert found.surfaces["GENE"] == {("human", "IL-2", "gene"): 1, ("IL-2",): 2}
    # Of three names, "IL-2" is a gene and a cell.
    assert found.ambiguous == pytest.approx(1 / 3)
    assert found.vocabulary == {("human", "IL-2", "gene"), ("IL-2",), ("t", "cells")}


def test_nothing_to_count() -> None:
    found = describe([])
    assert (found.mean_length, found.nested, found.ambiguous, found.documents) == (0.0, 0, 0.0, 0)


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
    statistics = {"one": describe(one), "other": describe(other)}
    [found] = compare_guidelines(statistics)
    assert (found.corpora, found.entity_type) == (("one", "other"), "GENE")
    assert found.shared == 3
    assert found.disagreeing == 2
    assert found.examples == [(("nf-kappa", "b"), Usage(1, 1), Usage(2, 0)), (("insulin",), Usage(3, 1), Usage(1, 1))]
    [short] = compare_guidelines(statistics, n_examples=1)
    assert len(short.examples) == 1
    assert short.disagreeing == 2


def test_corpora_without_a_shared_type_are_not_compared() -> None:
    statistics = {"one": describe([gold("a", scope="GENE")]), "other": describe([gold("a", scope="CELL")])}
    assert compare_guidelines(statistics) == []


def test_words_within_a_longer_mention_are_no_disagreement() -> None:
    one = describe([gold("the IL-2 gene and IL-2", (1, 2, "GENE"), (4, 5, "GENE"))])
    other = describe([gold("the IL-2 gene and IL-2", (1, 3, "CELL"))])
    [_, found] = compare_guidelines({"one": one, "other": other})
    assert found.examples == [(("IL-2",), Usage(2, 2), Usage(1, 0))]
    # Three places of one name: both of the first corpus are annotated, which the one of the other is not.
    assert (found.shared, found.disagreeing, found.occurrences, found.against) == (1, 1, 3, 3)


def test_usage_of_names() -> None:
    found = describe([gold("a b c a b", (0, 2, "GENE"), (4, 5, "GENE")), gold("A B", (0, 2, "CELL"))])
    names = {"GENE": [("a", "b"), ("b",), ("z",), ("a",) * (LONGEST_SURFACE + 1)], "CELL": [("a", "b")]}
    assert count_usage([found, found], names) == {
        "GENE": {("a", "b"): Usage(6, 2), ("b",): Usage(2, 2)},
        "CELL": {("a", "b"): Usage(6, 2)},
    }


def test_acronyms_keep_their_case() -> None:
    assert list(map(fold, ["ALL", "All", "all", "P53", "CD4", "NF", "A", "IgG", "2"])) == [
        *("ALL", "all", "all", "p53", "CD4", "NF", "a", "igg", "2")
    ]


def test_line_breaks_in_a_mention_do_not_count() -> None:
    nlp = blank_nlp()
    doc = Doc(nlp.vocab, ["lung", "\n", "cancer", "."])
    set_gold(doc, [Span(doc, 0, 3, "CELL"), Span(doc, 2, 3, "CELL")], corpus="A", scope=["CELL"])
    found = describe([doc])
    assert found.surfaces == {"CELL": {("lung", "cancer"): 1, ("cancer",): 1}}
    assert (found.tokens, found.lengths, found.depths) == (4, {2: 1, 1: 1}, {0: 1, 1: 1})
    assert found.texts == [(["lung", "cancer", "."], [(0, 2, "CELL"), (1, 2, "CELL")])]
    assert name_text(("il", "-", "2")) == "il-2"


@given(
    places=st.lists(
        st.tuples(st.integers(0, 8), st.integers(1, 4), st.sampled_from(["GENE", "CELL"])), max_size=8, unique=True
    )
)
def test_overlaps(places: list[tuple[int, int, str]]) -> None:
    """Nesting and crossing against the definitions, for every pair of mentions."""
    mentions = [(start, start + length, label) for start, length, label in places]
    found = describe([gold("w " * 12, *mentions)])
    depths, nested_in_type, crossing = Counter[int](), 0, 0
    for start, end, label in mentions:
        outer = [m for m in mentions if m[0] <= start and end <= m[1] and m[:2] != (start, end)]
        depths[len({m[:2] for m in outer})] += 1
        nested_in_type += any(m[2] == label for m in outer)
        crossing += any(m[0] < start < m[1] < end or start < m[0] < end < m[1] for m in mentions)
    assert (found.depths, found.nested_in_type, found.crossing) == (depths, nested_in_type, crossing)


def test_several_splits_together() -> None:
    splits = [describe([gold("IL-2 x", (0, 1, "GENE"), doc_id="1")]), describe([gold("IL-2 y", (0, 2, "CELL"))])]
    total = merge_statistics(splits)
    assert (total.records, total.documents, total.tokens, total.mentions) == (2, 1, 4, {"GENE": 1, "CELL": 1})
    assert total.vocabulary == {("IL-2",), ("IL-2", "y")}
    assert splits[0].mentions == {"GENE": 1}
