"""The project as a user runs it: its file, its documentation, the whole workflow and the wheels that come out."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import srsly

ROOT = Path(__file__).parents[1]
PROJECT = srsly.read_yaml(ROOT / "project.yml")

# What runs in the second environment: no network, no source tree, no encoder package.
USE_PACKAGE = """
import importlib.metadata, socket
def refuse(*args, **kwargs):
    raise OSError("no network in this test")
socket.socket.connect = refuse
socket.getaddrinfo = refuse
import spacy
nlp = spacy.load("en_bioner_sample")
docs = list(nlp.pipe(["Aspirin prevents colorectal cancer in carriers of BRCA1 mutations.", "", "IL-2 gene promoter"]))
for doc in docs:
    assert len(doc.spans["bioner"]) == len(doc.spans["bioner"].attrs["scores"])
names = {dist.metadata["Name"] for dist in importlib.metadata.distributions()}
assert not [name for name in names if "minilm" in name.lower()], names
import bioner_spacy
print("labels", ",".join(nlp.pipe_labels["multitask_ner"]))
print("from", bioner_spacy.__file__)
"""


def run(*arguments: object, cwd: Path, **environment: str) -> str:
    """Output of a command that must succeed."""
    done = subprocess.run(
        [str(argument) for argument in arguments],
        cwd=cwd,
        env={**os.environ, "HF_HUB_OFFLINE": "1", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-6000:]
    return done.stdout


def test_corpora_are_listed_in_the_catalogue_alone() -> None:
    assert "assets" not in PROJECT


def test_commands_that_are_not_in_the_workflow() -> None:
    others = ["analyze", "describe", "cross-corpus", "review", "seeds", "ablations", "transferability", "tune"]
    assert ["check", *PROJECT["workflows"]["all"], *others] == [command["name"] for command in PROJECT["commands"]]


def test_documentation_is_current(tmp_path: Path) -> None:
    shutil.copy(ROOT / "project.yml", tmp_path)
    shutil.copy(ROOT / "README.md", tmp_path)
    run(sys.executable, "-m", "spacy", "project", "document", ".", "--output", "README.md", cwd=tmp_path)
    assert (tmp_path / "README.md").read_text("utf8") == (ROOT / "README.md").read_text("utf8")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project after its whole workflow on a small share of the sample corpora."""
    folder = tmp_path_factory.mktemp("copy") / "project"
    folder.mkdir()
    for name in ("assets/sample", "bioner_spacy", "configs"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("project.yml", "setup.py", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder)
    workflow(folder)
    return folder


def workflow(folder: Path, *variables: str) -> str:
    small = ("--vars.epochs", "1", "--vars.fraction", "0.3")
    return run(sys.executable, "-m", "spacy", "project", "run", "all", ".", *small, *variables, cwd=folder)


@pytest.mark.slow
def test_workflow_makes_everything(project: Path) -> None:
    names = ("sample-genes", "sample-diseases", "sample-cdr", "sample-nested")
    made = [f"training/sample/single/{name}/model-last/meta.json" for name in names]
    made += [f"reports/sample/single/{name}.json" for name in names]
    made += ["training/sample/multi/model-last/meta.json", "reports/sample/multi.json"]
    made += [f"reports/sample/comparison.{ending}" for ending in ("json", "md", "svg", "png")]
    made += ["reports/sample/entities.html", "reports/sample/report.html"]
    made += [f"training/sample/{run}/curve.jsonl" for run in ("multi", *(f"single/{name}" for name in names))]
    assert [name for name in made if not (project / name).is_file()] == []
    wheels = sorted(path.name for path in (project / "packages" / "sample").iterdir())
    assert wheels == ["bioner_spacy-0.1.0-py3-none-any.whl", "en_bioner_sample-0.1.0-py3-none-any.whl"]
    scores = srsly.read_json(project / "reports" / "sample" / "multi.json")["scores"]["per_corpus"]
    assert sorted(scores) == sorted(names)
    # The disease corpus annotates no genes: what the pipeline finds of them there is not counted.
    assert set(scores["sample-diseases"]["per_type"]) == {"DISEASE"}


@pytest.mark.slow
def test_second_run_skips_what_is_unchanged(project: Path) -> None:
    before = (project / "training/sample/multi/model-last/meta.json").stat().st_mtime_ns
    output = workflow(project)
    assert output.count("nothing changed") == len(PROJECT["workflows"]["all"]) - 3
    assert (project / "training/sample/multi/model-last/meta.json").stat().st_mtime_ns == before


@pytest.mark.slow
def test_wheels_work_without_anything_else(project: Path, tmp_path: Path) -> None:
    run(sys.executable, "-m", "venv", tmp_path / "venv", cwd=tmp_path)
    python = tmp_path / "venv" / "bin" / "python"
    install = [python, "-m", "pip", "install", "--quiet", "--constraint", ROOT / "constraints.txt"]
    run(*install, "torch", cwd=tmp_path)
    run(*install, *sorted((project / "packages" / "sample").glob("*.whl")), cwd=tmp_path)
    shutil.move(project / "bioner_spacy", project / "moved")
    output = run(python, "-c", USE_PACKAGE, cwd=tmp_path, PYTHONPATH="", VIRTUAL_ENV="")
    assert "labels CELL_TYPE,CHEMICAL,DISEASE,DNA,GENE,PROTEIN" in output
    assert str(tmp_path / "venv") in output
