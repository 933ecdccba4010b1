"""Shared and private BiLSTMs under the random fields of tasks."""

from typing import Any

import numpy
import pytest
import tiny_models
from plain_cross_sharing import plain_scores
from thinc.api import Adam, Model, set_dropout_rate
from tiny_encoder import make_docs
from tiny_models import initialise, make_batch, named_spans

from bioner_spacy.errors import BionerError
from bioner_spacy.formulations.adversarial import AdversarialCRFFormulation
from bioner_spacy.formulations.crf import CRFFormulation
from bioner_spacy.layers.cross_sharing.model import VARIANTS
from bioner_spacy.models.tag_heads import tag_bias
from bioner_spacy.tasks import Task
from bioner_spacy.types import Batch, Gold, SpanArrays

A, B, C = (Task(name, (name,)) for name in "ABC")
TEXTS = ["gene cell mutant mice of protein", "", "mice", "in it"]


def construct(variant: str, **settings: Any) -> Model[Batch, Any]:
    return tiny_models.construct("CrossSharing", **{"hidden": 4, "width": 3, "variant": variant, **settings})


def columns(model: Model, *tasks: Task) -> list[tuple[str, ...]]:
    names: list[tuple[str, ...]] = model.attrs["make_formulation"](tasks).columns
    return names


def build(variant: str, *tasks: Task, **settings: Any) -> Model[Batch, Any]:
    model = construct(variant, **settings)
    return initialise(model, columns(model, *tasks))


def batch(*texts: str) -> Batch:
    return make_batch(*(texts or TEXTS))


def token_vectors(model: Model, text: str) -> Any:
    return model.get_ref("tok2vec").predict(make_docs(text))[0]


@pytest.mark.parametrize("tasks", [(A,), (A, B), (A, Task("two", ("B", "C")), C)], ids=len)
@pytest.mark.parametrize("variant", VARIANTS)
def test_scores_are_those_of_the_equations(variant: str, tasks: tuple[Task, ...]) -> None:
    model = build(variant, *tasks)
    features, output = model.get_ref("features"), model.get_ref("output_layer")
    output.set_param("b", numpy.linspace(-1, 1, output.get_dim("nO"), dtype="f"))
    expected = [plain_scores(features, output, token_vectors(model, text)) for text in TEXTS if text]
    scores = model.predict(batch())
    assert scores.shape == (9, len(columns(model, *tasks))) and scores.dtype == "float32"
    numpy.testing.assert_allclose(scores, numpy.concatenate(expected), atol=1e-5)


@pytest.mark.parametrize("variant", VARIANTS)
def test_documents_one_by_one(variant: str) -> None:
    model = build(variant, A, B)
    alone = [model.predict(batch(text)) for text in TEXTS if text]
    numpy.testing.assert_allclose(model.predict(batch()), numpy.concatenate(alone), atol=1e-5)


def test_only_the_adversarial_variant_has_a_discriminator() -> None:
    made = {variant: construct(variant).attrs["make_formulation"]([A, B]) for variant in VARIANTS}
    assert [variant for variant in made if isinstance(made[variant], AdversarialCRFFormulation)] == ["adv"]
    assert all(isinstance(formulation, CRFFormulation) for formulation in made.values())
    assert made["adv"].columns[-1] == ("", "is B")


def test_dropout_before_and_behind_the_bilstms_in_training_only() -> None:
    model = build("cs", A, B)
    predicted = model.predict(batch())
    numpy.testing.assert_array_equal(model.begin_update(batch())[0], predicted)
    encoder = {node.id for node in model.get_ref("tok2vec").walk()}
    layers = [node for node in model.walk() if node.name == "dropout" and node.id not in encoder]
    assert len(layers) == 2
    for layer in layers:
        set_dropout_rate(layer, 0.5)
        assert numpy.abs(model.begin_update(batch())[0] - predicted).max() > 1e-3
        numpy.testing.assert_array_equal(model.predict(batch()), predicted)
        set_dropout_rate(layer, 0.0)


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"variant": "css"}, "variant is 'css'; allowed: stm, fs, sp, adv, cs"),
        ({"hidden": 0}, "hidden is 0"),
        ({"adversarial": -0.1}, "adversarial is -0.1; allowed: 0 or more"),
        ({"orthogonality": -0.1}, "orthogonality is -0.1"),
    ],
)
def test_impossible_settings_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(BionerError, match=message):
        construct(**{"variant": "cs", **settings})


