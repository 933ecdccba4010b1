"""Shared parts of writers: documents with identifiers and mentions, and counts of what a format cannot hold."""

import gzip
import io
import json
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any, TextIO, Union

from spacy.tokens import Doc, Span

from ..errors import BionerError, Errors, Warnings, warn
from ..files import replacing
from ..scope import ENTS, PER_SPAN, attrs_of_ents, get_meta, per_span, with_kb_id
from .document import Mention, Passage
from .format import Format
from .ledger import named

ARRAY = {"head": "[\n", "separator": ",\n", "tail": "\n]\n"}
"""What is written around the records of a JSON array, one a line, see `Export.write_file`."""

DECIMALS = 6
"""Scores are written with so many; those of the pipeline have single precision."""


@dataclass(frozen=True)
class Annotated:
    """One document to write."""

    id: str  # its identifier, in characters that the format allows
    text: str
    doc: Doc
    mentions: list[Mention]  # its spans in the order of the span group, without whitespace at their ends
    # first token and the token after the last one of every mention, whitespace tokens at the ends included
    places: list[tuple[int, int]]
    # the passages that its source distinguished, with nothing but whitespace between them; empty if it did not
    passages: list[Passage]
    meta: dict[str, Any]  # what else its source says about it
    scored: bool = False  # whether its spans have scores, as predicted ones do; there may be none

    @property
    def tokens(self) -> list[str]:
        """Texts of its tokens."""
        return [token.text for token in self.doc]


