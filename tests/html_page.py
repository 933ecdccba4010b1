"""HTML pages in tests."""

from html.parser import HTMLParser
from typing import Optional

VOID = {"img", "input", "meta"}


class Page(HTMLParser):
    """Elements of a page with their attributes, and its text, all and by element; every element must be closed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, Optional[str]]]] = []
        self.text = ""  # without scripts and styles
        self.texts: dict[str, list[str]] = {}  # tag -> text of each element, without those in it
        self._open: list[str] = []
        self.feed(html)
        assert not self._open

    @property
    def tags(self) -> list[str]:
        """Tags of the elements."""
        return [tag for tag, _ in self.elements]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, Optional[str]]]) -> None:
        """Note an element."""
        self.elements.append((tag, dict(attrs)))
        self.texts.setdefault(tag, []).append("")
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Check the end of an element."""
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Note a text."""
        if self._open:
            self.texts[self._open[-1]][-1] += data
        if not {"script", "style"} & set(self._open):
            self.text += data
