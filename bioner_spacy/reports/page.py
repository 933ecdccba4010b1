"""Pages of results: texts, tables, charts, data, and their files.

A command writes its results as a page: JSON (data, and the page under the key `PAGE`), Markdown, and charts as SVG and
PNG. The HTML report is made from the JSON files.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Union

from ..errors import check_setting
from ..files import replacing
from ..scoring.results import reading_json, write_json, write_text
from .chart import Figure, save_figure
from .table import Table

PAGE = "page"
"""Key of the page in its JSON file."""

TABLE_FORMATS = {"csv": Table.to_csv, "tex": Table.to_latex}
"""File ending -> format of tables."""


@dataclass(frozen=True)
class Heading:
    """The title of a section."""

    text: str

    def to_markdown(self) -> str:
        """The block in Markdown."""
        return f"## {self.text}\n"


@dataclass(frozen=True)
class Text:
    """A paragraph."""

    text: str

    def to_markdown(self) -> str:
        """The block in Markdown."""
        return f"{self.text}\n"


@dataclass(frozen=True)
class Items:
    """A list of sentences."""

    items: Sequence[str]

    def to_markdown(self) -> str:
        """The block in Markdown."""
        return "".join(f"- {item}\n" for item in self.items)


@dataclass(frozen=True)
class Code:
    """Preformatted lines."""

    text: str
    language: str = ""

    def to_markdown(self) -> str:
        """The block in Markdown."""
        return f"```{self.language}\n{self.text.rstrip()}\n```\n"


@dataclass(frozen=True)
class Chart:
    """A chart: name of its files without ending, and a description."""

    name: str
    text: str

    def to_markdown(self) -> str:
        """The block in Markdown."""
        return f"![{self.text}]({self.name}.svg)\n"


Block = Union[Heading, Text, Items, Code, Chart, Table]
KINDS: dict[str, Any] = {kind.__name__.lower(): kind for kind in (Heading, Text, Items, Code, Chart, Table)}


@dataclass(frozen=True)
class Page:
    """A page of results."""

    name: str  # name of its files without ending
    title: str
    blocks: Sequence[Block]  # blocks in order; empty lists are left out
    data: Mapping[str, Any] = field(default_factory=dict)  # data for the JSON file
    # Name of a chart -> function that draws it.
    charts: Mapping[str, Callable[[], Figure]] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)  # further files: name -> text

    def __post_init__(self) -> None:
        kept = [block for block in self.blocks if not isinstance(block, Items) or block.items]
        object.__setattr__(self, "blocks", kept)

    @property
    def tables(self) -> dict[str, Table]:
        """Tables by title, with numbers for repeated titles."""
        found: dict[str, Table] = {}
        title = self.title
        for block in self.blocks:
            if isinstance(block, Heading):
                title = block.text
            elif isinstance(block, Table):
                number = sum(name.partition(" #")[0] == title for name in found) + 1
                found[title if number == 1 else f"{title} #{number}"] = block
        return found

    def to_text(self) -> str:
        """Tables with their titles, and lists, for a terminal."""
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        titles = {id(table): title for title, table in self.tables.items()}
        for block in self.blocks:
            if isinstance(block, Table):
                yield titles[id(block)] + block.to_text()  # begins with a line break
            elif isinstance(block, Items):
                yield from (f"- {item}" for item in block.items)
            elif isinstance(block, Code):
                yield f"\n{block.text}"

    def to_markdown(self) -> str:
        """The page in GitHub's Markdown."""
        return "\n".join([f"# {self.title}\n", *(block.to_markdown() for block in self.blocks)])

    def to_dict(self) -> dict[str, Any]:
        """The data, and the page under the key `PAGE`, for a JSON file."""
        blocks = [{"kind": type(block).__name__.lower(), **asdict(block)} for block in self.blocks]
        return {**self.data, PAGE: {"title": self.title, "blocks": blocks}}

    def to_disk(self, folder: Path, *, tables: Sequence[str] = ()) -> list[Path]:
        """Write JSON, Markdown, charts and further texts; all or none.

        Args:
            tables: file endings (`TABLE_FORMATS`) to also write each table to.

        Raises:
            BionerError: there is a chart, and matplotlib is not installed; or an ending is none of `TABLE_FORMATS`.
        """
        texts = {f"{self.name}.md": self.to_markdown(), **self.texts}
        for ending in tables:
            check_setting("tables", ending, TABLE_FORMATS)
            for place, table in enumerate(self.tables.values(), start=1):
                number = f"-{place}" if len(self.tables) > 1 else ""
                texts[f"{self.name}{number}.{ending}"] = TABLE_FORMATS[ending](table)
        figures = {name: draw() for name, draw in self.charts.items()}
        files = [folder / f"{self.name}.json", *(folder / name for name in texts)]
        images = [folder / f"{name}.{ending}" for name in figures for ending in ("svg", "png")]
        with replacing(*files, *images) as (data, *parts):
            write_json(data, self.to_dict())
            for part, text in zip(parts, texts.values()):
                write_text(part, text)
            pictures = parts[len(texts) :]
            for figure, svg, png in zip(figures.values(), pictures[::2], pictures[1::2]):
                save_figure(figure, svg, png)
        return [*files, *images]

    @classmethod
    def from_disk(cls, path: Path) -> "Page":
        """Read a page back from its JSON file, without its data."""
        with reading_json(
            path, "page of results", "write it again with the command that made it, or remove it"
        ) as data:
            return cls(path.stem, str(data[PAGE]["title"]), [_read_block(**block) for block in data[PAGE]["blocks"]])


def _read_block(kind: str, **values: Any) -> Block:
    """A block of a JSON file, with checked values."""
    lists = (values.get("items", ()), values.get("header", ()), *values.get("rows", ()))
    texts = [value for name, value in values.items() if name not in ("items", "header", "rows", "numbers")]
    if not isinstance(values.get("numbers", 0), int):
        raise TypeError(f"numbers of a table are {values['numbers']!r}")
    for text in (*texts, *(text for part in lists for text in part)):
        if not isinstance(text, str):
            raise TypeError(f"{text!r} is no text")
    block: Block = KINDS[kind](**values)
    return block
