"""The page on which judges click through a review."""

import json
from collections import Counter
from html.parser import HTMLParser

from bioner_spacy.analysis.review_sheet import Row
from bioner_spacy.reports.review import sheet_page


class Page(HTMLParser):
    """Elements with their attributes, and the text outside of scripts and styles."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.scripts: list[str] = []
        self._inside = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._inside = tag
        if tag == "script":
            self.scripts.append("")

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside == "script":
            self.scripts[-1] += data
        elif self._inside != "style":
            self.text += data


def test_texts_are_escaped() -> None:
    evil = "</script><script>alert(1)</script><!-- <img src=x onerror=alert(2)> & \" '"
    page = Page(sheet_page([Row("abc-1", evil, evil, evil, evil, evil, evil)], {evil: evil}))
    tags = Counter(tag for tag, _ in page.elements)
    assert (tags["script"], tags["img"]) == (2, 0)
    assert page.text.count(evil) == 8  # the six cells, the type once more in the question, and its definition
    data = json.loads(page.scripts[0])
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
