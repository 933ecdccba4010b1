"""The component as a user of spaCy meets it: settings, initialisation, labels, learning."""

import inspect
from collections.abc import Callable
from dataclasses import fields
from typing import Any

import numpy
import pytest
from spacy.language import Language
from spacy.tokens import Doc, Span
from spacy.training import Example
from thinc.api import Adam, ConfigValidationError
from toy_corpora import (
    ASPIRIN,
    BREAST_CANCER,
    CNN,
    CORPORA,
    HEADS,
    TAG_HEADS,
    blank_nlp,
    component,
    found,
    gold_doc,
    make_examples,
    make_nlp,
    output_names,
    train,
    update,
)

from bioner_spacy.errors import BionerError, BionerWarning
from bioner_spacy.pipeline.factory import make_multitask_ner
from bioner_spacy.pipeline.settings import Settings
from bioner_spacy.pipeline.tok2vec import TRANSFORMER_LISTENER
from bioner_spacy.scope import SPANS_KEY, set_gold

# -- settings


def test_default_config_holds_every_setting() -> None:
    settings = set(inspect.signature(make_multitask_ner).parameters) - {"nlp", "name"}
    assert set(Language.get_factory_meta("multitask_ner").default_config) == settings
    assert {field.name for field in fields(Settings)} | {"model", "scorer"} == settings


@pytest.mark.parametrize("config", [{"types": "GENE"}, {"nothing": 1}, {"threshold": "high"}], ids=str)
def test_settings_have_names_and_types(config: dict[str, Any]) -> None:
    with pytest.raises(ConfigValidationError):
        blank_nlp().add_pipe("multitask_ner", config=config)


