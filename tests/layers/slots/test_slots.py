"""The recurrent reader: against its equations, one document at a time."""

from dataclasses import replace
from typing import Any, Optional

import numpy
import pytest
import torch
from finite_differences import slope
from hypothesis import given
from hypothesis import strategies as st
from plain_slots import random_weights, read
from thinc.api import Model, fix_random_seed, set_dropout_rate, xp2torch

from bioner_spacy.layers.prior import RARE
from bioner_spacy.layers.slots import model as slots
from bioner_spacy.layers.slots import reader as slot_reader
from bioner_spacy.layers.slots.guides import GoldGuide, Guide
from bioner_spacy.layers.slots.memory import SlotMemory
from bioner_spacy.layers.slots.model import Slots, group_documents
from bioner_spacy.layers.slots.reader import Reader, make_attention
from bioner_spacy.types import MOST_STEPS, OUT_OF_SCOPE, SHIFT, ActionSteps

WIDTH, N_ACTIONS, WINDOW = 5, 8, 3


def random_tokens(seed: int, lengths: list[int]) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(n, WIDTH, dtype=torch.float64, generator=generator) for n in lengths]


def random_steps(seed: int, lengths: list[int]) -> ActionSteps:
    """Gold steps with actions at random; documents have one type in three out of scope, or all of them."""
    rng = numpy.random.default_rng(seed)
    n_steps, places, rows = [], [], []
    for n in lengths:
        outside = rng.integers(-1, 4)
        for place in range(n + 1 if n else 0):
            for _ in range(rng.integers(0, 3)):
                rows.append([0, 0, *rng.integers(0, 2, size=N_ACTIONS - 2)])
                places.append(place)
            rows.append([place == n, place < n, *[0] * (N_ACTIONS - 2)])
            places.append(place)
        n_steps.append(len(rows) - sum(n_steps))
        for row in rows[len(rows) - n_steps[-1] :]:
            if outside < 0:
                row[:] = [OUT_OF_SCOPE] * N_ACTIONS
            elif outside < 3:
                row[2 + 2 * outside : 4 + 2 * outside] = [OUT_OF_SCOPE] * 2
    actions = numpy.array(rows, dtype="int8").reshape(-1, N_ACTIONS)
    return ActionSteps(numpy.array(n_steps), numpy.array(places, dtype="int64"), actions)


def make_guide(lengths: list[int], steps: Optional[ActionSteps], least: float = 0.0) -> Guide:
    n_tokens = numpy.array(lengths)
    return Guide(n_tokens, least=least) if steps is None else GoldGuide(n_tokens, steps)


def make_reader(
    weights: Any, tokens: list[torch.Tensor], steps: Optional[ActionSteps], window: int = WINDOW, least: float = 0.0
) -> Reader:
    guide = make_guide([len(array) for array in tokens], steps, least)
    return Reader(weights, tokens, guide, window=window, dropout=0.0, record=True)


def rows_of(reader: Reader, d: int) -> list[int]:
    """Numbers of the rows that `read` returned for a document."""
    document, is_step, *_ = numpy.concatenate(reader.guide.taken).T
    return numpy.flatnonzero((document == d) & (is_step == 1)).tolist()


def grad_of(leaf: torch.Tensor) -> torch.Tensor:
    return torch.zeros_like(leaf) if leaf.grad is None else leaf.grad


def gold_of(steps: Optional[ActionSteps], d: int) -> Any:
    if steps is None:
        return None
    end = int(steps.lengths[: d + 1].sum())
    own = slice(end - steps.lengths[d], end)
    return steps.actions[own], steps.places[own]


@pytest.mark.parametrize("lengths", [[9, 4, 1], [12, 11], [3]])
@pytest.mark.parametrize(
    "seed, guided, least", [(0, False, 0.0), (1, False, 0.0), (1, False, -2.0), (1, False, 2.0), (2, True, 0.0)]
)
@torch.no_grad()
def test_steps_are_those_of_the_equations(seed: int, lengths: list[int], guided: bool, least: float) -> None:
    """Of documents short and longer than the window, side by side."""
    weights, tokens = random_weights(seed, WIDTH, N_ACTIONS), random_tokens(seed, lengths)
    steps = random_steps(seed, lengths) if guided else None
    reader = make_reader(weights, tokens, steps, least=least)
    log_odds = reader.read()
    _, _, all_places, all_gold, all_deferred = numpy.concatenate(reader.guide.taken).T
    for d, array in enumerate(tokens):
        expected, places, gold, deferred = read(weights, array, WINDOW, gold_of(steps, d), least)
        rows = rows_of(reader, d)
        torch.testing.assert_close(log_odds[rows], torch.stack(expected))
        assert all_places[rows].tolist() == places
        assert all_deferred[rows].tolist() == deferred
        if steps is not None:
            first = int(steps.lengths[:d].sum())
            assert all_gold[rows].tolist() == [first + k for k in gold]


