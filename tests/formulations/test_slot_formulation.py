"""Slots: gold steps, loss, gradient and decoded spans."""

from dataclasses import replace
from typing import Any

import numpy
import pytest
import torch
from finite_differences import slope
from gold_batches import TASKS, Row, crosses, make_gold, random_gold, rows_of
from hypothesis import given, settings
from hypothesis import strategies as st

from bioner_spacy.formulations.slots import DEPTH, SlotFormulation
from bioner_spacy.types import MOST_STEPS, OUT_OF_SCOPE, ActionSteps, Gold, StepScores

FORMULATION = SlotFormulation(TASKS)
N_ACTIONS = 10
SEEDS = st.integers(0, 2**16)
EOA, SHIFT, TR, RE = "EOA", "SHIFT", "TR", "RE"


def scores_of(steps: ActionSteps, margin: float = 8.0) -> StepScores:
    """Scores of a model that takes the gold steps and is sure of them."""
    nothing = numpy.zeros(len(steps.places), dtype=bool)
    log_odds = numpy.where(steps.actions == 1, margin, -margin)
    return StepScores(log_odds, steps.lengths, steps.places, numpy.arange(len(steps.places)), nothing)


def named(steps: ActionSteps) -> list[tuple[int, set[str]]]:
    """Place and actions of each step of the first task, as tokens."""
    names = [EOA, SHIFT, TR, RE]
    return [(p, {names[i] for i in numpy.flatnonzero(a == 1)}) for p, a in zip(steps.places.tolist(), steps.actions)]


# -- gold steps


def test_columns_are_named_by_task_type_and_action() -> None:
    assert FORMULATION.columns[:4] == [("", EOA), ("", SHIFT), ("DISEASE", "DISEASE", TR), ("DISEASE", "DISEASE", RE)]
    assert FORMULATION.columns[4] == ("two", "CHEMICAL", TR)
    assert len(FORMULATION.columns) == N_ACTIONS


@pytest.mark.parametrize(
    "n_tokens, spans, expected",
    [
        (2, [], [(0, {SHIFT}), (1, {SHIFT}), (2, {EOA})]),
        # A mention that ends with the last token is closed before the end.
        (1, [(0, 1)], [(0, {TR}), (0, {SHIFT}), (1, {RE}), (1, {EOA})]),
        # Adjacent mentions: one closes and the other opens at once.
        (
            2,
            [(0, 1), (1, 2)],
            [(0, {TR}), (0, {SHIFT}), (1, {TR, RE}), (1, {SHIFT}), (2, {RE}), (2, {EOA})],
        ),
        # Two that begin together, and two that end together.
        (
            2,
            [(0, 2), (0, 1)],
            [(0, {TR}), (0, {TR}), (0, {SHIFT}), (1, {RE}), (1, {SHIFT}), (2, {RE}), (2, {EOA})],
        ),
        # Two close before the next one opens, or its opening would be closed.
        (
            3,
            [(0, 2), (1, 2), (2, 3)],
            [
                (0, {TR}),
                (0, {SHIFT}),
                (1, {TR}),
                (1, {SHIFT}),
                (2, {RE}),
                (2, {TR, RE}),
                (2, {SHIFT}),
                (3, {RE}),
                (3, {EOA}),
            ],
        ),
    ],
)
def test_steps_of_small_cases(n_tokens: int, spans: list[tuple[int, int]], expected: Any) -> None:
    formulation = SlotFormulation(TASKS[:1])
    steps, n_lost = formulation.targets(make_gold([n_tokens], [(*span, 0, 0) for span in spans], n_tasks=1))
    assert n_lost == 0
    assert named(steps) == expected


def test_types_share_a_step() -> None:
    steps, _ = FORMULATION.targets(make_gold([0, 2], [(0, 1, 0, 0), (0, 2, 1, 1)], n_tasks=3))
    assert steps.lengths.tolist() == [0, 6]
    assert numpy.flatnonzero(steps.actions[0]).tolist() == [2, 6]


def test_what_a_document_does_not_supervise_is_out_of_scope() -> None:
    supervised = [[True, False, False], [False, False, False], [True, True, True]]
    steps, _ = FORMULATION.targets(make_gold([1, 1, 1], [], supervised))
    outside = steps.actions == OUT_OF_SCOPE
    assert outside[0].tolist() == [False] * 4 + [True] * 6
    assert outside[1].tolist() == outside[0].tolist()
    assert outside[2:4].all()
    assert not outside[4:].any()


