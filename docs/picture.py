"""Draw the entities of one abstract as docs/abstract.svg: python docs/picture.py en_bioner_mtl"""

import json
import re
import sys
from collections.abc import Sequence
from html import escape
from itertools import takewhile
from pathlib import Path

import spacy
from spacy.tokens import Doc

from bioner_spacy.reports.colors import color_of

ROOT = Path(__file__).parents[1]
COLUMNS, CHAR, LABEL_CHAR, LINE, MARGIN = 108, 7.8, 5.4, 25, 16
"""Characters of a line; pixels of a character, of one of a label and of a line; the margin."""


def draw(doc: Doc) -> str:
    """The text and `doc.ents` as SVG. `textLength` fixes all widths, so that any monospaced font fits."""
    shapes: list[str] = []
    x, line, weight = 0.0, 0, ' font-weight="bold"'
    units = _units(doc)
    for index, (text, label) in enumerate(units):
        if text == "\n" or (units[index - 1][0] == " " and x + _width_to_next_space(units[index:]) > COLUMNS * CHAR):
            x, line = 0.0, line + 1
        left, base, width = MARGIN + x, MARGIN + 15 + line * LINE, len(text) * CHAR
        if label:
            shapes.append(
                f'<rect x="{left - 2:.1f}" y="{base - 15}" width="{_width(text, label):.1f}" height="20" rx="4" '
                f'fill="{color_of(label)}" fill-opacity="0.3"/>'
                f'<text class="label" x="{left + width + 7:.1f}" y="{base - 1}" '
                f'textLength="{len(label) * LABEL_CHAR:.1f}">{label}</text>'
            )
        if text.strip():
            shapes.append(f'<text x="{left:.1f}" y="{base}"{weight} textLength="{width:.1f}">{escape(text)}</text>')
        if text == "\n":  # ends the title
            weight = ""
        else:
            x += _width(text, label)
    width, height = COLUMNS * CHAR + 2 * MARGIN, (line + 1) * LINE + 2 * MARGIN - 4
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height}" width="{width:.0f}" height="{height}" '
        'font-family="ui-monospace, Menlo, Consolas, DejaVu Sans Mono, monospace" font-size="13" fill="#111">\n'
        "<style>.label { font-size: 9px; font-weight: bold }</style>\n"
        '<rect width="100%" height="100%" rx="6" fill="#fff"/>\n' + "\n".join(shapes) + "\n</svg>\n"
    )


def _width(text: str, label: str) -> float:
    return len(text) * CHAR + (len(label) * LABEL_CHAR + 16 if label else 0)


def _width_to_next_space(units: Sequence[tuple[str, str]]) -> float:
    return sum(_width(*unit) for unit in takewhile(lambda unit: not unit[0].isspace(), units))


def _units(doc: Doc) -> list[tuple[str, str]]:
    """Entities with their label, and words and spaces without one."""
    units: list[tuple[str, str]] = []
    end = 0
    for ent in doc.ents:
        units += [(part, "") for part in re.findall(r"\s|\S+", doc.text[end : ent.start_char])]
        units.append((ent.text, ent.label_))
        end = ent.end_char
    return units + [(part, "") for part in re.findall(r"\s|\S+", doc.text[end:])]


if __name__ == "__main__":
    abstracts = map(json.loads, (ROOT / "assets/abstracts/abstracts.jsonl").open(encoding="utf8"))
    text = next(abstract["text"] for abstract in abstracts if abstract["id"] == "cystic-fibrosis")
    (ROOT / "docs" / "abstract.svg").write_text(draw(spacy.load(sys.argv[1])(text)), encoding="utf8")
