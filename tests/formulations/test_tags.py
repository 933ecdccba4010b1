"""BIO tags: targets, loss, gradient and decoded spans."""

from typing import Any

import numpy
import pytest
from finite_differences import slope
from gold_batches import Row, make_gold, rows_of
from hypothesis import given, settings
from hypothesis import strategies as st

from bioner_spacy.formulations.tags import OUT_OF_SCOPE, TagFormulation
from bioner_spacy.tasks import Task
from bioner_spacy.types import Gold

TASKS = [
    Task("DISEASE", ("DISEASE",)),
    Task("small", ("CHEMICAL", "GENE"), "small"),
    Task("GENE", ("GENE",)),
    Task("large", ("CELL", "DNA", "GENE"), "large"),
]


def scores_of(formulation: TagFormulation, tasks: list[Task], targets: Any, margin: float = 8.0) -> Any:
    """Scores that favour each target tag by a margin."""
    scores = numpy.zeros((len(targets), len(formulation.columns)), dtype="f")
    begin = 0
    for k, task in enumerate(tasks):
        scores[numpy.arange(len(targets)), begin + numpy.maximum(targets[:, k], 0)] = margin
        begin += 1 + 2 * len(task.types)
    return scores


@st.composite
def flat_gold(draw: st.DrawFn) -> Gold:
    """Gold spans of all tasks, within documents, those of one task without overlap."""
    lengths = draw(st.lists(st.integers(0, 7), max_size=4))
    rows: list[Row] = []
    base = 0
    for length in lengths:
        for k, task in enumerate(TASKS):
            boundaries = sorted(draw(st.sets(st.integers(0, length), max_size=5)))
            for start, end in zip(boundaries, boundaries[1:]):
                if draw(st.booleans()):
                    rows.append((base + start, base + end, k, draw(st.integers(0, len(task.types) - 1))))
        base += length
    return make_gold(lengths, rows, n_tasks=len(TASKS))


@given(flat_gold())
@settings(max_examples=100, deadline=None)
def test_targets_decode_to_the_same_spans(gold: Gold) -> None:
    formulation = TagFormulation(TASKS)
    (targets, _), n_lost = formulation.targets(gold)
    spans = formulation.decode(scores_of(formulation, TASKS, targets), gold.lengths)
    assert n_lost == 0
    assert targets.shape == (gold.lengths.sum(), len(TASKS))
    assert rows_of(spans) == rows_of(gold.spans)
    assert ((spans.scores > 0.9) & (spans.scores <= 1)).all()


def test_columns_name_task_and_tag() -> None:
    assert TagFormulation(TASKS[:2]).columns == [
        ("DISEASE", "O"),
        ("DISEASE", "B-DISEASE"),
        ("DISEASE", "I-DISEASE"),
        ("small", "O"),
        ("small", "B-CHEMICAL"),
        ("small", "I-CHEMICAL"),
        ("small", "B-GENE"),
        ("small", "I-GENE"),
    ]


def test_targets_of_adjacent_mentions_and_of_the_last_token() -> None:
    rows = [(0, 2, 0, 0), (2, 3, 0, 0), (5, 6, 0, 0), (3, 6, 1, 1), (2, 3, 1, 0)]
    inside = [row for row in rows if row[1] <= 4 or row[0] >= 4]
    (targets, _), _ = TagFormulation(TASKS).targets(make_gold([4, 2], inside, n_tasks=len(TASKS)))
    assert targets[:, 0].tolist() == [1, 2, 1, 0, 0, 1]
    (targets, _), _ = TagFormulation(TASKS).targets(make_gold([6], rows, n_tasks=len(TASKS)))
    assert targets[:, 1].tolist() == [0, 0, 1, 3, 4, 4]


