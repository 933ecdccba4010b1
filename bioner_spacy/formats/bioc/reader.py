"""Reader of BioC, in XML and in JSON: documents of passages with offsets, and annotations with locations.

The format is that of Comeau et al., "BioC: a minimalist approach to interoperability for biomedical text processing",
Database 2013. This module makes text and mentions of the documents that `parse` yields.
"""

import math
import re
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any, Optional

from ...errors import BionerError, Errors, Warnings, check_setting, warn
from ..document import COLLECTION, INFONS, LONGEST_GAP, Mention, OnError, Passage, SourceDocument, each_readable, stop
from ..ledger import Ledger
from ..standoff import IDENTIFIER, MentionBuilder, split_identifiers
from .parse import Node, parse

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


def read(
    path: Path, *, unit: str = "document", type_infon: str = "type", mismatch: str = "error", on_error: OnError = stop
) -> Iterator[SourceDocument]:
    """Read a BioC file, XML or JSON, by its first character. JSON may be a response of PubTator 3, or one document per
    line.

    The text of a document is that of its passages at their offsets, with spaces in between; of passages without a
    text it is that of their sentences. The text of every annotation is compared with the text at its locations,
    whitespace apart. Infons are kept; those that hold concept identifiers, `identifier` before all others, are read.
    Relations are no mentions, and annotations without a location (indexing terms) are left out; warnings count both.

    All else is as for `Format.read`; XML or JSON that is not valid always raises.

    Args:
        unit: "document", or "passage" to make a document of every passage; annotations must be in one then.
        type_infon: key of the infon that holds the type of an annotation.
    """
    builder = MentionBuilder(path, mismatch)
    unplaced: list[int] = []
    for document in _documents(path, unit, type_infon, builder, on_error):
        lists = each_readable(document.owners, lambda owner: owner.objects("annotations"), on_error)
        make = partial(_mention, document.text, type_infon, builder, unplaced)
        mentions = list(each_readable(chain.from_iterable(lists), make, on_error))
        yield from document.units(unit, mentions, on_error)
    builder.finish()
    if unplaced:
        warn(Warnings.W105.format(path=path, count=len(unplaced), line=unplaced[0]))


def read_texts(path: Path, *, unit: str = "document", on_error: OnError = stop) -> Iterator[SourceDocument]:
    """Read the texts and passages of a file, ignoring annotation; see `read`."""
    for document in _documents(path, unit, "type", Ledger(path), on_error):
        yield from document.units(unit, [], on_error)


def _documents(path: Path, unit: str, type_infon: str, ledger: Ledger, on_error: OnError) -> Iterator["_Document"]:
    check_setting("unit", unit, UNITS)
    nodes = enumerate(parse(path, type_infon), start=1)
    return each_readable(nodes, lambda numbered: _Document(*numbered, ledger), on_error)


class _Document:
    """Text of one document, the positions of its passages, and all annotations."""

    def __init__(self, number: int, node: Node, ledger: Ledger) -> None:
        self.path = node.path
        self.line = node.line
        self.owners = [node]
        self.meta: dict[str, Any] = {key: value for key, value in node.items() if key not in _KEPT}
        self.meta |= {INFONS: about} if (about := node.infons()) else {}
        self.meta |= {COLLECTION: dict(node.collection)} if any(node.collection.values()) else {}
        self.text = ""
        self.passages: list[Passage] = []
        self._lines: list[int] = []
        for passage in node.objects("passages"):
            self._add_passage(passage, ledger)
        for owner in self.owners:
            relations = owner.get("relations")
            for relation in relations if isinstance(relations, list) else ():
                ledger.add("relation", getattr(relation, "line", owner.line))
        self.doc_id = node.string("id").strip()
        self.name = self.doc_id or f"{self.path.stem}:{number}"

    def units(self, unit: str, mentions: list[Mention], on_error: OnError) -> Iterator[SourceDocument]:
        """The document, or every passage as a document of its own, with its mentions."""
        path, doc_id, meta = self.path, self.doc_id, self.meta
        if unit == "document":
            passages = tuple(self.passages)
            yield SourceDocument(self.name, self.text, tuple(mentions), path, self.line, doc_id, passages, meta)
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
                place = f"characters {mention.start} to {mention.end}"
                reason = f"{place} are in no passage, but in several or between them"
                on_error(BionerError(Errors.E106.format(path=path, line=mention.line, reason=reason)))
        for number, (part, passage, line) in enumerate(zip(inside, self.passages, self._lines), start=1):
            text, name = self.text[passage.start : passage.end], f"{self.name}:{number}"
            whole = passage._replace(start=0, end=len(text))
            yield SourceDocument(name, text, tuple(part), path, line, doc_id, (whole,), meta)

    def _add_passage(self, passage: Node, ledger: Ledger) -> None:
        text, sentences = passage.string("text"), passage.objects("sentences")
        parts = [passage] if text else [sentence for sentence in sentences if sentence.string("text")]
        begin = (parts[0] if parts else passage).number("offset")
        if not parts:
            begin = len(self.text)  # whatever the file says, which may be behind the end of the text
        for part in parts:
            self._append(part)
        about = passage.infons()
        name = about.pop("type").strip() if isinstance(about.get("type"), str) else ""
        self.passages.append(Passage(begin, len(self.text), name, about or None))
        self._lines.append(passage.line)
        for sentence in sentences:
            if sentence.infons():
                ledger.add("sentence with infons|sentences with infons", sentence.line)
            offset = sentence.number("offset") - begin if text else 0
            if text and (offset < 0 or not text.startswith(sentence.string("text"), offset)):
                sentence.fail("the sentence is not the text of its passage at its offset")
        self.owners += [passage, *sentences]

    def _append(self, node: Node) -> None:
        offset, text = node.number("offset"), node.string("text")
        gap = offset - len(self.text)
        if gap < 0:
            node.fail(f"its offset is {offset}, and the text before it ends at {len(self.text)}")
        if gap > LONGEST_GAP:
            node.fail(f"its offset is {offset}, more than {LONGEST_GAP} after the text before it")
        self.text += " " * gap + text


def _mention(
    text: str, type_infon: str, builder: MentionBuilder, unplaced: list[int], annotation: Node
) -> Optional[Mention]:
    """The mention of an annotation; the line of one without a location goes to `unplaced`."""
    locations, path, line = annotation.objects("locations"), annotation.path, annotation.line
    if not locations:
        unplaced.append(line)
        return None
    about = annotation.infons()
    label = about.pop(type_infon, None)
    if not isinstance(label, str) or not label.strip():
        raise BionerError(Errors.E133.format(path=path, line=line, infon=type_infon))
    fragments = []
    for location in locations:
        start = location.number("offset")
        fragments.append((start, start + location.number("length")))
    score = _score(about.get(SCORE))
    if score is not None:
        del about[SCORE]
    return builder.mention(
        path,
        line,
        text,
        label=label.strip(),
        fragments=fragments,
        claimed=annotation.string("text"),
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
