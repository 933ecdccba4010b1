"""Saved encoders: those of earlier versions, damaged ones, and those that mean harm."""

import builtins
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy
import pytest
import safetensors.torch
import srsly
import torch
from thinc.api import Model
from tiny_encoder import assert_same_vectors, make_docs, make_encoder, token_vectors
from transformers import AutoModel, AutoTokenizer

from bioner_spacy.errors import BionerError
from bioner_spacy.layers.encoder.files import load_dumped_encoder
from bioner_spacy.models.encoder import build_transformer

ENCODERS = ["tiny_bert", "tiny_roberta", "tiny_electra"]


@pytest.fixture(params=ENCODERS)
def folder(request: pytest.FixtureRequest) -> str:
    return request.getfixturevalue(request.param)


def message_of(folder: str) -> dict[str, Any]:
    message: dict[str, Any] = srsly.msgpack_loads(make_encoder(folder).shims[0].to_bytes())
    return message


def load(message: Any) -> Model:
    """An encoder with the settings of `make_encoder`, loaded from a message."""
    model = build_transformer("", context="document", precision="float32", window=32, overlap=8)
    model.shims[0].from_bytes(srsly.msgpack_dumps(message))
    return model


def configure(**settings: Any) -> Callable[[dict[str, Any]], None]:
    def change(message: dict[str, Any]) -> None:
        config = json.loads(message["files"]["config.json"])
        message["files"]["config.json"] = json.dumps({**config, **settings}).encode()

    return change


def test_what_earlier_versions_saved(folder: str, tmp_path: Path) -> None:
    """They saved all files of the tokenizer and all weights, those of the pooler too."""
    AutoTokenizer.from_pretrained(folder).save_pretrained(tmp_path)
    transformer = AutoModel.from_pretrained(folder)
    transformer.config.save_pretrained(tmp_path)
    files = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert len(files) > 4
    assert_same_vectors(
        load({"files": files, "state": safetensors.torch.save(transformer.state_dict())}), make_encoder(folder)
    )


def test_eight_bits_change_little(folder: str) -> None:
    model = make_encoder(folder)
    model.shims[0].weights = "int8"
    loaded = load(srsly.msgpack_loads(model.shims[0].to_bytes()))
    assert {weight.dtype for weight in loaded.shims[0].transformer.parameters()} == {torch.float32}
    docs = make_docs("The mutant Protein in mice.", "gene " * 60)
    for left, right in zip(token_vectors(model, docs), token_vectors(loaded, docs), strict=True):
        assert 0 < numpy.abs(left - right).max() < 0.1 * numpy.abs(left).max()


def test_weights_that_are_not_finite_are_not_stored_in_eight_bits(tiny_bert: str) -> None:
    model = make_encoder(tiny_bert)
    model.shims[0].weights = "int8"
    with torch.no_grad():
        model.shims[0].transformer.embeddings.word_embeddings.weight[3, 3] = float("nan")
    with pytest.raises(BionerError, match="weights that are not finite: train it again"):
        model.to_bytes()


@pytest.mark.parametrize("name", ["absolute", "../../evil", "evil.py", "..", "", "tokenizer.json/../x"])
def test_loading_writes_no_file(name: str, tiny_bert: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    message = message_of(tiny_bert)
    message["files"][str(tmp_path / "evil") if name == "absolute" else name] = b"written by loading a pipeline"

    def refuse(*args: Any, **kwargs: Any) -> None:
        raise AssertionError("a file is written")

    for method in ("write_bytes", "write_text", "mkdir", "touch"):
        monkeypatch.setattr(Path, method, refuse)
    monkeypatch.chdir(tmp_path)
    load(message)
    assert not list(tmp_path.iterdir())


def test_no_code_is_run_and_nothing_asked(folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: Any) -> str:
        raise AssertionError("the user is asked")

    monkeypatch.setattr(builtins, "input", refuse)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "evil.py").write_text("raise AssertionError('code is run')", encoding="utf8")
    code = {
        "auto_map": {"AutoConfig": "evil.Config", "AutoModel": "evil.Model", "AutoTokenizer": ["evil.T", "evil.T"]}
    }
    message = message_of(folder)
    # Of a type that transformers has, its own layers are taken.
    configure(**code, attn_implementation="lab/kernels:evil", quantization_config={"quant_method": "evil"})(message)
    message["files"]["tokenizer_config.json"] = json.dumps({**code, "model_max_length": 64}).encode()
    assert_same_vectors(load(message), make_encoder(folder))
    configure(model_type="evil")(message)
    with pytest.raises(BionerError, match="of the type 'evil', needs code of its own, which is never run") as error:
        load(message)
    assert "\n" not in str(error.value)


def cut_weights(message: dict[str, Any]) -> None:
    message["state"] = message["state"][: len(message["state"]) // 2]


def drop_a_weight(message: dict[str, Any]) -> None:
    state = safetensors.torch.load(message["state"])
    state.popitem()
    message["state"] = safetensors.torch.save(state)


def drop(*keys: str) -> Callable[[dict[str, Any]], None]:
    def change(message: dict[str, Any]) -> None:
        *outer, last = keys
        for key in outer:
            message = message[key]
        del message[last]

    return change


@pytest.mark.parametrize(
    "change",
    [
        cut_weights,
        drop_a_weight,
        configure(hidden_size=8),
        configure(vocab_size=-1),
        configure(vocab_size="many"),
        drop("state"),
        drop("files", "config.json"),
        drop("files", "tokenizer.json"),
        lambda message: message["files"].update({"tokenizer.json": b"{}"}),
        lambda message: message["files"].update({"config.json": b"["}),
    ],
)
def test_damaged_encoders(change: Callable[[dict[str, Any]], None], folder: str) -> None:
    message = message_of(folder)
    change(message)
    with pytest.raises(BionerError, match="its file is damaged or of another program") as error:
        load(message)
    assert "\n" not in str(error.value)


def test_too_little_memory_is_no_damage(tiny_bert: str, monkeypatch: pytest.MonkeyPatch) -> None:
    message = message_of(tiny_bert)

    def allocate(*args: Any) -> None:
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory")

    monkeypatch.setattr("bioner_spacy.layers.encoder.files.build_transformer", allocate)
    with pytest.raises(MemoryError, match="can't allocate memory"):
        load(message)


@pytest.mark.parametrize("data", [b"", b"\x00", b"[]", srsly.msgpack_dumps([1]), srsly.msgpack_dumps({"files": 1})])
def test_messages_of_another_kind(data: bytes) -> None:
    with pytest.raises(BionerError, match="damaged or of another program"):
        load_dumped_encoder(data)
