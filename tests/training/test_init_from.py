"""Beginning with the weights of a trained pipeline."""

import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Optional

import numpy
import pytest
import spacy
from spacy.language import Language
from toy_corpora import (
    CNN,
    CORPORA,
    ENCODERS,
    TAG_HEADS,
    blank_nlp,
    component,
    found,
    make_examples,
    make_nlp,
    output_names,
    train,
)

from bioner_spacy.errors import BionerError
from bioner_spacy.models.tag_heads import tag_bias
from bioner_spacy.scope import SPANS_KEY

TEXTS = [text for _, sentences in CORPORA.values() for text, _ in sentences]


def begin(nlp: Language, path: Optional[Path], corpora: Iterable[str]) -> Language:
    """Initialise a pipeline on toy corpora with the weights of a trained one, as the training config does."""
    callback = {"@callbacks": "bioner_spacy.init_from.v1", "path": path if path is None else str(path)}
    nlp.config["initialize"]["after_init"] = callback
    nlp.initialize(lambda: make_examples(nlp, corpora))
    return nlp


def heads(nlp: Language) -> dict[tuple[str, ...], Any]:
    """Weights of each output of tag heads by its task and tag."""
    output = component(nlp).model.get_ref("output_layer")
    rows = zip(output_names(nlp), numpy.asarray(output.get_param("W")), numpy.asarray(output.get_param("b")))
    return {name: numpy.append(weights, bias) for name, weights, bias in rows}


def encoder_weights(nlp: Language) -> dict[str, Any]:
    """Weights of the transformer by name."""
    pipe: Any = nlp.get_pipe("transformer")
    [shim] = [shim for node in pipe.model.walk() for shim in node.shims]
    return {name: tensor.detach().cpu().numpy() for name, tensor in shim.transformer.state_dict().items()}


def same_predictions(one: Language, other: Language, atol: float = 1e-4) -> bool:
    """Whether two pipelines find the same mentions with the same scores, up to `atol`."""
    found_by = [list(nlp.pipe(TEXTS)) for nlp in (one, other)]
    groups = [[doc.spans[SPANS_KEY] for doc in docs] for docs in found_by]
    spans = [[[(span.start, span.end, span.label_) for span in group] for group in side] for side in groups]
    scores = [[score for group in side for score in group.attrs["scores"]] for side in groups]
    return spans[0] == spans[1] and numpy.allclose(scores[0], scores[1], atol=atol)


