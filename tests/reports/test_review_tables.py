"""The page on which judges click through a review."""

import json

from html_page import Page

from bioner_spacy.analysis.review_sheet import Row
from bioner_spacy.reports.review import sheet_page


def test_texts_are_escaped() -> None:
    evil = "</script><script>alert(1)</script><!-- <img src=x onerror=alert(2)> & \" '"
    page = Page(sheet_page([Row("abc-1", evil, evil, evil, evil, evil, evil)], {evil: evil}))
    assert (page.tags.count("script"), page.tags.count("img")) == (2, 0)
    assert page.text.count(evil) == 8  # the six cells, the type once more in the question, and its definition
    data = json.loads(page.texts["script"][0])
    assert data["rows"] == [{"id": "abc-1", "line": line_of(evil)}]


def line_of(text: str) -> str:
    """The cells of a row of this text alone, all with quotes as they hold some."""
    quoted = text.replace('"', '""')
    return "\t".join(["abc-1", *[f'"{quoted}"'] * 4, f'"⟦{quoted}⟧"', f'"{quoted}"'])


def test_the_page_has_a_question_for_each_row_and_needs_no_network() -> None:
    rows = [Row(f"abc-{number}", "c", "d", "GENE", "left ", "mention", " right") for number in range(3)]
    text = sheet_page(rows, {"GENE": "a gene"})
    page = Page(text)
    inputs = [found for tag, found in page.elements if tag == "input" and found.get("type") == "radio"]
    assert [(found["name"], found["value"]) for found in inputs] == [
        (row.row, answer) for row in rows for answer in ("yes", "no", "unsure")
    ]
    assert "http" not in text.replace("http-equiv", "") and not any("src" in found for _, found in page.elements)
    assert "width=device-width" in text and "default-src 'none'" in text
    assert "left mention right" in page.text and "a gene" in page.text
