"""The comparison of architectures runs on invented corpora, spaCy's own components included."""

import runpy
import sys
from pathlib import Path

import pytest
from toy_corpora import write_corpora

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


def test_table(
    tiny_bert: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_corpora(tmp_path / "corpus", ["drugs", "genes"])
    arguments = ["--corpora", "drugs,genes", "--corpus", tmp_path / "corpus", "--encoder", tiny_bert, "--epochs", 1]
    arguments += ["--systems", "tags,spancat,ner", "--repeats", 1, "--seeds", "0,1", "--split", "devel"]
    monkeypatch.setattr(sys, "argv", ["architectures.py", *map(str, [tmp_path / "out", *arguments])])
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    for _ in range(2):  # the second finds everything there
        runpy.run_path(str(BENCHMARKS / "architectures.py"), run_name="__main__")
    table = (tmp_path / "out" / "architectures.md").read_text(encoding="utf8").splitlines()
    columns = ["System", "drugs", "genes", "mean", "nested", "flat", "tokens/s training", "tokens/s prediction"]
    assert table[0] == f"| {' | '.join(columns)} |"
    rows = table[2 : table.index("")]
    assert [row.split(" | ")[0] for row in rows] == ["| tags", "| spancat", "| ner"]
    assert all("±" in row for row in rows)
    assert [line for line in table if line.startswith("# ")] == [
        "# Spancat against tags (devel split)",
        "# Ner against tags (devel split)",
    ]
    assert capsys.readouterr().out.count("E    #  ") == 6  # tables of training
