"""What a run says about how far it is."""

import gzip
import re
from pathlib import Path

import pytest

from bioner_spacy.errors import BionerError
from bioner_spacy.files import bytes_read, open_bytes
from bioner_spacy.serving import progress
from bioner_spacy.serving.progress import Progress


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "texts.txt"
    path.write_bytes(b"x" * 1000)
    return path


def test_bytes_of_files_are_counted_as_they_are_on_disk(file: Path, tmp_path: Path) -> None:
    packed = tmp_path / "texts.txt.gz"
    packed.write_bytes(gzip.compress(b"y" * 100_000))
    before = bytes_read()
    with open_bytes(file) as opened:
        opened.read(100)
        assert bytes_read() - before == 100
        with open_bytes(packed) as other:
            other.read()
            assert bytes_read() - before == 100 + packed.stat().st_size
        opened.read()
    assert bytes_read() - before == 1000 + packed.stat().st_size


def test_lines_of_a_log(file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A share of the bytes that are read, by the documents of them that are done; a task that is begun again counts once."""
    monkeypatch.setattr(progress, "LOG_SECONDS", 0.0)
    with Progress("log", 1000, before=1000) as shown:
        with open_bytes(file) as opened:
            opened.read(500)
            shown.has_read(8)
            shown.has_read(2, done=True)
            shown.running("a", 4, 400)
            shown.running("a", 1, 100)
            shown.finished("a", 4, 1234)
            shown.running("b", 4, 400)
    lines = capsys.readouterr().err.splitlines()
    assert [re.findall("[0-9,]+ (?:documents?|tokens)(?=,)", line) for line in lines] == [
        ["4 documents", "400 tokens"],
        ["1 document", "100 tokens"],
        ["4 documents", "1,234 tokens"],
        ["8 documents", "1,634 tokens"],
        ["8 documents", "1,634 tokens"],
    ]
    assert [line.split("documents/s, ")[1].split()[0] for line in lines] == ["65%", "57%", "65%", "75%", "100%"]
    assert all(line.endswith(" left") for line in lines[:-1])


@pytest.mark.parametrize(("mode", "seen"), [("none", ""), (None, ""), ("bar", "100%")])
def test_bars_are_for_terminals(mode: str, seen: str, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Progress(mode, 1000) as shown:
        with open_bytes(file) as opened:
            opened.read()
            shown.has_read(1)
            shown.finished("", 1, 2)
    printed = capsys.readouterr().err
    assert (seen in printed and "1 document, 2 tokens" in printed) if seen else not printed


def test_unknown_modes_are_refused() -> None:
    with pytest.raises(BionerError, match="progress is 'loud'; allowed: none, bar, log"):
        Progress("loud", 0)