def test_promises_of_the_factory_are_true(nlp: Language) -> None:
    assert nlp.analyze_pipes()["problems"]["multitask_ner"] == []
    meta = nlp.get_pipe_meta("multitask_ner")
    doc = nlp(BREAST_CANCER[0])
    assert set(meta.assigns) == {"doc.spans", "doc.ents", "token.ent_iob", "token.ent_type"}
    assert doc.spans[SPANS_KEY] and doc.ents and {token.ent_iob_ for token in doc} >= {"B", "O"}
    scores = nlp.evaluate(make_examples(nlp))
    assert set(meta.default_score_weights) <= set(scores)
    assert sum(weight or 0.0 for weight in meta.default_score_weights.values()) == 1.0


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"grain": "sentence"}, "grain"),
        ({"types": ["DISEASE", "PLANET"]}, "types names PLANET"),
        ({"task_weights": {"PLANET": 2.0}}, "task_weights names PLANET"),
        ({"merge": "best"}, "merge names 'best'"),
        ({"merge": {"PLANET": "vote"}}, "PLANET"),
    ],
)
def test_wrong_settings_are_named(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(BionerError, match=message):
        nlp = make_nlp(**settings)
        nlp.initialize(lambda: make_examples(nlp))


# -- initialisation and labels


@pytest.mark.parametrize(
    ("grain", "tasks"),
    [
        ("type", ["CHEMICAL", "DISEASE", "GENE"]),
        ("corpus", ["diseases", "drugs", "genes"]),
        ("guideline", ["diseases$DISEASE", "drugs$CHEMICAL", "drugs$DISEASE", "genes$GENE"]),
    ],
)
def test_tasks_follow_from_the_corpora(grain: str, tasks: list[str]) -> None:
    nlp = make_nlp(grain=grain)
    assert component(nlp).labels == () and component(nlp).tasks == ()
    examples = make_examples(nlp)
    if grain == "corpus":
        examples = [example for example in examples if example.text != ASPIRIN[0]]
    nlp.initialize(lambda: examples)
    assert [task.name for task in component(nlp).tasks] == tasks
    assert component(nlp).labels == ("CHEMICAL", "DISEASE", "GENE")
    assert nlp.pipe_labels["multitask_ner"] == ["CHEMICAL", "DISEASE", "GENE"]
    assert component(nlp).label_data == {corpus: scope for corpus, (scope, _) in CORPORA.items()}


def test_an_annotated_type_without_mentions_is_a_task(tiny_bert: str) -> None:
    nlp = make_nlp()
    doc = gold_doc(nlp, BREAST_CANCER, "diseases", ["CHEMICAL", "DISEASE"])
    nlp.initialize(lambda: [Example(nlp.make_doc(doc.text), doc)])
    assert component(nlp).labels == ("CHEMICAL", "DISEASE")


def test_initialisation_takes_labels(untrained: Callable[..., Language]) -> None:
    first, second = untrained(), untrained()
    first.initialize(lambda: make_examples(first))
    label_data = component(first).label_data
    second.config["initialize"]["components"]["multitask_ner"] = {"labels": label_data}
    second.initialize(lambda: make_examples(second, ["diseases"]))
    assert component(second).label_data == label_data
    assert component(second).labels == component(first).labels


def test_types_restrict_the_tasks() -> None:
    nlp = make_nlp(types=["DISEASE"], grain="guideline")
    train(nlp, make_examples(nlp), steps=30)
    assert [task.name for task in component(nlp).tasks] == ["diseases$DISEASE", "drugs$DISEASE"]
    assert ("Naloxone", "CHEMICAL") not in found(nlp("Naloxone and morphine caused pain ."))


@pytest.mark.filterwarnings("ignore:.*overlap a longer one")
@pytest.mark.parametrize("grain", ["type", "corpus", "guideline"])
def test_a_corpus_with_a_guideline_correction_annotates_the_types_of_its_tasks(grain: str) -> None:
    nlp = make_nlp(grain=grain, model={"@architectures": TAG_HEADS, "tok2vec": CNN, "guideline_rank": 2})
    nlp.initialize(lambda: make_examples(nlp))
    tasks = [task for task, *_ in output_names(nlp)]
    guidelines = component(nlp).model.get_ref("corrections").attrs["guidelines"]
    assert {corpus: {tasks[place] for place in places} for corpus, places in guidelines.items()} == {
        corpus: {
            "type": set(scope),
            "corpus": {corpus},
            "guideline": {f"{corpus}${entity_type}" for entity_type in scope},
        }[grain]
        for corpus, (scope, _) in CORPORA.items()
    }


def test_examples_without_annotation_are_an_error() -> None:
    nlp = make_nlp()
    doc = nlp.make_doc("No annotation here .")
    doc.spans["sc"] = []
    with pytest.raises(BionerError, match=r"No training example .* nor doc.ents \(other keys: sc\)"):
        nlp.initialize(lambda: [Example(nlp.make_doc(doc.text), doc)])


@pytest.mark.parametrize("behind", [False, True])
def test_a_transformer_that_does_not_come_before_is_an_error(tiny_bert: str, behind: bool) -> None:
    nlp = make_nlp("transformer", tiny_bert) if behind else blank_nlp()
    model = {"tok2vec": TRANSFORMER_LISTENER}
    nlp.add_pipe("multitask_ner", name="first", first=True, config={"model": model})
    with pytest.raises(
        BionerError, match=r"Component first listens to the component '\*', which does not come before"
    ):
        nlp.initialize(lambda: make_examples(nlp))


def test_prediction_before_initialisation_is_an_error() -> None:
    nlp = make_nlp()
    with pytest.raises(BionerError, match="has no tasks yet"):
        nlp("Aspirin .")


def test_documents_without_tokens_may_come_first(untrained: Callable[..., Language]) -> None:
    nlp = untrained()
    empty = [Example(nlp.make_doc(""), nlp.make_doc("")) for _ in range(12)]
    losses = train(nlp, empty + make_examples(nlp), steps=3)
    assert losses[-1] < losses[0]


def test_labels_added_before_initialisation_stay() -> None:
    nlp = make_nlp()
    assert component(nlp).add_label("SPECIES") == 1
    assert component(nlp).add_label("SPECIES") == 0
    assert component(nlp).labels == ("SPECIES",)
    nlp.initialize(lambda: make_examples(nlp))
    assert component(nlp).labels == ("CHEMICAL", "DISEASE", "GENE", "SPECIES")


@pytest.mark.parametrize("encoder", ["cnn", *HEADS])
@pytest.mark.parametrize("grain", ["type", "corpus", "guideline"])
def test_labels_added_after_training_change_no_prediction_and_are_learnt(encoder: str, grain: str) -> None:
    nlp = make_nlp(encoder, grain=grain)
    examples = [example for example in make_examples(nlp) if example.text != ASPIRIN[0]]
    train(nlp, examples, steps=40)
    texts = [example.text for example in make_examples(nlp)]
    before = [found(doc) for doc in nlp.pipe(texts)]
    assert any(before)
    assert component(nlp).add_label("SPECIES", corpus="diseases") == 1
    assert component(nlp).labels == ("CHEMICAL", "DISEASE", "GENE", "SPECIES")
    assert [found(doc) for doc in nlp.pipe(texts)] == before
    sentence = ("Asthma was common in mice .", [("Asthma", "DISEASE"), ("mice", "SPECIES")])
    doc = gold_doc(nlp, sentence, "diseases", ["DISEASE", "SPECIES"])
    update(nlp, [*examples, Example(nlp.make_doc(doc.text), doc)], nlp.resume_training(sgd=Adam(0.002)), steps=60)
    assert ("mice", "SPECIES") in found(nlp(doc.text))


@pytest.mark.parametrize("encoder", ["cnn", *HEADS])
def test_initialisation_may_be_repeated_with_more_corpora(encoder: str) -> None:
    nlp = make_nlp(encoder)
    train(nlp, make_examples(nlp, ["diseases"]), steps=3)
    assert component(nlp).labels == ("DISEASE",)
    losses = train(nlp, make_examples(nlp), steps=5)
    assert component(nlp).labels == ("CHEMICAL", "DISEASE", "GENE")
    assert losses[-1] < losses[0]


# -- learning


@pytest.mark.parametrize("encoder", ["cnn", *HEADS])
def test_gradients_add_up_until_there_is_an_optimizer(encoder: str) -> None:
    nlp = make_nlp(encoder)
    train(nlp, make_examples(nlp), steps=0)
    layer = component(nlp).model.get_ref("output_layer")
    gradients = []
    for _ in range(2):
        nlp.update(make_examples(nlp), sgd=False, drop=0.0)
        gradients.append(layer.get_grad("b").copy())
    assert gradients[0].any()
    numpy.testing.assert_allclose(gradients[1], 2 * gradients[0], rtol=1e-3, atol=1e-6)
    nlp.update(make_examples(nlp), sgd=Adam(0.001))
    assert not layer.get_grad("b").any()


@pytest.mark.parametrize("grain", ["type", "guideline"])
def test_learns_overlapping_mentions_of_different_types(untrained: Callable[..., Language], grain: str) -> None:
    nlp = untrained(grain=grain)
    losses = train(nlp, make_examples(nlp), steps=100, rate=0.005)
    assert losses[-1] < 0.1 * losses[0]
    scores = nlp.evaluate(make_examples(nlp))
    assert scores["spans_bioner_f"] == 1.0
    assert scores["spans_bioner_nested_r"] == 1.0
    assert found(nlp(ASPIRIN[0])) >= set(ASPIRIN[1])


def test_one_task_cannot_learn_mentions_inside_others() -> None:
    nlp = make_nlp(grain="corpus")
    with pytest.warns(BionerWarning, match="because they overlap a longer one .*: 1 of 11"):
        train(nlp, make_examples(nlp), steps=60)
    counts = nlp.evaluate(make_examples(nlp))["spans_bioner_per_corpus"]
    assert [counts[corpus]["fn"] for corpus in CORPORA] == [0, 1, 0]
    assert ("Aspirin-induced asthma", "DISEASE") in found(nlp(ASPIRIN[0]))


@pytest.mark.parametrize("encoder", ["cnn with span pairs", "cnn with slots"])
def test_learns_mentions_inside_others_of_one_task(encoder: str) -> None:
    nlp = make_nlp(encoder, grain="corpus")
    train(nlp, make_examples(nlp), steps=100)
    scores = nlp.evaluate(make_examples(nlp))
    assert scores["spans_bioner_f"] == 1.0
    assert scores["spans_bioner_nested_r"] == 1.0


@pytest.mark.parametrize("encoder", ["cnn with span pairs", "cnn with slots"])
def test_learns_mentions_of_one_type_that_share_a_border(encoder: str) -> None:
    """Slots open or close two mentions of the type in steps at one token."""
    nlp = make_nlp(encoder)
    names = ["IL-2 gene", "IL-2 gene promoter", "human IL-2 gene promoter", "promoter", "gene"]
    sentences = [("The human IL-2 gene promoter binds it .", [(name, "DNA") for name in names])]
    sentences.append(("The human cell has a gene .", [("gene", "DNA")]))
    references = [gold_doc(nlp, sentence, "nested", ["DNA"]) for sentence in sentences]
    examples = [Example(nlp.make_doc(reference.text), reference) for reference in references]
    train(nlp, examples, steps=100)
    assert nlp.evaluate(examples)["spans_bioner_f"] == 1.0


def test_mentions_wider_than_the_model_are_reported() -> None:
    nlp = make_nlp("cnn with span pairs")
    model = {**nlp.get_pipe_config("multitask_ner")["model"], "width": 2}
    nlp.remove_pipe("multitask_ner")
    nlp.add_pipe("multitask_ner", config={"model": model})
    with pytest.warns(BionerWarning, match="because they have more than 2 tokens.*: 2 of 11"):
        train(nlp, make_examples(nlp), steps=0)


@pytest.mark.parametrize("fixture", ["tiny_cased_bert", "tiny_roberta"])
def test_learns_on_other_encoders(fixture: str, request: pytest.FixtureRequest) -> None:
    nlp = make_nlp("transformer", request.getfixturevalue(fixture))
    train(nlp, make_examples(nlp), steps=100, rate=0.005)
    assert nlp.evaluate(make_examples(nlp))["spans_bioner_f"] == 1.0


def test_learns_from_entities_where_there_is_no_span_group() -> None:
    nlp = make_nlp()
    references = [nlp.make_doc(BREAST_CANCER[0]), nlp.make_doc("No signs were seen .")]
    references[0].ents = [Span(references[0], 2, 4, "DISEASE")]
    references[1].ents = []
    examples = [Example(nlp.make_doc(doc.text), doc) for doc in references]
    train(nlp, examples, steps=40)
    assert component(nlp).label_data == {"": ["DISEASE"]}
    assert found(nlp(BREAST_CANCER[0])) == {("breast cancer", "DISEASE")}
    assert nlp.evaluate(examples)["spans_bioner_f"] == 1.0


def test_mentions_inside_tokens_of_the_tokenizer_are_reported() -> None:
    nlp = make_nlp()
    reference = Doc(nlp.vocab, words=["anti", "inflammatory", "drugs"], spaces=[False, True, False])
    mentions = [Span(reference, 1, 2, "DISEASE"), Span(reference, 2, 3, "DISEASE")]
    set_gold(reference, mentions, corpus="diseases", scope=["DISEASE"])
    with pytest.warns(BionerWarning, match="1 of 2 gold mentions begins or ends inside a token"):
        nlp.initialize(lambda: [Example(nlp.make_doc("antiinflammatory drugs"), reference)])


def test_same_seed_gives_same_weights_and_another_order_of_corpora_the_same_tasks(
    untrained: Callable[..., Language],
) -> None:
    pipelines = [untrained() for _ in range(2)]
    losses = [train(nlp, make_examples(nlp), steps=5) for nlp in pipelines]
    assert losses[0] == losses[1]
    weights = [component(nlp).model.get_ref("output_layer").get_param("W") for nlp in pipelines]
    assert (weights[0] == weights[1]).all()
    assert weights[0].any()
    other = untrained()
    other.initialize(lambda: make_examples(other, reversed(list(CORPORA))))
    assert component(other).tasks == component(pipelines[0]).tasks


def test_only_the_heads_learn_faster(untrained: Callable[..., Language]) -> None:
    """Also where the encoder is part of the component, as after `nlp.replace_listeners`."""
    nlp = untrained(learn_rate_factor=7.0)
    train(nlp, make_examples(nlp), steps=0)
    replace_listeners(nlp)
    factors: dict[str, set[float]] = {"heads": set(), "encoder": set()}
    nodes = list(component(nlp).model.get_ref("tok2vec").walk())
    encoder = {node.id for node in nodes} | {shim.id for node in nodes for shim in node.shims}

    def spy(key: Any, weights: Any, gradient: Any, *, lr_scale: float = 1.0) -> tuple[Any, Any]:
        factors["encoder" if key[0] in encoder else "heads"].add(lr_scale)
        return weights, gradient

    nlp.update(make_examples(nlp), sgd=False)
    component(nlp).finish_update(spy)  # type: ignore[arg-type]
    assert factors == {"heads": {7.0}, "encoder": {1.0}}


def replace_listeners(nlp: Language) -> None:
    """Move the shared encoder, if there is one, into the component."""
    if nlp.pipe_names != ["multitask_ner"]:
        nlp.replace_listeners(nlp.pipe_names[0], "multitask_ner", ["model.tok2vec"])
        nlp.remove_pipe(nlp.pipe_names[0])


# -- what may go wrong


@pytest.mark.parametrize("label", [5, None, ("GENE",), ""])
def test_a_label_that_is_no_text_changes_nothing(label: Any) -> None:
    nlp = make_nlp()
    with pytest.raises(BionerError, match="labels are strings"):
        component(nlp).add_label(label)
    assert component(nlp).label_data == {}


def test_a_label_that_the_settings_rule_out_changes_nothing() -> None:
    nlp = make_nlp(types=["DISEASE"])
    with pytest.raises(BionerError, match="by the setting types one of DISEASE"):
        component(nlp).add_label("SPECIES")
    merging = component(make_nlp(merge="drugs"))
    with pytest.raises(BionerError, match="neither a policy nor a corpus"):
        merging.add_label("DISEASE", corpus="other")
    assert merging.label_data == {} and merging.labels == ()


def test_an_added_label_is_a_type_of_entities_too() -> None:
    nlp = make_nlp(ents_types=["DISEASE", "CHEMICAL"])
    nlp.initialize(lambda: make_examples(nlp))
    component(nlp).add_label("SPECIES")
    assert component(nlp).ents_types == ["DISEASE", "CHEMICAL", "SPECIES"]
    with pytest.warns(BionerWarning, match=r"multitask_ner \(ents_types\) were changed"):
        nlp.to_bytes()


def test_scores_are_of_the_spans_of_the_component() -> None:
    nlp = make_nlp(spans_key="mine")
    reference = gold_doc(nlp, BREAST_CANCER)
    reference.spans["mine"] = reference.spans.pop(SPANS_KEY)
    nlp.initialize(lambda: [Example(nlp.make_doc(BREAST_CANCER[0]), reference)])
    scores = nlp.evaluate([Example(nlp.make_doc(BREAST_CANCER[0]), reference)])
    assert scores["spans_mine_per_type"]["DISEASE"]["gold"] == 2


def test_documents_of_another_vocabulary(nlp: Language) -> None:
    doc = blank_nlp().make_doc(BREAST_CANCER[0])
    assert found(nlp(doc)) == found(nlp(BREAST_CANCER[0]))


def test_mentions_outside_the_scope_are_reported() -> None:
    nlp = make_nlp()
    reference = gold_doc(nlp, BREAST_CANCER, "diseases", ["Disease"])
    with pytest.warns(BionerWarning, match=r"2 gold mentions have types outside .* \(DISEASE\)"):
        nlp.initialize(lambda: [Example(nlp.make_doc(BREAST_CANCER[0]), reference)])


def test_types_that_were_not_added_are_reported() -> None:
    nlp = make_nlp()
    nlp.initialize(lambda: make_examples(nlp, ["drugs"]))
    reference = gold_doc(nlp, BREAST_CANCER, "genes", ["GENE"])
    with pytest.warns(BionerWarning, match=r"component multitask_ner does not have, .* \(GENE\): add them"):
        nlp.update([Example(nlp.make_doc(BREAST_CANCER[0]), reference)])


def test_incomplete_entities_are_reported() -> None:
    nlp = make_nlp()
    doc = nlp.make_doc("BRCA1 and p53")
    reference = doc.copy()
    reference.set_ents([Span(reference, 0, 1, "GENE")], default="missing")
    with pytest.warns(BionerWarning, match="1 document has entities and tokens of unknown annotation"):
        nlp.initialize(lambda: [*make_examples(nlp), Example(doc, reference)])