class Export:
    """One run of a writer.

    The identifier of a document is the `doc_id` of its span group, or else its number, from 1. Characters of it that
    the format does not allow are written as in URLs (`%20`). Whitespace at the ends of spans is no part of them.
    Passages are those of the group, which `bioner_spacy.scope.set_origin` stores.
    """

    def __init__(
        self,
        path: Path,
        format: Format,
        spans_key: str,
        *,
        label: str = r"\S(?:.*\S)?",
        not_in_id: str = r"(?!)",
        infons: Collection[str] = (),
    ) -> None:
        """Begin.

        Args:
            label: pattern that labels must match as a whole.
            not_in_id: pattern of a character that identifiers cannot have.
            infons: keys of the infons of mentions that the format can hold, where it cannot hold all.
        """
        self.path = path
        self.format = format
        self.spans_key = spans_key
        self._infons = frozenset(infons)
        self._label = re.compile(label)
        self._not_in_id = re.compile(not_in_id)
        self._documents = self._spans = 0
        self._written = 0
        self._lost: Counter[str] = Counter()
        self._of_entities = 0
        self._blank: list[str] = []
        self._replaced: list[tuple[str, int]] = []
        self._without_tokens: list[str] = []

    def documents(self, docs: Iterable[Doc]) -> Iterator[Annotated]:
        """Documents in order, one at a time.

        Args:
            docs: gold documents, or predicted ones with the scores of their spans in the `attrs` of the group.

        Raises:
            BionerError: there is no document, one is not annotated, it has more scores than spans, its passages are
                not parts of its text in order, with whitespace between them, or the format cannot hold a label.
        """
        for doc in docs:
            self._documents += 1
            yield self.document(doc, self._documents)
        if not self._documents:
            raise BionerError(Errors.E163.format(path=self.path))

    def write_file(
        self,
        docs: Iterable[Doc],
        render: Callable[[Annotated], str],
        *,
        head: Union[str, Callable[[Annotated], str]] = "",
        separator: str = "",
        tail: str = "",
    ) -> tuple[int, int]:
        """Write a file of all documents, or none, and warn of what the format cannot hold.

        The file is compressed where its name ends in .gz.

        Args:
            render: makes the text of one document.
            head: text before the first document, or what makes it of this document.
            separator: text between two documents.
            tail: text after the last document.
        """
        with replacing(self.path) as (part,), _open_text(part, compressed=self.path.suffix == ".gz") as file:
            for number, document in enumerate(self.documents(docs)):
                before = separator if number else head if isinstance(head, str) else head(document)
                file.write(before + render(document))
            file.write(tail)
        return self.finish()

    def without(self, pattern: re.Pattern[str], document: Annotated, expressed: int = 0) -> str:
        """Text of a document with spaces for characters that the format cannot hold, so that offsets are unchanged.

        Args:
            pattern: pattern of such a character.
            expressed: how many of them the format expresses in another way; they are no loss to report.
        """
        text, count = pattern.subn(" ", document.text)
        if count > expressed:
            self._replaced.append((document.id, count - expressed))
        return text

    def leave_out(self, document: Annotated) -> str:
        """Count a document without tokens as left out, and return an empty string."""
        self._without_tokens.append(document.id)
        self._written -= len(document.mentions)
        return ""

    def lose(self, what: str, count: int = 1) -> None:
        """Count what the format cannot hold of a document.

        Args:
            what: what it is, as for `Ledger.add`.
            count: how many of it.
        """
        self._lost[what] += count

    def with_details(self, about: Mapping[str, Any], mention: Mention) -> dict[str, Any]:
        """The given keys about a mention, its score and concept identifiers if it has any (unless the only one is
        `kb_id`), and its infons under other keys."""
        found = dict(about)
        if mention.score is not None:
            found["score"] = mention.score
        if len(mention.identifiers) > ("kb_id" in found):
            found["identifiers"] = list(mention.identifiers)
        return self.with_others(found, mention.infons)

    def with_others(
        self, record: Mapping[str, Any], others: Mapping[str, Any], *, own: Collection[str] = ()
    ) -> dict[str, Any]:
        """A record with the further keys of its source; a key that the format uses for another value is counted as
        lost.

        Args:
            own: keys of the format that are not in every record.
        """
        taken = {key: value for key, value in others.items() if key in record or key in own}
        self.lose(
            "further key with a name of its own|further keys with names of its own",
            sum(record.get(key) != taken[key] for key in taken),
        )
        return {**record, **{key: value for key, value in others.items() if key not in taken}}

    def finish(self) -> tuple[int, int]:
        """Warn of all that is not written as it was.

        Returns:
            Numbers of documents and of mentions that are written.
        """
        self.warn_of_entities()
        place, blank, left_out = {"path": self.path, "format": self.format.name}, self._blank, self._without_tokens
        if blank:
            warn(Warnings.W160.format(path=self.path, count=len(blank), total=self._spans, first=blank[0]))
        if self._replaced:
            count = sum(count for _, count in self._replaced)
            warn(Warnings.W161.format(**place, count=count, first=self._replaced[0][0]))
        if left_out:
            warn(Warnings.W162.format(**place, count=len(left_out), first=left_out[0]))
        if lost := [named(what, count) for what, count in self._lost.items() if count]:
            warn(Warnings.W164.format(**place, what=", ".join(lost)))
        return self._documents - len(left_out), self._written

    def document(self, doc: Doc, number: int) -> Annotated:
        """One document; see `documents`.

        Args:
            number: its number, from 1.
        """
        spans, attrs = self.annotation(doc, number)
        doc_id = str(attrs.get("doc_id", "")).strip() or str(number)
        scores = attrs.get("scores")
        if scores is not None and len(scores) > len(spans):
            key, counts = self.spans_key, {"scores": len(scores), "spans": len(spans)}
            raise BionerError(Errors.E161.format(doc_id=doc_id, key=key, **counts))
        self._spans += len(spans)
        found = list(zip(mentions_of(doc, spans, attrs), ((span.start, span.end) for span in spans)))
        for mention, _ in found:
            if not self._label.fullmatch(mention.label):
                name = self.format.name
                raise BionerError(Errors.E160.format(doc_id=doc_id, label=mention.label, format=name))
        kept = [(mention, place) for mention, place in found if mention.start < mention.end]
        self._blank += [doc_id] * (len(found) - len(kept))
        self._written += len(kept)
        mentions, places = [mention for mention, _ in kept], [place for _, place in kept]
        written_id = self._not_in_id.sub(_percent, doc_id)
        text, meta = doc.text, get_meta(doc, self.spans_key)
        passages = _passages(text, attrs, doc_id)
        self._count_lost(mentions, passages, meta)
        return Annotated(written_id, text, doc, mentions, places, passages, meta, scores is not None)

    def _count_lost(self, mentions: list[Mention], passages: list[Passage], meta: dict[str, Any]) -> None:
        holds = self.format.holds
        found = {
            "scores": sum(mention.score is not None for mention in mentions),
            "identifiers": sum(bool(mention.identifiers) for mention in mentions),
            "infons": sum(not self._infons.issuperset(mention.infons) for mention in mentions),
            "passages": len(passages) > 1,
            "meta": bool(meta),
        }
        for kind, count in found.items():
            if count and kind not in holds:
                self.lose(_LOST[kind], int(count))

    def annotation(self, doc: Doc, number: int) -> tuple[Sequence[Span], Mapping[str, Any]]:
        """Spans of a document and the `attrs` of their group. Its entities if the key is `ENTS`, or if it has no groups
        at all, of which `warn_of_entities` warns. Arguments and errors are those of `document`."""
        key = self.spans_key
        if key in doc.spans:
            return list(doc.spans[key]), doc.spans[key].attrs
        has_ents = doc.has_annotation("ENT_IOB")
        if not has_ents or (len(doc.spans) and key != ENTS):
            known = ", ".join([*doc.spans, *([ENTS] if has_ents else [])]) or "none"
            raise BionerError(Errors.E162.format(number=number, key=key, known=known))
        self._of_entities += key != ENTS
        return doc.ents, attrs_of_ents(doc)

    def warn_of_entities(self) -> None:
        """Warn of documents whose entities were written although spans were requested."""
        if self._of_entities:
            warn(Warnings.W165.format(path=self.path, count=self._of_entities, key=self.spans_key))


