"""Span pairs: targets, loss, gradient and decoded spans."""

from typing import Any

import numpy
import pytest
from finite_differences import slope
from gold_batches import TASKS, crosses, make_gold, random_gold, rows_of
from hypothesis import given, settings
from hypothesis import strategies as st

from bioner_spacy.formulations.span_pairs import SpanPairFormulation
from bioner_spacy.formulations.tags import OUT_OF_SCOPE
from bioner_spacy.types import Gold

WIDTH = 4
SEEDS = st.integers(0, 2**16)
Span = tuple[int, int]


@st.composite
def gold_spans(draw: st.DrawFn) -> Gold:
    """Any spans up to the width, nested in one type too, but none that crosses another of its type."""
    lengths = draw(st.lists(st.integers(0, 6), max_size=4))
    rows = []
    base = 0
    for length in lengths:
        places = [(i, j) for i in range(length) for j in range(i + 1, min(length, i + WIDTH) + 1)]
        for k, task in enumerate(TASKS):
            for number in range(len(task.types)):
                chosen: list[Span] = []
                for place in draw(st.lists(st.sampled_from(places), max_size=5, unique=True)) if places else ():
                    if not any(crosses(place, other) for other in chosen):
                        chosen.append(place)
                rows += [(base + start, base + end, k, number) for start, end in chosen]
        base += length
    return make_gold(lengths, rows, n_tasks=len(TASKS))


def random_batch(seed: int, lengths: list[int]) -> tuple[SpanPairFormulation, Any, Gold]:
    rng = numpy.random.default_rng(seed)
    formulation, gold = SpanPairFormulation(TASKS, width=WIDTH), random_gold(rng, lengths)
    return formulation, rng.normal(scale=2.0, size=(sum(lengths), len(formulation.columns))), gold


@given(gold_spans())
@settings(max_examples=100, deadline=None)
def test_targets_decode_to_the_same_spans(gold: Gold) -> None:
    formulation = SpanPairFormulation(TASKS, width=WIDTH)
    targets, n_lost = formulation.targets(gold)
    assert n_lost == 0
    spans = formulation.decode(numpy.where(targets == 1, 8.0, -8.0), gold.lengths)
    assert rows_of(spans) == rows_of(gold.spans)
    assert (spans.scores > 0.99).all()


def test_columns_name_task_type_and_width() -> None:
    columns = SpanPairFormulation(TASKS[:2], width=2).columns
    assert columns == [
        ("DISEASE", "DISEASE", "1"),
        ("DISEASE", "DISEASE", "2"),
        ("two", "CHEMICAL", "1"),
        ("two", "CHEMICAL", "2"),
        ("two", "GENE", "1"),
        ("two", "GENE", "2"),
    ]


def test_wider_spans_are_counted() -> None:
    formulation = SpanPairFormulation(TASKS, width=2)
    targets, n_lost = formulation.targets(make_gold([5], [(0, 3, 0, 0), (1, 3, 0, 0), (0, 5, 1, 1)], n_tasks=3))
    assert n_lost == 2
    assert numpy.argwhere(targets == 1).tolist() == [[1, 1]]
    assert "more than 2 tokens" in formulation.inexpressible


def test_spans_end_in_their_document() -> None:
    targets, _ = SpanPairFormulation(TASKS[:1], width=3).targets(make_gold([2, 1], [], n_tasks=1))
    assert targets.tolist() == [[0, 0, OUT_OF_SCOPE], [0, OUT_OF_SCOPE, OUT_OF_SCOPE], [0, OUT_OF_SCOPE, OUT_OF_SCOPE]]
    found = SpanPairFormulation(TASKS[:1], width=3).decode(numpy.full((3, 3), 5.0), numpy.array([2, 1]))
    assert rows_of(found) == [(0, 1, 0, 0), (0, 2, 0, 0), (1, 2, 0, 0), (2, 3, 0, 0)]


