"""Where results come from."""

import subprocess
from pathlib import Path

import pytest

from bioner_spacy import __version__
from bioner_spacy import provenance as module
from bioner_spacy.files import checksum
from bioner_spacy.provenance import checksums, differences, digest, provenance, revision, versions


def test_a_result_says_where_it_comes_from(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "train.spacy").write_bytes(b"content")
    files = [tmp_path / "a" / "train.spacy", tmp_path / "exclude.json"]
    found = provenance(files=files, root=tmp_path, seed=3, command=["train", "my corpus"], config={"x": 1})
    digest = checksum(tmp_path / "a" / "train.spacy")
    assert found["checksums"] == {"a/train.spacy": digest, "exclude.json": None}
    assert (found["seed"], found["command"], found["config"]) == (3, "train 'my corpus'", {"x": 1})
    assert found["versions"]["bioner_spacy"] == __version__ and found["versions"]["spacy"]


def test_digests_do_not_depend_on_the_order_of_keys() -> None:
    assert (
        digest({"a": Path("x"), "b": None})
        == digest({"b": None, "a": Path("x")})
        != digest({"a": Path("y"), "b": None})
    )


def test_files_outside_of_the_root_keep_their_paths(tmp_path: Path) -> None:
    assert list(checksums([tmp_path / "b"], root=tmp_path / "a")) == [(tmp_path / "b").as_posix()]


def test_a_package_that_is_not_installed_has_no_version(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PACKAGES", ("no-such-package",))
    assert versions()["no-such-package"] is None


def test_the_revision_is_that_of_the_own_checkout_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def git(*arguments: str) -> str:
        identity = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
        return subprocess.run(
            ["git", *identity, *arguments], cwd=tmp_path, check=True, capture_output=True, text=True
        ).stdout.strip()

    git("init", "-q")
    (tmp_path / "provenance.py").write_text("1")
    monkeypatch.setattr(module, "__file__", str(tmp_path / "provenance.py"))
    results = []
    for step in ("untracked", "committed", "changed"):
        if step == "committed":
            git("add", ".")
            git("commit", "-q", "-m", "x")
        elif step == "changed":
            (tmp_path / "provenance.py").write_text("2")
        revision.cache_clear()
        results.append(revision())
    head = git("rev-parse", "HEAD")
    assert results == [None, head, f"{head}-dirty"]
    monkeypatch.setenv("PATH", "")
    revision.cache_clear()
    assert revision() is None
    revision.cache_clear()


def test_differences_are_named() -> None:
    first = {"a": {"b": 1, "c": 2}, "d": None, "e": 1}
    assert differences(first, {"a": {"b": 1, "c": 3}, "e": 1}) == ["a.c", "d"]
    assert differences(first, {"a": {"b": 2, "c": 3}, "d": None, "e": 2}, ignore=["a.b", "e"]) == ["a.c"]
