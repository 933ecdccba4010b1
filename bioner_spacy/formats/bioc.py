"""Reader of BioC, in XML and in JSON: documents of passages with offsets, and annotations with locations.

The format is that of Comeau et al., "BioC: a minimalist approach to interoperability for biomedical text processing",
Database 2013. This module makes text and mentions of the documents that `bioc_files` parses.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from ..errors import BionerError, Errors, Warnings, warn
from .bioc_files import Node, fail, number, objects, parse, string
from .document import Mention, OnError, Passage, SourceDocument, stop
from .standoff import MentionBuilder

UNITS = ("document", "passage")

LONGEST_GAP = 1_000_000
"""Most characters between two passages; a larger distance is a wrong offset, and would fill the memory."""


def read(
    path: Path,
    *,
    unit: str = "document",
    type_infon: str = "type",
    mismatch: str = "error",
    on_error: OnError = stop,
) -> Iterator[SourceDocument]:
    """Read a BioC file, XML or JSON, which its first character tells.

    The text of a document is that of its passages at their offsets, with spaces in between; of passages without a
    text it is that of their sentences. The text of every annotation is compared with the text at its locations,
    whitespace apart. Relations are no mentions and are left out, and so are annotations without a location (indexing
    terms), of which a warning tells the number.

    Args:
        path: the file. XML is read document by document, JSON whole.
        unit: "document", or "passage" to make a document of every passage.
        type_infon: key of the infon that holds the type of an annotation.
        mismatch: what to do with an annotation whose text is not the one at its locations: "error", or "offsets" to
            believe the locations and to warn at the end.
        on_error: what to do about a document or an annotation that cannot be read: raise the error, or take note of it,
            so that all of them are found in one go; it is left out then. XML or JSON that is not valid always raises.

    Yields:
        The documents or passages in the order of the file.

    Raises:
        BionerError: if the file is missing, empty, not UTF-8, not valid XML or JSON, or not BioC, if passages
            overlap, if an annotation has no type, if its text is not the one at its locations, or, with "passage",
            if it is in no passage.
    """
    if unit not in UNITS:
        raise BionerError(Errors.E105.format(setting="unit", value=unit, allowed=", ".join(UNITS)))
    builder = MentionBuilder(path, mismatch)
    count = 0
    unplaced: list[int] = []
    for count, node in enumerate(parse(path, type_infon), start=1):
        try:
            document = _Document(path, node)
            doc_id = string(path, node, "id").strip()
        except BionerError as error:
            on_error(error)
            continue
        mentions = list(_mentions(path, document, type_infon, builder, on_error, unplaced))
        name = doc_id or f"{path.stem}:{count}"
        if unit == "document":
            passages = tuple(document.passages)
            yield SourceDocument(name, document.text, tuple(mentions), path, node.line, doc_id, passages)
        else:
            yield from document.divided(mentions, name, doc_id, on_error)
    if not count:
        raise BionerError(Errors.E102.format(path=path))
    builder.finish()
    if unplaced:
        warn(Warnings.W105.format(path=path, count=len(unplaced), line=unplaced[0]))


class _Document:
    """Text of one document, where its passages stand in it, and all annotations of it, its passages and sentences."""

    def __init__(self, path: Path, node: Node) -> None:
        self.path = path
        self.annotations = list(objects(path, node, "annotations"))
        self._parts: list[str] = []
        self._length = 0
        self.passages: list[Passage] = []
        self._lines: list[int] = []
        for passage in objects(path, node, "passages"):
            self._add_passage(passage)
        self.text = "".join(self._parts)

    def divided(self, mentions: list[Mention], name: str, doc_id: str, on_error: OnError) -> Iterator[SourceDocument]:
        """Every passage as a document of its own, with its mentions."""
        found: list[list[Mention]] = [[] for _ in self.passages]
        for mention in mentions:
            for inside, (begin, end, _) in zip(found, self.passages):
                if begin <= mention.start and mention.end <= end:
                    fragments = tuple((first - begin, last - begin) for first, last in mention.fragments)
                    start, stop = mention.start - begin, mention.end - begin
                    inside.append(replace(mention, start=start, end=stop, fragments=fragments))
                    break
            else:
                reason = (
                    f"characters {mention.start} to {mention.end} are in no passage, but in several or between them"
                )
                on_error(BionerError(Errors.E106.format(path=self.path, line=mention.line, reason=reason)))
        for number_, (inside, (begin, end, type), line) in enumerate(zip(found, self.passages, self._lines), start=1):
            text, passages = self.text[begin:end], (Passage(0, end - begin, type),)
            yield SourceDocument(f"{name}:{number_}", text, tuple(inside), self.path, line, doc_id, passages)

    def _add_passage(self, passage: Node) -> None:
        path, text, sentences = self.path, string(self.path, passage, "text"), objects(self.path, passage, "sentences")
        pieces = [passage] if text else [sentence for sentence in sentences if string(path, sentence, "text")]
        begin = number(path, pieces[0] if pieces else passage, "offset")
        if not pieces:
            begin = self._length  # wherever the file has it: behind the end of the text is no place in it
        for piece in pieces:
            self._append(piece)
        self.passages.append(Passage(begin, self._length, _passage_type(passage)))
        self._lines.append(passage.line)
        for sentence in sentences if text else ():
            offset = number(path, sentence, "offset") - begin
            if offset < 0 or not text.startswith(string(path, sentence, "text"), offset):
                fail(path, sentence, "the sentence is not the text of its passage at its offset")
        for node in (passage, *sentences):
            self.annotations.extend(objects(path, node, "annotations"))

    def _append(self, node: Node) -> None:
        offset, text = number(self.path, node, "offset"), string(self.path, node, "text")
        gap = offset - self._length
        if gap < 0:
            fail(self.path, node, f"its offset is {offset}, and the text before it ends at {self._length}")
        if gap > LONGEST_GAP:
            fail(self.path, node, f"its offset is {offset}, more than {LONGEST_GAP} after the text before it")
        self._parts += [" " * gap, text]
        self._length = offset + len(text)


def _passage_type(passage: Node) -> str:
    infons = passage.get("infons")
    value = infons.get("type") if isinstance(infons, dict) else None
    return value.strip() if isinstance(value, str) else ""


def _mentions(
    path: Path,
    document: _Document,
    type_infon: str,
    builder: MentionBuilder,
    on_error: OnError,
    unplaced: list[int],
) -> Iterator[Mention]:
    """Mentions of the annotations that have a location; the lines of the others go to `unplaced`."""
    for annotation in document.annotations:
        try:
            if objects(path, annotation, "locations"):
                yield _mention(path, annotation, document.text, type_infon, builder)
            else:
                unplaced.append(annotation.line)
        except BionerError as error:
            on_error(error)


def _mention(path: Path, annotation: Node, text: str, type_infon: str, builder: MentionBuilder) -> Mention:
    infons = annotation.get("infons") or {}
    if not isinstance(infons, dict):
        fail(path, annotation, "the infons of the annotation are no object")
    label = infons.get(type_infon)
    if not isinstance(label, str) or not label.strip():
        raise BionerError(Errors.E133.format(path=path, line=annotation.line, infon=type_infon))
    fragments = []
    for location in objects(path, annotation, "locations"):
        start = number(path, location, "offset")
        fragments.append((start, start + number(path, location, "length")))
    claimed = string(path, annotation, "text")
    return builder.mention(path, annotation.line, text, label=label.strip(), fragments=fragments, claimed=claimed)
