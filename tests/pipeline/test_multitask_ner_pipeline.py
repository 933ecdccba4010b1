"""The component inside a pipeline: saving, sharing, several processes, training further."""

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import spacy
from spacy.cli.evaluate import evaluate as spacy_evaluate
from spacy.language import Language
from spacy.tokens import DocBin
from spacy.training import Example
from thinc.api import Adam
from toy_corpora import (
    BRCA1,
    BREAST_CANCER,
    CORPORA,
    blank_nlp,
    component,
    found,
    gold_doc,
    make_examples,
    make_nlp,
    train,
    update,
)

from bioner_spacy.errors import BionerError, BionerWarning
from bioner_spacy.scope import SPANS_KEY

TEXTS = [text for _, sentences in CORPORA.values() for text, _ in sentences]


def predictions(nlp: Language, **how: Any) -> list[Any]:
    """All that the component says of some texts, scores included."""
    return [
        [(span.start, span.end, span.label_) for span in doc.spans[SPANS_KEY]]
        + doc.spans[SPANS_KEY].attrs["scores"]
        + [(ent.start, ent.end, ent.label_) for ent in doc.ents]
        for doc in nlp.pipe(TEXTS, **how)
    ]


def shared_encoder(nlp: Language) -> list[str]:
    """Name of the component that the heads listen to, if there is one."""
    return [name for name in nlp.pipe_names if name != "multitask_ner"]


# -- saving and loading; the folder of the encoder is gone


def test_bytes_keep_predictions(nlp: Language, untrained: Callable[..., Language]) -> None:
    expected = predictions(nlp)
    assert any(expected)
    assert predictions(untrained().from_bytes(nlp.to_bytes())) == expected


def test_disk_keeps_predictions_and_settings(nlp: Language, tmp_path: Path) -> None:
    nlp.to_disk(tmp_path)
    loaded = spacy.load(tmp_path)
    assert predictions(loaded) == predictions(nlp)
    assert component(loaded).label_data == component(nlp).label_data
    assert component(loaded).tasks == component(nlp).tasks
    assert loaded.config == nlp.config
    assert loaded.meta["labels"]["multitask_ner"] == ["CHEMICAL", "DISEASE", "GENE"]


def test_settings_come_from_the_config_not_from_the_saved_state(saved: Path) -> None:
    nlp = spacy.load(saved, config={"components": {"multitask_ner": {"annotate_ents": False, "spans_key": "other"}}})
    doc = nlp(BREAST_CANCER[0])
    assert doc.spans["other"] and not doc.ents and SPANS_KEY not in doc.spans
    assert set(component(nlp).cfg) == {"label_data"}


def test_thresholds_by_type(saved: Path, tmp_path: Path) -> None:
    """They are a setting that stays in saved pipelines, whatever the architecture."""
    docs = list(spacy.load(saved).pipe(TEXTS))
    groups = [doc.spans[SPANS_KEY] for doc in docs]
    before = [[(span.text, span.label_, score) for span, score in zip(g, g.attrs["scores"])] for g in groups]
    lowest, second, *_ = sorted({score for row in before for _, label, score in row if label == "DISEASE"})
    thresholds = {"DISEASE": (lowest + second) / 2}
    nlp = spacy.load(saved, config={"components.multitask_ner.thresholds": thresholds})
    for batch_size in (1, 100):
        for doc, row in zip(nlp.pipe(TEXTS, batch_size=batch_size), before):
            kept = [(text, label) for text, label, score in row if label != "DISEASE" or score > lowest]
            assert [(span.text, span.label_) for span in doc.spans[SPANS_KEY]] == kept
            assert {(ent.text, ent.label_) for ent in doc.ents} <= set(kept)
    nlp.to_disk(tmp_path)
    assert predictions(spacy.load(tmp_path)) == predictions(nlp)
    assert component(spacy.load(tmp_path)).thresholds == thresholds


def test_unknown_types_are_refused_when_loading(saved: Path) -> None:
    with pytest.raises(BionerError, match="Setting thresholds names PROTEIN, which .* CHEMICAL, DISEASE, GENE"):
        spacy.load(saved, config={"components.multitask_ner.thresholds": {"PROTEIN": 0.5}})
    with pytest.raises(BionerError, match="Setting thresholds.GENE is 60; allowed: a number from 0 to 1"):
        spacy.load(saved, config={"components.multitask_ner.thresholds": {"GENE": 60}})
    for name in ("ents_types", "ents_last"):
        with pytest.raises(BionerError, match=f"Setting {name} names PROTEIN"):
            spacy.load(saved, config={f"components.multitask_ner.{name}": ["PROTEIN"]})