@pytest.mark.parametrize("lengths", [[9, 4, 1], [3]])
@pytest.mark.parametrize("seed, guided", [(0, False), (1, False), (2, True), (3, True)])
def test_gradients_are_those_of_the_equations(seed: int, lengths: list[int], guided: bool) -> None:
    weights, tokens = random_weights(seed, WIDTH, N_ACTIONS), random_tokens(seed, lengths)
    steps = random_steps(seed, lengths) if guided else None
    with torch.no_grad():
        reader = make_reader(weights, tokens, steps)
        log_odds = reader.read()
        d_log_odds = torch.zeros_like(log_odds)
        for d in range(len(tokens)):
            d_log_odds[rows_of(reader, d)] = torch.randn_like(log_odds[rows_of(reader, d)])
        gradients = {name: torch.zeros_like(weight) for name, weight in weights.items()}
        d_tokens = reader.backward(d_log_odds, gradients)
    leaves = {name: weight.clone().requires_grad_() for name, weight in weights.items()}
    total = torch.zeros((), dtype=torch.float64)
    token_leaves = [array.clone().requires_grad_() for array in tokens]
    for d, array in enumerate(token_leaves):
        expected = torch.stack(read(leaves, array, WINDOW, gold_of(steps, d))[0])
        total = total + (expected * d_log_odds[rows_of(reader, d)]).sum()
    total.backward()
    for name, leaf in leaves.items():
        torch.testing.assert_close(gradients[name], grad_of(leaf), msg=lambda text, name=name: f"{name}: {text}")
    for found, leaf in zip(d_tokens, token_leaves):
        torch.testing.assert_close(found, grad_of(leaf))


