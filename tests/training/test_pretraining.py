"""Pretraining of encoders on training texts: what is masked, that it is learnt, and what it leaves behind."""

import json
from pathlib import Path
from typing import Any

import numpy
import pytest
from spacy.tokens import DocBin
from tiny_encoder import make_docs, make_encoder, token_vectors
from toy_corpora import CORPORA, blank_nlp, gold_doc, write_corpora
from transformers import AutoTokenizer

from bioner_spacy.errors import BionerError
from bioner_spacy.layers.encoder.masked_lm import MaskedLanguageModel
from bioner_spacy.training.corpora import MultiCorpus
from bioner_spacy.training.pretraining import SPECIAL, mask, pack, pretrain, training_texts

FAST: dict[str, Any] = {"batch_size": 2, "rate": 0.01, "checkpoint_steps": 0}


@pytest.fixture(scope="module")
def corpora(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_corpora(tmp_path_factory.mktemp("corpus"))


@pytest.fixture(scope="module")
def adapted(corpora: Path, tiny_bert: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("encoders") / "adapted"
    return pretrain(folder, None, corpora, encoder=tiny_bert, epochs=20, **FAST)


def weights(folder: Path) -> dict[str, Any]:
    from safetensors.numpy import load_file

    return load_file(folder / "model.safetensors")


def test_the_loss_falls(adapted: Path) -> None:
    report = json.loads((adapted / "pretraining.json").read_text(encoding="utf8"))
    losses = report["losses"]
    assert len(losses) == 20 and numpy.mean(losses[-3:]) < 0.85 * losses[0]
    assert set(report["checksums"]) == {*(f"{corpus}/train.spacy" for corpus in CORPORA), "exclude.json"}
    assert report["settings"]["epochs"] == 20


def test_the_folder_is_an_encoder(adapted: Path, tiny_bert: str) -> None:
    assert {"model.safetensors", "config.json", "tokenizer.json"} <= {file.name for file in adapted.iterdir()}
    docs = make_docs("The mutant Protein in mice.")
    [new], [old] = (token_vectors(make_encoder(str(folder)), docs) for folder in (adapted, tiny_bert))
    assert new.shape == old.shape and numpy.isfinite(new).all() and (new != old).any()


@pytest.mark.parametrize("encoder", ["tiny_roberta", "tiny_electra"])
def test_other_encoders(encoder: str, corpora: Path, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    name = request.getfixturevalue(encoder)
    folder = pretrain(tmp_path / "adapted", ["genes"], corpora, encoder=name, epochs=1, **FAST)
    before, after = weights(Path(name)), weights(folder)
    assert before.keys() == after.keys()
    changed = [key for key in before if (before[key] != after[key]).any()]
    assert any("word_embeddings" in key for key in changed) and len(changed) > len(before) / 2


def test_a_run_that_was_interrupted_goes_on_to_the_same_weights(
    corpora: Path, tiny_bert: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = {**FAST, "encoder": tiny_bert, "epochs": 3, "checkpoint_steps": 2}
    whole = pretrain(tmp_path / "whole", None, corpora, **settings)
    step, done = MaskedLanguageModel.step, []

    def interrupted(self: Any, *args: Any, **kwargs: Any) -> float:
        if len(done) == 3:
            raise KeyboardInterrupt
        done.append(step(self, *args, **kwargs))
        return done[-1]

    monkeypatch.setattr(MaskedLanguageModel, "step", interrupted)
    with pytest.raises(KeyboardInterrupt):
        pretrain(tmp_path / "parts", None, corpora, **settings)
    monkeypatch.undo()
    assert [file.name for file in tmp_path.glob("parts*")] == ["parts.checkpoint.safetensors"]
    with pytest.raises(BionerError, match="holds a run that was interrupted"):
        pretrain(tmp_path / "parts", None, corpora, **settings)
    with pytest.raises(BionerError, match="was made with other values of these: settings.rate"):
        pretrain(tmp_path / "parts", None, corpora, **{**settings, "rate": 0.1}, resume=True)
    parts = pretrain(tmp_path / "parts", None, corpora, **settings, resume=True)
    assert not list(tmp_path.glob("*.checkpoint.*"))
    one, other = weights(whole), weights(parts)
    assert all((one[name] == other[name]).all() for name in one)
    assert (whole / "pretraining.json").exists() and (parts / "pretraining.json").exists()


def test_mistakes_are_reported_in_one_sentence(corpora: Path, tiny_bert: str, tmp_path: Path) -> None:
    full = tmp_path / "full"
    full.mkdir()
    (full / "file").touch()
    (tmp_path / "broken.checkpoint.safetensors").write_bytes(b"no checkpoint")
    for output, change, message in (
        ("new", {"split": "devel"}, "on the split train alone, not on 'devel'"),
        ("new", {"split": "test"}, "on the split train alone"),
        ("new", {"epochs": 0}, "Setting epochs is 0"),
        ("new", {"encoder": str(tmp_path / "nowhere")}, "cannot be loaded"),
        ("new", {"corpora": ["planets"]}, "Corpus planets has no converted split"),
        ("full", {}, "already exists and is not an empty folder"),
        ("broken", {"resume": True}, "cannot be resumed"),
    ):
        arguments = {"corpora": None, "corpus_folder": corpora, "encoder": tiny_bert, "epochs": 1, **FAST, **change}
        with pytest.raises(BionerError, match=message):
            pretrain(tmp_path / output, **arguments)
        assert not (tmp_path / "new").exists()


def test_texts_are_those_for_training_each_once(tmp_path: Path) -> None:
    nlp = blank_nlp()
    sentences = ["One .", "Two .", "One .", "Three ."]
    docs = [gold_doc(nlp, (text, []), "notes", []) for text in sentences]
    for doc, doc_id in zip(docs, ["a", "a", "b", "b"]):
        doc.spans["bioner"].attrs["doc_id"] = doc_id
    (tmp_path / "notes").mkdir()
    DocBin(docs=docs).to_disk(tmp_path / "notes" / "train.spacy")
    DocBin(docs=[nlp.make_doc("Secret .")]).to_disk(tmp_path / "notes" / "test.spacy")
    texts = list(training_texts(MultiCorpus(tmp_path)))
    assert texts == [("One .", False), ("Two .", True), ("Three .", True)]


def test_packing_keeps_all_subwords_in_order(tiny_bert: str) -> None:
    model = MaskedLanguageModel(tiny_bert, seed=0)
    tokenizer = model.tokenizer
    texts = [("The protein in mice", False), ("and mutant genes", True), ("the cell " * 60, False), ("", False)]
    ids, tokens = pack(iter(texts), model)
    assert ids.shape == tokens.shape and ids.shape[1] == 64  # positions of the encoder
    assert (ids[:, 0] == tokenizer.cls_token_id).all() and (ids[:, -1] == tokenizer.sep_token_id).all()
    stream: list[int] = []
    for text, goes_on in texts:
        stream += [] if goes_on or not stream else [tokenizer.sep_token_id]
        stream += tokenizer(text, add_special_tokens=False)["input_ids"]
    inner = ids[:, 1:-1]
    assert inner[:-1].ravel().tolist() == stream[: inner[:-1].size]
    assert inner[-1].tolist() == stream[-inner.shape[1] :]
    assert ((tokens == SPECIAL) == numpy.isin(ids, [tokenizer.cls_token_id, tokenizer.sep_token_id])).all()
    short, _ = pack(iter([("mice", False)]), model)
    assert short.shape == (1, 3)
    with pytest.raises(BionerError, match="no text to pretrain on"):
        pack(iter([("", False)]), model)


def test_whole_words_are_masked(tiny_bert: str) -> None:
    tokenizer = AutoTokenizer.from_pretrained(tiny_bert)
    rng = numpy.random.default_rng(0)
    tokens = numpy.repeat(numpy.arange(2000), 2).reshape(40, 100)
    tokens[:, [0, -1]] = SPECIAL
    ids = rng.integers(5, len(tokenizer), size=tokens.shape)
    masked, chosen = mask(ids, tokens, rng, tokenizer)
    assert not chosen[tokens == SPECIAL].any() and (masked[~chosen] == ids[~chosen]).all()
    inside = tokens != SPECIAL
    for token in numpy.unique(tokens[chosen]):
        assert chosen[tokens == token].all()
    assert chosen[inside].mean() == pytest.approx(0.16, abs=0.02)
    assert (masked[chosen] == tokenizer.mask_token_id).mean() == pytest.approx(0.8, abs=0.05)
    assert (masked[chosen] == ids[chosen]).mean() == pytest.approx(0.1, abs=0.04)
    again = mask(ids, tokens, numpy.random.default_rng(1), tokenizer)[1]
    assert (again != chosen).any() and chosen.any(axis=1).all()