def test_thresholds_of_unknown_types_are_refused_in_training(untrained: Callable[..., Language]) -> None:
    nlp = untrained(thresholds={"PROTEIN": 0.5})
    with pytest.raises(BionerError, match="Setting thresholds names PROTEIN"):
        nlp.initialize(lambda: make_examples(nlp))


def test_thresholds_changed_by_hand_are_not_saved(nlp: Language, tmp_path: Path) -> None:
    before = predictions(nlp)
    component(nlp).thresholds = {"GENE": 1.0, "DISEASE": 1.0, "CHEMICAL": 1.0}
    after = predictions(nlp)
    assert sum(map(len, after)) < sum(map(len, before))
    with pytest.warns(BionerWarning, match=r"Settings of the component multitask_ner \(thresholds\) were changed"):
        nlp.to_disk(tmp_path)
    assert predictions(spacy.load(tmp_path)) == before


def test_weights_of_other_settings_are_refused(nlp: Language, tmp_path: Path) -> None:
    nlp.to_disk(tmp_path / "pipeline")
    with pytest.raises(BionerError, match="multitask_ner have .* outputs, and its settings ask for"):
        spacy.load(tmp_path / "pipeline", config={"components": {"multitask_ner": {"grain": "guideline"}}})


def test_weights_of_another_architecture_are_refused(nlp: Language) -> None:
    for other in ("cnn with span pairs", "cnn with slots"):
        stranger = component(make_nlp(other))
        if stranger.model.name != component(nlp).model.name:
            with pytest.raises(
                BionerError, match="settings of components.multitask_ner.model that it was trained with"
            ):
                stranger.from_bytes(component(nlp).to_bytes())


def test_pickle_keeps_predictions(nlp: Language) -> None:
    """Also what `nlp.pipe` does to reach other processes where they are spawned (macOS, Windows)."""
    assert predictions(pickle.loads(pickle.dumps(nlp))) == predictions(nlp)


# -- streams and processes


def test_batches_and_contexts_change_no_prediction(nlp: Language) -> None:
    expected = predictions(nlp, batch_size=1)
    batched = predictions(nlp, batch_size=4)
    for one, other in zip(expected, batched):
        assert [item for item in one if isinstance(item, tuple)] == [item for item in other if isinstance(item, tuple)]
        scores = [item for item in other if isinstance(item, float)]
        assert scores == pytest.approx([item for item in one if isinstance(item, float)], abs=1e-5)
    pairs = list(nlp.pipe([(text, {"number": i}) for i, text in enumerate(TEXTS)], as_tuples=True))
    assert [(found(doc), context) for doc, context in pairs] == [
        (found(doc), {"number": i}) for i, doc in enumerate(nlp.pipe(TEXTS))
    ]


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_two_processes_give_the_same_predictions(nlp: Language) -> None:
    # Threads that the parent has started are missing in its children, which must not wait for them.
    list(nlp.pipe([" ".join(TEXTS) * 20]))
    docs = list(nlp.pipe(TEXTS, n_process=2, batch_size=2))
    assert [found(doc) for doc in docs] == [found(doc) for doc in nlp.pipe(TEXTS)]
    assert all(len(doc.spans[SPANS_KEY].attrs["scores"]) == len(doc.spans[SPANS_KEY]) for doc in docs)


def test_the_error_handler_gets_what_fails(nlp: Language, monkeypatch: pytest.MonkeyPatch) -> None:
    failed: list[tuple[str, str, str]] = []
    predict = component(nlp).predict

    def fail_on_fever(docs: list[Any]) -> Any:
        if any("fever" in doc.text for doc in docs):
            raise RuntimeError("too hot")
        return predict(docs)

    monkeypatch.setattr(component(nlp), "predict", fail_on_fever)
    nlp.set_error_handler(lambda name, pipe, docs, error: failed.extend((name, doc.text, str(error)) for doc in docs))
    docs = list(nlp.pipe(TEXTS, batch_size=1))
    assert failed == [("multitask_ner", BREAST_CANCER[0], "too hot")]
    assert [doc.text for doc in docs] == TEXTS[1:]


# -- other pipelines


