"""Reader of BioC, in XML and in JSON: documents of passages with offsets, and annotations with locations.

The format is that of Comeau et al., "BioC: a minimalist approach to interoperability for biomedical text processing",
Database 2013. This module makes text and mentions of the documents that `parse` yields.
"""

import math
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Optional

from ...errors import BionerError, Errors, Warnings, check_setting, warn
from ..document import COLLECTION, INFONS, Mention, OnError, Passage, SourceDocument, stop
from ..ledger import Ledger
from ..standoff import IDENTIFIER, MentionBuilder, split_identifiers
from .parse import Node, fail, infons, number, objects, parse, string

UNITS = ("document", "passage")

SCORE = "score"
"""The infon of the score of a predicted mention."""

_IDENTIFIERS = re.compile(
    r"mesh|omim|cui|umls|chebi|cellosaurus|dbsnp|rsid|tmvar|uniprot|(?:ncbi|entrez)[ _-]?(?:gene|tax).*"
    r"|(?:.*[ _-])?(?:id|ids|identifiers?|accession)",
    re.IGNORECASE,
)
"""Infons that hold concept identifiers if there is no infon `identifier`."""

_KEPT = frozenset(("id", "infons", "passages", "annotations", "relations", "sentences"))

LONGEST_GAP = 1_000_000
"""Maximum number of characters between two passages; a larger distance is a wrong offset, and would fill the
memory."""


def read(
    path: Path,
    *,
    unit: str = "document",
    type_infon: str = "type",
    mismatch: str = "error",
    on_error: OnError = stop,
) -> Iterator[SourceDocument]:
    """Read a BioC file, XML or JSON, by its first character. JSON may be a response of PubTator 3, or one document per
    line.

    The text of a document is that of its passages at their offsets, with spaces in between; of passages without a
    text it is that of their sentences. The text of every annotation is compared with the text at its locations,
    whitespace apart. Infons are kept; those that hold concept identifiers, `identifier` before all others, are read.
    Relations are no mentions, and annotations without a location (indexing terms) are left out; warnings count both.

    All else is as for `Format.read`.

    Args:
        unit: "document", or "passage" to make a document of every passage.
        type_infon: key of the infon that holds the type of an annotation.
        on_error: what to do about a document or an annotation that cannot be read: raise the error, or collect it and
            leave the part out. XML or JSON that is not valid always raises.

    Raises:
        BionerError: the file is missing, empty, not UTF-8, not valid XML or JSON, or not BioC, passages
            overlap, if an annotation has no type, if its text is not the one at its locations, or, with "passage",
            if it is in no passage.
    """
    builder = MentionBuilder(path, mismatch)
    unplaced: list[int] = []
    for node, name, document in _documents(path, unit, type_infon, builder, on_error):
        mentions = list(_mentions(path, document, type_infon, builder, on_error, unplaced))
        yield from document.units(unit, mentions, name, string(path, node, "id").strip(), on_error)
    builder.finish()
    if unplaced:
        warn(Warnings.W105.format(path=path, count=len(unplaced), line=unplaced[0]))


def read_texts(path: Path, *, unit: str = "document", on_error: OnError = stop) -> Iterator[SourceDocument]:
    """Read the texts and passages of a file, ignoring annotation; see `read`."""
    for node, name, document in _documents(path, unit, "type", Ledger(path), on_error):
        yield from document.units(unit, [], name, string(path, node, "id").strip(), on_error)


def _documents(
    path: Path, unit: str, type_infon: str, ledger: Ledger, on_error: OnError
) -> Iterator[tuple[Node, str, "_Document"]]:
    """Every document as it is parsed, its name for messages, and its text."""
    check_setting("unit", unit, UNITS)
    count = 0
    for count, node in enumerate(parse(path, type_infon), start=1):
        try:
            document = _Document(path, node, ledger)
            name = string(path, node, "id").strip() or f"{path.stem}:{count}"
        except BionerError as error:
            on_error(error)
        else:
            yield node, name, document
    if not count:
        raise BionerError(Errors.E102.format(path=path))


