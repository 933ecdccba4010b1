"""Texts of corpora for spreadsheets."""

import csv

import pytest

from bioner_spacy.analysis.mistakes import find_mistakes
from bioner_spacy.formats.spreadsheet import FORMULA, cell
from bioner_spacy.reports.analysis import examples_table
from bioner_spacy.reports.table import Table
from bioner_spacy.scoring.mentions import Compared


@pytest.mark.parametrize("sign", FORMULA)
def test_no_text_is_a_formula(sign: str) -> None:
    assert cell(f"{sign}cmd|' /C calc'!A0") == f"'{sign}cmd|' /C calc'!A0"
    assert cell(f" \t\r{sign}1") == f"'{sign}1"


def test_a_cell_is_one_line() -> None:
    assert cell("a\tb\r\nc\x00d\u2028e\x1bf") == "a b c d e f"
    assert cell("IL-2") == "IL-2"


@pytest.mark.parametrize("sign", FORMULA)
def test_no_mistake_is_a_formula(sign: str) -> None:
    text = f"{sign}SUM(A1) rises"
    mistakes = find_mistakes([Compared(f"{sign}corpus", f"{sign}1", {(0, 8, "A")}, set(), text)])
    lines = examples_table([(mistake, 1) for mistake in mistakes.found]).to_tsv().splitlines()
    cells = lines[1].split("\t")
    assert cells[0] == f"'{sign}corpus" and cells[2] == f"'{text[:8]} (A)" and cells[4] == f"'{sign}1"
    assert not any(value.startswith(tuple(FORMULA)) for value in cells)


def test_numbers_stay_numbers_and_quotes_stay_in_their_cell() -> None:
    table = Table(["Text", "Number"], [['"a"\tb', "-0.50"]], numbers=1)
    assert list(csv.reader(table.to_tsv().splitlines(), delimiter="\t")) == [["Text", "Number"], ['"a" b', "-0.50"]]
