"""Tables as text, CSV and LaTeX."""

import csv

import pytest

from bioner_spacy.errors import BionerError
from bioner_spacy.reports.page import Heading, Page
from bioner_spacy.reports.table import Table, percent, spread

TABLE = Table(["Corpus & split", "F1"], [['50 % of "A_B"', "60.00 ± 1.50"], ["=1+1", "-0.50"]], numbers=1)


def test_csv() -> None:
    rows = list(csv.reader(TABLE.to_csv().splitlines()))
    assert rows == [["Corpus & split", "F1"], ['50 % of "A_B"', "60.00 ± 1.50"], ["'=1+1", "-0.50"]]


def test_latex() -> None:
    assert TABLE.to_latex() == (
        "\\begin{tabular}{lr}\n\\toprule\nCorpus \\& split & F1 \\\\\n\\midrule\n"
        '50 \\% of "A\\_B" & 60.00 $\\pm$ 1.50 \\\\\n=1+1 & -0.50 \\\\\n\\bottomrule\n\\end{tabular}\n'
    )
    assert (
        Table(["\\a{b}^~"], [], 0).to_latex().count("\\textbackslash{}a\\{b\\}\\textasciicircum{}\\textasciitilde{}")
        == 1
    )


def test_scores_that_are_undefined_or_not_there() -> None:
    assert percent(None) == "undefined"
    assert spread([None]) == "–"


def test_each_table_of_a_page_is_a_file(tmp_path) -> None:  # type: ignore[no-untyped-def]
    page = Page("page", "Page", [TABLE, Heading("More"), TABLE, TABLE])
    assert list(page.tables) == ["Page", "More", "More #2"]
    files = page.to_disk(tmp_path, tables=["csv", "tex"])
    assert [file.name for file in files[2:]] == [f"page-{n}.{ending}" for ending in ("csv", "tex") for n in (1, 2, 3)]
    assert (tmp_path / "page-3.tex").read_text("utf8") == TABLE.to_latex()
    with pytest.raises(BionerError, match="Setting tables is 'xls'; allowed: csv, tex"):
        page.to_disk(tmp_path, tables=["xls"])