@pytest.mark.parametrize(
    "rows, kept",
    [
        ([(1, 2, 1, 0), (0, 3, 1, 1)], [(0, 3, 1, 1)]),
        ([(2, 4, 1, 0), (1, 3, 1, 1)], [(1, 3, 1, 1)]),
        ([(0, 2, 1, 0), (1, 4, 1, 0), (4, 5, 1, 0)], [(1, 4, 1, 0), (4, 5, 1, 0)]),
        ([(0, 2, 1, 0), (0, 2, 1, 1)], [(0, 2, 1, 0)]),
        ([(0, 2, 1, 0), (0, 2, 3, 0)], [(0, 2, 1, 0), (0, 2, 3, 0)]),
    ],
    ids=["longest", "leftmost", "chain", "same tokens", "other task"],
)
def test_overlapping_spans_of_a_task(rows: list[Row], kept: list[Row]) -> None:
    formulation = TagFormulation(TASKS)
    gold = make_gold([5], rows, n_tasks=len(TASKS))
    (targets, _), n_lost = formulation.targets(gold)
    assert n_lost == len(rows) - len(kept)
    assert rows_of(formulation.decode(scores_of(formulation, TASKS, targets), gold.lengths)) == kept


def random_problem(seed: int) -> tuple[TagFormulation, Any, Any, Any]:
    """Scores, targets with documents outside the scope of some tasks, and weights."""
    rng = numpy.random.default_rng(seed)
    formulation = TagFormulation(TASKS)
    lengths = [3, 0, 5, 2]
    supervised = rng.random((4, len(TASKS))) < 0.6
    supervised[:, 2] = False
    supervised[0, :2], supervised[2, 0] = True, False
    rows = [(0, 2, 0, 0), (4, 5, 1, 1), (5, 8, 3, 2), (8, 9, 0, 0)]
    doc_of = numpy.repeat(numpy.arange(4), lengths)
    rows = [row for row in rows if supervised[doc_of[row[0]], row[2]]]
    targets, _ = formulation.targets(make_gold(lengths, rows, supervised))
    scores = rng.normal(size=(10, len(formulation.columns))).astype("f")
    return formulation, scores, targets, numpy.array([1.0, 0.5, 3.0, 2.0], dtype="f")


def naive_losses(scores: Any, targets: Any) -> list[float]:
    losses = []
    begin = 0
    for k, task in enumerate(TASKS):
        width = 1 + 2 * len(task.types)
        terms = []
        for row, target in zip(scores.astype("float64"), targets[0][:, k]):
            if target != OUT_OF_SCOPE:
                p = numpy.exp(row[begin : begin + width])
                terms.append(-numpy.log(p[target] / p.sum()))
        losses.append(sum(terms) / len(terms) if terms else 0.0)
        begin += width
    return losses


@pytest.mark.parametrize("seed", range(3))
def test_loss_is_the_mean_over_the_tokens_in_scope(seed: int) -> None:
    formulation, scores, targets, weights = random_problem(seed)
    losses, _ = formulation.loss(scores, targets, weights)
    numpy.testing.assert_allclose(losses, naive_losses(scores, targets), rtol=1e-5)
    assert losses[2] == 0 and losses[0] > 0


@pytest.mark.parametrize("seed", range(3))
def test_gradient_by_finite_differences(seed: int) -> None:
    formulation, scores, targets, weights = random_problem(seed)
    _, d_scores = formulation.loss(scores, targets, weights)
    assert d_scores.dtype == scores.dtype
    exact = scores.astype("float64")
    for index in numpy.ndindex(scores.shape):
        expected = slope(exact, index, lambda: numpy.dot(weights, naive_losses(exact, targets)), step=1e-4)
        assert d_scores[index] == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("seed", range(3))
def test_gradient_outside_the_scope_is_exactly_zero(seed: int) -> None:
    formulation, scores, targets, weights = random_problem(seed)
    _, d_scores = formulation.loss(100 * scores, targets, weights)
    task_of = numpy.repeat(numpy.arange(len(TASKS)), [1 + 2 * len(task.types) for task in TASKS])
    outside = targets[0][:, task_of] == OUT_OF_SCOPE
    assert outside.any() and not outside.all()
    assert not d_scores[outside].any()
    assert d_scores[~outside].any()


