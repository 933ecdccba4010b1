"""Tag heads: one linear layer for all tasks."""

from typing import Any

import numpy
import pytest
from spacy.tokens import Doc
from thinc.api import Adam, Model
from thinc.types import Floats2d
from tiny_models import DISEASE, GENE, construct, initialise, make_batch, named_spans

from bioner_spacy.formulations.crf import CRFFormulation
from bioner_spacy.formulations.tags import TagFormulation
from bioner_spacy.layers.prior import RARE
from bioner_spacy.models.tag_heads import build_tag_heads, resize_output, tag_bias
from bioner_spacy.tasks import Task
from bioner_spacy.types import Batch


def columns(*tasks: Task) -> list[tuple[str, ...]]:
    return TagFormulation(tasks).columns


def build(nO: int = 3) -> Model[Batch, Any]:
    return initialise(construct("TagHeads", crf=False), [("", str(i)) for i in range(nO)])


def test_scores_from_config() -> None:
    model = build()
    scores = model.predict(make_batch())
    assert scores.shape == (4, 3)
    assert model.get_dim("nO") == model.get_ref("output_layer").get_dim("nO") == 3
    assert model.get_ref("tok2vec").get_dim("nO") == model.get_ref("output_layer").get_dim("nI") == 8


def test_formulation_comes_with_the_model() -> None:
    formulation = build().attrs["make_formulation"]([DISEASE])
    assert formulation.columns == columns(DISEASE)


def test_scores_are_linear_in_the_token_vectors() -> None:
    model = build()
    docs = make_batch()
    layer = model.get_ref("output_layer")
    vectors = numpy.concatenate([array for array in model.get_ref("tok2vec").predict(docs.docs) if len(array)])
    expected = vectors @ layer.get_param("W").T + layer.get_param("b")
    numpy.testing.assert_allclose(model.predict(docs), expected, atol=1e-5)


def token_vectors_of_ones() -> Model[list[Doc], list[Floats2d]]:
    def forward(model: Model, docs: list[Doc], is_train: bool) -> Any:
        return [model.ops.alloc2f(len(doc), 8) + 1 for doc in docs], lambda d_vectors: []

    return Model("ones", forward, dims={"nO": 8})


def test_dropout_in_training_only() -> None:
    model = build_tag_heads(token_vectors_of_ones(), dropout=0.5, nO=3)
    model.initialize()
    docs = make_batch("gene " * 50)
    predicted = model.predict(docs)
    assert numpy.abs(predicted - predicted[0]).max() < 1e-6
    trained = model.begin_update(docs)[0]
    assert numpy.abs(trained - predicted).max() > 1e-3


@pytest.mark.parametrize("architecture", ["TagHeads", "CrossSharing"])
def test_mentions_are_rare_before_training(architecture: str) -> None:
    """Tags of B and I; not O, transitions from tag to tag, and what distinguishes tasks."""
    settings = {"variant": "adv", "hidden": 2, "width": 2} if architecture == "CrossSharing" else {}
    formulation = construct(architecture, **settings).attrs["make_formulation"]([DISEASE, GENE])
    model = initialise(construct(architecture, **settings), formulation.columns)
    expected = {"B-DISEASE": RARE, "I-DISEASE": RARE, "B-GENE": RARE, "I-GENE": RARE}
    found = model.get_ref("output_layer").get_param("b")
    for (_, *names), value in zip(formulation.columns, found.tolist()):
        assert value == (expected.get(names[0], 0) if len(names) == 1 else 0)
    assert (found == RARE).sum() == 4 < len(found)
    model.attrs["resize_output"](model, formulation.columns, formulation.columns)
    model.initialize(X=make_batch())
    numpy.testing.assert_array_equal(model.get_ref("output_layer").get_param("b"), found)


@pytest.mark.parametrize(
    "old, new",
    [((DISEASE,), (DISEASE, GENE)), ((GENE,), (DISEASE, GENE)), ((DISEASE, GENE), (GENE,))],
    ids=["behind", "before", "fewer"],
)
def test_resizing_keeps_the_weights_of_each_output(old: tuple[Task, ...], new: tuple[Task, ...]) -> None:
    model = build(len(columns(*old)))
    docs = make_batch()
    layer = model.get_ref("output_layer")
    layer.set_param("b", numpy.arange(1, 1 + len(columns(*old)), dtype="f"))
    before = model.predict(docs)
    resize_output(model, columns(*old), columns(*new))
    after = model.predict(docs)
    assert after.shape == (4, len(columns(*new)))
    for i, name in enumerate(columns(*new)):
        expected = before[:, columns(*old).index(name)] if name in columns(*old) else tag_bias([name])[0]
        numpy.testing.assert_allclose(after[:, i], expected, atol=1e-6)
    assert {node.get_dim("nO") for node in (model, model.get_ref("output_layer"))} == {len(columns(*new))}


def test_resizing_a_task_changes_no_prediction() -> None:
    """A corpus that gains an entity type: its new tags are a little less probable than O, whatever the token."""
    old, new = [Task("A", ("DISEASE",), "A"), GENE], [Task("A", ("CHEMICAL", "DISEASE", "GENE"), "A"), GENE]
    model = build(len(columns(*old)))
    docs = make_batch("gene cell mutant mice of protein in it", "mice")
    before = model.predict(docs)
    assert set(before[:, :3].argmax(axis=1)) > {0}
    resize_output(model, columns(*old), columns(*new))
    after = model.predict(docs)
    position = [columns(*new).index(name) for name in columns(*old)]
    numpy.testing.assert_allclose(after[:, position], before, atol=1e-6)
    added = [i for i in range(after.shape[1]) if i not in position]
    assert len(added) == 4
    assert (after[:, added] < after[:, :1]).all()


def test_resizing_a_random_field_changes_no_prediction() -> None:
    old, new = [Task("A", ("DISEASE",), "A"), GENE], [Task("A", ("CHEMICAL", "DISEASE", "GENE"), "A"), GENE]
    before, after = CRFFormulation(old), CRFFormulation(new)
    model = build(len(before.columns))
    docs = make_batch("gene cell mutant mice of protein in it", "mice")
    found = [named_spans(before, model.predict(docs) * scale, docs, old) for scale in (1, 3, 9)]
    assert any(found)
    resize_output(model, before.columns, after.columns)
    assert [named_spans(after, model.predict(docs) * scale, docs, new) for scale in (1, 3, 9)] == found


def update(model: Model[Batch, Any], optimizer: Adam) -> None:
    scores, backprop = model.begin_update(make_batch())
    backprop(numpy.ones_like(scores))
    model.finish_update(optimizer)


def test_training_goes_on_after_resizing() -> None:
    """Gradients and the optimizer's moments are those of the old size until then."""
    model, optimizer = build(), Adam(0.1)
    update(model, optimizer)
    resize_output(model, columns(DISEASE), columns(DISEASE, GENE))
    before = model.get_ref("output_layer").get_param("W").copy()
    update(model, optimizer)
    after = model.get_ref("output_layer").get_param("W")
    assert (numpy.abs(after - before).max(axis=1) > 1e-3).all()


def test_resized_model_round_trip() -> None:
    model = build()
    resize_output(model, columns(DISEASE), columns(DISEASE, GENE))
    loaded = construct("TagHeads", crf=False).from_bytes(model.to_bytes())
    docs = make_batch()
    numpy.testing.assert_array_equal(loaded.predict(docs), model.predict(docs))
