"""Sheets of reviews as they are written and read."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from filled_sheets import fill, key
from hypothesis import given
from hypothesis import strategies as st

from bioner_spacy.analysis.review_sheet import COLUMNS, Judgement, Key, Row, read_sheet
from bioner_spacy.errors import BionerError
from bioner_spacy.formats.spreadsheet import FORMULA, cell
from bioner_spacy.reports.review import sheet_cells, sheet_text


@given(st.lists(st.text(max_size=12), min_size=5, max_size=5))
def test_a_sheet_is_read_as_it_was_written(texts: list[str]) -> None:
    text = sheet_text([Row("abc-1", *texts, "after")])
    assert text[0] == "\ufeff"
    header, cells = csv.reader(io.StringIO(text[1:], newline=""), delimiter="\t")
    assert tuple(header) == COLUMNS
    assert cells[0] == "abc-1" and cells[-2:] == ["", ""]
    assert [*cells[1:4], cells[4].rstrip(" ")] == [cell(text) for text in texts[:4]] and cells[5].startswith("⟦")
    assert not any(value.startswith(tuple(FORMULA)) for value in cells)


def test_a_cut_token_is_distinguished_from_a_whole_one() -> None:
    row = Row("abc-1", "c", "d", "GENE", "the \n", "TGF", "-like  thing")
    assert sheet_cells(row)[4:] == ["the ", "⟦TGF⟧", "'-like thing"]
    assert sheet_cells(Row("abc-1", "c", "d", "GENE", "(", "p53", "\tand"))[4:] == ["(", "⟦p53⟧", " and"]


@pytest.mark.parametrize("delimiter", ["\t", ";", ","])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_what_spreadsheets_write(delimiter: str, encoding: str, tmp_path: Path) -> None:
    """Other delimiters, encodings and line ends, quotes, columns without names, empty rows, and texts changed."""
    key_ = key(("GENE", 2, 2))
    records = [
        [*COLUMNS, ""],
        ["abc-1", "c", "d", "GENE", "2-Sep", 'a "b"', "", " YES ", "why; and, how", ""],
        ["abc-0", "c", "d", "GENE", "", "two\nlines", "", "No", "", ""],
        [""] * 10,
    ]
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter, quoting=csv.QUOTE_ALL).writerows(records)
    (tmp_path / "s.csv").write_bytes(text.getvalue().encode(encoding))
    found = read_sheet(tmp_path / "s.csv", key_, tmp_path / "key.json")
    assert list(found.items()) == [("abc-0", Judgement("no", "")), ("abc-1", Judgement("yes", "why; and, how"))]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda lines: [*lines[:2], lines[2].replace("yes", ""), *lines[3:]],
            "line 3: the row abc-1 has no judgement",
        ),
        (
            lambda lines: [*lines[:2], lines[2].replace("yes", "maybe")],
            "line 3: the judgement 'maybe' of the row abc-1",
        ),
        (lambda lines: [*lines, lines[1]], "line 5: the row abc-0 is already in line 2"),
        (lambda lines: [*lines, lines[1].replace("abc-0", "xyz-7")], "line 5: there is no row xyz-7 in .*key.json"),
        (lambda lines: [*lines, lines[1].replace("abc-0", "")], "line 5: there is no row without id"),
        (lambda lines: lines[:2], "lacks 2 of the 3 rows of .*key.json, the first is abc-1"),
        (lambda lines: lines[1:], "its first column is not id"),
        (lambda lines: [lines[0].replace("judgement", "j"), *lines[1:]], "no column judgement"),
        (lambda lines: [*lines[:3], lines[3] + "\tmore"], "line 4 has too many columns"),
    ],
)
def test_wrong_sheets(change: Callable[[list[str]], list[str]], message: str, tmp_path: Path) -> None:
    key_ = key(("GENE", 3, 3))
    path = fill(tmp_path / "sheet.tsv", key_, ["yes"] * 3)
    path.write_text("\n".join(change(path.read_text("utf8").splitlines())), encoding="utf8")
    with pytest.raises(BionerError, match=f"sheet.tsv.*{message}"):
        read_sheet(path, key_, tmp_path / "key.json")


def test_files_that_are_no_sheets_or_keys(tmp_path: Path) -> None:
    key_ = key(("GENE", 3, 1))
    with pytest.raises(BionerError, match="No such file"):
        read_sheet(tmp_path / "none.tsv", key_, tmp_path)
    (tmp_path / "latin.tsv").write_bytes("id\tjudgement\tcomment\nabc-0\tyes\tnaïve\n".encode("latin-1"))
    with pytest.raises(BionerError, match="position 33"):
        read_sheet(tmp_path / "latin.tsv", key_, tmp_path)
    with pytest.raises(BionerError, match="holds no key of a review .No such file"):
        Key.from_disk(tmp_path / "none.json")
    broken = {**key_.to_dict(), "rows": {}}
    for content in ("{", "[]", json.dumps(broken)):
        (tmp_path / "key.json").write_text(content)
        with pytest.raises(BionerError, match="holds no key of a review"):
            Key.from_disk(tmp_path / "key.json")
