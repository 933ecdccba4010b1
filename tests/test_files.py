import hashlib
import os
from pathlib import Path

import pytest

from bioner_spacy.errors import BionerError
from bioner_spacy.files import STALE, checksum, numbered_lines, replacing, require_file, temporary_name


def test_lines_end_at_line_feeds_only(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes("\ufeffone\r\ntwo\x0b\x85\u2028three\n\nlast".encode())
    assert list(numbered_lines(path)) == [(1, "one"), (2, "two\x0b\x85\u2028three"), (3, ""), (4, "last")]


def test_invalid_utf8_names_file_line_and_byte(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"good\nba\xffd\n")
    with pytest.raises(BionerError, match=r"a\.txt, line 2: byte 3 "):
        list(numbered_lines(path))


@pytest.mark.parametrize("name", ["missing.txt", "."])
def test_missing_file(tmp_path: Path, name: str) -> None:
    with pytest.raises(BionerError, match="not there|is a folder"):
        list(numbered_lines(tmp_path / name))


def test_devices_and_pipes_are_neither_read_nor_replaced(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path(os.devnull)):
        with pytest.raises(BionerError, match="is a device or pipe and cannot be read"):
            list(numbered_lines(path))
        with pytest.raises(BionerError, match="is a device or pipe and cannot be written"):
            with replacing(path):
                pass
        with pytest.raises(BionerError, match="is a device or pipe"):
            require_file(path)


def test_checksum(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(b"x" * 3_000_000)
    assert checksum(path) == hashlib.sha256(b"x" * 3_000_000).hexdigest()
    assert checksum(path, "md5") == hashlib.md5(b"x" * 3_000_000).hexdigest()


def test_folders_are_replaced_only_where_that_is_meant(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "kept.txt").write_text("kept")
    with pytest.raises(BionerError, match="folder is a folder and cannot be written"):
        with replacing(tmp_path / "file", folder) as (part, _):
            part.write_text("new")
    assert (folder / "kept.txt").read_text() == "kept" and list(tmp_path.iterdir()) == [folder]
    with replacing(folder, folders=True) as (part,):
        part.write_text("new")
    assert folder.read_text() == "new"


def test_replacing_is_all_or_nothing(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "sub" / "new"
    old.write_text("before")
    with pytest.raises(RuntimeError), replacing(old, new) as (part, _):
        part.write_text("half")
        raise RuntimeError
    assert old.read_text() == "before"
    assert sorted(path for path in tmp_path.rglob("*") if path.is_file()) == [old]
    with replacing(old, new) as (part, other):
        part.write_text("after")
        other.write_text("after too")
    assert (old.read_text(), new.read_text()) == ("after", "after too")
    assert sorted(path for path in tmp_path.rglob("*") if path.is_file()) == [old, new]


def test_replacing_takes_away_the_folders_that_it_made_for_nothing(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    with pytest.raises(KeyError), replacing(tmp_path / "there/a/b/c", tmp_path / "d/e") as parts:
        parts[0].write_text("x")
        raise KeyError
    assert [path.name for path in tmp_path.rglob("*")] == ["there"]
    with replacing(tmp_path / "there/a/b/c") as (part,):
        part.write_text("x")
    assert (tmp_path / "there/a/b/c").read_text() == "x"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_is_reported_with_the_file(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"No space left on device: .*report\.json"):
        with replacing(tmp_path / "report.json"), Path("/dev/full").open("w") as full:
            full.write("more")
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_run_left_is_never_taken_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getpid", lambda: 1)
    fresh, old = tmp_path / ".out.1.part", tmp_path / ".out.2.part"
    for left in (fresh, old):
        left.mkdir()
        (left / "stale").touch()
    for path in (old / "stale", old):
        os.utime(path, (0, path.stat().st_mtime - STALE - 60))
    first, second = temporary_name(tmp_path / "out"), temporary_name(tmp_path / "out")
    assert first != second and not first.exists() and not second.exists()
    assert fresh.is_dir() and not old.exists()
