"""Reader of the GENIA term corpus: sentences in XML with nested terms (`cons` elements).

The corpus is that of Kim, Ohta, Tateisi and Tsujii, "GENIA corpus - a semantically annotated corpus for
bio-textmining", Bioinformatics 2003; the file is `GENIAcorpus3.02.xml` of its release 3.02.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Optional

from ..errors import BionerError, Errors
from .document import Mention, OnError, SourceDocument, stop
from .format import Format
from .xml_parser import XmlParser

COORDINATION = "coordination"
"""Label of terms that stand for several, such as `(AND G#DNA_molecule G#DNA_molecule)`."""

COORDINATED_PART = "coordinated_part"
"""Label of terms without a type: the parts of coordinations."""

_PREFIX = "G#"


def read(path: Path, *, on_error: OnError = stop) -> Iterator[SourceDocument]:
    """Read GENIA's term XML; every sentence, titles included, is one document.

    The text is that of the XML, with its own spacing. The label of a mention is its type in the GENIA ontology
    without the prefix: `protein_molecule` for `G#protein_molecule`. A term with a type in brackets is a
    `coordination`, one without a type a `coordinated_part`: their types are not those of their characters, so that
    catalogues map both to null. Mentions come outermost first; repeated ones are kept.

    All else is as for `Format.read`.

    Args:
        on_error: what to do about the first place that cannot be read, after which the rest of the file is left out.

    Yields:
        The sentences in the order of the file; their `doc_id` is the `bibliomisc` of the article (`MEDLINE:123`).
    """
    yield from _read(_Parser(path), on_error)


def read_texts(path: Path, *, on_error: OnError = stop) -> Iterator[SourceDocument]:
    """Read the sentences of a file, ignoring types; see `read`."""
    for document in _read(_Parser(path, labelled=False), on_error):
        yield replace(document, mentions=())


def _read(parser: "_Parser", on_error: OnError) -> Iterator[SourceDocument]:
    empty = True
    try:
        for sentence in parser.results():
            empty = False
            yield sentence
    except BionerError as error:
        on_error(error)
        return
    if empty:
        raise BionerError(Errors.E102.format(path=parser.path))


class _Parser(XmlParser):
    """Events of the XML parser, made into sentences."""

    def __init__(self, path: Path, *, labelled: bool = True) -> None:
        super().__init__(path)
        self.labelled = labelled
        self.doc_id = ""
        self.number = 0  # of the sentence in its article
        self.first_line = 0  # of the sentence; 0: outside of sentences
        self.parts: Optional[list[str]] = None  # text of the sentence or bibliomisc that is open
        self.mentions: list[Mention] = []  # closed or open; open ones end where they start
        self.open: list[int] = []  # indices of open mentions

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "article":
            self.doc_id, self.number = "", 0
        elif name in ("bibliomisc", "sentence"):
            if self.parts is not None:
                self.fail(f"a {name} inside of another element with text")
            self.parts = []
            if name == "sentence":
                if not self.doc_id:
                    self.fail("a sentence of an article without bibliomisc")
                self.first_line = self.line
                self.number += 1
        elif name == "cons":
            if not self.first_line:
                self.fail("a cons outside of sentences")
            offset = self.offset()
            self.open.append(len(self.mentions))
            self.mentions.append(Mention(offset, offset, self.label(attributes), self.line))

    def end(self, name: str) -> None:
        if name == "bibliomisc":
            self.doc_id, self.parts = "".join(self.parts or ()).strip(), None
        elif name == "cons":
            index = self.open.pop()
            mention = self.mentions[index]
            if self.labelled and self.offset() == mention.start:
                self.fail("a cons without text")
            self.mentions[index] = Mention(mention.start, self.offset(), mention.label, mention.line)
        elif name == "sentence":
            text = "".join(self.parts or ())
            if not text.strip():
                self.fail("a sentence without text")
            name, mentions = f"{self.doc_id}:{self.number}", tuple(self.mentions)
            self.finished.append(SourceDocument(name, text, mentions, self.path, self.first_line, self.doc_id))
            self.parts, self.mentions, self.first_line = None, [], 0

    def characters(self, text: str) -> None:
        if self.parts is not None:
            self.parts.append(text)

    def offset(self) -> int:
        return sum(map(len, self.parts or ()))

    def label(self, attributes: dict[str, str]) -> str:
        sem = attributes.get("sem")
        if sem is None or not self.labelled:
            return COORDINATED_PART
        if sem.startswith("("):
            return COORDINATION
        if not sem.startswith(_PREFIX) or sem == _PREFIX:
            self.fail(f"sem is {sem!r}, which is neither {_PREFIX} with a type nor a coordination in brackets")
        return sem.removeprefix(_PREFIX)


def _recognises(head: str) -> bool:
    return head.lstrip().startswith("<") and "<bibliomisc" in head


FORMAT = Format(
    name="genia",
    description="XML of the GENIA term corpus: sentences with nested terms",
    read=read,
    read_texts=read_texts,
    usual_endings=(".xml",),
    keeps_sentences=True,
    holds=frozenset({"overlaps"}),
    recognises=_recognises,
)
