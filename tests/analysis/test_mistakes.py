"""Mistakes told apart."""

from collections import Counter

import pytest
from hypothesis import given
from made_mentions import mentions

from bioner_spacy.analysis.mistakes import KINDS, Judgement, find_mistakes, judge
from bioner_spacy.reports.analysis import counts_table, examples_table
from bioner_spacy.scoring.mentions import Compared, Mention

TEXT = "Familial breast and ovarian cancer in carriers of BRCA1 mutations was less common after aspirin than without."


def at(words: str, entity_type: str) -> Mention:
    return TEXT.index(words), TEXT.index(words) + len(words), entity_type


CANCERS = at("breast and ovarian cancer", "DISEASE")
BREAST, OVARIAN = at("breast", "DISEASE"), at("ovarian cancer", "DISEASE")


@pytest.mark.parametrize(
    "kind, gold, predicted",
    [
        ("correct", [CANCERS], [CANCERS]),
        ("missed", [CANCERS], []),
        ("spurious", [], [CANCERS]),
        ("wrong boundary", [CANCERS], [OVARIAN]),
        ("wrong type", [CANCERS], [at("breast and ovarian cancer", "GENE")]),
        ("wrong type and boundary", [CANCERS], [at("ovarian cancer", "GENE")]),
        ("split", [CANCERS], [BREAST, OVARIAN]),
        ("merged", [BREAST, OVARIAN], [CANCERS]),
    ],
)
def test_each_kind(kind: str, gold: list[Mention], predicted: list[Mention]) -> None:
    assert judge(gold, predicted) == [Judgement(kind, tuple(gold), tuple(predicted))]


@pytest.mark.parametrize(
    "gold, predicted, expected",
    [
        # Pieces of another type are no pieces.
        ([CANCERS], [BREAST, at("ovarian cancer", "GENE")], {"wrong boundary": 1, "spurious": 1}),
        # Pieces that overlap each other are two tries at one mention.
        ([CANCERS], [OVARIAN, at("cancer", "DISEASE")], {"wrong boundary": 1, "spurious": 1}),
        # A mention inside one that is found.
        ([CANCERS], [CANCERS, OVARIAN], {"correct": 1, "spurious": 1}),
        ([CANCERS, OVARIAN], [CANCERS], {"correct": 1, "missed": 1}),
        # Two mentions, two predictions, each of which reaches into both mentions.
        ([BREAST, OVARIAN], [CANCERS, at("and ovarian", "DISEASE")], {"wrong boundary": 2}),
        # Two types on the same words, one of them right.
        ([CANCERS, (*CANCERS[:2], "A")], [CANCERS, (*CANCERS[:2], "B")], {"correct": 1, "wrong type": 1}),
    ],
)
def test_overlapping_mentions(gold: list[Mention], predicted: list[Mention], expected: dict[str, int]) -> None:
    assert Counter(judgement.kind for judgement in judge(gold, predicted)) == expected


@given(mentions(most=6), mentions(most=6))
def test_every_mention_is_of_exactly_one_kind(gold: set[Mention], predicted: set[Mention]) -> None:
    found = judge(gold, predicted)
    assert sorted(mention for judgement in found for mention in judgement.gold) == sorted(gold)
    assert sorted(mention for judgement in found for mention in judgement.predicted) == sorted(predicted)
    sizes = {"missed": (1, 0), "spurious": (0, 1), "split": (1, 2), "merged": (2, 1)}
    for judgement in found:
        n_gold, n_predicted = sizes.get(judgement.kind, (1, 1))
        assert len(judgement.gold) >= n_gold and len(judgement.predicted) >= n_predicted
        assert len(judgement.gold) == n_gold or judgement.kind == "merged"
        assert len(judgement.predicted) == n_predicted or judgement.kind == "split"
    assert {mention for j in found if j.kind == "correct" for mention in j.gold} == gold & predicted


def docs() -> list[Compared]:
    gene = at("BRCA1", "GENE")
    return [
        Compared("cancers", "7", {CANCERS, gene}, {BREAST, OVARIAN, gene, at("aspirin", "GENE")}, TEXT),
        Compared("cancers", "8", {CANCERS, gene}, {at("aspirin", "GENE")}, TEXT),
        Compared("drugs", "9", {at("aspirin", "CHEMICAL")}, set(), TEXT),
    ]


def test_counts_add_up() -> None:
    table = counts_table(find_mistakes(docs()))
    rows = {tuple(row[:3]): list(map(int, (cell for cell in row[3:] if cell != "–"))) for row in table.rows}
    assert rows["cancers", "DISEASE", "gold"] == [2, 0, 0, 0, 0, 1, 0, 1]
    assert rows["cancers", "DISEASE", "predicted"] == [2, 0, 0, 0, 0, 2, 0, 0]
    assert rows["cancers", "GENE", "gold"] == [2, 1, 0, 0, 0, 0, 0, 1]
    assert rows["cancers", "GENE", "predicted"] == [3, 1, 0, 0, 0, 0, 0, 2]
    assert rows["cancers", "all types", "gold"] == [4, 1, 0, 0, 0, 1, 0, 2]
    assert rows["drugs", "CHEMICAL", "predicted"] == [0] * 8
    assert all(total == sum(kinds) for total, *kinds in rows.values())


def test_examples_show_the_most_frequent_first() -> None:
    found = find_mistakes(docs())
    examples = found.most_frequent(5)
    assert [(e.corpus, e.kind, e.mention, count) for e, count in examples] == [
        ("cancers", "split", "breast and ovarian cancer", 1),
        ("cancers", "missed", "breast and ovarian cancer", 1),
        ("cancers", "missed", "BRCA1", 1),
        ("cancers", "spurious", "aspirin", 2),
        ("drugs", "missed", "aspirin", 1),
    ]
    split = examples[0][0]
    assert (split.doc_id, split.predicted) == ("7", "breast (DISEASE); ovarian cancer (DISEASE)")
    assert split.context == "Familial ⟦breast and ovarian cancer⟧ in carriers of BRCA1 mutations was…"
    assert examples[3][0].context == "…BRCA1 mutations was less common after ⟦aspirin⟧ than without."
    assert [e.kind for e, _ in found.most_frequent(1)] == ["split", "missed", "spurious", "missed"]
    told = found.to_dict(1)
    assert told["counts"]["cancers"]["GENE"]["predicted"] == {"correct": 1, "spurious": 2}
    assert [example["count"] for example in told["examples"]] == [1, 1, 2, 1]


def test_frequent_mention_texts_come_before_others() -> None:
    found = find_mistakes(
        [Compared("c", str(n), {(0, 1, "A"), (2, 3, "A"), (4, 5, "A")}, set(), "b a b") for n in "12"]
    )
    assert [(e.mention, e.doc_id, count) for e, count in found.most_frequent(5)] == [("b", "1", 4), ("a", "1", 2)]


def test_every_mistake_is_a_line_for_a_spreadsheet() -> None:
    text = "one\ttwo\nthree"
    broken = [Compared("c", "1", {(0, 7, "A")}, set(), text)]
    lines = examples_table([(mistake, 1) for mistake in find_mistakes(broken).found]).to_tsv().splitlines()
    assert lines[1].split("\t") == ["c", "missed", "one two (A)", "–", "1", "⟦one two⟧ three", "1"]
    assert len(lines) == 2


def test_kinds_of_the_table_are_all_kinds() -> None:
    assert list(counts_table(find_mistakes([])).header[4:]) == list(KINDS)