def test_sourced_into_another_pipeline(nlp: Language, tmp_path: Path) -> None:
    expected = predictions(nlp)
    other = blank_nlp()
    other.add_pipe("sentencizer")
    for name in nlp.pipe_names:
        other.add_pipe(name, source=nlp)
    assert predictions(other) == expected
    other.to_disk(tmp_path)
    assert predictions(spacy.load(tmp_path)) == expected


def test_sourced_and_given_another_label(nlp: Language, tmp_path: Path) -> None:
    other = blank_nlp()
    for name in nlp.pipe_names:
        other.add_pipe(name, source=nlp)
    component(other).add_label("SPECIES", corpus="diseases")
    sentence = ("Asthma was common in mice .", [("Asthma", "DISEASE"), ("mice", "SPECIES")])
    text, mentions = sentence
    doc = gold_doc(other, sentence, "diseases", ["DISEASE", "SPECIES"])
    update(other, [Example(other.make_doc(text), doc)], other.resume_training(sgd=Adam(0.005)), steps=50)
    assert found(other(text)) >= set(mentions)
    other.to_disk(tmp_path)
    assert found(spacy.load(tmp_path)(text)) >= set(mentions)


@pytest.mark.parametrize("how", ["enable", "exclude", "sourced", "order"])
def test_a_pipeline_without_the_vectors_that_it_listens_to_is_an_error(encoder: str, saved: Path, how: str) -> None:
    listens_to = {"tok2vec": "tok2vec", "transformer": "transformer"}.get(encoder)
    if how in ("enable", "exclude"):
        settings: dict[str, Any] = {"enable": ["multitask_ner"], "exclude": ["transformer", "tok2vec"]}
        nlp = spacy.load(saved, **{how: settings[how]})
    else:
        full, nlp = spacy.load(saved), spacy.load(saved, exclude=["transformer", "tok2vec", "multitask_ner"])
        nlp.add_pipe("multitask_ner", source=full)
        if how == "order" and listens_to:
            nlp.add_pipe(listens_to, source=full)
    if listens_to:
        with pytest.raises(
            BionerError,
            match="Component multitask_ner listens to a component '[*]' whose vectors documents do not have",
        ):
            nlp(BREAST_CANCER[0])
    else:
        assert nlp(BREAST_CANCER[0]).spans["bioner"]
    assert not nlp("").spans["bioner"]


def test_components_that_replace_the_spans_of_others_are_named(nlp: Language) -> None:
    with pytest.warns(BionerWarning, match="components multitask_ner, second have the same spans_key, 'bioner'"):
        nlp.add_pipe("multitask_ner", name="second")
    nlp.add_pipe("multitask_ner", name="third", config={"spans_key": "other"})


def test_a_sourced_component_that_replaces_the_spans_of_another_is_named() -> None:
    nlps = [make_nlp(), make_nlp()]
    for nlp, corpus in zip(nlps, ["genes", "diseases"]):
        train(nlp, make_examples(nlp, [corpus]), steps=60)
    nlps[1].add_pipe("multitask_ner", name="genes", source=nlps[0], first=True)
    nlps[1].rename_pipe("multitask_ner", "diseases")
    with pytest.warns(BionerWarning, match="diseases and an earlier one have the same spans_key") as warned:
        for _ in range(2):
            nlps[1](BRCA1[0])
    assert len([w for w in warned if issubclass(w.category, BionerWarning)]) == 1


def test_replaced_listeners_keep_predictions(nlp: Language, tmp_path: Path) -> None:
    expected = predictions(nlp)
    for name in shared_encoder(nlp):
        nlp.replace_listeners(name, "multitask_ner", ["model.tok2vec"])
        nlp.remove_pipe(name)
    assert nlp.pipe_names == ["multitask_ner"]
    assert predictions(nlp) == expected
    nlp.to_disk(tmp_path)
    loaded = spacy.load(tmp_path)
    assert predictions(loaded) == expected
    learn_more(loaded)


# -- training further


def test_training_goes_on_from_a_loaded_pipeline(nlp: Language) -> None:
    learn_more(nlp)


def learn_more(nlp: Language) -> None:
    """Train a loaded pipeline on one more sentence, until it knows it."""
    sentence = ("Gout is painful .", [("Gout", "DISEASE")])
    new = Example(nlp.make_doc(sentence[0]), gold_doc(nlp, sentence, "diseases", ["DISEASE"]))
    examples = [*make_examples(nlp), new]
    update(nlp, examples, nlp.resume_training(sgd=Adam(0.002)), steps=40)
    assert nlp.evaluate(examples)["spans_bioner_f"] == 1.0