@given(seed=SEEDS)
@settings(max_examples=20, deadline=None)
def test_loss_is_the_cross_entropy_of_the_spans_in_scope(seed: int) -> None:
    formulation, scores, gold = random_batch(seed, [3, 1, 0, 5])
    targets, _ = formulation.targets(gold)
    losses, _ = formulation.loss(scores, targets, numpy.ones(3))
    for k, task in enumerate(TASKS):
        expected, n_tokens = 0.0, 0
        columns = [i for i, column in enumerate(formulation.columns) if column[0] == task.name]
        for token in range(len(scores)):
            n_tokens += targets[token, columns[0]] != OUT_OF_SCOPE
            for column in columns:
                p = 1 / (1 + numpy.exp(-scores[token, column]))
                if targets[token, column] != OUT_OF_SCOPE:
                    expected -= numpy.log(p if targets[token, column] == 1 else 1 - p)
        assert losses[k] == pytest.approx(expected / max(n_tokens, 1), rel=1e-5)


@given(seed=SEEDS)
@settings(max_examples=10, deadline=None)
def test_gradient_by_finite_differences_and_exactly_zero_out_of_scope(seed: int) -> None:
    formulation, scores, gold = random_batch(seed, [3, 1, 2])
    targets, _ = formulation.targets(gold)
    weights = numpy.array([1.0, 2.0, 0.5])
    _, gradient = formulation.loss(scores, targets, weights)
    assert not gradient[targets == OUT_OF_SCOPE].any()

    def loss() -> float:
        return float((formulation.loss(scores, targets, weights)[0].astype("float64") * weights).sum())

    for place in list(numpy.ndindex(*scores.shape))[::3]:
        assert gradient[place] == pytest.approx(slope(scores, place, loss, step=1e-2), abs=1e-3)


@given(seed=SEEDS, lengths=st.lists(st.integers(0, 7), max_size=3))
@settings(max_examples=60, deadline=None)
def test_crossing_spans_are_resolved_by_score_and_nested_ones_kept(seed: int, lengths: list[int]) -> None:
    rng = numpy.random.default_rng(seed)
    formulation = SpanPairFormulation(TASKS[:2], width=WIDTH)
    # Few different scores: many ties.
    scores = rng.integers(-3, 3, size=(sum(lengths), len(formulation.columns))).astype("f")
    found = formulation.decode(scores, numpy.array(lengths, dtype="int64"))
    expected = []
    end_of = numpy.repeat(numpy.cumsum(lengths), lengths)
    for first, (k, number) in zip(range(0, 3 * WIDTH, WIDTH), [(0, 0), (1, 0), (1, 1)], strict=True):
        candidates = [
            (-scores[i, first + n - 1], i, i + n)
            for i in range(len(scores))
            for n in range(1, WIDTH + 1)
            if scores[i, first + n - 1] > 0 and i + n <= end_of[i]
        ]
        kept: list[Span] = []
        for _, start, end in sorted(candidates):
            if not any(crosses((start, end), other) for other in kept):
                kept.append((start, end))
        expected += [(start, end, k, number) for start, end in kept]
    assert rows_of(found) == sorted(expected)


def test_large_scores_do_not_overflow() -> None:
    formulation, scores, gold = random_batch(0, [5, 3])
    targets, _ = formulation.targets(gold)
    for factor in (1e4, -1e4):
        losses, gradient = formulation.loss((scores * factor).astype("f"), targets, numpy.ones(3))
        assert numpy.isfinite(losses).all()
        assert numpy.isfinite(gradient).all()


@pytest.mark.parametrize("lengths", [[], [0, 0]])
def test_no_tokens(lengths: list[int]) -> None:
    formulation = SpanPairFormulation(TASKS, width=WIDTH)
    gold = make_gold(lengths, [], numpy.ones((len(lengths), 3), dtype=bool))
    targets, _ = formulation.targets(gold)
    scores = numpy.zeros((0, len(formulation.columns)), dtype="f")
    losses, gradient = formulation.loss(scores, targets, numpy.ones(3))
    assert losses.tolist() == [0.0, 0.0, 0.0]
    assert gradient.shape == scores.shape
    assert not len(formulation.decode(scores, gold.lengths).starts)
