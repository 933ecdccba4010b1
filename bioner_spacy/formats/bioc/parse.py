"""Parsing of BioC files, XML and JSON, into nodes that know their line.

The parsers are those of the standard library and not those of the package `bioc`: messages and mentions name the line
of an annotation, which that package does not keep, and it would bring five more packages along.
"""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NoReturn, Optional

from ...errors import BionerError, Errors
from ...files import decode, open_bytes
from ..document import fail, require_some
from ..json_records import constant, json_records
from ..xml_parser import CHUNK, XmlParser

_NUMBER = re.compile(r"\s*[0-9]{1,9}\s*")
_SURROGATE = re.compile("[\ud800-\udfff]")
_JSON_MARK = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[{}\n]', re.DOTALL)

_LISTS = {
    "collection": "collections",
    "document": "documents",
    "passage": "passages",
    "sentence": "sentences",
    "annotation": "annotations",
    "location": "locations",
    "relation": "relations",
}
"""Elements of BioC XML that have parts, and the key of BioC JSON that lists them."""

_PARENTS = {
    "collection": ("",),
    "document": ("collection",),
    "passage": ("document",),
    "sentence": ("passage",),
    "annotation": ("document", "passage", "sentence"),
    "location": ("annotation",),
    "id": ("document",),
    "offset": ("passage", "sentence"),
    "text": ("passage", "sentence", "annotation"),
}
_ATTRIBUTES = ("id", "offset", "length")
_LEAVES = ("id", "offset", "text", "infon")


ABOUT = ("source", "date", "key")
"""What a collection says about itself, beside its infons."""


class Node(dict[str, Any]):
    """An object of BioC JSON, or an element of BioC XML in the form of JSON.

    Attributes:
        path: its file.
        line: its first line.
        collection: of a document, the metadata of its collection.
    """

    def __init__(self, path: Path, line: int, content: Mapping[str, Any]) -> None:
        super().__init__(content)
        self.path = path
        self.line = line
        self.collection: dict[str, Any] = {}

    def fail(self, reason: str) -> NoReturn:
        """Raise a `BionerError` that names file and line."""
        fail(self.path, self.line, reason)

    def objects(self, key: str) -> list["Node"]:
        """The parts listed under a key; none where the key is missing or null.

        A key in the singular is taken for a mistake and not for a missing one.
        """
        if key not in self and isinstance(self.get(key[:-1]), list | dict):
            self.fail(f"{key[:-1]} is where BioC in JSON has {key}")
        value = self.get(key) or []
        if not isinstance(value, list) or not all(isinstance(part, Node) for part in value):
            self.fail(f"{key} must be a list of objects")
        return value

    def string(self, key: str) -> str:
        """The string under a key, a number as its digits; empty if the key is missing or null."""
        value = self.get(key)
        if value is None:
            return ""
        if type(value) is int:
            return str(value)
        if not isinstance(value, str):
            self.fail(f"{key} must be a string")
        if _SURROGATE.search(value):
            self.fail(f"{key} holds half of a surrogate pair, which is no character")
        return value

    def number(self, key: str) -> int:
        """The number, 0 or more, under a key."""
        value = str(self[key]) if type(self.get(key)) in (int, str) else ""
        if not _NUMBER.fullmatch(value):
            self.fail(f"{key} must be a number, not {self.get(key)!r}")
        return int(value)

    def infons(self) -> dict[str, Any]:
        """The infons; none where the key is missing or null."""
        value = self.get("infons") or {}
        if not isinstance(value, dict):
            self.fail("the infons are no object")
        return dict(value)


def parse(path: Path, type_infon: str) -> Iterator[Node]:
    """Parse a BioC file.

    Args:
        path: the file; XML where its first character is `<`, else JSON, of collections or of documents, in one value
            or one per line.
        type_infon: key of the infon that holds the type of an annotation; there can be one only.

    Yields:
        The documents in the order of the file.

    Raises:
        BionerError: the file is missing, empty, not UTF-8, not valid XML or JSON, or not BioC.
    """
    with open_bytes(path) as file:
        head = file.read(CHUNK).removeprefix(b"\xef\xbb\xbf").lstrip()
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        decode(head[:2], path)
    if head and not head.startswith((b"<", b"{", b"[")):
        fail(path, 1, "neither XML nor JSON")
    is_xml = head.startswith(b"<")
    yield from require_some(path, _XmlParser(path, type_infon).results() if is_xml else _json_documents(path))


