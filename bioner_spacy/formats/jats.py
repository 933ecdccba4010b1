"""JATS XML: full texts of articles, as PubMed Central and publishers have them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Optional
from xml.etree.ElementTree import Element

from .document import OnError, SourceDocument, join_passages, stop
from .format import Format
from .ledger import Ledger, RepeatedIds
from .xml_parser import plain, text_of, xml_records

_IDS = {"pmcid": "pmc", "pmc": "pmc", "pmid": "pmid", "doi": "doi", "publisher-id": "publisher-id"}
"""Kinds of identifiers of articles and their names here; the first that there is is that of the document."""

_BLOCKS = frozenset(
    "abstract ack app app-group back body boxed-text caption def def-item def-list disp-formula disp-quote fig fig-group "
    "floats-group glossary list list-item notes p sec speech statement supplementary-material table-wrap table-wrap-foot "
    "term title verse-group verse-line".split()
)
"""Elements whose text is apart from that around them."""

_NOT_READ: dict[str, Optional[str]] = {
    "fn": "footnote",
    "ref-list": "list of references|lists of references",
    "table": "table",
    "tex-math": None,
    **dict.fromkeys(("annotation", "annotation-xml")),  # of MathML: the formula once more
    **dict.fromkeys(("alt-text", "graphic", "label", "media", "object-id", "permissions")),
}
"""Elements that are left out, and what they are called where that is reported, as for `Ledger.add`."""


def read(path: Path, *, on_error: OnError = stop) -> Iterator[SourceDocument]:
    """Read a file of one or several articles; each is a document, and one at a time is in memory.

    Its passages are the titles, headings, paragraphs and captions, with the heading of their section as an infon
    (`section`). Formatting, numbers of sections and figures, and formulas in TeX are left out; so are tables,
    footnotes, references, translations and sub-articles, which a warning counts. The identifier is the number in
    PubMed Central (PMC123), or else the PMID or DOI; others are kept. All else is as for `Format.read`.

    Args:
        on_error: not used: XML that is not valid always raises.
    """
    ledger, ids = Ledger(path), RepeatedIds(path)
    for number, (line, article) in enumerate(xml_records(path, ("article",)), start=1):
        known = _identifiers(article)
        doc_id = next((known[kind] for kind in _IDS.values() if kind in known), "")
        ids.add(doc_id, line)
        text, passages = join_passages(_Passages(ledger, line).of(article), separator="\n\n")
        meta = {kind: value for kind, value in known.items() if value != doc_id}
        name = doc_id or f"{path.stem}:{number}"
        yield SourceDocument(name, text, (), path, line, doc_id, passages, meta)
    ids.finish()
    ledger.finish()


def _identifiers(article: Element) -> dict[str, str]:
    found: dict[str, str] = {}
    for element in article.iterfind("front/article-meta/article-id"):
        kind, value = _IDS.get(element.get("pub-id-type", "")), text_of(element)
        if kind and value:
            found.setdefault(kind, f"PMC{value}" if kind == "pmc" and value.isdigit() else value)
    return found


class _Passages:
    """Makes passages of an article: text gathers until an element of `_BLOCKS` begins or ends."""

    def __init__(self, ledger: Ledger, line: int) -> None:
        self.ledger = ledger
        self.line = line
        self.parts: list[str] = []
        self.found: list[tuple[str, str, dict[str, str]]] = []

    def of(self, article: Element) -> list[tuple[str, str, dict[str, str]]]:
        """All passages: type, text and infons."""
        meta = "front/article-meta"
        places = {
            **dict.fromkeys((f"{meta}/title-group/article-title", f"{meta}/title-group/subtitle"), "title"),
            f"{meta}/abstract": "abstract",
            **dict.fromkeys(("body", "back", "floats-group"), "paragraph"),
        }
        for place, kind in places.items():
            for element in article.iterfind(place):
                self.walk(element, kind, "")
                self.flush(kind, "")
        others = {
            f"{meta}/title-group/trans-title-group": "translated title",
            f"{meta}/trans-abstract": "translated abstract",
            "sub-article": "sub-article",
            "response": "response",
        }
        for place, name in others.items():
            for _ in article.iterfind(place):
                self.ledger.add(name, self.line)
        return self.found

    def add(self, text: Optional[str]) -> None:
        """Gather a part of the text."""
        if text:
            self.parts.append(text)

    def walk(self, element: Element, kind: str, section: str) -> None:
        """Gather the text of an element.

        Args:
            kind: type of its passages.
            section: heading of the section that it is in, of the outermost one.
        """
        if element.tag in ("sec", "ack", "app", "glossary"):
            section = section or text_of(element.find("title"))
        self.add(element.text)
        for child in element:
            if child.tag in _NOT_READ:
                name = _NOT_READ[child.tag]
                if child.tag == "tex-math" and element.find("math") is None:
                    name = "formula in TeX|formulas in TeX"
                if name:
                    self.ledger.add(name, self.line)
            else:
                if child.tag in _BLOCKS:
                    self.flush(kind, section)
                elif child.tag in ("xref", "break") and self.parts and self.parts[-1][-1].isalnum():
                    self.add(" ")  # "BRCA1" with a note 12 is not "BRCA112"
                self.walk(child, _kind(child.tag, kind), section)
            self.add(child.tail)
        if element.tag in _BLOCKS:
            self.flush(kind, section)

    def flush(self, kind: str, section: str) -> None:
        """End a passage."""
        text = plain("".join(self.parts))
        self.parts.clear()
        if text:
            self.found.append((kind, text, {"section": section} if section else {}))


def _kind(tag: str, kind: str) -> str:
    if tag == "caption" or kind == "caption":
        return "caption"
    return "heading" if tag == "title" else kind


def _recognises(head: str) -> bool:
    return head.lstrip().startswith("<") and "<article" in head and ("<article-meta" in head or "JATS" in head)


FORMAT = Format(
    name="jats",
    description="JATS XML to annotate, as of PubMed Central: full texts, one passage per paragraph",
    read=read,
    usual_endings=(".xml", ".nxml"),
    is_annotated=False,
    recognises=_recognises,
)
