"""Loading, refusing and storing encoders."""

import pickle
import shutil
from pathlib import Path
from typing import Any, cast

import numpy
import pytest
import safetensors.torch
import srsly
import torch
from thinc.api import Model, Optimizer
from tiny_encoder import POSITIONS, assert_same_vectors, make_docs, make_encoder, own_encoder
from transformers import AutoModel, AutoTokenizer

from bioner_spacy.errors import BionerError
from bioner_spacy.layers.encoder import shim
from bioner_spacy.layers.encoder.packed_bert import encode_packed
from bioner_spacy.layers.encoder.shim import max_subwords
from bioner_spacy.models.encoder import build_transformer


@pytest.fixture
def no_pickle(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: Any, **kwargs: Any) -> None:
        raise AssertionError("pickle was used")

    for module, names in (
        (torch, ("load", "save")),
        (pickle, ("load", "loads", "dump", "dumps", "Unpickler", "Pickler")),
    ):
        for name in names:
            monkeypatch.setattr(module, name, refuse)


@pytest.mark.parametrize("encoder", ["tiny_bert", "tiny_cased_bert", "tiny_roberta"])
def test_bytes_hold_all_that_is_needed_and_no_pickle(
    encoder: str, request: pytest.FixtureRequest, tmp_path: Path, no_pickle: None
) -> None:
    folder = tmp_path / "encoder"
    shutil.copytree(request.getfixturevalue(encoder), folder)
    model = make_encoder(str(folder), transformer_config={"hidden_dropout_prob": 0.3})
    shutil.rmtree(folder)
    loaded = build_transformer(str(folder), context="document", precision="float32", window=32, overlap=8).from_bytes(
        model.to_bytes()
    )
    assert_same_vectors(model, loaded)
    assert loaded.shims[0].transformer.config.hidden_dropout_prob == 0.3


def test_weights_are_stored_as_safetensors(tiny_bert: str) -> None:
    model = make_encoder(tiny_bert)
    message = srsly.msgpack_loads(model.shims[0].to_bytes())
    weights = safetensors.torch.load(message["state"])
    expected = AutoModel.from_pretrained(tiny_bert).state_dict()
    assert weights.keys() == {name for name in expected if not name.startswith("pooler.")}
    assert all(torch.equal(weights[name], expected[name]) for name in weights)
    assert message["files"].keys() == {"config.json", "tokenizer.json", "tokenizer_config.json"}


def test_eight_bits_stay_until_the_encoder_learns(tiny_bert: str) -> None:
    model = own_encoder(tiny_bert)
    float32 = model.to_bytes()
    shim_of(model).weights = "int8"
    saved = model.to_bytes()
    assert len(saved) < len(float32) * 0.6
    loaded = own_encoder(tiny_bert).from_bytes(saved)
    assert shim_of(loaded).weights == "int8"
    assert loaded.to_bytes() == saved == loaded.copy().to_bytes()
    step(loaded, "gene", Optimizer(learn_rate=0.01))
    assert len(loaded.to_bytes()) == len(float32)


def test_disk_round_trip(tiny_bert: str, tmp_path: Path) -> None:
    model = make_encoder(tiny_bert)
    model.to_disk(tmp_path / "model")
    loaded = build_transformer(tiny_bert, context="document", precision="float32", window=32, overlap=8)
    assert_same_vectors(model, loaded.from_disk(tmp_path / "model"))


def test_learnt_weights_are_stored(tiny_bert: str) -> None:
    model = make_encoder(tiny_bert)
    with torch.no_grad():
        model.shims[0].transformer.embeddings.word_embeddings.weight.mul_(1.5)
    loaded = build_transformer(tiny_bert, context="document", precision="float32", window=32, overlap=8).from_bytes(
        model.to_bytes()
    )
    assert_same_vectors(model, loaded)


def test_uninitialised_encoder_round_trip(tiny_bert: str) -> None:
    loaded = build_transformer(tiny_bert).from_bytes(build_transformer(tiny_bert).to_bytes())
    assert loaded.shims[0].transformer is None
    with pytest.raises(BionerError, match="The encoder has no weights yet"):
        loaded.predict(make_docs("gout"))


def test_initialising_again_keeps_the_weights(tiny_bert: str) -> None:
    model = make_encoder(tiny_bert)
    transformer = model.shims[0].transformer
    model.initialize()
    assert model.shims[0].transformer is transformer


def test_weights_in_half_precision_are_computed_in_float32(tiny_bert: str, tmp_path: Path) -> None:
    AutoModel.from_pretrained(tiny_bert).half().save_pretrained(tmp_path)
    AutoTokenizer.from_pretrained(tiny_bert).save_pretrained(tmp_path)
    model = make_encoder(str(tmp_path))
    loaded = build_transformer("", context="document", precision="float32", window=32, overlap=8).from_bytes(
        model.to_bytes()
    )
    assert {weight.dtype for weight in loaded.shims[0].transformer.parameters()} == {torch.float32}
    assert_same_vectors(model, loaded)


