"""Loading, refusing and storing encoders."""

import importlib
import pickle
import shutil
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import numpy
import pytest
import safetensors.torch
import srsly
import torch
from thinc.api import Model, Optimizer
from tiny_encoder import make_docs, make_encoder, own_encoder, word_vectors
from transformers import AutoModel, AutoTokenizer

from bioner_spacy.errors import BionerError, BionerWarning
from bioner_spacy.layers.encoder_shim import load_encoder, max_pieces, resolve_encoder
from bioner_spacy.models.encoder import build_transformer

TEXTS = ["The mutant Protein in mice.", "gene " * 60, ""]


def assert_same_vectors(one: Model, other: Model) -> None:
    docs = make_docs(*TEXTS)
    for left, right in zip(word_vectors(one, docs), word_vectors(other, docs), strict=True):
        numpy.testing.assert_array_equal(left, right)


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
    assert weights.keys() == expected.keys()
    assert all(torch.equal(weights[name], expected[name]) for name in expected)
    assert {"config.json", "tokenizer.json"} <= message["files"].keys()


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


def shim_of(model: Model) -> Any:
    [shim] = [shim for node in model.walk() for shim in node.shims]
    return shim


def table_of(model: Model) -> torch.nn.Parameter:
    return shim_of(model).transformer.get_input_embeddings().weight


@pytest.mark.parametrize("use_radam", [False, True])
def test_rows_of_absent_pieces_rest(tiny_bert: str, use_radam: bool) -> None:
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


def test_settings_reach_tokenizer_and_transformer(tiny_bert: str) -> None:
    tokenizer, transformer = load_encoder(tiny_bert, {"model_max_length": 20}, {"hidden_dropout_prob": 0.25})
    assert tokenizer.model_max_length == 20
    assert transformer.config.hidden_dropout_prob == 0.25


def test_case_is_kept_where_the_vocabulary_tells_it_apart(tiny_cased_bert: str, tmp_path: Path) -> None:
    """BioBERT is published as its vocabulary alone, for which transformers makes text lower case."""
    for name in ("config.json", "model.safetensors", "vocab.txt"):
        shutil.copy(Path(tiny_cased_bert) / name, tmp_path)
    with pytest.warns(BionerWarning, match="is told to keep case"):
        tokenizer, _ = load_encoder(str(tmp_path), {}, {})
    assert tokenizer.tokenize("The gene GENE") == AutoTokenizer.from_pretrained(tiny_cased_bert).tokenize(
        "The gene GENE"
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error", BionerWarning)
        tokenizer, _ = load_encoder(str(tmp_path), {"do_lower_case": True}, {})
    assert tokenizer.tokenize("The Gene") == tokenizer.tokenize("the gene")


@pytest.mark.parametrize("encoder", ["tiny_bert", "tiny_cased_bert", "tiny_roberta", "tiny_electra"])
def test_other_tokenizers_stay_as_they_are(encoder: str, request: pytest.FixtureRequest) -> None:
    folder = request.getfixturevalue(encoder)
    with warnings.catch_warnings():
        warnings.simplefilter("error", BionerWarning)
        tokenizer, _ = load_encoder(folder, {}, {})
    assert tokenizer.tokenize("The Gene") == AutoTokenizer.from_pretrained(folder).tokenize("The Gene")


@pytest.mark.parametrize("encoder, expected", [("tiny_bert", 64), ("tiny_roberta", 64)])
def test_most_pieces(encoder: str, expected: int, request: pytest.FixtureRequest) -> None:
    """The RoBERTa has 66 positions, of which it does not use the first two."""
    assert max_pieces(AutoModel.from_pretrained(request.getfixturevalue(encoder))) == expected


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"pooling": "max"}, "pooling is 'max'; allowed: mean, first"),
        ({"precision": "float16"}, "precision is 'float16'; allowed: auto, bfloat16, float32"),
        ({"window": 64, "overlap": 32}, r"window \(64\) and overlap \(32\)"),
        ({"window": 0, "overlap": 0}, r"window \(0\)"),
        ({"overlap": -1}, r"overlap \(-1\)"),
    ],
)
def test_settings_that_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(BionerError, match=message):
        build_transformer("not loaded yet", **settings)