@st.composite
def any_gold(draw: st.DrawFn) -> Gold:
    """Any spans, those of one type crossing one another too."""
    lengths = draw(st.lists(st.integers(0, 6), max_size=4))
    rows: list[Row] = []
    base = 0
    for n in lengths:
        places = st.tuples(st.integers(0, max(n - 1, 0)), st.integers(1, max(n, 1))).filter(lambda p: p[0] < p[1])
        for k, task in enumerate(TASKS):
            for number in range(len(task.types)):
                for start, end in draw(st.lists(places, max_size=6, unique=True)) if n else ():
                    rows.append((base + start, base + end, k, number))
        base += n
    return make_gold(lengths, draw(st.permutations(rows)), n_tasks=len(TASKS))


@given(any_gold())
@settings(max_examples=200, deadline=None)
def test_steps_decode_to_the_spans_that_they_can_express(gold: Gold) -> None:
    steps, n_lost = FORMULATION.targets(gold)
    found = FORMULATION.decode(scores_of(steps), gold.lengths)
    spans, kept = rows_of(gold.spans), rows_of(found)
    assert set(kept) <= set(spans)
    assert len(kept) == len(set(kept)) == len(spans) - n_lost
    same_type = [[row[:2] for row in spans if row[2:] == pair] for pair in {row[2:] for row in spans}]
    if not any(crosses(one, other) for places in same_type for one in places for other in places):
        too_many = max(
            (sum(p[side] == q[side] for q in ps) for ps in same_type for p in ps for side in (0, 1)), default=0
        )
        assert n_lost == 0 or too_many > DEPTH
    assert (found.scores > 0.99).all()


@given(any_gold())
@settings(max_examples=50, deadline=None)
def test_a_place_has_no_more_steps_than_are_read(gold: Gold) -> None:
    steps, _ = FORMULATION.targets(gold)
    docs = numpy.repeat(numpy.arange(len(steps.lengths)), steps.lengths)
    _, counts = numpy.unique(numpy.stack([docs, steps.places]), axis=1, return_counts=True)
    assert (counts <= MOST_STEPS).all()
    assert (steps.actions == 1).any(axis=1).all()


def test_of_crossing_spans_the_longest_are_learnt() -> None:
    gold = make_gold([6], [(0, 2, 0, 0), (1, 4, 0, 0), (3, 6, 0, 0), (2, 3, 0, 0), (0, 2, 1, 0)], n_tasks=3)
    steps, n_lost = FORMULATION.targets(gold)
    assert n_lost == 2
    found = FORMULATION.decode(scores_of(steps), gold.lengths)
    assert rows_of(found) == [(0, 2, 1, 0), (1, 4, 0, 0), (2, 3, 0, 0)]


def test_the_longest_of_too_many_that_begin_together_are_learnt() -> None:
    n = DEPTH + 2
    gold = make_gold([n], [(0, end, 0, 0) for end in range(1, n + 1)], n_tasks=3)
    steps, n_lost = FORMULATION.targets(gold)
    assert n_lost == 2
    found = FORMULATION.decode(scores_of(steps), gold.lengths)
    assert rows_of(found) == [(0, end, 0, 0) for end in range(3, n + 1)]
    assert str(DEPTH) in FORMULATION.inexpressible


# -- decoding


def decode(*steps: tuple[int, dict[str, float]], least: float = 0.0) -> Any:
    """Spans of one document of three tokens, given place and probabilities of each step; others are 0.01."""
    p = [[values.get(name, 0.01) for name in (EOA, SHIFT, TR, RE)] for _, values in steps]
    log_odds = numpy.log(p) - numpy.log1p(-numpy.array(p))
    places = numpy.array([place for place, _ in steps])
    nothing = numpy.zeros(len(steps), dtype=bool)
    scores = StepScores(log_odds, numpy.array([len(steps)]), places, nothing - 1, nothing)
    spans = SlotFormulation(TASKS[:1], least=least).decode(scores, numpy.array([3]))
    rows = zip(spans.starts.tolist(), spans.ends.tolist(), spans.scores.tolist())
    return sorted((start, end, round(score, 3)) for start, end, score in rows)


SHIFTED = {SHIFT: 0.99}


@pytest.mark.parametrize("threshold", [0.25, 0.45, 0.5, 0.75])
@pytest.mark.parametrize("opening", [0.2, 0.3, 0.48, 0.6, 0.8])
@pytest.mark.parametrize("closing", [0.4, 0.9])
def test_actions_from_a_threshold_on_are_taken(threshold: float, opening: float, closing: float) -> None:
    """SHIFT has the rest."""
    steps = [(0, {TR: opening, SHIFT: 1 - opening}), (1, {RE: closing, SHIFT: 1 - closing}), (1, SHIFTED)]
    found = decode(*steps, least=numpy.log(threshold / (1 - threshold)))
    assert found == ([(0, 1, round(opening * closing, 3))] if min(opening, closing) > threshold else [])