# -- gradients


def gold(supervised: list[list[bool]]) -> Gold:
    """The first token of each document is a mention for each task that it supervises."""
    lengths = numpy.array([len(doc) for doc in make_docs(*TEXTS)])
    starts, tasks = [], []
    for document, begin in zip(range(len(lengths)), numpy.cumsum(lengths) - lengths):
        for k in numpy.flatnonzero(supervised[document]) if lengths[document] else []:
            starts.append(int(begin))
            tasks.append(int(k))
    places = numpy.array(starts, dtype="int64")
    spans = SpanArrays(places, places + 1, numpy.array(tasks), places * 0, numpy.ones(len(places)))
    return Gold(lengths, spans, numpy.array(supervised))


def learn(model: Model, tasks: tuple[Task, ...], supervised: list[list[bool]]) -> Any:
    """Add up the gradients of a batch; returns those of its scores."""
    formulation = model.attrs["make_formulation"](tasks)
    scores, backprop = model.begin_update(batch())
    _, d_scores = formulation.loss(scores, formulation.targets(gold(supervised))[0], numpy.ones(len(tasks)))
    backprop(d_scores)
    return d_scores


@pytest.mark.parametrize("variant", VARIANTS)
def test_outputs_out_of_scope_get_no_gradient(variant: str) -> None:
    """And no private layer and no gate; but through its own gate a task learns from the private layers of others."""
    tasks = (A, B, C)
    model = build(variant, *tasks)
    learn(model, tasks, [[False, True, False]] * len(TEXTS))
    d_W, d_b = (model.get_ref("output_layer").get_grad(name) for name in ("W", "b"))
    for i, (task, *_) in enumerate(columns(model, *tasks)):
        if task in ("A", "C"):
            assert not d_W[i].any() and not d_b[i]
        elif task == "B":
            assert d_W[i].any()
    layer = model.get_ref("features")
    if variant == "fs":
        return
    for name in layer.param_names:
        gradient = layer.get_grad(name).swapaxes(0, 1) if name in "WUb" else layer.get_grad(name)
        assert gradient[1].any()
        for other in (0, 2):
            assert gradient[other].any() == (variant == "cs" and not name.startswith("gate"))


def test_the_discriminator_learns_from_what_tasks_share_and_that_learns_against_it() -> None:
    """Its own weights in full, the shared BiLSTM in proportion to the setting and with the sign changed."""
    supervised = [[True, False], [True, True], [False, True], [True, True]]
    gradients = []
    for adversarial in (0.0, 1.0, 3.0):
        model = build("adv", A, B, adversarial=adversarial, orthogonality=0.0)
        learn(model, (A, B), supervised)
        gradients.append({"features": model.get_ref("features"), "output": model.get_ref("output_layer")})
    none, once, thrice = gradients
    numpy.testing.assert_array_equal(none["output"].get_grad("W"), thrice["output"].get_grad("W"))
    own = none["output"].get_grad("W")[-2:]
    assert own[:, -3:].all() and not own[:, :-3].any()
    for name in none["features"].param_names:
        plain, reversed_once, reversed_thrice = (part["features"].get_grad(name) for part in gradients)
        difference = reversed_once - plain
        by_block = difference.swapaxes(0, 1) if name in "WUb" else difference
        assert by_block[-1].any() and not by_block[:-1].any()
        numpy.testing.assert_allclose(reversed_thrice - plain, 3 * difference, atol=1e-5)
    assert slope_of_discriminator(once["features"], once["output"], none["features"], supervised) < 0


def slope_of_discriminator(features: Model, output: Model, plain: Model, supervised: list[list[bool]]) -> float:
    """Change of the discriminator's loss along what the gradient adds to the shared BiLSTM: the reversed one is uphill
    for it, so that a step against it raises the loss."""
    model = build("adv", A, B, orthogonality=0.0)
    formulation = AdversarialCRFFormulation([A, B])
    targets, _ = formulation.targets(gold(supervised))
    layer = model.get_ref("features")
    before = formulation.discriminator_loss(model.predict(batch()), targets)[0]
    for name in layer.param_names:
        layer.set_param(name, layer.get_param(name) + 0.01 * (features.get_grad(name) - plain.get_grad(name)))
    return formulation.discriminator_loss(model.predict(batch()), targets)[0] - before


