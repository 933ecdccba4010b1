"""The benchmarks of this part of the package run on invented corpora."""

import runpy
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
PUBTATOR = """1|t|XYZ-1 and Gly12 in rats.
1|a|We gave bixine (5 mg) to XyzABC rats.
1	0	5	XYZ-1	Gene	-
1	10	13	Gly	Chemical	-
1	53	56	ABC	Gene	-

"""
COLUMNS = "XYZ\tB-GENE\n-\tI-GENE\n1\tI-GENE\nand\tO\nGly12\tO\nin\tO\nrats\tO\n.\tO\n\n"


@pytest.fixture
def corpora(tmp_path):
    for folder, file, content in (("SPECIES", "Train.PubTator", PUBTATOR), ("s800", "train.tsv", COLUMNS)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / file).write_text(content, encoding="utf8")
    return tmp_path


def run(name, monkeypatch, capsys, *arguments):
    monkeypatch.setattr(sys, "argv", [name, *map(str, arguments)])
    runpy.run_path(str(BENCHMARKS / f"{name}.py"), run_name="__main__")
    return capsys.readouterr().out.splitlines()


def test_tokenizer_alignment(corpora, monkeypatch, capsys):
    lines = run("tokenizer_alignment", monkeypatch, capsys, corpora, "--examples", 5)
    row = next(line for line in lines if line.startswith("| SPECIES | bioner_spacy "))
    assert row.split(" | ")[2:5] == ["6", "83.333", "66.667"]
    assert any("Xyz|ABC" in line for line in lines)
    row = next(line for line in lines if line.startswith("| all tokenised | bioner_spacy "))
    assert row.split(" | ")[2:5] == ["2", "100.000", "100.000"]


def test_detokenizer(corpora, monkeypatch, capsys):
    lines = run("detokenizer", monkeypatch, capsys, corpora)
    assert "| s800 | 1 | bioner_spacy | 100.00 | 100.00 |" in lines
    # Three of the seven places between two words have no space.
    assert "| s800 | 1 | one space | 57.14 | 0.00 |" in lines


def test_sentences(monkeypatch, capsys, tmp_path):
    words = [["-DOCSTART-", "", "See", "Fig.", "2", ".", "", "The", "end", "."], ["-DOCSTART-", "", "One", "."]]
    (tmp_path / "JNLPBA").mkdir()
    lines = [word and (word if word.startswith("-") else f"{word}\tO") for article in words for word in [*article, ""]]
    (tmp_path / "JNLPBA" / "test.tsv").write_text("\n".join(lines), encoding="utf8")
    lines = run("sentences", monkeypatch, capsys, tmp_path)
    assert "| JNLPBA | 1 | bioner_spacy | 100.00 | 100.00 | 100.00 |" in lines
    assert "| JNLPBA | 1 | sentencizer | 50.00 | 100.00 | 66.67 |" in lines