def test_actions_beside_a_more_probable_shift_are_not_taken() -> None:
    assert decode((0, {TR: 0.8, SHIFT: 0.9}), (1, {RE: 0.9})) == []
    assert decode((0, {TR: 0.8}), (0, SHIFTED), (1, {RE: 0.9, EOA: 0.95})) == []


def test_the_mention_opened_last_is_closed_first() -> None:
    steps = [(0, {TR: 0.9}), (0, SHIFTED), (1, {TR: 0.8}), (1, SHIFTED), (2, {RE: 0.7}), (2, SHIFTED), (3, {RE: 0.6})]
    assert decode(*steps) == [(0, 3, 0.54), (1, 2, 0.56)]


def test_a_closing_comes_before_an_opening_of_the_same_step() -> None:
    assert decode((0, {TR: 0.9}), (0, SHIFTED), (1, {TR: 0.8, RE: 0.9}), (1, SHIFTED), (2, {RE: 0.9})) == [
        (0, 1, 0.81),
        (1, 2, 0.72),
    ]


def test_what_is_not_opened_not_closed_or_empty_is_no_mention() -> None:
    assert decode((0, {RE: 0.9}), (0, {TR: 0.9}), (0, {RE: 0.9}), (0, SHIFTED), (1, {TR: 0.9})) == []


def test_equal_mentions_are_one_with_the_best_score() -> None:
    steps = [(0, {TR: 0.9}), (0, {TR: 0.6}), (0, SHIFTED), (1, {RE: 0.9}), (1, {RE: 0.8})]
    assert decode(*steps) == [(0, 1, 0.72)]


@given(seed=SEEDS)
@settings(max_examples=50, deadline=None)
def test_spans_of_one_type_never_cross(seed: int) -> None:
    rng = numpy.random.default_rng(seed)
    lengths = numpy.array([6, 0, 9])
    places = numpy.concatenate([numpy.repeat(numpy.arange(n + 1), 2) for n in (6, 9)])
    log_odds = rng.normal(scale=2.0, size=(len(places), N_ACTIONS))
    n_steps, nothing = numpy.array([14, 0, 20]), numpy.zeros(len(places), dtype=bool)
    spans = FORMULATION.decode(StepScores(log_odds, n_steps, places, nothing - 1, nothing), lengths)
    rows = rows_of(spans)
    assert len(set(rows)) == len(rows)
    assert all(0 <= start < end <= 6 or 6 <= start < end <= 15 for start, end, *_ in rows)
    assert not any(crosses(one[:2], other[:2]) for one in rows for other in rows if one[2:] == other[2:])


# -- loss


def random_batch(seed: int, lengths: list[int]) -> tuple[StepScores, ActionSteps, Gold]:
    """Scores of steps that follow gold steps, some of them with a step put in before a SHIFT."""
    rng = numpy.random.default_rng(seed)
    gold = random_gold(rng, lengths)
    steps, _ = FORMULATION.targets(gold)
    is_shift = numpy.append(numpy.diff(steps.places) == 1, False)
    twice = is_shift & (rng.random(len(is_shift)) < 0.3)
    numbers = numpy.repeat(numpy.arange(len(twice)), 1 + twice)
    deferred = numpy.append(numpy.diff(numbers) == 0, False)
    docs = numpy.repeat(numpy.arange(len(lengths)), steps.lengths)[numbers]
    log_odds = rng.normal(scale=2.0, size=(len(numbers), N_ACTIONS))
    n_steps = numpy.bincount(docs, minlength=len(lengths))
    return StepScores(log_odds, n_steps, steps.places[numbers], numbers, deferred), steps, gold


def plain_gradient(scores: StepScores, steps: ActionSteps) -> Any:
    """Mean over steps and actions of the entropies, and its gradient by automatic differentiation.

    Where nothing is known, targets are the model's own."""
    log_odds = torch.tensor(scores.log_odds, requires_grad=True)
    total = torch.zeros(())
    for u, number, is_deferred in zip(log_odds, scores.gold, scores.deferred):
        for i, (x, truth) in enumerate(zip(u, steps.actions[number].tolist())):
            p = torch.sigmoid(x)
            is_own = truth == OUT_OF_SCOPE or (i == 1 and is_deferred)
            target = p.detach() if is_own else torch.tensor(float(truth))
            total = total - (target * p.log() + (1 - target) * (1 - p).log()) / N_ACTIONS / len(log_odds)
    total.backward()
    return float(total.detach()), log_odds.grad.numpy()


