"""The recurrent reader as a model of the component."""

from typing import Any

import numpy
import pytest
from thinc.api import Adam, Model
from tiny_encoder import make_docs
from tiny_models import BOTH, DISEASE, GENE, construct, initialise, make_batch

from bioner_spacy.errors import BionerError
from bioner_spacy.formulations.slots import SlotFormulation
from bioner_spacy.models.slot_recurrent import build_slot_recurrent
from bioner_spacy.tasks import Task
from bioner_spacy.types import Batch, Gold, SpanArrays, StepScores

SETTINGS = {"queries": 3, "window": 2}
TEXTS = ["gene cell mutant mice in the cell", "", "mice"]


def columns(*tasks: Task) -> list[tuple[str, ...]]:
    return list(SlotFormulation(tasks).columns)


def guided(*tasks: Task) -> Batch:
    """Documents with the first token a mention of the first type."""
    one = numpy.array([0])
    gold = Gold(
        numpy.array([7, 0, 1]), SpanArrays(one, one + 1, one, one, one + 1), numpy.ones((3, len(tasks)), dtype=bool)
    )
    return Batch(make_docs(*TEXTS), gold.lengths, SlotFormulation(tasks).targets(gold)[0])


def build(*tasks: Task) -> Model[Batch, StepScores]:
    model = initialise(construct("SlotRecurrent", **SETTINGS), columns(*tasks))
    output = model.get_ref("output_layer")
    output.set_param("queries", numpy.random.normal(size=output.get_param("queries").shape).astype("f"))
    return model


def test_scores_from_config() -> None:
    model = build(DISEASE, GENE)
    output = model.get_ref("output_layer")
    assert output.get_param("queries").shape == (6, 3, 8)
    assert output.get_param("positions").shape == (7, 8)
    assert model.get_dim("nO") == output.get_dim("nO") == 6
    scores = model.predict(make_batch(*TEXTS))
    assert scores.log_odds.shape == (scores.lengths.sum(), 6)
    assert scores.lengths[1] == 0 and (scores.lengths[[0, 2]] > 0).all()
    assert (scores.gold == -1).all() and not scores.deferred.any()


def test_targets_lead_the_way() -> None:
    model, led = build(DISEASE, GENE), guided(DISEASE, GENE)
    for scores in (model.predict(led), model.begin_update(led)[0]):
        assert scores.gold.tolist() == list(range(len(led.targets.places)))
        assert scores.places.tolist() == led.targets.places.tolist()


def test_formulation_comes_with_the_model() -> None:
    assert build(GENE).attrs["make_formulation"]([DISEASE]).columns == columns(DISEASE)


@pytest.mark.parametrize(
    "old, new",
    [((DISEASE,), (DISEASE, GENE)), ((GENE,), (DISEASE, GENE)), ((BOTH,), (BOTH, GENE))],
)
def test_resizing_keeps_the_scores_of_each_action(old: tuple[Task, ...], new: tuple[Task, ...]) -> None:
    """Up to the small part of the softmax that new types take of what is written."""
    model = build(*old)
    led = guided(*old)
    before = model.predict(led).log_odds
    model.attrs["resize_output"](model, columns(*old), columns(*new))
    after = model.predict(guided(*new)).log_odds
    assert after.shape == (len(before), len(columns(*new)))
    for i, name in enumerate(columns(*new)):
        if name in columns(*old):
            expected = before[:, columns(*old).index(name)]
            numpy.testing.assert_allclose(after[:, i], expected, atol=0.05)
        else:
            assert (after[:, i] < -3).all()
    assert {node.get_dim("nO") for node in (model, model.get_ref("output_layer"))} == {len(columns(*new))}


def test_training_goes_on_after_resizing() -> None:
    model, optimizer = build(DISEASE), Adam(0.1)
    for tasks in ((DISEASE,), (DISEASE, GENE)):
        if len(tasks) == 2:
            model.attrs["resize_output"](model, columns(DISEASE), columns(*tasks))
        before = model.get_ref("output_layer").get_param("W").copy()
        led = guided(*tasks)
        scores, backprop = model.begin_update(led)
        backprop(SlotFormulation(tasks).loss(scores, led.targets, numpy.ones(len(tasks)))[1])
        model.finish_update(optimizer)
        after = model.get_ref("output_layer").get_param("W")
        assert (numpy.abs(after - before).max(axis=1) > 1e-3).all()


def test_round_trip() -> None:
    model = build(DISEASE)
    model.attrs["resize_output"](model, columns(DISEASE), columns(DISEASE, GENE))
    loaded = construct("SlotRecurrent", **SETTINGS).from_bytes(model.to_bytes())
    docs = make_batch(*TEXTS)
    numpy.testing.assert_array_equal(loaded.predict(docs).log_odds, model.predict(docs).log_odds)


@pytest.mark.parametrize("setting", SETTINGS)
def test_weights_of_other_settings_are_refused(setting: str) -> None:
    other = construct("SlotRecurrent", **{**SETTINGS, setting: 5})
    with pytest.raises(ValueError, match=setting):
        other.from_bytes(build(DISEASE).to_bytes())


def test_the_threshold_is_one_of_steps_and_of_spans() -> None:
    """The layer goes as far as the formulation looks."""
    model = build(DISEASE, GENE)
    easy = construct("SlotRecurrent", **SETTINGS, action_threshold=0.001).from_bytes(model.to_bytes())
    few, many = (m.attrs["make_formulation"]([DISEASE, GENE]) for m in (model, easy))
    batch, lengths = make_batch(*TEXTS), numpy.array([7, 0, 1])
    assert (easy.predict(batch).lengths[[0, 2]] > model.predict(batch).lengths[[0, 2]]).all()
    assert len(few.decode(model.predict(batch), lengths).starts) == 0
    assert len(many.decode(easy.predict(batch), lengths).starts) > 0


@pytest.mark.parametrize(
    "settings", [{"queries": 0}, {"window": 0}, {"action_threshold": 0.0}, {"action_threshold": 1}]
)
def test_wrong_settings(settings: dict[str, Any]) -> None:
    with pytest.raises(BionerError, match=next(iter(settings))):
        build_slot_recurrent(build(GENE).get_ref("tok2vec"), **settings)
