"""The page and the chart that describe corpora."""

from pathlib import Path

import pytest
from toy_corpora import write_corpora

from bioner_spacy.errors import BionerError
from bioner_spacy.evaluation.corpus_report import write_report


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_corpora(tmp_path / "corpus")


def test_page_and_chart(folder: Path, tmp_path: Path) -> None:
    page, chart = write_report(folder, ["diseases", "drugs", "genes"], tmp_path / "out")
    lines = page.read_text("utf8").splitlines()
    assert "| diseases | train | 3 | – | 18 | 3 | 1.33 | 67 | 33 | 0 | 0 | 0 | 0 | 0 | 0.0 |" in lines
    assert "| drugs | CHEMICAL | 3 | 3 | 3 |" in lines
    assert "| genes | 0.0 | 0.0 | 100.0 |" in lines
    assert "| diseases and drugs | DISEASE | asthma 1/1, 0/1 | 1 | 100.0 |" in lines
    again = write_report(folder, ["diseases", "drugs", "genes"], tmp_path / "again")
    assert [path.read_bytes() for path in again] == [page.read_bytes(), chart.read_bytes()]
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"statistics.md", "statistics.svg"}


def test_corpus_that_is_not_there(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(BionerError, match="nowhere"):
        write_report(folder, ["genes", "nowhere"], tmp_path / "out")
    assert not (tmp_path / "out").exists()