@pytest.mark.parametrize("seed", range(4))
def test_loss_of_one_corpus_is_that_of_the_paper(seed: int) -> None:
    scores, _, gold = random_batch(seed, [4, 1])
    scores = replace(scores, deferred=scores.deferred & False)
    steps, _ = FORMULATION.targets(replace(gold, supervised=numpy.ones_like(gold.supervised)))
    losses, gradient = FORMULATION.loss(scores, steps, numpy.ones(3))
    expected, expected_gradient = plain_gradient(scores, steps)
    assert losses.sum() == pytest.approx(expected, rel=1e-5)
    numpy.testing.assert_allclose(gradient, expected_gradient, atol=1e-7)


@pytest.mark.parametrize("seed", range(4))
def test_gradient_out_of_scope_is_that_of_targets_of_the_models_own(seed: int) -> None:
    """For documents with one scope; the step that is put in teaches nothing of SHIFT."""
    scores, steps, gold = random_batch(seed, [5, 0, 3])
    supervised = numpy.array([[True, False, True]] * 3)
    outside = ~FORMULATION._in_scope(supervised)[0]
    steps = replace(steps, actions=numpy.where(outside, OUT_OF_SCOPE, numpy.maximum(steps.actions, 0)))
    _, gradient = FORMULATION.loss(scores, steps, numpy.ones(3))
    _, expected = plain_gradient(scores, steps)
    numpy.testing.assert_allclose(gradient, expected, atol=1e-7)
    assert not gradient[:, outside].any()
    assert scores.deferred.any() and not gradient[scores.deferred, 1].any()


@given(seed=SEEDS)
@settings(max_examples=10, deadline=None)
def test_gradient_by_finite_differences_and_exactly_zero_out_of_scope(seed: int) -> None:
    scores, steps, _ = random_batch(seed, [3, 1, 2])
    weights = numpy.array([1.0, 2.0, 0.5])
    _, gradient = FORMULATION.loss(scores, steps, weights)
    assert not gradient[steps.actions[scores.gold] == OUT_OF_SCOPE].any()

    def loss() -> float:
        return float((FORMULATION.loss(scores, steps, weights)[0].astype("float64") * weights).sum())

    for place in list(numpy.ndindex(*gradient.shape))[::7]:
        assert gradient[place] == pytest.approx(slope(scores.log_odds, place, loss, step=1e-2), abs=1e-4)


@given(seed=SEEDS)
@settings(max_examples=20, deadline=None)
def test_each_task_has_its_types_and_a_share_of_what_is_shared(seed: int) -> None:
    scores, steps, gold = random_batch(seed, [3, 1, 0, 4])
    losses, _ = FORMULATION.loss(scores, steps, numpy.ones(3))
    docs = numpy.repeat(numpy.arange(4), scores.lengths)
    for k, task in enumerate(TASKS):
        expected, n_steps = 0.0, 0
        for d, u, number, is_deferred in zip(docs, scores.log_odds, scores.gold, scores.deferred):
            if not gold.supervised[d, k]:
                continue
            n_steps += 1
            for x, truth, name in zip(u, steps.actions[number], FORMULATION.columns):
                if name[0] not in ("", task.name) or (name == ("", SHIFT) and is_deferred):
                    continue
                p = 1 / (1 + numpy.exp(-x))
                share = 1 / gold.supervised[d].sum() if name[0] == "" else 1.0
                expected -= share * numpy.log(p if truth == 1 else 1 - p) / N_ACTIONS
        assert losses[k] == pytest.approx(expected / max(n_steps, 1), rel=1e-4)


def test_large_scores_do_not_overflow() -> None:
    scores, steps, _ = random_batch(0, [5, 3])
    for factor in (1e4, -1e4):
        large = replace(scores, log_odds=(scores.log_odds * factor).astype("f"))
        losses, gradient = FORMULATION.loss(large, steps, numpy.ones(3))
        assert numpy.isfinite(losses).all() and numpy.isfinite(gradient).all()
        assert numpy.isfinite(FORMULATION.decode(large, numpy.array([5, 3])).scores).all()


@pytest.mark.parametrize("lengths", [[], [0, 0]])
def test_no_tokens(lengths: list[int]) -> None:
    steps, n_lost = FORMULATION.targets(make_gold(lengths, [], n_tasks=3))
    assert (steps.lengths.tolist(), len(steps.places), n_lost) == ([0] * len(lengths), 0, 0)
    losses, gradient = FORMULATION.loss(scores_of(steps), steps, numpy.ones(3))
    assert losses.tolist() == [0.0, 0.0, 0.0] and gradient.shape == (0, N_ACTIONS)
    assert not len(FORMULATION.decode(scores_of(steps), numpy.array(lengths, dtype="int64")).starts)
