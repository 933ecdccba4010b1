"""Weights of tasks found in training, in the component."""

import io
from pathlib import Path
from typing import Any

import numpy
import pytest
import spacy
from spacy.language import Language
from thinc.api import SGD, Adam, fix_random_seed
from toy_corpora import HEADS, component, make_examples, make_nlp, output_names, train, update

from bioner_spacy.errors import BionerError
from bioner_spacy.training.balance import DynamicWeightAverage, TaskBalance, UncertaintyBalance
from bioner_spacy.training.logger import multitask_logger

FIXED = {"@misc": "bioner_spacy.FixedBalance.v1"}
UNCERTAINTY = {"@misc": "bioner_spacy.UncertaintyBalance.v1", "learn_rate_factor": 20.0}
AVERAGE = {"@misc": "bioner_spacy.DynamicWeightAverage.v1", "period": 2, "temperature": 0.5}
LEARNING = {"uncertainty": UNCERTAINTY, "average": AVERAGE}
each_learning = pytest.mark.parametrize("balance", LEARNING.values(), ids=LEARNING)


def parameters(nlp: Language) -> bytes:
    return component(nlp).model.to_bytes()


def weights(nlp: Language) -> dict[str, float]:
    balance = component(nlp).task_balance
    return dict(zip(balance.tasks, balance.weights().tolist()))


def test_fixed_weights_are_the_default_and_change_nothing() -> None:
    """Training is the same to the last bit as without any policy."""
    pipelines = [make_nlp(), make_nlp(task_balance=FIXED), make_nlp()]
    pipelines[2].get_pipe("multitask_ner").task_balance = Inert()  # type: ignore[attr-defined]
    losses = [train(nlp, make_examples(nlp), steps=4) for nlp in pipelines]
    assert losses[0] == losses[1] == losses[2]
    assert parameters(pipelines[0]) == parameters(pipelines[1]) == parameters(pipelines[2])
    assert pipelines[0].config["components"]["multitask_ner"]["task_balance"] == FIXED
    assert type(component(pipelines[0]).task_balance) is TaskBalance


class Inert(TaskBalance):
    """No weights at all: a scalar that multiplies nothing."""

    def weights(self) -> Any:
        return 1

    def observe(self, losses: Any, in_scope: Any) -> None:
        pass


@pytest.mark.parametrize("encoder", ["cnn", *HEADS])
def test_every_formulation_takes_the_weights(encoder: str) -> None:
    """The gradient of a task is multiplied by its weight, and stays exactly 0 out of scope."""
    nlp = make_nlp(encoder, task_balance=UNCERTAINTY)
    train(nlp, make_examples(nlp), steps=0)
    ner = component(nlp)
    assert isinstance(ner.task_balance, UncertaintyBalance)
    examples = make_examples(nlp, ["drugs"])
    scores = ner.model.predict(ner.make_batch(examples))
    plain_loss, plain = ner.get_loss(examples, scores)
    ner.task_balance.load({"log_variance": {"DISEASE": -1.5, "GENE": -1.5}})
    loss, d_scores = ner.get_loss(examples, scores)
    assert loss == plain_loss, "what is reported does not depend on the weights"
    factors = {"CHEMICAL": 1.0, "DISEASE": numpy.exp(1.5), "GENE": 0.0}
    for task, factor in factors.items():
        columns = [i for i, name in enumerate(output_names(nlp)) if name[0] == task]
        assert columns and d_scores[:, columns] == pytest.approx(factor * plain[:, columns], rel=1e-4, abs=1e-9)
    assert not d_scores[:, [i for i, name in enumerate(output_names(nlp)) if name[0] == "GENE"]].any()


@pytest.mark.parametrize("encoder", ["cnn", *HEADS])
@each_learning
def test_learns_with_every_balance(encoder: str, balance: dict[str, Any]) -> None:
    nlp = make_nlp(encoder, task_balance=balance)
    losses = train(nlp, make_examples(nlp), steps=8)
    assert losses[-1] < losses[0]
    assert len(set(weights(nlp).values())) == 3
    assert numpy.isfinite(list(weights(nlp).values())).all()


def test_only_tasks_in_scope_move_and_by_the_loss_that_is_observed() -> None:
    nlp = make_nlp(task_balance={**UNCERTAINTY, "learn_rate_factor": 0.5})
    train(nlp, make_examples(nlp), steps=0)
    examples = make_examples(nlp, ["diseases"])
    loss = nlp.update(examples, sgd=SGD(0.1, grad_clip=0.0), losses={})["multitask_ner"]
    moved = component(nlp).task_balance.state()["log_variance"]
    assert moved == {"CHEMICAL": 0.0, "DISEASE": pytest.approx(-0.05 * (1 - loss), rel=1e-4), "GENE": 0.0}


def test_weights_by_hand_are_another_factor() -> None:
    plain, weighted = (make_nlp(task_balance=UNCERTAINTY, task_weights={"DISEASE": w}) for w in (1.0, 3.0))
    gradients = []
    for nlp in (plain, weighted):
        train(nlp, make_examples(nlp), steps=0)
        ner = component(nlp)
        ner.task_balance.load({"log_variance": {"DISEASE": 0.7}})
        examples = make_examples(nlp, ["diseases"])
        gradients.append(ner.get_loss(examples, ner.model.predict(ner.make_batch(examples))))
    assert gradients[1][0] == pytest.approx(3 * gradients[0][0])
    assert gradients[1][1] == pytest.approx(3 * gradients[0][1])
    assert gradients[0][1].any()


