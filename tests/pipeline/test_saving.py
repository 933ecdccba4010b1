"""What saved pipelines hold."""

import warnings
from pathlib import Path

import numpy
import pytest
import spacy
import srsly
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from toy_corpora import CORPORA, found, make_examples, make_nlp

from bioner_spacy.errors import BionerError, BionerWarning
from bioner_spacy.pipeline.saving import before_saving, set_weights, without_tokens

TEXTS = [text for _, sentences in CORPORA.values() for text, _ in sentences]
TOKENS = {token for text in TEXTS for token in text.split()}


def initialised(encoder: str = "cnn", folder: str = "") -> Language:
    nlp = make_nlp(encoder, folder)
    nlp.initialize(lambda: make_examples(nlp))
    return nlp


def strings_of(folder: Path) -> set[str]:
    return set(srsly.read_json(folder / "vocab" / "strings.json"))


def test_tokens_are_left_out_and_nothing_else_changes(tmp_path: Path) -> None:
    nlp = initialised()
    docs = list(nlp.pipe(TEXTS))
    saved = before_saving()(nlp)
    assert isinstance(saved, Language)
    saved.to_disk(tmp_path)
    assert strings_of(tmp_path) == {"CHEMICAL", "DISEASE", "GENE"}
    assert "Naloxone" in nlp.vocab.strings  # documents in memory need it
    loaded = spacy.load(tmp_path)
    assert not any(token in loaded.vocab.strings for token in ("Naloxone", "BRCA1", "Aspirin"))
    for doc, again in zip(docs, loaded.pipe(TEXTS), strict=True):
        assert found(again) == found(doc)
        for name in ("text", "lower_", "norm_", "shape_", "prefix_", "suffix_", "is_punct", "like_num"):
            assert [getattr(token, name) for token in again] == [getattr(token, name) for token in doc]
    # What was loaded can be saved and trained on as ever.
    loaded.update(make_examples(loaded), sgd=loaded.resume_training())
    without_tokens(loaded).to_disk(tmp_path)
    assert not TOKENS & strings_of(tmp_path)


def test_labels_of_other_components_and_keys_of_vectors_are_kept(tmp_path: Path) -> None:
    nlp = initialised()
    # Heads with random weights may find entities of their own in the same place.
    ruler = nlp.add_pipe("entity_ruler", config={"overwrite_ents": True})
    ruler.add_patterns([{"label": "DRUG", "pattern": "zopiclone"}])  # type: ignore[attr-defined]
    nlp.add_pipe("tagger")
    nlp.vocab.set_vector("keyword", numpy.ones(3, dtype="f"))
    text = "Zebras sleep"
    examples = [Example(nlp.make_doc(text), Doc(nlp.vocab, text.split(), tags=["NN", "VB"]))]
    nlp.get_pipe("tagger").initialize(lambda: examples, nlp=nlp)  # type: ignore[attr-defined]
    without_tokens(nlp).to_disk(tmp_path)
    assert {"NN", "VB", "DRUG", "keyword"} <= strings_of(tmp_path) and "Zebras" not in strings_of(tmp_path)
    loaded = spacy.load(tmp_path)
    doc = loaded("Take zopiclone")
    assert {token.tag_ for token in doc} <= {"NN", "VB"}
    assert [(ent.text, ent.label_) for ent in doc.ents if ent.label_ == "DRUG"] == [("zopiclone", "DRUG")]
    assert loaded.vocab["keyword"].has_vector


def test_components_that_need_tokens_keep_them(tmp_path: Path) -> None:
    nlp = initialised()
    nlp.add_pipe("trainable_lemmatizer")
    with pytest.warns(BionerWarning, match="components trainable_lemmatizer store hashes of tokens"):
        without_tokens(nlp).to_disk(tmp_path)
    assert "Naloxone" in strings_of(tmp_path)


def test_eight_bits(tiny_bert: str, tmp_path: Path) -> None:
    nlp = initialised("transformer", tiny_bert)
    nlp.to_disk(tmp_path / "float32")
    before_saving(weights="int8")(nlp).to_disk(tmp_path / "int8")
    sizes = {name: (tmp_path / name / "transformer" / "model").stat().st_size for name in ("float32", "int8")}
    assert sizes["int8"] < 0.6 * sizes["float32"]
    loaded = spacy.load(tmp_path / "int8")
    assert [len(doc) for doc in loaded.pipe(TEXTS)] == [len(doc) for doc in nlp.pipe(TEXTS)]
    # A pipeline that was stored so stays so, with the same weights, and can be stored otherwise.
    loaded.to_disk(tmp_path / "again")
    model = Path("transformer", "model")
    assert (tmp_path / "again" / model).read_bytes() == (tmp_path / "int8" / model).read_bytes()
    set_weights(loaded, "float32")
    loaded.to_disk(tmp_path / "again")
    assert (tmp_path / "again" / model).stat().st_size == sizes["float32"]


def test_pipelines_without_an_encoder_of_ours(tmp_path: Path) -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        before_saving(weights="int8")(nlp).to_disk(tmp_path)
    assert [sentence.text for sentence in spacy.load(tmp_path)("One. Two.").sents] == ["One.", "Two."]


def test_weights_that_cannot_be() -> None:
    with pytest.raises(BionerError, match="Setting weights is 'int4'; allowed: float32, int8"):
        before_saving(weights="int4")
