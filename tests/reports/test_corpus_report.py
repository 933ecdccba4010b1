"""The page and the chart that describe corpora."""

import json
from pathlib import Path

import pytest
import srsly
from command_line import bioner
from toy_corpora import write_corpora

from bioner_spacy.corpora.statistics import Disagreement, SplitStatistics, Usage
from bioner_spacy.errors import BionerError
from bioner_spacy.reports.corpus_chart import draw_statistics
from bioner_spacy.reports.corpus_report import corpora_page, guidelines_table, read_statistics


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_corpora(tmp_path / "corpus")


def report(folder: Path, output: Path) -> list[Path]:
    statistics = read_statistics(folder, ["diseases", "drugs", "genes"])
    return corpora_page(statistics).to_disk(output)


def test_page_and_chart(folder: Path, tmp_path: Path) -> None:
    data, page, chart, _ = report(folder, tmp_path / "out")
    lines = page.read_text("utf8").splitlines()
    assert "| diseases | train | 3 | – | 18 | 3 | 1.33 | 67 | 33 | 0 | 0 | 0 | 0 | 0 | 0.0 |" in lines
    assert "| drugs | CHEMICAL | 3 | 3 | 3 |" in lines
    assert "| genes | 0.0 | 0.0 |  |" in lines
    assert "| DISEASE | diseases | drugs |  | 0 | – | 0 | – |" in lines
    again = report(folder, tmp_path / "again")
    assert [path.read_bytes() for path in again[:3]] == [path.read_bytes() for path in (data, page, chart)]
    assert {path.suffix for path in (tmp_path / "out").iterdir()} == {".json", ".md", ".svg", ".png"}
    assert json.loads(data.read_text("utf8"))["splits"][0]["mentions"] == {"DISEASE": 3}


def test_guidelines_that_differ_most_come_first() -> None:
    names = [(("il", "-", "2"), Usage(4, 3), Usage(2, 0)), (("tumor",), Usage(40, 3), Usage(26, 25))]
    found = [
        Disagreement(("A", "B"), "GENE", shared=8, disagreeing=2, occurrences=100, against=30, examples=names),
        Disagreement(("A", "C"), "GENE", shared=2, disagreeing=1, occurrences=10, against=1, examples=names[1:]),
        Disagreement(("A", "B"), "CELL", shared=0, disagreeing=0, occurrences=0, against=0, examples=[]),
    ]
    assert [list(row) for row in guidelines_table(found).rows] == [
        ["CELL", "A", "B", "", "0", "–", "0", "–"],
        ["GENE", "A", "C", "tumor 3/40, 25/26", "2", "50.0", "10", "10.0"],
        ["GENE", "A", "B", "il-2 3/4, 0/2; tumor 3/40, 25/26", "8", "25.0", "100", "30.0"],
    ]


def test_corpus_that_is_not_there(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(BionerError, match="nowhere"):
        read_statistics(folder, ["genes", "nowhere"])


def test_picture_has_a_row_for_each_corpus(folder: Path) -> None:
    figure = draw_statistics(read_statistics(folder, ["diseases", "genes"]))
    panels = [axes for panel in figure.subfigs for axes in panel.axes]
    assert [axes.get_title() for axes in panels] == [
        "Tokens (thousands) by split",
        "Gold mentions by type",
        "Lengths of mentions in tokens (%)",
        "Mentions inside others (%)",
        "Names that are mentions of several types (%)",
        "Shared names (Dice coefficient, %)",
    ]
    assert all([label.get_text() for label in axes.get_yticklabels()] == ["diseases", "genes"] for axes in panels)
    lengths = {container.get_label(): [bar.get_width() for bar in container] for container in panels[2].containers}
    assert lengths["1"][0] == pytest.approx(200 / 3)
    assert sum(widths[0] for widths in lengths.values()) == pytest.approx(100)


def test_picture_of_one_corpus_without_mentions() -> None:
    figure = draw_statistics({("none", "test"): SplitStatistics(documents=1, tokens=1000)})
    assert len(figure.subfigs) == 6


def test_command(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    entry = {"format": "iob", "files": {"train": {"name": "a"}}, "labels": {"a": "GENE"}}
    srsly.write_yaml(tmp_path / "c.yml", {"types": {"GENE": "gene"}, "corpora": {"genes": entry, "drugs": entry}})
    arguments = ["--catalogue", tmp_path / "c.yml", "--corpus", folder, "--output", tmp_path]
    assert bioner("corpora", "describe", "--corpora", "genes,drugs", *arguments) == 0
    output = capsys.readouterr().out
    assert "Splits\nCorpus   Split" in output
    assert "Shared names" not in output
    assert (tmp_path / "statistics.svg").is_file()
