"""Annotation scope in learning: what a document does not annotate moves no head, and is no mistake to predict."""

from collections.abc import Callable
from typing import Any

import numpy
import pytest
from spacy.language import Language
from spacy.tokens import Span
from spacy.training import Example
from thinc.api import SGD, set_dropout_rate
from toy_corpora import BREAST_CANCER, HEADS, component, gold_doc, make_examples, make_nlp, output_names, train

from bioner_spacy.errors import BionerError, BionerWarning

SHARED = ""  # in place of a task


def gradients(nlp: Language, examples: list[Example]) -> tuple[float, Any, Any]:
    """Loss of a batch, gradient of its scores, and gradient of the bias of each output."""
    ner = component(nlp)
    set_dropout_rate(ner.model, 0.0)
    scores, backprop = ner.model.begin_update(ner.make_batch(examples))
    loss, d_scores = ner.get_loss(examples, scores)
    backprop(d_scores)
    return loss, d_scores, ner.model.get_ref("output_layer").get_grad("b").ravel()


def columns(nlp: Language, task: str) -> list[int]:
    """Numbers of the outputs of a task."""
    return [i for i, name in enumerate(output_names(nlp)) if name[0] == task]


@pytest.fixture(params=["cnn", *HEADS])
def fresh(request: pytest.FixtureRequest) -> Callable[..., Language]:
    """Makes an initialised pipeline that has learnt nothing."""

    def make(**settings: Any) -> Language:
        nlp = make_nlp(request.param, **settings)
        train(nlp, make_examples(nlp), steps=0)
        return nlp

    return make


def test_a_naive_merge_teaches_every_head(fresh: Callable[..., Language]) -> None:
    """What `ignore_scope` is for: a disease that the corpus of genes does not annotate is learnt to be none."""
    nlp = fresh(ignore_scope=True)
    _, _, d_bias = gradients(nlp, make_examples(nlp, ["genes"]))
    for task in component(nlp).tasks:
        assert numpy.abs(d_bias[columns(nlp, task.name)]).max() > 0


@pytest.mark.parametrize(
    ("grain", "corpus", "learning"),
    [
        ("type", "diseases", {"DISEASE"}),
        ("type", "drugs", {"CHEMICAL", "DISEASE"}),
        ("corpus", "diseases", {"diseases"}),
        ("guideline", "drugs", {"drugs$CHEMICAL", "drugs$DISEASE"}),
        ("guideline", "genes", {"genes$GENE"}),
    ],
)
@pytest.mark.filterwarnings("ignore:.*1 of 11 gold mentions overlap")
def test_only_heads_in_scope_get_a_gradient(
    fresh: Callable[..., Language], grain: str, corpus: str, learning: set[str]
) -> None:
    nlp = fresh(grain=grain)
    _, d_scores, d_bias = gradients(nlp, make_examples(nlp, [corpus]))
    ner = component(nlp)
    assert learning < {task.name for task in ner.tasks}
    for task in ner.tasks:
        rows = columns(nlp, task.name)
        assert rows
        if task.name in learning:
            assert d_scores[:, rows].any(axis=0).all() and d_bias[rows].all()
        else:
            assert not d_scores[:, rows].any() and not d_bias[rows].any()


def test_an_update_leaves_other_heads_as_they_are(untrained: Callable[..., Language]) -> None:
    nlp = untrained()
    train(nlp, make_examples(nlp), steps=0)
    layer = component(nlp).model.get_ref("output_layer")
    before = layer.get_param("b").copy()
    nlp.update(make_examples(nlp, ["diseases"]), sgd=SGD(0.1))
    changed = (layer.get_param("b") != before).ravel()
    assert numpy.flatnonzero(changed).tolist() == sorted(columns(nlp, "DISEASE") + columns(nlp, SHARED))


def test_predictions_out_of_scope_cost_nothing(fresh: Callable[..., Language]) -> None:
    nlp = fresh()
    ner = component(nlp)
    examples = make_examples(nlp, ["genes"])
    scores = ner.model.predict(ner.make_batch(examples))
    loss, d_scores = ner.get_loss(examples, scores)
    getattr(scores, "log_odds", scores)[:, columns(nlp, "DISEASE")[1]] += 50.0
    confident_loss, confident_d_scores = ner.get_loss(examples, scores)
    assert confident_loss == loss > 0
    assert (confident_d_scores == d_scores).all()


def test_mentions_out_of_scope_are_not_learnt(fresh: Callable[..., Language]) -> None:
    """Annotation of a type for which a document is not exhaustive is no supervision."""
    nlp = fresh()
    with_both = gold_doc(nlp, BREAST_CANCER, "genes", ["GENE"])
    _, d_scores, _ = gradients(nlp, [Example(nlp.make_doc(with_both.text), with_both)])
    assert not d_scores[:, columns(nlp, "DISEASE")].any()
    assert d_scores[:, columns(nlp, "GENE")].any()