def step(model: Model, text: str, optimizer: Optimizer) -> torch.Tensor:
    """One update on a text; returns the gradient of the table of embeddings, sparse."""
    [vectors], backprop = model.begin_update(make_docs(text))
    rng = numpy.random.default_rng(len(text))
    backprop([rng.normal(size=vectors.shape).astype("f")])
    gradient = table_of(model).grad
    assert gradient is not None
    gradient = gradient.coalesce().clone()
    model.finish_update(optimizer)
    return gradient


@pytest.mark.parametrize("encoder", ["tiny_bert", "tiny_roberta"])
def test_training_pads_windows_to_few_lengths(
    encoder: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    lengths = []

    def encode(transformer: Any, ids: Any, positions: Any, blocks: Any) -> torch.Tensor:
        lengths.extend(block.length for block in blocks)
        return encode_packed(transformer, ids, positions, blocks)

    monkeypatch.setattr(shim, "encode_packed", encode)
    model = own_encoder(request.getfixturevalue(encoder), window=POSITIONS, overlap=8, batch_subwords=POSITIONS)
    for n in (1, 2, 5, 11, 12, 13, 30, POSITIONS, 3 * POSITIONS):
        docs = make_docs("gene " * n)
        predicted = model.predict(docs)
        lengths.clear()
        learnt, _ = model.begin_update(docs)
        # The last rows of the table of positions are the end.
        assert lengths and all(length % 4 == 0 or length == POSITIONS for length in lengths)
        numpy.testing.assert_allclose(learnt[0], predicted[0], atol=1e-5)


def shim_of(model: Model) -> Any:
    [shim] = [shim for node in model.walk() for shim in node.shims]
    return shim


def table_of(model: Model) -> torch.nn.Parameter:
    return shim_of(model).transformer.get_input_embeddings().weight


@pytest.mark.parametrize("use_radam", [False, True])
def test_rows_of_absent_subwords_rest(tiny_bert: str, use_radam: bool) -> None:
    """A row is changed as an optimizer with the same count of steps would change it, by its own gradients alone."""
    model = own_encoder(tiny_bert)
    settings: dict[str, Any] = {"learn_rate": 0.01, "L2": 0.1, "L2_is_weight_decay": True, "grad_clip": 0.0}
    settings["use_averages"] = False
    optimizer = Optimizer(use_radam=use_radam, **settings)
    before = table_of(model).detach().clone().numpy()
    texts = ["gene in mice", "gene cell", "mice", "cell mutant gene"] * 3
    sparse = [step(model, text, optimizer) for text in texts]
    after = table_of(model).detach().numpy()
    gradients = [gradient.to_dense().numpy() for gradient in sparse]
    present = numpy.array([numpy.isin(numpy.arange(len(before)), gradient.indices()) for gradient in sparse])
    assert present.any(axis=0).sum() > 5
    assert (~present).all(axis=0).sum() > 5
    for row in range(len(before)):
        reference = Optimizer(use_radam=use_radam, **settings)
        weights = before[row].copy()
        for i in numpy.flatnonzero(present[:, row]):
            reference.nr_update[0, "row"] = i
            reference(cast(Any, (0, "row")), cast(Any, weights), cast(Any, gradients[i][row].copy()))
        numpy.testing.assert_allclose(after[row], weights, atol=1e-5)


def test_averaging_sees_the_whole_table(tiny_bert: str) -> None:
    model = own_encoder(tiny_bert)
    optimizer = Optimizer(learn_rate=0.01, use_averages=True)
    step(model, "gene", optimizer)
    step(model, "mutant mice", optimizer)
    name = "embeddings.word_embeddings.weight"
    assert cast(Any, optimizer.averages)[shim_of(model).id, name].shape == table_of(model).shape


def test_no_gradient_is_left_for_the_next_update(tiny_bert: str) -> None:
    model = own_encoder(tiny_bert)
    step(model, "gene", Optimizer(learn_rate=0.01))
    weights = [weight.detach().clone() for weight in shim_of(model).transformer.parameters()]
    model.finish_update(Optimizer(learn_rate=0.01))
    assert all(torch.equal(*pair) for pair in zip(weights, shim_of(model).transformer.parameters(), strict=True))


@pytest.mark.parametrize("encoder, expected", [("tiny_bert", 64), ("tiny_roberta", 64)])
def test_most_subwords(encoder: str, expected: int, request: pytest.FixtureRequest) -> None:
    """The RoBERTa has 66 positions, of which it does not use the first two."""
    assert max_subwords(AutoModel.from_pretrained(request.getfixturevalue(encoder))) == expected


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"pooling": "max"}, "pooling is 'max'; allowed: mean, first"),
        ({"precision": "float16"}, "precision is 'float16'; allowed: auto, bfloat16, float32, int8"),
        ({"window": 64, "overlap": 32}, r"window \(64\) and overlap \(32\)"),
        ({"window": 0, "overlap": 0}, r"window \(0\)"),
        ({"overlap": -1}, r"overlap \(-1\)"),
    ],
)
def test_settings_that_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(BionerError, match=message):
        build_transformer("not loaded yet", **settings)
