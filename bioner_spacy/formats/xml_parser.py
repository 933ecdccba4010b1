"""Safe, incremental reading of XML by the standard library's expat.

Expat fetches nothing that a file names. Entities that a file declares are errors: those of its own can fill the
memory, and no format here needs any. Expat and not lxml, because messages name lines of elements of any size, the
three formats of XML here want no more than events, and one package less has to be kept up to date against such files.
"""

import re
from collections.abc import Collection, Iterator
from html.entities import html5
from pathlib import Path
from typing import Any, NoReturn, Optional
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from ..errors import BionerError, Errors
from ..files import decode, open_bytes
from .document import fail, require_some

CHUNK = 1 << 16
"""Bytes that are parsed at once."""

DEEPEST = 200
"""Maximum number of levels of elements in one record."""

_BLANKS = re.compile(r"[ \t\r\n]+")


class XmlParser:
    """Events of an XML file; a format defines what they mean."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.finished: list[Any] = []
        self.expat = expat.ParserCreate("UTF-8")
        self.expat.buffer_text = True
        self.expat.StartElementHandler = self.start
        self.expat.EndElementHandler = self.end
        self.expat.CharacterDataHandler = self.characters
        self.expat.EntityDeclHandler = lambda name, *rest: self.fail(f"the file declares an entity, {name}")
        self.expat.SkippedEntityHandler = self.entity

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """An element begins."""
        raise NotImplementedError

    def end(self, tag: str) -> None:
        """An element ends."""
        raise NotImplementedError

    def characters(self, text: str) -> None:
        """There is text."""
        raise NotImplementedError

    def entity(self, name: str, is_parameter: bool) -> None:
        """There is an entity that only the DTD declares, which is not read; without this method, expat would drop
        it."""
        self.fail(f"the entity {name} is not known")

    @property
    def line(self) -> int:
        """Line of the present event."""
        return self.expat.CurrentLineNumber

    def fail(self, reason: str) -> NoReturn:
        """Raise a `BionerError` that names file and line."""
        fail(self.path, self.line, reason)

    def results(self) -> Iterator[Any]:
        """Parse the file, and give what its events have put into `finished`.

        Raises:
            BionerError: the file is missing, empty, not UTF-8 or not valid XML.
        """
        with open_bytes(self.path) as file:
            chunk = file.read(CHUNK)
            head = chunk.removeprefix(b"\xef\xbb\xbf").lstrip()
            if not head:
                raise BionerError(Errors.E102.format(path=self.path))
            if chunk[:2] in (b"\xff\xfe", b"\xfe\xff"):
                decode(chunk[:2], self.path)
            if not head.startswith(b"<"):
                fail(self.path, 1, "no XML")
            try:
                while chunk:
                    yield from self._parse(chunk, final=False)
                    chunk = file.read(CHUNK)
                yield from self._parse(b"", final=True)
            except expat.ExpatError as error:
                cut = "" if chunk else ": the file is cut off"
                reason = f"not valid XML in UTF-8 ({expat.ErrorString(error.code)}{cut})"
                raise BionerError(Errors.E106.format(path=self.path, line=error.lineno, reason=reason)) from None

    def _parse(self, chunk: bytes, *, final: bool) -> Iterator[Any]:
        """Parse a chunk; results from before an error are given, too."""
        try:
            self.expat.Parse(chunk, final)
        finally:
            yield from self.finished
            self.finished.clear()


class _Records(XmlParser):
    """Builds the elements of some tags; everything outside of them is dropped."""

    def __init__(self, path: Path, tags: Collection[str]) -> None:
        super().__init__(path)
        self.tags = tags
        self.builder: Optional[TreeBuilder] = None
        self.depth = self.first_line = 0

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        tag = tag.rpartition(":")[2]
        if self.builder is None:
            if tag not in self.tags:
                return
            self.builder, self.first_line = TreeBuilder(), self.line
        self.depth += 1
        if self.depth > DEEPEST:
            self.fail(f"more than {DEEPEST} elements in each other")
        self.builder.start(tag, attributes)

    def end(self, tag: str) -> None:
        if self.builder is not None:
            self.builder.end(tag.rpartition(":")[2])
            self.depth -= 1
            if not self.depth:
                self.finished.append((self.first_line, self.builder.close()))
                self.builder = None

    def characters(self, text: str) -> None:
        if self.builder is not None:
            self.builder.data(text)

    def entity(self, name: str, is_parameter: bool) -> None:
        """The character that has this name in HTML; DTDs of publishers use the same names."""
        text = html5.get(f"{name};")
        if text is None:
            super().entity(name, is_parameter)
        else:
            self.characters(text)


def xml_records(path: Path, tags: Collection[str]) -> Iterator[tuple[int, Element]]:
    """The elements of some tags in a file, whatever their namespace prefixes, one at a time.

    Args:
        tags: names of the elements; one that is in another one of them is a part of it.

    Yields:
        The first line of every element, and the element.

    Raises:
        BionerError: the file is missing, empty, holds no such element, is not UTF-8, is not valid XML, declares an
            entity, or uses one that is not known.
    """
    return require_some(path, _Records(path, tags).results())


def plain(text: str) -> str:
    """A text with runs of whitespace as one space, because XML may be broken into lines anywhere."""
    return _BLANKS.sub(" ", text).strip(" ")


def text_of(element: Optional[Element]) -> str:
    """All text in an element, see `plain`; empty if there is none."""
    return "" if element is None else plain("".join(element.itertext()))
