"""Span pairs: one biaffine layer for all tasks."""

from typing import Any

import numpy
import pytest
from thinc.api import Model
from tiny_models import BOTH, DISEASE, GENE, construct, initialise, make_batch

from bioner_spacy.errors import BionerError
from bioner_spacy.formulations.span_pairs import SpanPairFormulation
from bioner_spacy.models.span_pairs import build_span_pairs, resize_spans
from bioner_spacy.tasks import Task
from bioner_spacy.types import Batch


def columns(*tasks: Task) -> list[tuple[str, ...]]:
    return list(SpanPairFormulation(tasks, width=3).columns)


def build(nO: int = 3) -> Model[Batch, Any]:
    return initialise(construct("SpanPairs", width=3, hidden=4), [("", str(i)) for i in range(nO)])


def test_scores_from_config() -> None:
    model = build(6)
    scores = model.predict(make_batch())
    assert scores.shape == (4, 6)
    assert model.attrs["make_formulation"]([GENE]).width == 3


@pytest.mark.parametrize(
    "old, new", [((DISEASE,), (DISEASE, GENE)), ((GENE,), (DISEASE, GENE)), ((BOTH,), (BOTH, GENE))]
)
def test_resizing_keeps_the_scores_of_each_type(old: tuple[Task, ...], new: tuple[Task, ...]) -> None:
    model = build(len(columns(*old)))
    docs = make_batch()
    before = model.predict(docs)
    resize_spans(model, columns(*old), columns(*new))
    after = model.predict(docs)
    assert after.shape == (4, len(columns(*new)))
    for i, name in enumerate(columns(*new)):
        if name in columns(*old):
            numpy.testing.assert_allclose(after[:, i], before[:, columns(*old).index(name)], atol=1e-6)
        else:
            assert (after[:, i] < -1).all()
    assert {node.get_dim("nO") for node in (model, model.get_ref("output_layer"))} == {len(columns(*new))}


@pytest.mark.parametrize("threshold", [0.2, 0.5, 0.8])
def test_spans_from_the_threshold_on_are_mentions(threshold: float) -> None:
    model = construct("SpanPairs", width=3, hidden=4, span_threshold=threshold)
    formulation = model.attrs["make_formulation"]([GENE])
    p = numpy.array([[0.1, 0.3, 0.6], [0.7, 0.01, 0.01], [0.9, 0.01, 0.01]])
    found = formulation.decode(numpy.log(p / (1 - p)), numpy.array([3]))
    assert sorted(found.scores.tolist()) == pytest.approx([x for x in (0.3, 0.6, 0.7, 0.9) if x > threshold])


def test_round_trip() -> None:
    model = build(6)
    docs = make_batch()
    loaded = build(6).from_bytes(model.to_bytes())
    numpy.testing.assert_array_equal(loaded.predict(docs), model.predict(docs))


@pytest.mark.parametrize("settings", [{"width": 0}, {"hidden": 0}, {"span_threshold": 0}, {"span_threshold": 1.0}])
def test_wrong_settings(settings: dict[str, Any]) -> None:
    with pytest.raises(BionerError, match=next(iter(settings))):
        build_span_pairs(build().get_ref("tok2vec"), **settings)