def test_gradients_add_up_until_there_is_an_optimizer() -> None:
    """Two halves of a batch, as with `accumulate_gradient`, are one update."""
    nlp = make_nlp(task_balance={**UNCERTAINTY, "learn_rate_factor": 1.0})
    train(nlp, make_examples(nlp), steps=0)
    halves = [make_examples(nlp, ["genes"]), make_examples(nlp, ["genes", "diseases"])]
    losses = [nlp.update(half, sgd=False, losses={})["multitask_ner"] for half in halves]
    assert set(weights(nlp).values()) == {1.0}
    component(nlp).finish_update(SGD(0.01, grad_clip=0.0))
    moved = component(nlp).task_balance.state()["log_variance"]
    assert -100 * (moved["GENE"] + moved["DISEASE"]) == pytest.approx(3 - sum(losses), rel=1e-3)


@each_learning
def test_saved_and_loaded(balance: dict[str, Any], tmp_path: Path) -> None:
    nlp = make_nlp(task_balance=balance)
    examples = make_examples(nlp)
    train(nlp, examples, steps=4)
    expected = weights(nlp)
    assert len(set(expected.values())) == 3
    nlp.to_disk(tmp_path)
    loaded = spacy.load(tmp_path)
    assert weights(loaded) == expected
    other = make_nlp(task_balance=balance).from_bytes(nlp.to_bytes())
    assert weights(other) == expected
    # Both go on alike,
    for pipeline in (nlp, loaded):
        fix_random_seed(1)
        update(pipeline, make_examples(pipeline), Adam(0.002), steps=4)
    assert weights(loaded) == pytest.approx(weights(nlp), rel=1e-4) and weights(loaded) != expected
    # another policy starts from 1, and what it saves is its own.
    config = {"components": {"multitask_ner": {"task_balance": FIXED}}}
    fixed = spacy.load(tmp_path, config=config)
    assert set(weights(fixed).values()) == {1.0}
    assert component(fixed).from_bytes(component(fixed).to_bytes()).cfg.keys() == {"label_data"}
    # Loading takes away what was learnt before.
    component(other).from_bytes(component(fixed).to_bytes())
    assert set(weights(other).values()) == {1.0}


@each_learning
def test_initialisation_starts_again_and_added_labels_grow(balance: dict[str, Any]) -> None:
    nlp = make_nlp(task_balance=balance)
    train(nlp, make_examples(nlp), steps=4)
    before = weights(nlp)
    component(nlp).add_label("SPECIES", corpus="diseases")
    assert weights(nlp) == {**before, "SPECIES": 1.0}
    update(nlp, make_examples(nlp), nlp.resume_training(), steps=1)
    train(nlp, make_examples(nlp), steps=0)
    assert weights(nlp) == dict.fromkeys(["CHEMICAL", "DISEASE", "GENE", "SPECIES"], 1.0)


def test_documents_without_tokens_and_predictions_teach_nothing() -> None:
    nlp = make_nlp(task_balance=UNCERTAINTY)
    examples = make_examples(nlp)
    train(nlp, examples, steps=2)
    before = weights(nlp)
    nlp.evaluate(examples)
    component(nlp).get_loss(examples, component(nlp).model.predict(component(nlp).make_batch(examples)))
    empty = [spacy.training.Example(nlp.make_doc(""), nlp.make_doc(""))]
    nlp.update(empty, sgd=Adam(0.1))
    assert weights(nlp) == before


@pytest.mark.parametrize(
    ("balance", "message"),
    [
        ({**AVERAGE, "period": 0}, "task_balance.period is 0"),
        ({**UNCERTAINTY, "learn_rate_factor": -1.0}, "task_balance.learn_rate_factor is -1.0"),
        ({"@misc": "spacy.first_longest_spans_filter.v1"}, "task_balance is .*; allowed: a subclass of TaskBalance"),
    ],
)
def test_wrong_settings_are_named(balance: dict[str, Any], message: str) -> None:
    with pytest.raises(BionerError, match=message):
        make_nlp(task_balance=balance)


def test_training_prints_weights_that_are_not_one() -> None:
    nlp = make_nlp(task_balance=UNCERTAINTY)
    nlp.config["training"].update({"max_steps": 0, "eval_frequency": 10})
    train(nlp, make_examples(nlp), steps=0)
    stdout = io.StringIO()
    log_step, _ = multitask_logger(None)(nlp, stdout, stdout)
    info = {"epoch": 0, "step": 0, "losses": {"multitask_ner": 1.5}, "score": 0.75, "other_scores": {}}
    log_step(info)
    assert "weights" not in stdout.getvalue()
    component(nlp).task_balance.load({"log_variance": {"GENE": -1.0}})
    log_step(info)
    assert "      multitask_ner: weights  CHEMICAL 1.00  DISEASE 1.00  GENE 2.72\n" in stdout.getvalue()


def test_the_config_names_the_policy_and_its_settings() -> None:
    nlp = make_nlp(task_balance={"@misc": AVERAGE["@misc"]})
    balance = component(nlp).task_balance
    assert isinstance(balance, DynamicWeightAverage)
    block = nlp.config["components"]["multitask_ner"]["task_balance"]
    assert block == {"@misc": AVERAGE["@misc"], "period": balance.period, "temperature": balance.temperature}