def test_annotated_without_mentions_is_learnt(fresh: Callable[..., Language]) -> None:
    nlp = fresh()
    nothing = gold_doc(nlp, ("No signs were seen in any mice .", []), "diseases", ["DISEASE"])
    loss, d_scores, _ = gradients(nlp, [Example(nlp.make_doc(nothing.text), nothing)])
    assert loss > 0
    for (task, *names), d_score in zip(output_names(nlp), d_scores.T, strict=True):
        if task == "DISEASE" and (len(names) == 1 or names[1].isdigit() or names[1] in ("TR", "RE")):
            assert (d_score < 0).all() if names == ["O"] else (d_score >= 0).all() and d_score.any()


def test_documents_without_annotation_teach_nothing(untrained: Callable[..., Language]) -> None:
    nlp = untrained()
    train(nlp, make_examples(nlp), steps=0)
    layers = [node for _, pipe in nlp.pipeline for node in pipe.model.walk()]  # type: ignore[attr-defined]
    before = [node.get_param(name).copy() for node in layers for name in node.param_names]
    examples = [Example(nlp.make_doc(text), nlp.make_doc(text)) for text in (BREAST_CANCER[0], "No signs were seen .")]
    losses = nlp.update(examples, sgd=SGD(0.1), losses={})
    assert losses["multitask_ner"] == 0.0
    after = [node.get_param(name) for node in layers for name in node.param_names]
    assert len(before) > 1 and all((one == other).all() for one, other in zip(before, after))


def test_a_document_without_annotation_does_not_dilute_the_others(fresh: Callable[..., Language]) -> None:
    nlp = fresh()
    annotated = make_examples(nlp, ["diseases"])
    mixed = [*annotated, Example(nlp.make_doc("Nothing is said here ."), nlp.make_doc("Nothing is said here ."))]
    loss, d_scores, _ = gradients(nlp, annotated)
    mixed_loss, mixed_d_scores, _ = gradients(nlp, mixed)
    assert mixed_loss == pytest.approx(loss)
    assert mixed_d_scores[: len(d_scores)] == pytest.approx(d_scores, rel=1e-4, abs=1e-7)


@pytest.mark.parametrize("only_ents", [True, False])
@pytest.mark.parametrize("heads", ["cnn", *HEADS])
def test_documents_without_a_scope_leave_the_heads_of_other_corpora_alone(heads: str, only_ents: bool) -> None:
    nlp = make_nlp(heads)
    references = [nlp.make_doc(BREAST_CANCER[0]), nlp.make_doc("Aspirin helps .")]
    mentions = [(2, 4, "DISEASE"), (0, 1, "CHEMICAL")]
    for reference, mention in zip(references, mentions):
        reference.ents = [Span(reference, *mention)]
        if not only_ents:
            reference.spans["bioner"] = list(reference.ents)
    unscoped = [Example(nlp.make_doc(reference.text), reference) for reference in references]
    with pytest.warns(BionerWarning, match=r"without an annotation scope .*\(\(no name\): CHEMICAL, DISEASE\)"):
        train(nlp, [*make_examples(nlp, ["genes"]), *unscoped], steps=0)
    layer = component(nlp).model.get_ref("output_layer")
    before = layer.get_param("b").copy()
    nlp.update(unscoped[:1], sgd=SGD(0.1))  # one that has no chemical, of a corpus that annotates them
    changed = (layer.get_param("b") != before).ravel()
    assert not changed[columns(nlp, "GENE")].any()
    assert changed[columns(nlp, "DISEASE")].any() and changed[columns(nlp, "CHEMICAL")].any()
    _, d_scores, d_bias = gradients(nlp, unscoped)
    assert not d_scores[:, columns(nlp, "GENE")].any() and not d_bias[columns(nlp, "GENE")].any()


def test_documents_without_a_scope_can_be_refused(untrained: Callable[..., Language]) -> None:
    nlp = untrained(unscoped="error")
    reference = gold_doc(nlp, BREAST_CANCER)
    with pytest.raises(BionerError, match="components.multitask_ner.unscoped is error"):
        train(nlp, [Example(nlp.make_doc(reference.text), reference)], steps=0)
    with pytest.raises(BionerError, match="Setting unscoped is 'none'; allowed: corpus, all, error"):
        untrained(unscoped="none")


@pytest.mark.parametrize(("unscoped", "false_positives"), [("corpus", 0), ("all", 1)])
def test_documents_without_a_scope_are_scored_for_what_their_corpus_annotates(
    unscoped: str, false_positives: int
) -> None:
    nlp = make_nlp(unscoped=unscoped)
    nlp.initialize(lambda: make_examples(nlp))
    reference, predicted = gold_doc(nlp, BREAST_CANCER), nlp.make_doc(BREAST_CANCER[0])
    predicted.spans["bioner"] = [Span(predicted, 2, 4, "DISEASE"), Span(predicted, 0, 1, "GENE")]
    scores = component(nlp).score([Example(predicted, reference)])
    assert scores["spans_bioner_per_corpus"][""]["fp"] == false_positives


def test_entities_that_are_said_to_be_complete_teach_every_task(fresh: Callable[..., Language]) -> None:
    nlp = fresh(unscoped="all")
    reference = nlp.make_doc(BREAST_CANCER[0])
    reference.ents = [Span(reference, 2, 4, "DISEASE")]
    _, d_scores, _ = gradients(nlp, [Example(nlp.make_doc(reference.text), reference)])
    assert all(d_scores[:, columns(nlp, task)].any() for task in ("CHEMICAL", "DISEASE", "GENE"))