def _json_documents(path: Path) -> Iterator[Node]:
    for part in json_records(path):
        lines = iter(_object_lines(part.text, part.line))

        def with_line(value: dict[str, Any], lines: Iterator[int] = lines) -> Node:
            return Node(path, next(lines, 1), value)

        try:
            value = json.loads(part.text, object_hook=with_line, parse_constant=constant)
        except (ValueError, RecursionError) as error:
            line, reason = part.line - 1 + getattr(error, "lineno", 1), getattr(error, "msg", str(error))
            raise BionerError(Errors.E106.format(path=path, line=line, reason=f"not valid JSON ({reason})")) from None
        for document in value if isinstance(value, list) else [value]:
            yield from _documents(path, document)


def _documents(path: Path, value: Any) -> Iterator[Node]:
    """The documents of a collection or of a response of PubTator 3, or a single document."""
    node = value if isinstance(value, Node) else Node(path, 1, {})
    if "documents" in node:
        about: dict[str, Any] = {key: node.string(key) for key in ABOUT}
        about["infons"] = node.infons()
        for document in node.objects("documents"):
            document.collection = about
            yield document
    elif "PubTator3" in node:
        yield from node.objects("PubTator3")
    elif "passages" in node:
        yield node
    else:
        node.fail("a BioC collection is needed: an object with a list documents, or documents with passages")


def _object_lines(text: str, line: int) -> list[int]:
    """First line of every JSON object in a text, whose own first line is given, in the order in which they end and are
    parsed."""
    opened, closed = [], []
    for match in _JSON_MARK.finditer(text):
        mark = match[0]
        if mark == "\n":
            line += 1
        elif mark == "{":
            opened.append(line)
        elif mark == "}" and opened:
            closed.append(opened.pop())
    return closed


class _XmlParser(XmlParser):
    """Events of BioC XML; holds one document at a time."""

    def __init__(self, path: Path, type_infon: str) -> None:
        super().__init__(path)
        self.type_infon = type_infon
        self.about: dict[str, Any] = {}
        self.tags = [""]
        self.nodes: list[Node] = []
        self.text: list[str] = []
        self.infon: Optional[str] = None

    def characters(self, text: str) -> None:
        self.text.append(text)

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        parent = self.tags[-1]
        if not parent and tag != "collection":
            self.fail(f"a BioC collection is needed, not an element {tag}")
        if parent in _LEAVES or parent not in _PARENTS.get(tag, (parent,)):
            self.fail(f"an element {tag} cannot stand in an element {parent}")
        self.tags.append(tag)
        self.text.clear()
        if tag == "infon":
            self.infon = attributes.get("key")
        elif tag in _LISTS:
            node = Node(self.path, self.line, {key: value for key, value in attributes.items() if key in _ATTRIBUTES})
            if tag not in ("collection", "document"):  # documents are not kept
                self.nodes[-1].setdefault(_LISTS[tag], []).append(node)
            self.nodes.append(node)

    def end(self, tag: str) -> None:
        self.tags.pop()
        if tag in _LISTS:
            node = self.nodes.pop()
            if tag == "document":
                node.collection = {**self.about, "infons": dict(self.nodes[0].get("infons", {}))}
                self.finished.append(node)
        elif tag in _LEAVES:
            self.add_leaf(tag, "".join(self.text))
        elif tag in ABOUT and self.tags[-1] == "collection":
            self.about[tag] = "".join(self.text)

    def add_leaf(self, tag: str, value: str) -> None:
        """Keep the content of an element in its parent element."""
        node, key, is_single = self.nodes[-1], tag, True
        if tag == "infon":
            if self.infon is None:
                return
            node, key = node.setdefault("infons", {}), self.infon
            is_single = key == self.type_infon or (key == "type" and self.tags[-1] == "passage")
        if node.setdefault(key, value) != value:
            if is_single:
                self.fail(f"an element {tag} occurs twice with different content")
            node[key] += f";{value}"