@pytest.fixture(scope="module")
def trained(tiny_bert: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A transformer with tag heads for diseases and genes, after some steps."""
    folder = tmp_path_factory.mktemp("trained")
    nlp = make_nlp("transformer", tiny_bert)
    train(nlp, make_examples(nlp, ["diseases", "genes"]), steps=5)
    nlp.to_disk(folder)
    return folder


def test_encoder_and_heads_that_fit_are_carried_over_and_new_heads_are_new(trained: Path, tiny_bert: str) -> None:
    before, fresh = spacy.load(trained), begin(make_nlp("transformer", tiny_bert), None, ["drugs"])
    nlp = begin(make_nlp("transformer", tiny_bert), trained, ["drugs"])
    weights, expected, plain = (encoder_weights(one) for one in (nlp, before, fresh))
    assert all(numpy.array_equal(weights[name], expected[name]) for name in expected)
    assert not all(numpy.array_equal(weights[name], plain[name]) for name in plain)
    old, new = heads(before), heads(nlp)
    assert {task for task, *_ in old} == {"DISEASE", "GENE"}
    assert {task for task, *_ in new} == {"CHEMICAL", "DISEASE"}
    for name, row in new.items():
        assert numpy.array_equal(row, old[name] if name[0] == "DISEASE" else [*0 * row[:-1], *tag_bias([name])])
    assert any(row.any() for name, row in new.items() if name[0] == "DISEASE")
    # What the new pipeline knows of its corpora is its own.
    assert component(nlp).label_data == {"drugs": ["CHEMICAL", "DISEASE"]}


def test_an_earlier_version_of_the_encoder_is_carried_over(trained: Path, tiny_bert: str, tmp_path: Path) -> None:
    shutil.copytree(trained, tmp_path / "earlier")
    config = tmp_path / "earlier" / "config.cfg"
    text = config.read_text(encoding="utf8")
    earlier = text.replace("TransformerModel.v2", "TransformerModel.v1").replace("batch_subwords", "batch_pieces")
    assert earlier != text
    config.write_text(earlier, encoding="utf8")
    nlp, expected = begin(make_nlp("transformer", tiny_bert), tmp_path / "earlier", ["drugs"]), spacy.load(trained)
    weights = encoder_weights(nlp)
    assert all(numpy.array_equal(weights[name], array) for name, array in encoder_weights(expected).items())


def test_all_of_it_learns_on(trained: Path, tiny_bert: str, tmp_path: Path) -> None:
    nlp = begin(make_nlp("transformer", tiny_bert), trained, ["drugs"])
    before_encoder, before_heads = encoder_weights(nlp), heads(nlp)
    before_encoder = {name: array.copy() for name, array in before_encoder.items()}
    optimizer = nlp.resume_training()
    nlp.update(make_examples(nlp, ["drugs"]), sgd=optimizer)
    nlp.update(make_examples(nlp, ["drugs"]), sgd=optimizer)
    after = encoder_weights(nlp)
    assert any(not numpy.array_equal(after[name], before_encoder[name]) for name in after)
    changed = {name[0] for name, row in heads(nlp).items() if not numpy.array_equal(row, before_heads[name])}
    assert changed == {"CHEMICAL", "DISEASE"}
    nlp.to_disk(tmp_path)
    assert same_predictions(spacy.load(tmp_path), nlp)


@pytest.mark.parametrize("encoder", ENCODERS)
def test_every_architecture_goes_on_from_what_it_knows(encoder: str, tiny_bert: str, tmp_path: Path) -> None:
    source = make_nlp(encoder, tiny_bert)
    train(source, make_examples(source, ["diseases"]), steps=60, rate=0.005)
    source.to_disk(tmp_path)
    assert ("breast cancer", "DISEASE") in found(source(TEXTS[0]))
    nlp = begin(make_nlp(encoder, tiny_bert), tmp_path, ["diseases", "genes"])
    assert component(nlp).labels == ("DISEASE", "GENE")
    # What slots write is a softmax over all actions, of which those of new types take a little.
    assert same_predictions(nlp, source, atol=0.01 if encoder == "cnn with slots" else 1e-4)


def test_what_does_not_fit_is_reported(trained: Path, tiny_bert: str, tiny_cased_bert: str, tmp_path: Path) -> None:
    with pytest.raises(BionerError, match="nowhere .* cannot be loaded"):
        begin(make_nlp("transformer", tiny_bert), tmp_path / "nowhere", ["drugs"])
    shutil.copytree(trained, tmp_path / "broken")
    (tmp_path / "broken" / "meta.json").write_text("{")
    with pytest.raises(BionerError, match="broken .* cannot be loaded"):
        begin(make_nlp("transformer", tiny_bert), tmp_path / "broken", ["drugs"])
    with pytest.raises(BionerError, match="transformer in .* have name .* and not"):
        begin(make_nlp("transformer", tiny_cased_bert), trained, ["drugs"])
    with pytest.raises(BionerError, match="multitask_ner in .* have crf True and not False"):
        begin(make_nlp("transformer", tiny_bert, model={"crf": False}), trained, ["drugs"])
    other = blank_nlp()
    other.add_pipe("tok2vec", config={"model": CNN})
    with pytest.raises(BionerError, match="it has transformer, multitask_ner, and tok2vec are wanted"):
        begin(other, trained, ["drugs"])


def test_only_components_that_are_named_are_taken(trained: Path, tiny_bert: str) -> None:
    nlp = make_nlp("transformer", tiny_bert, model={"crf": False})  # heads that those of the trained one do not fit
    callback = {"@callbacks": "bioner_spacy.init_from.v1", "path": str(trained), "components": ["transformer"]}
    nlp.config["initialize"]["after_init"] = callback
    nlp.initialize(lambda: make_examples(nlp, ["drugs"]))
    expected, taken = encoder_weights(spacy.load(trained)), encoder_weights(nlp)
    assert all((taken[name] == weights).all() for name, weights in expected.items())


@pytest.mark.parametrize("default", ["mean", "none"])
def test_guideline_corrections_of_shared_corpora_are_carried_over(default: str, tmp_path: Path) -> None:
    rank = {"@architectures": TAG_HEADS, "tok2vec": CNN, "guideline_rank": 2}
    source = make_nlp(model={**rank, "guideline_default": "mean"})
    train(source, make_examples(source), steps=5)
    source.to_disk(tmp_path / "source")
    model = {**rank, "guideline_dropout": 0.25, "guideline_default": default}
    nlp = begin(make_nlp(model=model), tmp_path / "source", ["diseases", "genes"])
    old, new = (component(one).model.get_ref("corrections") for one in (source, nlp))
    assert (list(old.attrs["guidelines"]), list(new.attrs["guidelines"])) == (list(CORPORA), ["diseases", "genes"])
    columns = [output_names(source).index(name) for name in output_names(nlp)]
    for number, corpus in enumerate(new.attrs["guidelines"]):
        of_old = list(CORPORA).index(corpus)
        assert numpy.array_equal(new.get_param("A")[number], old.get_param("A")[of_old])
        assert numpy.array_equal(new.get_param("d")[number], old.get_param("d")[of_old][columns])
    assert new.get_param("d").any()
    nlp.to_disk(tmp_path / "new")
    assert same_predictions(spacy.load(tmp_path / "new"), nlp)


def test_a_pipeline_with_corrections_of_other_corpora_keeps_them() -> None:
    """As `init_from` left them before it matched guidelines."""
    model = {"@architectures": TAG_HEADS, "tok2vec": CNN, "guideline_rank": 2, "guideline_default": "mean"}
    earlier = make_nlp(model=model)
    earlier.initialize(lambda: make_examples(earlier, ["genes"]))
    component(earlier).model.attrs["set_guidelines"](component(earlier).model, {"diseases": [], "genes": []})
    nlp = make_nlp(model=model).from_bytes(earlier.to_bytes())
    corrections = component(nlp).model.get_ref("corrections")
    assert corrections.attrs["guidelines"] == {"diseases": [], "genes": list(range(len(output_names(nlp))))}
    assert same_predictions(nlp, earlier)
