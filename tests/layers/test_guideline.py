"""Corrections by guideline: what they add, their gradient, and other guidelines and outputs."""

from typing import Any

import numpy
import pytest
from finite_differences import differences
from tiny_models import DISEASE, GENE, construct, initialise, make_batch

from bioner_spacy.errors import BionerError
from bioner_spacy.formulations.tags import TagFormulation
from bioner_spacy.layers.guideline import corrections, corrections_or_means
from bioner_spacy.types import Batch

NUMBERS = numpy.array([0, 1, 1, -1, 0])


def filled(*names: str) -> Any:
    """A layer with weights that are not zero."""
    layer = corrections(2, 3, 4, dict.fromkeys(names, range(3)))
    layer.initialize()
    rng = numpy.random.default_rng(0)
    for name in ("A", "B", "d"):
        layer.set_param(name, rng.normal(size=layer.get_param(name).shape))
    return layer


def test_correction_of_each_token_is_that_of_its_guideline() -> None:
    layer, X = filled("A", "B"), numpy.random.default_rng(1).normal(size=(5, 4))
    Y = layer.predict((X, NUMBERS))
    A, B, d = (layer.get_param(name) for name in ("A", "B", "d"))
    for row, number in enumerate(NUMBERS):
        expected = B[number] @ A[number] @ X[row] + d[number] if number >= 0 else numpy.zeros(3)
        numpy.testing.assert_allclose(Y[row], expected, atol=1e-6)


def test_gradient_by_finite_differences() -> None:
    layer, rng = filled("A", "B"), numpy.random.default_rng(1)
    X, d_Y = rng.normal(size=(5, 4)), rng.normal(size=(5, 3))
    _, backprop = layer((X, NUMBERS), True)
    d_X, _ = backprop(d_Y)

    def loss() -> float:
        return float((layer.predict((X, NUMBERS)) * d_Y).sum())

    numpy.testing.assert_allclose(d_X, differences(X, loss), atol=1e-5)
    for name in ("A", "B", "d"):
        weights = layer.get_param(name)
        numpy.testing.assert_allclose(layer.get_grad(name), differences(weights, loss), atol=1e-5)


def build(**settings: Any) -> Any:
    model = construct("TagHeads", crf=False, guideline_rank=2, **settings)
    columns = TagFormulation([DISEASE, GENE]).columns
    places = {
        task: [place for place, (name, *_) in enumerate(columns) if name == task] for task in ("DISEASE", "GENE")
    }
    model.attrs["set_guidelines"](model, {"A": places["GENE"], "B": [*places["DISEASE"], *places["GENE"]]})
    return initialise(model, columns)


def guided(*guidelines: Any) -> Batch:
    plain = make_batch()
    return Batch(plain.docs, plain.lengths, guidelines=guidelines)


def teach(model: Any) -> None:
    """Give the corrections of a model weights."""
    layer = model.get_ref("corrections")
    layer.set_param("B", layer.get_param("B") + 1.0)
    layer.set_param("d", layer.get_param("d") + 1.0)


def test_there_is_no_correction_before_training_and_without_a_guideline() -> None:
    model = build()
    plain = model.predict(make_batch())
    numpy.testing.assert_array_equal(model.predict(guided("A", "B", "A")), plain)
    teach(model)
    numpy.testing.assert_array_equal(model.predict(guided(None, None, "unknown")), plain)
    corrected = model.predict(guided("A", None, None))
    assert (corrected[:3] != plain[:3]).all()
    numpy.testing.assert_array_equal(corrected[3:], plain[3:])


@pytest.mark.parametrize("dropout", [0.0, 1.0])
def test_dropout_leaves_corrections_out_in_training_alone(dropout: float) -> None:
    model = build(guideline_dropout=dropout)
    teach(model)
    batch = guided("A", "A", "B")
    scores, backprop = model.begin_update(batch)
    backprop(numpy.ones_like(scores))
    assert model.get_ref("corrections").has_grad("B") == (dropout == 0.0)
    assert (scores == model.predict(make_batch())).all() == (dropout == 1.0)
    assert (model.predict(batch) != model.predict(make_batch())).any()


def test_corrections_stay_where_guidelines_and_outputs_are_added() -> None:
    model = build()
    teach(model)
    before = model.predict(guided("B", "B", "B"))
    old, new = TagFormulation([DISEASE, GENE]).columns, TagFormulation([GENE, DISEASE]).columns
    model.attrs["resize_output"](model, old, [*new, ("CELL", "O")])
    model.attrs["set_guidelines"](model, {"B": [], "C": []})
    after = model.predict(guided("B", "B", "B"))
    numpy.testing.assert_allclose(after[:, [new.index(name) for name in old]], before, atol=1e-6)
    numpy.testing.assert_array_equal(model.predict(guided("C", "C", "A")), model.predict(make_batch()))


def test_mean_of_the_corrections_of_all_guidelines_that_annotate_a_type() -> None:
    """Of tokens without a guideline, and of types that their guideline does not annotate."""
    annotates = {"A": [0], "B": [0, 1], "C": [1]}
    layer, X = corrections(2, 3, 4, annotates), numpy.random.default_rng(1).normal(size=(6, 4))
    layer.initialize()
    rng = numpy.random.default_rng(0)
    for name in ("A", "B", "d"):
        layer.set_param(name, rng.normal(size=layer.get_param(name).shape))
    A, B, d = (layer.get_param(name) for name in ("A", "B", "d"))
    numbers = numpy.array([0, 1, 2, -1, -1, 1])
    Y = corrections_or_means(layer, X, numbers)
    for row, number in enumerate(numbers):
        of_each = [B[g] @ A[g] @ X[row] + d[g] for g in range(3)]
        for score in range(3):
            known = [g for g, (_, scores) in enumerate(annotates.items()) if score in scores]
            chosen = [number] if number in known else known
            expected = sum(of_each[g][score] for g in chosen) / max(1, len(chosen))
            assert Y[row, score] == pytest.approx(expected, abs=1e-5)


def test_means_are_for_prediction_alone() -> None:
    plain, model = build(), build(guideline_default="mean", guideline_dropout=1.0)
    for one in (plain, model):
        teach(one)
    numpy.testing.assert_allclose(
        model.begin_update(guided("A", "B", None))[0], plain.predict(make_batch()), atol=1e-6
    )
    unnamed = model.predict(make_batch())
    assert (unnamed != plain.predict(make_batch())).all()
    numpy.testing.assert_allclose(
        model.predict(guided("B", "B", "B")), plain.predict(guided("B", "B", "B")), atol=1e-5
    )
    unlike = build()
    unlike.from_bytes(model.to_bytes())  # a setting, as the dropout is
    numpy.testing.assert_array_equal(unlike.predict(make_batch()), plain.predict(make_batch()))
    with pytest.raises(BionerError, match="guideline_default"):
        build(guideline_default="vote")


def test_saved_corrections_are_loaded(tmp_path: Any) -> None:
    model, other = build(), build()
    teach(model)
    other.from_bytes(model.to_bytes())
    batch = guided("A", "B", "B")
    numpy.testing.assert_array_equal(other.predict(batch), model.predict(batch))