def test_task_of_weight_zero_is_reported_and_not_learnt() -> None:
    formulation, scores, targets, _ = random_problem(0)
    losses, d_scores = formulation.loss(scores, targets, numpy.array([0, 1, 1, 1], dtype="f"))
    assert losses[0] > 0
    assert not d_scores[:, :3].any() and d_scores[:, 3:8].any()


def test_large_scores_do_not_overflow() -> None:
    formulation = TagFormulation(TASKS[:1])
    targets = (numpy.array([[0], [1]]), numpy.array([True, False]))
    losses, d_scores = formulation.loss(
        numpy.array([[3e4, -3e4, 0], [3e4, -3e4, 0]], dtype="f"), targets, numpy.ones(1)
    )
    assert losses[0] == pytest.approx(3e4)
    numpy.testing.assert_allclose(d_scores, [[0, 0, 0], [0.5, -0.5, 0]])


def test_span_score_is_the_geometric_mean_of_its_tags() -> None:
    p = numpy.array([[0.2, 0.7, 0.1], [0.3, 0.1, 0.6], [0.4, 0.25, 0.35], [0.05, 0.9, 0.05], [0.1, 0.8, 0.1]])
    spans = TagFormulation(TASKS[:1]).decode(numpy.log(p).astype("f"), numpy.array([4, 1]))
    assert rows_of(spans) == [(0, 2, 0, 0), (3, 4, 0, 0), (4, 5, 0, 0)]
    assert spans.scores.tolist() == pytest.approx([(0.7 * 0.6) ** 0.5, 0.9, 0.8], rel=1e-5)
    assert spans.scores.dtype == numpy.float32


def test_score_of_a_span_that_the_constraint_made() -> None:
    """I after O is best token by token; the best valid sequence begins the mention one token earlier."""
    p = numpy.array([[0.5, 0.45, 0.05], [0.05, 0.05, 0.9]])
    spans = TagFormulation(TASKS[:1]).decode(numpy.log(p).astype("f"), numpy.array([2]))
    assert rows_of(spans) == [(0, 2, 0, 0)]
    assert spans.scores.tolist() == pytest.approx([(0.45 * 0.9) ** 0.5], rel=1e-5)


@given(st.integers(0, 10_000), st.lists(st.integers(0, 6), max_size=5))
@settings(max_examples=40, deadline=None)
def test_decoded_spans_are_flat_and_inside_their_documents(seed: int, lengths: list[int]) -> None:
    formulation = TagFormulation(TASKS)
    scores = numpy.random.default_rng(seed).normal(scale=4, size=(sum(lengths), len(formulation.columns))).astype("f")
    spans = formulation.decode(scores, numpy.array(lengths, dtype="int64"))
    doc_of = numpy.repeat(numpy.arange(len(lengths)), lengths)
    covered = numpy.zeros((sum(lengths), len(TASKS)), dtype=int)
    for start, end, task, entity_type in rows_of(spans):
        assert start < end and doc_of[start] == doc_of[end - 1]
        assert entity_type < len(TASKS[task].types)
        covered[start:end, task] += 1
    assert covered.max(initial=0) <= 1
    assert ((spans.scores >= 0) & (spans.scores <= 1)).all()


@pytest.mark.parametrize("lengths", [[], [0], [0, 0]])
@pytest.mark.parametrize("tasks", [TASKS, []], ids=["tasks", "no tasks"])
def test_no_tokens(lengths: list[int], tasks: list[Task]) -> None:
    formulation = TagFormulation(tasks)
    gold = make_gold(lengths, [], n_tasks=len(tasks))
    (targets, starts), n_lost = formulation.targets(gold)
    scores = numpy.zeros((0, len(formulation.columns)), dtype="f")
    losses, d_scores = formulation.loss(scores, (targets, starts), numpy.ones(len(tasks), dtype="f"))
    assert (targets.shape, n_lost) == ((0, len(tasks)), 0)
    assert losses.tolist() == [0] * len(tasks) and d_scores.shape == scores.shape
    assert rows_of(formulation.decode(scores, gold.lengths)) == []