# -- other lists of tasks


@pytest.mark.parametrize(
    "old, new", [((B,), (B, C)), ((B,), (A, B)), ((A, C), (A, B, C))], ids=["behind", "before", "between"]
)
@pytest.mark.parametrize("variant", VARIANTS)
def test_a_new_task_changes_no_score_of_the_others(variant: str, old: Any, new: Any) -> None:
    model = build(variant, *old)
    before, old_columns, new_columns = model.predict(batch()), columns(model, *old), columns(model, *new)
    model.attrs["resize_output"](model, old_columns, new_columns)
    after = model.predict(batch())
    assert after.shape == (9, len(new_columns))
    assert model.get_dim("nO") == model.get_ref("output_layer").get_dim("nO") == len(new_columns)
    for i, name in enumerate(new_columns):
        expected = before[:, old_columns.index(name)] if name in old_columns else tag_bias([name])[0]
        numpy.testing.assert_allclose(after[:, i], expected, atol=1e-6)


def test_a_new_type_of_a_task_changes_no_prediction() -> None:
    old, new = (Task("two", ("B",)), C), (Task("two", ("A", "B")), C)
    model = build("cs", *old)
    model.get_ref("output_layer").get_param("b").fill(0)
    before = model.predict(batch()) * 5
    model.attrs["resize_output"](model, columns(model, *old), columns(model, *new))
    after = model.predict(batch()) * 5
    found = [named_spans(CRFFormulation(tasks), s, batch(), tasks) for tasks, s in ((old, before), (new, after))]
    assert found[0] == found[1] != []


def test_an_uninitialised_model_takes_any_list_of_tasks() -> None:
    model = construct("cs")
    model.attrs["resize_output"](model, [], columns(model, A))
    model.attrs["resize_output"](model, columns(model, A), columns(model, A, B, C))
    model.initialize(X=batch())
    assert model.predict(batch()).shape == (9, 33)
    assert model.get_ref("features").attrs["others"] == [[1, 2], [0, 2], [0, 1]]


@pytest.mark.parametrize("variant", VARIANTS)
def test_training_goes_on_with_a_new_task(variant: str) -> None:
    """Gradients and the optimizer's moments are those of the old size until then."""
    model, optimizer = build(variant, B), Adam(0.01)
    supervised = [[True, True]] * len(TEXTS)
    learn(model, (B,), [row[:1] for row in supervised])
    model.finish_update(optimizer)
    model.attrs["resize_output"](model, columns(model, B), columns(model, B, C))
    output = model.get_ref("output_layer")
    before = output.get_param("W").copy()
    for _ in range(2):
        learn(model, (B, C), supervised)
        model.finish_update(optimizer)
    after = output.get_param("W")
    assert (numpy.abs(after - before).max(axis=1) > 1e-3).all()
    # The second step reaches the layers under the outputs that began at zero.
    learn(model, (B, C), supervised)
    assert variant == "fs" or model.get_ref("features").get_grad("linear_b")[1].any()


# -- saving and loading


@pytest.mark.parametrize("variant", VARIANTS)
def test_round_trip(variant: str) -> None:
    """Also of a model whose gates do not all see all."""
    model = build(variant, A, C)
    model.attrs["resize_output"](model, columns(model, A, C), columns(model, A, B, C))
    loaded = construct(variant).from_bytes(model.to_bytes())
    numpy.testing.assert_array_equal(loaded.predict(batch()), model.predict(batch()))
    assert loaded.get_ref("features").attrs["others"] == [[2], [0, 2], [0]] or variant != "cs"


@pytest.mark.parametrize("settings", [{"variant": "sp"}, {"variant": "adv"}, {"variant": "cs", "hidden": 5}])
def test_weights_of_other_settings_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(BionerError, match="weights of the architecture CrossSharing are for variant cs, hidden 4"):
        construct(**settings).from_bytes(build("cs", A, B).to_bytes())


def test_seed_decides() -> None:
    one, other = (build("cs", A, B).to_bytes() for _ in range(2))
    assert one == other
