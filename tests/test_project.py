"""The project as a user runs it: its file, its documentation, the whole workflow and the wheels that come out."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import srsly

from bioner_spacy import __version__

ROOT = Path(__file__).parents[1]
PROJECT = srsly.read_yaml(ROOT / "project.yml")

# What runs in the second environment: no network, no source tree, no encoder.
USE_PACKAGE = """
import socket
def refuse(*args, **kwargs):
    raise OSError("no network in this test")
socket.socket.connect = refuse
socket.getaddrinfo = refuse
import spacy
nlp = spacy.load("en_bioner_sample")
docs = list(nlp.pipe(["Aspirin prevents colorectal cancer in carriers of BRCA1 mutations.", "", "IL-2 gene promoter"]))
for doc in docs:
    assert len(doc.spans["bioner"]) == len(doc.spans["bioner"].attrs["scores"])
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


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this package, built from its source distribution, from a copy of the files that git knows."""
    source, dist = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("dist")
    for name in run("git", "ls-files", "-co", "--exclude-standard", cwd=ROOT).splitlines():
        if (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, source / name)
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", dist, source, cwd=dist)
    [made] = dist.glob("*.whl")
    return made


def environment(folder: Path, *wheels: Path) -> Path:
    """The Python of a new environment with wheels and the packages that are installed here, but not this checkout."""
    run(sys.executable, "-m", "venv", "--without-pip", folder, cwd=folder.parent)
    python = folder / "bin" / "python"
    run(
        sys.executable,
        "-m",
        "pip",
        "--python",
        python,
        "install",
        "--no-deps",
        "--no-index",
        *wheels,
        cwd=folder.parent,
        PYTHONPATH="",  # where pip would find this checkout as installed
    )
    [packages] = folder.glob("lib/python*/site-packages")
    shared = [path for path in sys.path if path.endswith(("site-packages", "dist-packages"))]
    (packages / "shared.pth").write_text("\n".join(shared), encoding="utf8")
    return python


def alone(python: Path, *arguments: object, cwd: Path) -> str:
    """Output of a command of such an environment, which builds packages without network."""
    return run(python, *arguments, cwd=cwd, PYTHONPATH="", VIRTUAL_ENV="", PIP_NO_BUILD_ISOLATION="0")


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of somebody who has installed the wheel."""
    return environment(tmp_path_factory.mktemp("user") / "venv", wheel)


@pytest.fixture(scope="module")
def project(python: Path, tiny_bert: str) -> Path:
    """A new project after its whole workflow on a small share of the sample corpora."""
    folder = python.parents[2] / "mine"
    alone(python, "-m", "spacy", "bioner", "init", "mine", cwd=folder.parent)
    shutil.copytree(tiny_bert, folder.parent / "encoder")
    workflow(python, folder)
    return folder


def workflow(python: Path, folder: Path) -> str:
    small = ("--vars.epochs", "1", "--vars.fraction", "0.3", "--vars.encoder", "../encoder")
    return alone(python, "-m", "spacy", "project", "run", "all", ".", *small, cwd=folder)


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
    assert wheels == [f"bioner_spacy-{__version__}-py3-none-any.whl", "en_bioner_sample-0.1.0-py3-none-any.whl"]
    scores = srsly.read_json(project / "reports" / "sample" / "multi.json")["scores"]["per_corpus"]
    assert sorted(scores) == sorted(names)
    # The disease corpus annotates no genes: what the pipeline finds of them there is not counted.
    assert set(scores["sample-diseases"]["per_type"]) == {"DISEASE"}


@pytest.mark.slow
def test_second_run_skips_what_is_unchanged(python: Path, project: Path) -> None:
    before = (project / "training/sample/multi/model-last/meta.json").stat().st_mtime_ns
    output = workflow(python, project)
    assert output.count("nothing changed") == len(PROJECT["workflows"]["all"]) - 3
    assert (project / "training/sample/multi/model-last/meta.json").stat().st_mtime_ns == before


@pytest.mark.slow
def test_wheels_work_without_anything_else(project: Path, tmp_path: Path) -> None:
    (project.parent / "encoder").rename(tmp_path / "encoder")
    python = environment(tmp_path / "venv", *sorted((project / "packages" / "sample").glob("*.whl")))
    output = alone(python, "-c", USE_PACKAGE, cwd=tmp_path)
    assert "labels CELL_TYPE,CHEMICAL,DISEASE,DNA,GENE,PROTEIN" in output
    assert f"from {tmp_path / 'venv'}" in output
    alone(python, "-m", "spacy", "bioner", "init", "mine", cwd=tmp_path)  # the wheel that was packed again is complete
    made, first = (
        {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.suffix in (".cfg", ".tsv")}
        for folder in (tmp_path / "mine", project)
    )
    assert made and made == {name: first[name] for name in made}