class _Document:
    """Text of one document, the positions of its passages, and all annotations."""

    def __init__(self, path: Path, node: Node, ledger: Ledger) -> None:
        self.path = path
        self.line = node.line
        self.owners = [node]
        self.meta: dict[str, Any] = {key: value for key, value in node.items() if key not in _KEPT}
        self.meta |= {INFONS: about} if (about := infons(path, node)) else {}
        self.meta |= {COLLECTION: dict(node.collection)} if any(node.collection.values()) else {}
        self._parts: list[str] = []
        self._length = 0
        self.passages: list[Passage] = []
        self._lines: list[int] = []
        for passage in objects(path, node, "passages"):
            self._add_passage(passage, ledger)
        self.text = "".join(self._parts)
        for owner in self.owners:
            relations = owner.get("relations")
            for relation in relations if isinstance(relations, list) else ():
                ledger.add("relations", getattr(relation, "line", owner.line))

    def units(
        self, unit: str, mentions: list[Mention], name: str, doc_id: str, on_error: OnError
    ) -> Iterator[SourceDocument]:
        """The document, or every passage as a document of its own, with its mentions."""
        if unit == "document":
            passages, line = tuple(self.passages), self.line
            yield SourceDocument(name, self.text, tuple(mentions), self.path, line, doc_id, passages, self.meta)
            return
        inside: list[list[Mention]] = [[] for _ in self.passages]
        for mention in mentions:
            for part, (begin, end, *_) in zip(inside, self.passages):
                if begin <= mention.start and mention.end <= end:
                    fragments = tuple((first - begin, last - begin) for first, last in mention.fragments)
                    start, stop = mention.start - begin, mention.end - begin
                    part.append(replace(mention, start=start, end=stop, fragments=fragments))
                    break
            else:
                reason = (
                    f"characters {mention.start} to {mention.end} are in no passage, but in several or between them"
                )
                on_error(BionerError(Errors.E106.format(path=self.path, line=mention.line, reason=reason)))
        for number_, (part, passage, line) in enumerate(zip(inside, self.passages, self._lines), start=1):
            text, whole = (
                self.text[passage.start : passage.end],
                passage._replace(start=0, end=passage.end - passage.start),
            )
            yield SourceDocument(f"{name}:{number_}", text, tuple(part), self.path, line, doc_id, (whole,), self.meta)

    def _add_passage(self, passage: Node, ledger: Ledger) -> None:
        path, text, sentences = self.path, string(self.path, passage, "text"), objects(self.path, passage, "sentences")
        parts = [passage] if text else [sentence for sentence in sentences if string(path, sentence, "text")]
        begin = number(path, parts[0] if parts else passage, "offset")
        if not parts:
            begin = self._length  # whatever the file says, which may be behind the end of the text
        for part in parts:
            self._append(part)
        about = infons(path, passage)
        type_ = about.get("type")
        if isinstance(type_, str):
            del about["type"]
        name = type_.strip() if isinstance(type_, str) else ""
        self.passages.append(Passage(begin, self._length, name, about or None))
        self._lines.append(passage.line)
        for sentence in sentences:
            if infons(path, sentence):
                ledger.add("sentences with infons", sentence.line)
            offset = number(path, sentence, "offset") - begin if text else 0
            if text and (offset < 0 or not text.startswith(string(path, sentence, "text"), offset)):
                fail(path, sentence, "the sentence is not the text of its passage at its offset")
        self.owners += [passage, *sentences]

    def _append(self, node: Node) -> None:
        offset, text = number(self.path, node, "offset"), string(self.path, node, "text")
        gap = offset - self._length
        if gap < 0:
            fail(self.path, node, f"its offset is {offset}, and the text before it ends at {self._length}")
        if gap > LONGEST_GAP:
            fail(self.path, node, f"its offset is {offset}, more than {LONGEST_GAP} after the text before it")
        self._parts += [" " * gap, text]
        self._length = offset + len(text)


def _mentions(
    path: Path,
    document: _Document,
    type_infon: str,
    builder: MentionBuilder,
    on_error: OnError,
    unplaced: list[int],
) -> Iterator[Mention]:
    """Mentions of the annotations that have a location; the lines of the others go to `unplaced`."""
    for owner in document.owners:
        try:
            annotations = objects(path, owner, "annotations")
        except BionerError as error:
            on_error(error)
            continue
        for annotation in annotations:
            try:
                if not objects(path, annotation, "locations"):
                    unplaced.append(annotation.line)
                elif mention := _mention(path, annotation, document.text, type_infon, builder):
                    yield mention
            except BionerError as error:
                on_error(error)


def _mention(path: Path, annotation: Node, text: str, type_infon: str, builder: MentionBuilder) -> Optional[Mention]:
    about = infons(path, annotation)
    label = about.pop(type_infon, None)
    if not isinstance(label, str) or not label.strip():
        raise BionerError(Errors.E133.format(path=path, line=annotation.line, infon=type_infon))
    fragments = []
    for location in objects(path, annotation, "locations"):
        start = number(path, location, "offset")
        fragments.append((start, start + number(path, location, "length")))
    score = _score(about.get(SCORE))
    if score is not None:
        del about[SCORE]
    return builder.mention(
        path,
        annotation.line,
        text,
        label=label.strip(),
        fragments=fragments,
        claimed=string(path, annotation, "text"),
        score=score,
        identifiers=_identifiers(about),
        infons=about,
    )


def _score(value: Any) -> Optional[float]:
    try:
        score = float(value)
    except (TypeError, ValueError):
        return None
    return score if math.isfinite(score) else None


def _identifiers(about: dict[str, Any]) -> tuple[str, ...]:
    """Concept identifiers in the infons of an annotation."""
    keys = [IDENTIFIER] if IDENTIFIER in about else [key for key in about if _IDENTIFIERS.fullmatch(key)]
    values = [about[key] for key in keys if isinstance(about[key], str | int) and not isinstance(about[key], bool)]
    return tuple(dict.fromkeys(part for value in values for part in split_identifiers(str(value))))
