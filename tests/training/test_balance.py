"""Weights of tasks found in training, beside hand-made values; and the examples of docs/balance.md."""

import inspect
import math
import re
from pathlib import Path
from typing import Any

import numpy
import pytest
from spacy import registry
from thinc.api import SGD, Adam, Config

from bioner_spacy.errors import BionerError
from bioner_spacy.training.balance import DynamicWeightAverage, TaskBalance, UncertaintyBalance

TASKS = ["CHEMICAL", "DISEASE", "GENE"]
EVERY = numpy.ones(3, dtype=bool)
PAGE = (Path(__file__).parents[2] / "docs" / "balance.md").read_text(encoding="utf8")


def with_tasks(balance: Any) -> Any:
    balance.set_tasks(TASKS)
    return balance


def step(balance: TaskBalance, losses: Any, in_scope: Any = EVERY, sgd: Any = None) -> None:
    balance.observe(numpy.array(losses, dtype="f"), numpy.array(in_scope))
    balance.finish_update(sgd or SGD(0.1), 1)


def all_policies() -> list[TaskBalance]:
    return [
        with_tasks(TaskBalance()),
        with_tasks(UncertaintyBalance(20.0)),
        with_tasks(DynamicWeightAverage(period=1)),
    ]


def test_fixed_weights_are_one_and_nothing_is_kept() -> None:
    balance = with_tasks(TaskBalance())
    step(balance, [9.0, 0.1, 5.0])
    assert balance.weights().tolist() == [1.0, 1.0, 1.0]
    assert balance.weights().dtype == "float32"
    assert balance.state() == {}


# -- uncertainty


def test_gradient_is_that_of_the_objective_by_finite_differences() -> None:
    balance = with_tasks(UncertaintyBalance())
    start = numpy.array([0.5, -1.0, 2.0])
    batches = [([0.3, 2.0, 1.0], [True, True, False]), ([0.7, 5.0, 9.0], [True, False, False])]
    balance.values["log_variance"] = start.astype("f")
    for losses, in_scope in batches:
        balance.observe(numpy.array(losses), numpy.array(in_scope))

    def objective(s: Any) -> float:
        return sum(float(((numpy.exp(-s) * losses + s) * in_scope).sum()) for losses, in_scope in batches)

    eps = 1e-5
    expected = [(objective(start + eps * e) - objective(start - eps * e)) / (2 * eps) for e in numpy.eye(3)]
    assert balance.gradient() == pytest.approx(expected, abs=1e-4)
    assert balance.gradient()[2] == 0.0


def test_one_step_of_plain_descent() -> None:
    balance = with_tasks(UncertaintyBalance(learn_rate_factor=3.0))
    step(balance, [0.4, 1.5, 1.0], sgd=SGD(0.1, grad_clip=0.0))
    assert balance.values["log_variance"] == pytest.approx([-0.3 * (1 - 0.4), 0.3 * 0.5, 0.0])
    assert balance.weights() == pytest.approx(numpy.exp([0.18, -0.15, 0.0]))


@pytest.mark.parametrize("sgd", [SGD(0.002), Adam(0.0004, L2=0.01, use_averages=True)], ids=["sgd", "adam"])
def test_weights_go_to_one_over_a_constant_loss(sgd: Any) -> None:
    balance = with_tasks(UncertaintyBalance())
    for _ in range(1000):
        step(balance, [0.05, 3.0, 1.0], sgd=sgd)
    assert balance.weights() == pytest.approx([20.0, 1 / 3.0, 1.0], rel=0.02)


def test_tasks_out_of_scope_stay_and_have_no_momentum() -> None:
    balance = with_tasks(UncertaintyBalance())
    sgd = Adam(0.01)
    step(balance, [0.1, 0.1, 0.1], sgd=sgd)
    before = balance.values["log_variance"].copy()
    moments = {key: moment.copy() for key, moment in sgd.mom1.items()}
    step(balance, [0.1, 0.0, 0.1], [True, False, True], sgd=sgd)
    step(balance, [0.0, 0.0, 0.0], [False, False, False], sgd=sgd)
    assert (balance.values["log_variance"] != before).tolist() == [True, False, True]
    changed = [key[1].split()[-1] for key, moment in sgd.mom1.items() if (moment != moments[key]).any()]
    assert changed == ["CHEMICAL", "GENE"]


@pytest.mark.parametrize("loss", [0.0, 1e12, math.inf, math.nan])
def test_no_loss_makes_weights_useless(loss: float) -> None:
    for balance in all_policies():
        for _ in range(500):
            step(balance, [loss, 0.5, 1.0], sgd=SGD(0.1))
        weights = balance.weights()
        assert numpy.isfinite(weights).all() and (weights >= 0.00099).all() and (weights <= 1001).all()
        assert not math.isnan(sum(sum(values.values()) for values in balance.state().values()))


# -- dynamic weight average


