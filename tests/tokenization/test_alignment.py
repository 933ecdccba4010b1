import re

import pytest

from bioner_spacy.tokenization.alignment import Alignment, measure


def split_at_spaces(text):
    return [match.span() for match in re.finditer(r"\S+", text)]


def test_counts():
    documents = [
        ("abc def ghi", [(0, 3), (4, 11), (1, 3), (4, 6), (5, 6)]),
        ("xy", [(0, 2), (0, 2)]),
        ("", []),
    ]
    assert measure(split_at_spaces, documents) == Alignment(
        boundaries=14,
        aligned=10,
        mentions=7,
        mentions_aligned=4,
        tokens=4,
        words=4,
        examples=("a|bc def ghi", "abc de|f ghi", "abc d|ef ghi", "abc de|f ghi"),
    )


def test_a_boundary_at_the_wrong_end_of_a_token_is_not_aligned():
    # The span holds the space after the word: it ends where a token begins.
    assert measure(split_at_spaces, [("abc def", [(0, 4)])]).aligned == 1


def test_examples_are_limited():
    documents = [("abcdefgh", [(1, 2), (3, 4)])]
    assert measure(split_at_spaces, documents, max_examples=2, context=2).examples == ("a|bc", "ab|cd")
    assert measure(split_at_spaces, documents, max_examples=0).examples == ()


def test_share():
    assert measure(split_at_spaces, [("abc def", [(0, 3), (4, 6)])]).share == pytest.approx(0.75)
    assert measure(split_at_spaces, [("abc", [])]).share == 1.0