def remove(*names: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        for name in names:
            (folder / name).unlink()

    return change


def pickle_weights(folder: Path) -> None:
    torch.save(AutoModel.from_pretrained(folder).state_dict(), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()


def truncate_weights(folder: Path) -> None:
    data = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(data[: len(data) // 2])


def break_config(folder: Path) -> None:
    (folder / "config.json").write_text("{", encoding="utf8")


def change_width(folder: Path) -> None:
    config = srsly.read_json(folder / "config.json")
    srsly.write_json(folder / "config.json", {**config, "hidden_size": 8})


@pytest.mark.parametrize(
    "change, reason",
    [
        (shutil.rmtree, "Reason given"),
        (pickle_weights, "no file named model.safetensors"),
        (truncate_weights, "deserializing header"),
        (remove("model.safetensors"), "no file named model.safetensors"),
        (remove("config.json"), "model_type"),
        (break_config, "config.json"),
        (change_width, "size mismatch"),
        (remove("tokenizer.json", "vocab.txt", "tokenizer_config.json"), "Reason given"),
    ],
    ids=["folder", "pickle only", "half a file", "weights", "config", "no JSON", "width", "tokenizer"],
)
def test_encoders_that_are_refused(
    change: Callable[[Path], None], reason: str, tiny_bert: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "encoder"
    shutil.copytree(tiny_bert, folder)
    change(folder)

    def refuse(*args: Any, **kwargs: Any) -> None:
        raise AssertionError("a pickle was loaded")

    monkeypatch.setattr(torch, "load", refuse)
    with pytest.raises(BionerError, match=r"cannot be loaded: name a Hugging Face model with safetensors") as error:
        make_encoder(str(folder))
    message = str(error.value)
    assert reason in message and str(folder) in message and "\n" not in message


def test_slow_tokenizer_is_refused(tiny_bert: str) -> None:
    with pytest.raises(BionerError, match="has no fast tokenizer"):
        make_encoder(tiny_bert, tokenizer_config={"use_fast": False})


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Install a package `weights-package` that has a folder; importing it is an error."""

    def install_folder(folder: str) -> Path:
        site = tmp_path / "site"
        package = site / "weights_package"
        shutil.copytree(folder, package / "encoder")
        (package / "__init__.py").write_text("raise AssertionError('imported')", encoding="utf8")
        info = site / "weights_package-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: weights-package\nVersion: 1.0\n", encoding="utf8")
        files = sorted(path.relative_to(site) for path in site.rglob("*") if path.is_file())
        (info / "RECORD").write_text("".join(f"{file.as_posix()},,\n" for file in files), encoding="utf8")
        monkeypatch.syspath_prepend(site)
        importlib.invalidate_caches()
        return package

    return install_folder


def test_encoder_inside_a_package(install: Callable[[str], Path], tiny_bert: str) -> None:
    package = install(tiny_bert)
    assert Path(resolve_encoder("package:weights-package")) == package / "encoder"
    assert_same_vectors(make_encoder("package:weights-package"), make_encoder(tiny_bert))


def test_package_without_weights(install: Callable[[str], Path], tiny_bert: str, tmp_path: Path) -> None:
    shutil.copytree(tiny_bert, tmp_path / "copy")
    (tmp_path / "copy" / "model.safetensors").unlink()
    install(str(tmp_path / "copy"))
    with pytest.raises(BionerError, match="The package 'weights-package' .* holds no folder"):
        make_encoder("package:weights-package")


@pytest.mark.parametrize("name", ["package:no-such-encoder-package", "package:"])
def test_missing_package(name: str) -> None:
    with pytest.raises(BionerError, match="is not installed"):
        make_encoder(name)


@pytest.mark.parametrize("name", ["dmis-lab/biobert-base-cased-v1.2", "some/folder", "bert"])
def test_other_names_are_passed_on(name: str) -> None:
    assert resolve_encoder(name) == name
