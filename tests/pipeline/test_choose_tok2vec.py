"""Token vectors of a component whose settings do not name any."""

from pathlib import Path
from typing import Any, Optional

import numpy
import pytest
import spacy
from spacy.language import Language
from spacy.training.initialize import init_nlp
from thinc.api import Config, fix_random_seed
from toy_corpora import BREAST_CANCER, CNN, blank_nlp, component, make_examples, train, write_corpora

from bioner_spacy.errors import BionerError
from bioner_spacy.scope import SPANS_KEY

ARCHITECTURES = ("TagHeads", "SpanPairs", "CrossSharing", "SlotRecurrent")
CHOICES = {
    None: "spacy.HashEmbedCNN.v2",
    "tok2vec": "spacy.Tok2VecListener.v1",
    "transformer": "spacy-transformers.TransformerListener.v1",
}


def make(upstream: Optional[str], tiny_bert: str, architecture: str = "TagHeads", **add: Any) -> Language:
    """A pipeline in code, with a component to listen to if there is one."""
    nlp = blank_nlp()
    encoder = {"@architectures": "bioner_spacy.TransformerModel.v2", "name": tiny_bert, "window": 32, "overlap": 8}
    if upstream is not None:
        nlp.add_pipe(upstream, config={"model": CNN if upstream == "tok2vec" else encoder})
    nlp.add_pipe("multitask_ner", config={"model": {"@architectures": f"bioner_spacy.{architecture}.v1"}}, **add)
    return nlp


def chosen(nlp: Language) -> str:
    return str(nlp.config["components"]["multitask_ner"]["model"]["tok2vec"]["@architectures"])


def prediction(nlp: Language) -> Any:
    """Mentions with their scores."""
    doc = nlp(BREAST_CANCER[0])
    group = doc.spans[SPANS_KEY]
    return [(span.text, span.label_) for span in group], group.attrs["scores"]


@pytest.mark.parametrize("upstream", CHOICES)
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_every_pipeline_learns_and_is_saved_with_the_choice(
    upstream: Optional[str], architecture: str, tiny_bert: str, tmp_path: Path
) -> None:
    nlp = make(upstream, tiny_bert, architecture)
    losses = train(nlp, make_examples(nlp), steps=5)
    assert losses[-1] < losses[0]
    assert chosen(nlp) == CHOICES[upstream]
    nlp.to_disk(tmp_path)
    loaded = spacy.load(tmp_path)
    assert component(loaded).model.to_bytes() == component(nlp).model.to_bytes()
    assert prediction(loaded) == prediction(nlp)
    # Initialised once more, it keeps what it has.
    fix_random_seed(0)
    nlp.initialize(lambda: make_examples(nlp))
    assert chosen(nlp) == CHOICES[upstream]


@pytest.mark.parametrize("upstream", CHOICES)
def test_training_from_the_saved_config_gives_the_same_weights(
    upstream: Optional[str], tiny_bert: str, tmp_path: Path
) -> None:
    corpora = write_corpora(tmp_path / "corpora")
    bare = make(upstream, tiny_bert).config
    reader = {"@readers": "bioner_spacy.MultiCorpus.v2", "path": str(corpora), "split": "train"}
    bare["corpora"] = {"train": reader, "dev": {**reader, "split": "devel"}}
    bare["training"]["seed"] = 1
    assert bare["components"]["multitask_ner"]["model"]["tok2vec"] is None
    first = init_nlp(Config(bare))
    second = init_nlp(Config().from_str(first.config.to_str()))
    for one, other in zip(component(first).model.walk(), component(second).model.walk(), strict=True):
        assert one.param_names == other.param_names
        for name in one.param_names:
            assert one.maybe_get_param(name) is other.maybe_get_param(name) is None or numpy.array_equal(
                one.get_param(name), other.get_param(name)
            )


def test_what_settings_name_is_kept(tiny_bert: str) -> None:
    nlp = make("transformer", tiny_bert)
    nlp.remove_pipe("multitask_ner")
    nlp.add_pipe("multitask_ner", config={"model": {"tok2vec": CNN}})
    nlp.initialize(lambda: make_examples(nlp))
    assert nlp.config["components"]["multitask_ner"]["model"]["tok2vec"] == CNN


@pytest.mark.parametrize("upstream", ["tok2vec", "transformer"])
def test_what_comes_later_cannot_be_listened_to(upstream: str, tiny_bert: str) -> None:
    nlp = make(upstream, tiny_bert, first=True)
    with pytest.raises(BionerError, match=f"listens to the component '{upstream}', which does not come before it"):
        nlp.initialize(lambda: make_examples(nlp))


def test_a_frozen_transformer_is_listened_to(tiny_bert: str, tmp_path: Path) -> None:
    other = make("transformer", tiny_bert)
    other.initialize(lambda: make_examples(other))
    nlp = blank_nlp()
    nlp.add_pipe("transformer", source=other)
    nlp.add_pipe("multitask_ner")
    with nlp.select_pipes(disable=["transformer"]):
        nlp.initialize(lambda: make_examples(nlp))
    assert chosen(nlp) == CHOICES["transformer"]
    assert nlp(BREAST_CANCER[0]).spans[SPANS_KEY] is not None


def test_nothing_is_found_without_the_transformer_that_was_chosen(tiny_bert: str) -> None:
    nlp = make("transformer", tiny_bert)
    nlp.initialize(lambda: make_examples(nlp))
    nlp.remove_pipe("transformer")
    with pytest.raises(BionerError, match="whose vectors documents do not have"):
        nlp(BREAST_CANCER[0])


def test_weights_load_into_a_pipeline_made_in_code(tiny_bert: str) -> None:
    nlp = make("transformer", tiny_bert)
    train(nlp, make_examples(nlp), steps=5)
    assert prediction(make("transformer", tiny_bert).from_bytes(nlp.to_bytes())) == prediction(nlp)
    with pytest.raises(BionerError, match="do not fit its model"):
        make(None, tiny_bert).from_bytes(make_initialised_cnn())


def make_initialised_cnn() -> bytes:
    nlp = make(None, "")
    nlp.initialize(lambda: make_examples(nlp))
    return nlp.to_bytes()


def test_a_component_on_its_own_names_the_setting() -> None:
    nlp = make(None, "")
    with pytest.raises(BionerError, match="components.multitask_ner.model.tok2vec"):
        component(nlp).initialize(lambda: make_examples(nlp))
