"""A page of reports as HTML that needs no other file and no network, light or dark, on screens of any width."""

import base64
import re
from collections.abc import Sequence
from html import escape

from ..scoring.results import ALL_TYPES
from ..scoring.table import Table
from .report_parts import Block, Chart, Code, Folded, Heading, Part, Text

_POINT = 4 / 3  # pixels
_SMALLEST = 0.7  # a chart that would become smaller than this is moved sideways instead, so that it can be read

_STYLE = """
:root { color-scheme: light dark; --text: #1a1a1a; --page: #fff; --soft: #595959; --line: #d4d4d4; --raised: #f5f6f8;
  --accent: #0b5cad; --mark: #ffe08a; }
@media (prefers-color-scheme: dark) {
  :root { --text: #e6e6e6; --page: #16181c; --soft: #a8adb5; --line: #3a3f47; --raised: #20242a; --accent: #7db8ff;
    --mark: #6b5200; }
  img { filter: invert(.91) hue-rotate(180deg); }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; scroll-padding-top: 1rem; }
body { font: 16px/1.55 system-ui, sans-serif; color: var(--text); background: var(--page); max-width: 62rem;
  margin: 0 auto; padding: 1.25rem 1rem 4rem; overflow-wrap: anywhere; }
h1 { font-size: 1.75rem; line-height: 1.2; margin: 0 0 .5rem; }
h2 { font-size: 1.375rem; line-height: 1.25; margin: 3rem 0 .75rem; padding-top: .75rem; border-top: 1px solid var(--line); }
h3 { font-size: 1.0625rem; margin: 2rem 0 .25rem; }
p { margin: .5rem 0; max-width: 46rem; }
ul { margin: .5rem 0; padding-left: 1.25rem; max-width: 46rem; }
a { color: var(--accent); }
code, pre { font: .875em/1.5 ui-monospace, monospace; background: var(--raised); border-radius: .25rem; }
code { padding: .0625rem .25rem; }
pre { padding: .75rem; margin: .5rem 0; overflow-x: auto; overflow-wrap: normal; }
mark { background: var(--mark); color: inherit; border-radius: .125rem; padding: 0 .0625rem; }
nav ul { display: flex; flex-wrap: wrap; gap: .5rem; list-style: none; padding: 0; max-width: none; }
nav a { display: block; padding: .375rem .75rem; border: 1px solid var(--line); border-radius: 1rem;
  text-decoration: none; font-size: .9375rem; }
.note { color: var(--soft); font-size: .9375rem; }
.scroll { overflow-x: auto; margin: .75rem 0; border: 1px solid var(--line); border-radius: .375rem; }
.scroll:focus-visible, summary:focus-visible, a:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
table { border-collapse: collapse; font-size: .875rem; line-height: 1.4; min-width: 100%; overflow-wrap: normal;
  font-variant-numeric: tabular-nums; }
th, td { padding: .375rem .625rem; text-align: left; vertical-align: top; border-top: 1px solid var(--line);
  white-space: nowrap; }
thead th { border-top: 0; background: var(--raised); vertical-align: bottom; white-space: normal; }
.number { text-align: right; }
.wrap, .long { white-space: normal; min-width: 9rem; }
.long { min-width: 16rem; }
.facts td:last-child { white-space: normal; min-width: 0; }
tr.sum td { font-weight: 600; background: var(--raised); }
figure { margin: .75rem 0; }
img { display: block; width: 100%; height: auto; margin: 0 auto; background: #fff; }
summary { cursor: pointer; padding: .375rem 0; font-weight: 600; }
@media (max-width: 30rem) {
  th, td { padding: .3125rem .4375rem; }
  td:not(.number) { white-space: normal; }
  table { font-size: .8125rem; }
}
@media print { .scroll { overflow: visible; } nav { display: none; } }
"""

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<header>
<h1>{title}</h1>
<p class="note">{note}</p>
</header>
<nav aria-label="Parts of this page"><ul>{links}</ul></nav>
<main>
{content}
</main>
</body>
</html>
"""

_WRAPPED, _LONG = 24, 60
"""Cells with more letters may be broken into lines, or get a wide column too."""


def render(title: str, note: str, parts: Sequence[Part]) -> str:
    """The page.

    Args:
        title: its heading.
        note: a line below it.
        parts: what is on it, in order.

    Returns:
        HTML in which every text is escaped.
    """
    links = "".join(f'<li><a href="#part-{n}">{escape(part.title)}</a></li>' for n, part in enumerate(parts))
    content = "\n".join(
        f'<section id="part-{n}">\n<h2>{escape(part.title)}</h2>\n{_blocks(part)}\n</section>'
        for n, part in enumerate(parts)
    )
    return _PAGE.format(title=escape(title), note=escape(note), style=_STYLE, links=links, content=content)


def _blocks(part: Part) -> str:
    told = part.title
    found = []
    for block in part.blocks:
        told = block.text if isinstance(block, Heading) else told
        found.append(_block(block, told))
    return "\n".join(found)


def _block(block: Block, told: str) -> str:
    """A block; `told` names what can be scrolled for those who do not see it."""
    if isinstance(block, Heading):
        return f"<h3>{escape(block.text)}</h3>"
    if isinstance(block, Text) and len(block.items) == 1:
        return f"<p>{_code(block.items[0])}</p>"
    if isinstance(block, Text):
        return f"<ul>{''.join(f'<li>{_code(item)}</li>' for item in block.items)}</ul>"
    if isinstance(block, Code):
        return f'<pre tabindex="0" role="region" aria-label="{escape(told)}">{escape(block.text)}</pre>'
    if isinstance(block, Folded):
        return f"<details><summary>{escape(block.title)}</summary>{_block(Code(block.text), block.title)}</details>"
    inner = _chart(block) if isinstance(block, Chart) else _table(block)
    return f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(told)}">{inner}</div>'


def _table(table: Table) -> str:
    words = len(table.header) - table.numbers
    rows = []
    for row in table.rows:
        cells = [_cell("td", text, "number" if place >= words else _width(text)) for place, text in enumerate(row)]
        kind = ' class="sum"' if ALL_TYPES in row[:words] else ""
        rows.append(f"<tr{kind}>{''.join(cells)}</tr>")
    header = (
        _cell('th scope="col"', name, "number" if place >= words else "") for place, name in enumerate(table.header)
    )
    body = "\n".join(rows)
    facts = ' class="facts"' if len(table.header) == 2 else ""
    return f"<table{facts}><thead><tr>{''.join(header)}</tr></thead><tbody>\n{body}\n</tbody></table>"


def _width(text: str) -> str:
    return "long" if len(text) > _LONG else "wrap" if len(text) > _WRAPPED else ""


def _cell(tag: str, text: str, kind: str) -> str:
    name = f' class="{kind}"' if kind else ""
    return f"<{tag}{name}>{_marked(text)}</{tag[:2]}>"


def _chart(chart: Chart) -> str:
    """A picture of its own, so that neither its ids nor anything else in it touches the page."""
    # Phones do not have the font of the charts, and browsers then take one with serifs.
    svg = chart.svg.replace("'DejaVu Sans'", "'DejaVu Sans', Verdana, sans-serif")
    size = re.search(r'<svg[^>]*\swidth="([\d.]+)pt"', svg)
    width = _POINT * float(size[1]) if size else 640.0
    data = base64.b64encode(svg.encode("utf8")).decode("ascii")
    style = f"max-width:{width:.0f}px;min-width:{_SMALLEST * width:.0f}px"
    return f'<img src="data:image/svg+xml;base64,{data}" alt="{escape(chart.text)}" style="{style}">'


def _code(text: str) -> str:
    """A text of ours, with what stands between backticks as code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))


def _marked(text: str) -> str:
    """The text of a cell, with mentions of mistakes marked, which stand between ⟦ and ⟧."""
    return re.sub(r"⟦([^⟦⟧]*)⟧", r"<mark>\1</mark>", escape(text))