_LOST = {
    "scores": "score",
    "identifiers": "mention's concept identifiers|mentions' concept identifiers",
    "infons": "mention's further infons|mentions' further infons",
    "passages": "document's passages|documents' passages",
    "meta": "document's further keys|documents' further keys",
}


@contextmanager
def _open_text(path: Path, *, compressed: bool) -> Iterator[TextIO]:
    """Open a file to write; the same content gives the same bytes, compressed or not."""
    with path.open("wb") as file:
        packed = gzip.GzipFile("", "wb", fileobj=file, mtime=0) if compressed else file
        with io.TextIOWrapper(packed, encoding="utf-8", newline="") as text:  # type: ignore[type-var]
            yield text


def mentions_of(doc: Doc, spans: Sequence[Span], attrs: Mapping[str, Any]) -> list[Mention]:
    """Spans of a document as mentions, in their order.

    Whitespace at the ends of a span is no part of its mention; of a span of nothing else, start and end are the same.

    Args:
        attrs: what the `attrs` of their group say about them.
    """
    ents = {(ent.start, ent.end, ent.label) for ent in doc.ents} if doc.has_annotation("ENT_IOB") else None
    details = (per_span(attrs, key, len(spans)) for key in PER_SPAN)
    return [_mention(span, ents, *others) for span, *others in zip(spans, *details)]


def _mention(span: Span, ents: Any, score: Any, identifiers: Sequence[str], infons: Any) -> Mention:
    text, start = span.text, span.start_char
    start += len(text) - len(text.lstrip())
    return Mention(
        start,
        start + len(text.strip()),
        span.label_,
        score=None if score is None else round(float(score), DECIMALS),
        identifiers=tuple(with_kb_id(span, identifiers)),
        infons=json.loads(infons) if infons else {},
        flat=None if ents is None else (span.start, span.end, span.label) in ents,
    )


def json_line(record: Mapping[str, Any]) -> str:
    """A record as a line of JSON."""
    return json.dumps(record, ensure_ascii=False) + "\n"


def places_of_parts(places: Iterable[tuple[int, int]], parts: Sequence[Sequence[str]]) -> list[tuple[int, int]]:
    """Places in a sequence in which every token has been replaced by several parts, or by none.

    Args:
        places: first token and the token after the last one of every mention.
        parts: parts of every token.

    Returns:
        First part and the part after the last one of every mention.
    """
    before = [0, *accumulate(map(len, parts))]
    return [(before[start], before[end]) for start, end in places]


def _passages(text: str, attrs: Mapping[str, Any], doc_id: str) -> list[Passage]:
    passages = [Passage(*passage) for passage in attrs.get("passages", ())]
    boundaries = [0, *(boundary for start, end, *_ in passages for boundary in (start, end)), len(text)]
    between = (text[before:after] for before, after in zip(boundaries[::2], boundaries[1::2]))
    if passages and (boundaries != sorted(boundaries) or any(part.strip() for part in between)):
        raise BionerError(Errors.E167.format(doc_id=doc_id))
    return passages


def _percent(match: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in match[0].encode("utf-8"))
