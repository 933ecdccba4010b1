"""What a page of reports is made of, and how it is read from the Markdown pages that other commands write."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Optional, Union

from ..scoring.table import Table


@dataclass(frozen=True)
class Text:
    """A paragraph, or with several items a list."""

    items: Sequence[str]


@dataclass(frozen=True)
class Heading:
    """The title of a section."""

    text: str


@dataclass(frozen=True)
class Chart:
    """A figure: its SVG, and what is in it for those who do not see it."""

    svg: str
    text: str


@dataclass(frozen=True)
class Code:
    """Lines that are shown as they are."""

    text: str


@dataclass(frozen=True)
class Folded:
    """A long text as it is, out of sight until asked for."""

    title: str
    text: str


Block = Union[Text, Heading, Table, Chart, Code, Folded]

_FENCE = "```"


@dataclass(frozen=True)
class Part:
    """A part of the page, with a title of its own."""

    title: str
    blocks: Sequence[Block]


def read_page(path: Path, title: Optional[str] = None) -> Part:
    """Read a Markdown page as `Section.to_markdown` and the commands write it.

    Only what they write means something: a title, sections, tables, lists, fenced code, and pictures on a line of their
    own, which are taken from the folder of the page if they are SVG. All else is text.

    Args:
        path: the page.
        title: title of the part; None for the one of the page.
    """
    blocks: list[Block] = []
    for lines in _paragraphs(path.read_text(encoding="utf8")):
        first = lines[0]
        if first.startswith("# "):
            title = title or first.removeprefix("# ")
        elif first.startswith("## "):
            blocks.append(Heading(first.removeprefix("## ")))
        elif first.startswith(_FENCE):
            blocks.append(Code("\n".join(lines[1:])))
        elif first.startswith("| ") and len(lines) > 1:
            blocks.append(read_table(lines))
        elif first.startswith("- "):
            blocks.append(Text([line.removeprefix("- ") for line in lines]))
        elif first.startswith("![") and first.endswith(")"):
            text, _, name = first[2:-1].partition("](")
            picture = path.parent / Path(name).name
            if picture.suffix == ".svg" and picture.is_file():
                blocks.append(Chart(picture.read_text(encoding="utf8"), text))
        else:
            blocks.append(Text([" ".join(lines)]))
    return Part(title or path.stem, blocks)


def read_table(lines: Sequence[str]) -> Table:
    """Read a table back that `Table.to_markdown` wrote.

    Args:
        lines: header, rule and rows.
    """
    header, rule, *rows = (
        [cell.replace("\\|", "|") for cell in line.removeprefix("| ").removesuffix(" |").split(" | ")]
        for line in lines
    )
    return Table(header, rows, numbers=sum(mark.endswith(":") for mark in rule))


def _paragraphs(text: str) -> list[list[str]]:
    """Lines that stand together; a heading stands alone, and code begins with its fence and ends before the other."""
    found: list[list[str]] = [[]]
    fenced = False
    for line in text.split("\n"):
        if line.startswith(_FENCE):
            fenced = not fenced
            found.append([line] if fenced else [])
        elif fenced:
            found[-1].append(line)
        elif line.startswith("#"):
            found += [[line], []]
        elif line.strip():
            found[-1].append(line)
        else:
            found.append([])
    return [lines for lines in found if lines]