def test_gradient_by_finite_differences() -> None:
    """The way of a guided reader does not depend on small changes; what is written does."""
    weights, tokens = random_weights(0, WIDTH, N_ACTIONS), random_tokens(0, [9, 4])
    steps = random_steps(3, [9, 4])
    steps = replace(steps, actions=numpy.maximum(steps.actions, 0))

    def total() -> float:
        log_odds = make_reader(weights, tokens, steps).read()
        return float((log_odds * target[: len(log_odds)]).sum())

    with torch.no_grad():
        target = torch.randn(200, N_ACTIONS, dtype=torch.float64)
        reader = make_reader(weights, tokens, steps)
        gradients = {name: torch.zeros_like(weight) for name, weight in weights.items()}
        log_odds = reader.read()
        d_tokens = reader.backward(target[: len(log_odds)], gradients)
        for array, gradient in [*((weights[name], gradients[name]) for name in weights), *zip(tokens, d_tokens)]:
            for place in list(numpy.ndindex(*array.shape))[:: max(1, array.numel() // 4)]:
                expected = slope(array, place, total)
                assert float(gradient[place]) == pytest.approx(expected, rel=1e-4, abs=1e-5)


@pytest.mark.parametrize("guided", [False, True])
@torch.no_grad()
def test_long_documents_are_read_as_short_ones(guided: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the work is another, and not more for each token than the window is wide."""
    lengths = [60, 31, 2]
    weights, tokens = random_weights(1, WIDTH, N_ACTIONS), random_tokens(1, lengths)
    steps = random_steps(2, lengths) if guided else None
    results = []
    for memory in (slot_reader.WindowMemory, SlotMemory):
        monkeypatch.setattr(slot_reader, "WindowMemory", memory)
        reader = make_reader(weights, tokens, steps)
        assert type(reader.memory) is memory
        log_odds = reader.read()
        gradients = {name: torch.zeros_like(weight) for name, weight in weights.items()}
        results.append((log_odds, *reader.backward(torch.ones_like(log_odds), gradients), *gradients.values()))
    for one, other in zip(*results, strict=True):
        torch.testing.assert_close(one, other)


@torch.no_grad()
def test_large_scores_do_not_overflow() -> None:
    weights, tokens = random_weights(1, WIDTH, N_ACTIONS), random_tokens(1, [40])
    weights["queries"] *= 1e4
    reader = make_reader(weights, tokens, None)
    log_odds = reader.read()
    gradients = {name: torch.zeros_like(weight) for name, weight in weights.items()}
    reader.backward(torch.ones_like(log_odds), gradients)
    assert log_odds.isfinite().all() and all(gradient.isfinite().all() for gradient in gradients.values())


# -- guides


@pytest.mark.parametrize("action, n_rounds", [(0, 1), (1, 4), (2, 4 * MOST_STEPS)], ids=["EOA", "SHIFT", "TR"])
def test_reading_ends_whatever_is_predicted(action: int, n_rounds: int) -> None:
    guide = Guide(numpy.array([3, 2]))
    log_odds = numpy.zeros((2, 4))
    log_odds[:, action] = 1.0
    rounds = 0
    while b := guide.n_reading:
        guide.advance(log_odds[:b])
        rounds += 1
    assert rounds == n_rounds
    assert guide.taken[-1][:, 2].tolist() == ([0, 0] if action == 0 else [3])


def test_shift_is_postponed_once_for_what_is_out_of_scope() -> None:
    actions = numpy.array([[0, 1, 0, 0, -1, -1], [0, 0, 1, 0, -1, -1], [0, 1, 0, 0, -1, -1], [1, 0, 0, 0, -1, -1]])
    guide = GoldGuide(numpy.array([2]), ActionSteps(numpy.array([4]), numpy.array([0, 1, 1, 2]), actions))
    outscored = numpy.array([[0.0, 1.0, 5.0, 5.0, 2.0, 0.0]])
    content = numpy.array([[0.0, 1.0, 5.0, 5.0, 0.5, 0.0]])
    for log_odds in (outscored, outscored, outscored, content, outscored):
        assert guide.n_reading == 1
        guide.advance(log_odds)
    assert guide.n_reading == 0
    _, _, places, gold, deferred = numpy.concatenate(guide.taken).T.tolist()
    assert (places, gold, deferred) == ([0, 0, 1, 1, 2], [0, 0, 1, 2, 3], [1, 0, 0, 0, 0])


# -- the layer


def build(**changed: Any) -> Model[Any, Any]:
    fix_random_seed(0)
    options = {"queries": 2, "window": WINDOW, "scale": 1.0, "learn_scale": False, "focus": 0.0}
    options |= {"least": 0.0, "dropout": 0.0, **changed}
    model = Slots(N_ACTIONS, nI=WIDTH, **options)
    model.initialize()
    # All actions are as likely as a SHIFT, and queries do not start at 0, where attention looks everywhere alike.
    model.get_param("b").fill(0)
    model.set_param("queries", numpy.random.normal(size=(N_ACTIONS, 2, WIDTH)).astype("f"))
    return model


def float_tokens(lengths: list[int]) -> list[Any]:
    return [array.numpy().astype("f") for array in random_tokens(0, lengths)]


@pytest.mark.parametrize("guided", [False, True])
@pytest.mark.parametrize("most_slots", [8192, 20])
def test_batched_is_one_by_one(guided: bool, most_slots: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Documents in any order, some without tokens, some long, in one group of documents or several."""
    monkeypatch.setattr(slots, "MOST_SLOTS", most_slots)
    lengths = [3, 0, 30, 5, 1, 0, 12, 5]
    model, tokens = build(), float_tokens(lengths)
    steps = random_steps(0, lengths) if guided else None
    scores, backprop = model.begin_update((tokens, steps))
    d_scores = numpy.random.normal(size=scores.log_odds.shape).astype("f")
    d_tokens, _ = backprop(d_scores)
    gradients = {name: model.get_grad(name).copy() for name in model.param_names if model.has_grad(name)}
    assert set(gradients) == set(model.param_names) - {"scale"}
    for name in gradients:
        model.set_grad(name, gradients[name] * 0)
    begin = 0
    for d, array in enumerate(tokens):
        first, own = 0, None
        if steps is not None:
            first = int(steps.lengths[:d].sum())
            actions, places = gold_of(steps, d)
            own = ActionSteps(steps.lengths[d : d + 1], places, actions)
        alone, backprop_alone = model.begin_update(([array], own))
        end = begin + scores.lengths[d]
        numpy.testing.assert_allclose(scores.log_odds[begin:end], alone.log_odds, atol=2e-5)
        assert scores.places[begin:end].tolist() == alone.places.tolist()
        assert scores.deferred[begin:end].tolist() == alone.deferred.tolist()
        if guided:
            assert (scores.gold[begin:end] - first).tolist() == alone.gold.tolist()
        numpy.testing.assert_allclose(backprop_alone(d_scores[begin:end])[0][0], d_tokens[d], atol=1e-4)
        begin = end
    for name, gradient in gradients.items():
        numpy.testing.assert_allclose(model.get_grad(name), gradient, atol=2e-3, err_msg=name)


def test_the_scale_is_learned_on_request() -> None:
    model = build(learn_scale=True, scale=10.0)
    assert model.get_param("scale").tolist() == [10.0]
    scores, backprop = model.begin_update((float_tokens([4]), None))
    backprop(numpy.ones_like(scores.log_odds))
    assert model.get_grad("scale").any()


def test_dropout_in_training_only_and_by_the_rate_that_thinc_sets() -> None:
    model, X = build(dropout=0.0), (float_tokens([6]), random_steps(0, [6]))
    predicted = model.predict(X).log_odds
    numpy.testing.assert_array_equal(model.begin_update(X)[0].log_odds, predicted)
    set_dropout_rate(model, 0.5)
    numpy.testing.assert_array_equal(model.predict(X).log_odds, predicted)
    assert numpy.abs(model.begin_update(X)[0].log_odds - predicted).max() > 1e-2


def test_gradients_with_dropout_are_those_of_what_was_kept() -> None:
    """Finite differences under the same random numbers."""
    model, (tokens, steps) = build(dropout=0.3), (float_tokens([6]), random_steps(0, [6]))
    fix_random_seed(1)
    scores, backprop = model.begin_update((tokens, steps))
    d_tokens = backprop(numpy.ones_like(scores.log_odds))[0][0]

    def total() -> float:
        fix_random_seed(1)
        return float(model.begin_update((tokens, steps))[0].log_odds.astype("float64").sum())

    for place in [(0, 0), (3, 2), (5, 4)]:
        assert d_tokens[place] == pytest.approx(slope(tokens[0], place, total, step=1e-2), rel=0.05, abs=0.05)


def test_starts_as_in_the_paper() -> None:
    model = Slots(N_ACTIONS, queries=3, window=150, scale=1.0, learn_scale=False, focus=0.0, least=0.0, dropout=0.0)
    model.initialize(X=(float_tokens([3]), None))
    assert model.get_param("queries").shape == (N_ACTIONS, 3, WIDTH) and not model.get_param("queries").any()
    assert (model.get_param("w_att") == 1).all() and (model.get_param("w_tok") == 1).all()
    # Distances from -150 to 150, the leading slot, out of the window; what is behind the end needs no vector.
    assert model.get_param("positions").shape == (303, WIDTH)
    assert model.get_param("actions").std() == pytest.approx(1.0, abs=0.3)


def test_expects_to_shift() -> None:
    model = Slots(
        N_ACTIONS, queries=1, window=WINDOW, scale=1.0, learn_scale=False, focus=0.0, least=0.0, dropout=0.0, nI=WIDTH
    )
    model.initialize()
    b = model.get_param("b")
    assert b[SHIFT] == 0 and (numpy.delete(b, SHIFT) == RARE).all()


@pytest.mark.parametrize("focus", [3.0, 5.0])
def test_attention_may_start_at_the_token_last_written_to(focus: float) -> None:
    model = Slots(
        N_ACTIONS, queries=2, window=150, scale=1.0, learn_scale=False, focus=focus, least=0.0, dropout=0.0, nI=384
    )
    model.initialize()
    weights = {name: xp2torch(model.get_param(name)) for name in ("queries", "positions", "w_att", "w_tok", "scale")}
    tokens = 0.1 * torch.randn(1, 30, 384, generator=torch.Generator().manual_seed(0))
    memory = SlotMemory(tokens, torch.tensor([30]), make_attention(weights, 150), record=True)
    memory.attend(torch.tensor([7]))
    alpha = memory._tape[0][2][0]
    expected = numpy.exp(focus) / (numpy.exp(focus) + 29)
    assert alpha.argmax() == 7 and alpha[7].item() == pytest.approx(expected, abs=0.15)


def test_no_tokens() -> None:
    model = build()
    tokens = float_tokens([0, 0])
    scores, backprop = model.begin_update((tokens, random_steps(0, [0, 0])))
    assert scores.log_odds.shape == (0, N_ACTIONS) and scores.lengths.tolist() == [0, 0]
    assert [array.shape for array in backprop(scores.log_odds)[0]] == [(0, WIDTH)] * 2


@given(st.lists(st.integers(0, 9000), max_size=12))
def test_groups_of_documents_are_small(lengths: list[int]) -> None:
    groups = group_documents(numpy.array(lengths, dtype="int64"), long=300)
    assert sorted(d for group in groups for d in group.tolist()) == [d for d, n in enumerate(lengths) if n]
    for group in groups:
        sizes = [lengths[d] for d in group]
        assert sizes == sorted(sizes, reverse=True)
        assert len(sizes) == 1 or len(sizes) * (sizes[0] + 2) <= slots.MOST_SLOTS
        assert len({size > 300 for size in sizes}) == 1
