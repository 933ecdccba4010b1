"""From tokens to subwords to windows, against naive loops."""

from typing import Any

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bioner_spacy.layers.encoder.windows import WindowBatch, align_subwords, cut_windows, group_by_length


def ints(values: list[int]) -> Any:
    return numpy.array(values, dtype="int64")


@st.composite
def intervals(draw: st.DrawFn, length: int = 12) -> list[tuple[int, int]]:
    """Intervals of at least one character, in order and apart from one another, gaps allowed."""
    boundaries = sorted(draw(st.sets(st.integers(0, length))))
    return [pair for pair in zip(boundaries, boundaries[1:]) if draw(st.integers(0, 4))]


@given(intervals(), intervals(), st.data())
@settings(max_examples=100, deadline=None)
def test_subwords_of_a_token_are_those_that_overlap_it(
    tokens: list[tuple[int, int]], subwords: list[tuple[int, int]], data: st.DataObject
) -> None:
    # A character of several bytes can be several subwords with the same offsets.
    subwords = [subword for subword in subwords for _ in range(data.draw(st.integers(1, 3)))]
    columns = (ints([pair[side] for pair in pairs]) for pairs in (tokens, subwords) for side in (0, 1))
    firsts, counts = align_subwords(*columns)
    assert len(firsts) == len(counts) == len(tokens)
    for (start, end), first, count in zip(tokens, firsts.tolist(), counts.tolist()):
        expected = [i for i, subword in enumerate(subwords) if subword[0] < end and subword[1] > start]
        assert list(range(first, first + count)) == expected


@st.composite
def cuts(draw: st.DrawFn) -> tuple[list[int], list[tuple[int, int]], int, int]:
    """Lengths of texts, tokens as (first subword, number of subwords), window and overlap."""
    overlap = draw(st.integers(0, 4))
    window = draw(st.integers(2 * overlap + 1, 2 * overlap + 8))
    lengths = draw(st.lists(st.integers(0, 40), max_size=4))
    tokens = []
    base = 0
    for length in lengths:
        boundaries = sorted(draw(st.sets(st.integers(0, length), max_size=12)) | {0, length})
        for begin, end in zip(boundaries, boundaries[1:]):
            tokens.append((base + begin, end - begin))
            if not draw(st.integers(0, 3)):
                # A token without subwords, such as a run of spaces: before the next subword, or after the last.
                tokens.append((base + end, 0))
        base += length
    return lengths, tokens, window, overlap


def cut(lengths: list[int], tokens: list[tuple[int, int]], window: int, overlap: int) -> WindowBatch:
    firsts, counts = (ints([token[i] for token in tokens]) for i in (0, 1))
    return cut_windows(numpy.arange(sum(lengths)) + 100, ints(lengths), firsts, counts, window=window, overlap=overlap)


@given(cuts())
@settings(max_examples=100, deadline=None)
def test_windows_fit_their_text_and_no_fewer_would_do(case: tuple[list[int], list[tuple[int, int]], int, int]) -> None:
    lengths, _, window, overlap = case
    batch = cut(*case)
    sizes = batch.ends - batch.starts
    assert ((sizes > 0) & (sizes <= window)).all()
    text_of = numpy.repeat(numpy.arange(len(lengths)), lengths)
    assert (text_of[batch.starts] == text_of[batch.ends - 1]).all()
    covered = {i for start, end in zip(batch.starts, batch.ends) for i in range(start, end)}
    assert covered == set(range(sum(lengths)))
    for d, length in enumerate(lengths):
        of_text = sizes[text_of[batch.starts] == d]
        if length > window:
            # The first of n windows covers `window` subwords of a text, each further one all but what it shares.
            assert window + (len(of_text) - 2) * (window - 2 * overlap) < length
            assert of_text.max() - of_text.min() <= 1
            assert of_text.sum() == length + (len(of_text) - 1) * 2 * overlap
        else:
            assert of_text.tolist() == [length] * (length > 0)


@given(cuts())
@settings(max_examples=100, deadline=None)
def test_every_token_has_its_context(case: tuple[list[int], list[tuple[int, int]], int, int]) -> None:
    lengths, tokens, _, overlap = case
    batch = cut(*case)
    text_of = numpy.repeat(numpy.arange(len(lengths)), lengths)
    text_starts = numpy.cumsum([0, *lengths])
    for (first, count), window, inside in zip(tokens, batch.token_windows, batch.subword_counts, strict=True):
        if count == 0:
            assert inside == 0
            continue
        start, end = batch.starts[window], batch.ends[window]
        text = text_of[first]
        assert start <= first < end and first + inside <= end
        assert inside == min(count, end - first) > 0
        assert start == text_starts[text] or first - start >= overlap
        assert end == text_starts[text + 1] or end - first > overlap


@given(cuts())
@settings(max_examples=100, deadline=None)
def test_cores_tile_the_text(case: tuple[list[int], list[tuple[int, int]], int, int]) -> None:
    """Tokens of one subword each: the windows that they choose divide every text, in order, without a gap."""
    lengths, _, window, overlap = case
    batch = cut(lengths, [(i, 1) for i in range(sum(lengths))], window, overlap)
    assert set(batch.token_windows.tolist()) == set(range(len(batch.starts)))
    assert (numpy.diff(batch.token_windows) >= 0).all()


def test_cut_by_hand() -> None:
    """Windows of at most 8 subwords that share 4: a text of 10 subwords has two, of 13 three, of 8 one."""
    batch = cut([10, 8, 13], [(0, 1), (3, 3), (6, 1), (9, 1), (10, 8), (23, 1), (24, 1)], 8, 2)
    assert batch.starts.tolist() == [0, 3, 10, 18, 21, 24]
    assert batch.ends.tolist() == [7, 10, 18, 25, 28, 31]
    assert batch.token_windows.tolist() == [0, 0, 1, 1, 2, 4, 4]
    assert batch.subword_counts.tolist() == [1, 3, 1, 1, 8, 1, 1]


def test_token_longer_than_its_window_is_cut() -> None:
    batch = cut([20], [(0, 20)], 8, 2)
    assert batch.subword_counts.tolist() == [batch.ends[0]]


@pytest.mark.parametrize("small", [64, 384])
@pytest.mark.parametrize("batch_subwords", [50, 512, 4096])
@given(lengths=st.lists(st.integers(1, 300), max_size=60))
@settings(max_examples=100, deadline=None)
def test_groups_divide_the_windows_and_fit(batch_subwords: int, small: int, lengths: list[int]) -> None:
    groups = [group.tolist() for group in group_by_length(ints(lengths), batch_subwords=batch_subwords, small=small)]
    assert sorted(i for group in groups for i in group) == list(range(len(lengths)))
    for group in groups:
        sizes = [lengths[i] for i in group]
        padded = max(sizes) * len(sizes)
        assert sizes[0] == max(sizes)
        assert padded <= batch_subwords or len(group) == 1
        assert padded - sum(sizes) <= 0.1 * padded or sum(sizes[:-1]) < small


def test_equal_windows_fill_groups() -> None:
    groups = group_by_length(ints([100] * 10), batch_subwords=400, small=64)
    assert [len(group) for group in groups] == [4, 4, 2]
