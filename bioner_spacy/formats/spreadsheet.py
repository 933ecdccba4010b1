"""Escape texts for spreadsheets."""

import csv
import io
import unicodedata
from collections.abc import Iterable

FORMULA = "=+-@＝＋－＠"
"""Characters with which a formula of a spreadsheet begins, the wide ones in East Asian versions."""


def cell(text: str) -> str:
    """A text for a cell: on one line, and never a formula (CSV injection)."""
    plain = "".join(" " if unicodedata.category(character) == "Cc" else character for character in text)
    plain = " ".join(plain.split())
    return f"'{plain}" if plain.startswith(tuple(FORMULA)) else plain


def tsv_line(cells: Iterable[str]) -> str:
    """Cells as a line of tab-separated values, in quotes where they hold some, as spreadsheets expect."""
    line = io.StringIO()
    csv.writer(line, delimiter="\t", lineterminator="").writerow(cells)
    return line.getvalue()
