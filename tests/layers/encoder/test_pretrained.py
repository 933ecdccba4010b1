"""Encoders by name: from a hub, a folder or a package; those that are refused."""

import importlib
import json
import os
import shutil
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import srsly
import torch
from model_hub import serve_models
from tiny_encoder import assert_same_vectors, make_encoder, write_bert
from transformers import AutoModel, AutoTokenizer

from bioner_spacy.errors import BionerError, BionerWarning
from bioner_spacy.layers.encoder.pretrained import load_encoder, resolve_encoder


def test_settings_reach_tokenizer_and_transformer(tiny_bert: str) -> None:
    tokenizer, transformer = load_encoder(tiny_bert, {"model_max_length": 20}, {"hidden_dropout_prob": 0.25})
    assert tokenizer.model_max_length == 20
    assert transformer.config.hidden_dropout_prob == 0.25


def test_case_is_kept_where_the_vocabulary_tells_it_apart(tiny_cased_bert: str, tmp_path: Path) -> None:
    """BioBERT is published as its vocabulary alone, for which transformers makes text lower case."""
    for name in ("config.json", "model.safetensors", "vocab.txt"):
        shutil.copy(Path(tiny_cased_bert) / name, tmp_path)
    with pytest.warns(BionerWarning, match="case is kept"):
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
        (shutil.rmtree, "cannot be loaded"),
        (
            pickle_weights,
            "convert what you trust (page Encoders of the documentation). Reason given: Error no file named model.safetensors",
        ),
        (truncate_weights, "deserializing header"),
        (remove("model.safetensors"), "no file named model.safetensors"),
        (remove("config.json"), "model_type"),
        (break_config, "config.json"),
        (change_width, "size mismatch"),
        (remove("tokenizer.json", "vocab.txt", "tokenizer_config.json"), "cannot be loaded"),
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
    with pytest.raises(BionerError, match=r"setting components.transformer.model.name") as error:
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
    assert Path(resolve_encoder("package:weights-package")[0]) == package / "encoder"
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
    assert resolve_encoder(name) == (name, "main")


def test_revisions_are_distinguished_from_names(tmp_path: Path) -> None:
    assert resolve_encoder("lab/model@refs/pr/3") == ("lab/model", "refs/pr/3")
    folder = tmp_path / "run@2"
    folder.mkdir()
    assert resolve_encoder(str(folder)) == (str(folder), "main")


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., dict[str, str]]]:
    """Load encoders by their names from a hub in another process; gives for each its kind, or the error."""
    folder = tmp_path_factory.mktemp("hub")
    write_bert(folder / "lab" / "safe" / "main", cased=True)
    for name in ("converted", "pickled"):
        write_bert(folder / "lab" / name / "main", cased=True)
        if name == "converted":
            shutil.copytree(folder / "lab" / name / "main", folder / "lab" / name / "refs" / "pr" / "3")
        pickle_weights(folder / "lab" / name / "main")
    code = (
        "import json, sys\n"
        "from bioner_spacy.errors import BionerError\n"
        "from bioner_spacy.layers.encoder.pretrained import load_encoder\n"
        "def load(name):\n"
        "    try:\n"
        "        return type(load_encoder(name, {}, {})[1]).__name__\n"
        "    except BionerError as error:\n"
        "        return str(error)\n"
        "print(json.dumps({name: load(name) for name in sys.argv[1:]}))\n"
    )

    def load(*names: str, offline: bool = False) -> dict[str, str]:
        settings = {"HF_HOME": str(folder / "cache"), "HF_ENDPOINT": address, "HF_HUB_OFFLINE": str(int(offline))}
        # A proxy that is not there: nothing but this hub is asked, wherever the test runs.
        settings |= {"HTTPS_PROXY": "http://127.0.0.1:9", "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
        done = subprocess.run(
            [sys.executable, "-c", code, *names], env={**os.environ, **settings}, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    with serve_models(folder) as address:
        yield load


def test_encoders_of_a_hub(hub: Callable[..., dict[str, str]]) -> None:
    """Those with pickled weights alone are taken as a pull request of the hub's bot has them, if there is one."""
    names = ["lab/safe", "lab/converted", "lab/converted@refs/pr/3", "lab/pickled", "lab/safe@refs/pr/3", "lab/absent"]
    safe, converted, revision, pickled, no_revision, absent = hub(*names).values()
    assert safe == converted == revision == "BertModel"
    assert "The encoder 'lab/pickled'" in pickled and "name a revision that has them" in pickled
    assert "The encoder 'lab/safe@refs/pr/3'" in no_revision and "cannot be loaded" in no_revision
    assert "The encoder 'lab/absent'" in absent and "cannot be loaded" in absent
    assert "\n" not in pickled + no_revision + absent


def test_encoders_of_a_hub_without_network(hub: Callable[..., dict[str, str]]) -> None:
    """What was loaded once is there, converted weights by their revision."""
    names = ["lab/safe", "lab/converted@refs/pr/3"]
    hub(*names)
    assert set(hub(*names, offline=True).values()) == {"BertModel"}
    assert "offline" in hub("lab/pickled", offline=True)["lab/pickled"]
