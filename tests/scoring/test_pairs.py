"""Pairs of gold and predicted mentions."""

from itertools import product

from hypothesis import given
from made_mentions import mentions

from bioner_spacy.scoring.mentions import Mention
from bioner_spacy.scoring.pairs import any_overlap, make_pairs, overlap, overlapping, same_extent, same_type


def most_pairs(edges: list[tuple[Mention, Mention]]) -> int:
    """Size of the largest set of pairs in which no mention stands twice, by trying all."""
    if not edges:
        return 0
    one, other = edges[0]
    rest = [edge for edge in edges[1:] if edge[0] != one and edge[1] != other]
    return max(most_pairs(edges[1:]), 1 + most_pairs(rest))


@given(mentions(), mentions())
def test_overlapping_mentions_are_those_that_share_characters(gold: set[Mention], predicted: set[Mention]) -> None:
    found = overlapping(gold, predicted)
    expected = {
        (one, other) for one, other in product(gold, predicted) if set(range(*one[:2])) & set(range(*other[:2]))
    }
    assert set(found) == expected and len(found) == len(expected)
    assert all(overlap(one, other) == len(set(range(*one[:2])) & set(range(*other[:2]))) for one, other in found)


@given(mentions(), mentions())
def test_as_many_pairs_as_can_be(gold: set[Mention], predicted: set[Mention]) -> None:
    first, second = make_pairs(gold, predicted, [same_type, any_overlap])
    edges = overlapping(gold, predicted)
    assert len(first) == most_pairs([edge for edge in edges if edge[0][2] == edge[1][2]])
    gold_left, predicted_left = gold - {one for one, _ in first}, predicted - {other for _, other in first}
    assert len(second) == most_pairs(overlapping(gold_left, predicted_left))
    pairs = first + second
    assert set(pairs) <= set(edges)
    for side in zip(*pairs):
        assert len(set(side)) == len(pairs)


def test_a_better_condition_comes_first() -> None:
    gold: set[Mention] = {(0, 6, "A")}
    predicted: set[Mention] = {(0, 6, "B"), (0, 5, "A")}
    assert make_pairs(gold, predicted, [same_extent, same_type]) == [[((0, 6, "A"), (0, 6, "B"))], []]
    assert make_pairs(gold, predicted, [same_type, same_extent]) == [[((0, 6, "A"), (0, 5, "A"))], []]


def test_the_largest_overlap_is_preferred_if_no_pair_is_lost() -> None:
    gold: set[Mention] = {(0, 10, "A"), (2, 4, "A")}
    assert make_pairs(gold, [(0, 9, "A")], [any_overlap]) == [[((0, 10, "A"), (0, 9, "A"))]]
    assert make_pairs([(0, 4, "A"), (2, 9, "A")], [(3, 9, "A")], [any_overlap]) == [[((2, 9, "A"), (3, 9, "A"))]]
    # (2, 5) could have the larger one, which (6, 9) needs.
    found = make_pairs(gold, [(2, 5, "A"), (6, 9, "A")], [any_overlap])
    assert found == [[((0, 10, "A"), (6, 9, "A")), ((2, 4, "A"), (2, 5, "A"))]]
    # The best pair of all is (5, 12) with (3, 10), which leaves (0, 5) and (10, 14) alone.
    found = make_pairs([(0, 5, "A"), (5, 12, "A")], [(3, 10, "A"), (10, 14, "A")], [any_overlap])
    assert found == [[((0, 5, "A"), (3, 10, "A")), ((5, 12, "A"), (10, 14, "A"))]]


def test_a_long_chain_needs_no_deep_recursion() -> None:
    """Each mention overlaps two of the other side; the best pairs leave one at each end."""
    gold: list[Mention] = [(10 * k, 10 * k + 10, "A") for k in range(3000)]
    predicted: list[Mention] = [(10 * k + 4, 10 * k + 14, "A") for k in range(3000)]
    [found] = make_pairs(gold, predicted, [any_overlap])
    assert found == list(zip(gold, predicted))