def test_weights_follow_the_rates_of_the_last_two_periods() -> None:
    balance = with_tasks(DynamicWeightAverage(period=2, temperature=0.5))
    seen = []
    for losses in ([2.0, 4.0, 1.0], [4.0, 4.0, 3.0], [2.0, 3.0, 2.0], [1.0, 3.0, 2.0], [9.0, 9.0, 9.0]):
        step(balance, losses)
        seen.append(balance.weights().tolist())
    assert seen[:3] == [[1.0, 1.0, 1.0]] * 3
    # Means 3, 4, 2 and then 1.5, 3, 2
    odds = [math.exp(rate / 0.5) for rate in (0.5, 0.75, 1.0)]
    assert seen[3] == pytest.approx([3 * o / sum(odds) for o in odds])
    assert seen[4] == seen[3], "in the middle of a period"
    step(balance, [9.0, 9.0, 9.0])
    odds = [math.exp(rate / 0.5) for rate in (9 / 1.5, 9 / 3, 9 / 2)]
    assert balance.weights() == pytest.approx([3 * o / sum(odds) for o in odds])


def test_tasks_without_loss_in_a_period_keep_weight_one() -> None:
    balance = with_tasks(DynamicWeightAverage(period=2, temperature=1.0))
    for losses, in_scope in (
        ([2.0, 4.0, 0.0], [True, True, False]),
        ([9.0, 4.0, 0.0], [False, True, False]),
        ([1.0, 4.0, 5.0], [True, True, True]),
        ([1.0, 4.0, 5.0], [True, True, True]),
    ):
        step(balance, losses, in_scope)
    # The mean is over the batches in scope: 2, then 1.
    low, high = math.exp(0.5), math.exp(1.0)
    assert balance.weights() == pytest.approx([2 * low / (low + high), 2 * high / (low + high), 1.0])


def test_a_high_temperature_is_no_weighting() -> None:
    balance = with_tasks(DynamicWeightAverage(period=1, temperature=1e9))
    for losses in ([1.0, 1.0, 1.0], [0.1, 5.0, 1.0]):
        step(balance, losses)
    assert balance.weights() == pytest.approx([1.0, 1.0, 1.0])


# -- tasks and what is kept


@pytest.mark.parametrize("balance", all_policies()[1:], ids=["uncertainty", "dwa"])
def test_added_tasks_start_again_and_others_stay(balance: TaskBalance) -> None:
    for losses in ([0.1, 4.0, 2.0], [0.2, 3.0, 0.5]):
        step(balance, losses)
    before = balance.weights()
    assert len(set(before.tolist())) == 3
    balance.set_tasks(["CELL", *TASKS])
    assert balance.weights().tolist() == [1.0, *before.tolist()]


@pytest.mark.parametrize("balance", all_policies(), ids=["fixed", "uncertainty", "dwa"])
def test_state_goes_into_another_policy_of_the_kind_by_task(balance: TaskBalance) -> None:
    for losses in ([0.1, 4.0, 2.0], [0.2, 3.0, 0.5]):
        step(balance, losses)
    other = type(balance)()
    other.set_tasks(TASKS[::-1])
    other.load(balance.state())
    assert other.weights().tolist() == balance.weights().tolist()[::-1]
    for stranger in all_policies():
        if type(stranger) is not type(balance):
            stranger.load(balance.state())
            assert stranger.weights().tolist() == [1.0, 1.0, 1.0]
    other.load({})
    assert other.weights().tolist() == [1.0, 1.0, 1.0]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: UncertaintyBalance(0.0), "task_balance.learn_rate_factor is 0.0; allowed: above 0"),
        (lambda: UncertaintyBalance(math.nan), "learn_rate_factor is nan"),
        (lambda: DynamicWeightAverage(period=0), "task_balance.period is 0; allowed: 1 and more"),
        (lambda: DynamicWeightAverage(temperature=-1.0), "task_balance.temperature is -1.0; allowed: above 0"),
    ],
)
def test_wrong_settings_are_named(make: Any, message: str) -> None:
    with pytest.raises(BionerError, match=message):
        make()


def test_examples_of_the_page_hold_all_settings_and_their_defaults() -> None:
    found = {}
    for text in re.findall(r"```ini\n(.*?)```", PAGE, re.DOTALL):
        config = Config().from_str("[components]\n[components.multitask_ner]\n" + text)
        block = config["components"]["multitask_ner"]["task_balance"]
        parameters = inspect.signature(registry.misc.get(block["@misc"])).parameters.values()
        assert {name: value for name, value in block.items() if name[0] != "@"} == {
            p.name: p.default for p in parameters
        }
        found[block["@misc"]] = block
    ours = {name for name in registry.misc.get_all() if name.startswith("bioner_spacy.")}
    assert set(found) == ours - {"bioner_spacy.FixedBalance.v1"}
    assert all(name.rsplit(".", 2)[1] in PAGE for name in ours)
