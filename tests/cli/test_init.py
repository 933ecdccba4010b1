"""A new project folder."""

from pathlib import Path

import pytest
from command_line import bioner

from bioner_spacy.about import PROJECT
from bioner_spacy.shipped import project_file, shipped_project

ROOT = Path(__file__).parents[2]


def test_project_folder_is_complete(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "mine"
    assert bioner("init", folder) == 0
    made = {path.relative_to(folder) for path in folder.rglob("*") if path.is_file()}
    assert made == {
        Path("README.md"),
        *(
            path.relative_to(ROOT)
            for name in PROJECT
            for path in ((ROOT / name).rglob("*") if (ROOT / name).is_dir() else [ROOT / name])
            if path.is_file()
        ),
    }
    readme = (folder / "README.md").read_text(encoding="utf8")
    assert readme.startswith("# mine\n") and len(readme.splitlines()) < 40 and "exclude.json" in readme
    monkeypatch.chdir(folder)
    assert bioner("corpora", "verify") == 0


def test_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    monkeypatch.chdir(folder)
    assert bioner("init", ".") == 0
    assert Path("README.md").read_text(encoding="utf8").startswith("# mine\n")
    assert {path.name for path in folder.iterdir()} == {"README.md", "project.yml", "configs", "assets", "docker"}
    assert Path("assets/sample").is_dir() and bioner("corpora", "verify") == 0


def test_an_empty_folder_is_filled_and_another_one_is_not(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / ".git").mkdir()
    assert bioner("init", tmp_path) == 0
    before = sorted(tmp_path.rglob("*"))
    (tmp_path / "project.yml").write_text("mine")
    assert bioner("init", tmp_path) == 1
    assert "already exists and is not an empty folder" in " ".join(capsys.readouterr().out.split())
    assert bioner("init", tmp_path / "project.yml") == 1
    assert sorted(tmp_path.rglob("*")) == before and (tmp_path / "project.yml").read_text() == "mine"


def test_sample_corpora_are_fetched_from_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert bioner("corpora", "fetch") == 0
    assert bioner("corpora", "verify") == 0


def test_files_of_the_folder_go_before_those_of_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert project_file("configs/small.cfg") == shipped_project() / "configs/small.cfg"
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs/small.cfg").write_text("")
    assert project_file("configs/small.cfg") == Path("configs/small.cfg")