def test_frozen_heads_stay_as_they_are(nlp: Language) -> None:
    """And another component learns from what they set."""
    before = predictions(nlp)
    seen: list[set[tuple[str, str]]] = []

    class Reader:
        """Learns nothing, and notes what it could learn from."""

        is_trainable = True
        model = None

        def update(self, examples: list[Example], **kwargs: Any) -> None:
            seen.extend(found(example.predicted) for example in examples)

        def __call__(self, doc: Any) -> Any:
            return doc

    Language.component("reader_of_mentions", func=Reader())
    nlp.add_pipe("reader_of_mentions")
    frozen = [*shared_encoder(nlp)[:1], "multitask_ner"] if len(nlp.pipe_names) == 3 else ["multitask_ner"]
    with nlp.select_pipes(disable=["reader_of_mentions"]):
        expected = [found(doc) for doc in nlp.pipe(TEXTS)]
    nlp.update(make_examples(nlp), sgd=Adam(0.1), exclude=frozen, annotates=frozen)
    assert seen == expected
    nlp.remove_pipe("reader_of_mentions")
    assert predictions(nlp) == before


def test_heads_learn_on_a_frozen_encoder(nlp: Language) -> None:
    encoder = shared_encoder(nlp)
    weights = [pipe.model.to_bytes() for name, pipe in nlp.pipeline if name in encoder]  # type: ignore[attr-defined]
    examples = make_examples(nlp)
    losses: dict[int, dict[str, float]] = {}
    for step in range(2):
        nlp.update(examples, sgd=Adam(0.001), exclude=encoder, annotates=encoder, losses=losses.setdefault(step, {}))
    assert losses[1]["multitask_ner"] < losses[0]["multitask_ner"]
    after = [pipe.model.to_bytes() for name, pipe in nlp.pipeline if name in encoder]  # type: ignore[attr-defined]
    assert after == weights


def test_two_components_share_an_encoder(tiny_bert: str) -> None:
    nlp = make_nlp("transformer", tiny_bert, types=["GENE"])
    nlp.add_pipe("multitask_ner", name="second", config={"types": ["DISEASE"], "spans_key": "bioner"})
    losses = train(nlp, make_examples(nlp, ["diseases", "genes"]), steps=3)
    assert losses[-1] < losses[0]
    assert component(nlp).labels == ("GENE",)
    assert nlp.pipe_labels["second"] == ["DISEASE"]


def test_scores_are_in_spacys_evaluation(nlp: Language) -> None:
    scores = nlp.evaluate(make_examples(nlp))
    assert scores["spans_bioner_f"] == scores["spans_bioner_macro_f"] == 1.0
    assert set(scores["spans_bioner_per_corpus"]) == set(CORPORA)
    assert scores["spans_bioner_per_type"]["GENE"]["gold"] == len(BRCA1[1]) + 2


def test_spacy_evaluate_shows_them(nlp: Language, tmp_path: Path, capsys: Any) -> None:
    gold = [example.reference for example in make_examples(nlp, ["diseases", "genes"])]
    DocBin(docs=gold).to_disk(tmp_path / "gold.spacy")
    nlp.to_disk(tmp_path / "model")
    spacy_evaluate(str(tmp_path / "model"), tmp_path / "gold.spacy", spans_key=SPANS_KEY, silent=False)
    printed = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert {" ".join(line) for line in printed} >= {f"SPAN {score} 100.00" for score in "PRF"}
    # Of doc.ents, where nested mentions of one type are missing, and of the spans.
    rows = [line for line in printed if line[:1] == ["GENE"]]
    assert len(rows) == 2 and ["GENE", *["100.00"] * 3] in rows


def test_windows_of_a_config_hold_for_a_saved_pipeline(tiny_bert: str, tmp_path: Path) -> None:
    nlp = make_nlp("transformer", tiny_bert)
    nlp.initialize(lambda: make_examples(nlp))
    # Untrained heads find something where mentions are not thought rare.
    component(nlp).model.get_ref("output_layer").get_param("b").fill(0)
    nlp.to_disk(tmp_path / "saved")
    path = "components.transformer.model"
    narrow = spacy.load(tmp_path / "saved", config={f"{path}.window": 12, f"{path}.overlap": 2})
    made = spacy.load(tmp_path / "saved")
    text = "mice with the gene " * 20
    scores = [str(pipeline(text).spans[SPANS_KEY].attrs["scores"]) for pipeline in (nlp, made, narrow)]
    assert "[]" != scores[0] == scores[1] != scores[2]
