"""What all writers share: documents with identifiers and scored spans, and an account of what a format cannot hold."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any, Optional

from spacy.tokens import Doc, Span

from ...errors import BionerError, Errors, Warnings, warn
from ...files import replacing
from ..document import Passage

DECIMALS = 6
"""Scores are written with so many; those of the pipeline have single precision."""


@dataclass(frozen=True)
class ScoredSpan:
    """One span of a document, without whitespace at its ends.

    Attributes:
        start: first character.
        end: the character after the last one.
        label: entity type.
        score: score of a predicted span, None where there is none.
        tokens: first token and the token after the last one, whitespace tokens at the ends included.
    """

    start: int
    end: int
    label: str
    score: Optional[float]
    tokens: tuple[int, int]


@dataclass(frozen=True)
class Annotated:
    """One document to write.

    Attributes:
        id: its identifier, in characters that the format allows.
        text: its text.
        tokens: texts of its tokens.
        spans: its spans in the order of the span group.
        passages: the passages that its source told apart, with nothing but whitespace between them; empty where it did
            not.
    """

    id: str
    text: str
    tokens: list[str]
    spans: list[ScoredSpan]
    passages: list[Passage]


class Export:
    """One run of a writer.

    The identifier of a document is the `doc_id` of its span group, or else its number, from 1. Characters of it that
    the format does not allow are written as in URLs (`%20`). Whitespace at the ends of spans is no part of them. Passages
    are those of the group, which `bioner_spacy.scope.set_origin` stores.
    """

    def __init__(
        self, path: Path, format: str, spans_key: str, *, label: str = r"\S(?:.*\S)?", not_in_id: str = r"(?!)"
    ) -> None:
        """Begin.

        Args:
            path: the file or folder to write.
            format: name of the format, for messages.
            spans_key: key in `doc.spans`.
            label: pattern that labels must match as a whole.
            not_in_id: pattern of a character that identifiers cannot have.
        """
        self.path = path
        self.format = format
        self.spans_key = spans_key
        self._label = re.compile(label)
        self._not_in_id = re.compile(not_in_id)
        self._spans = 0
        self._blank: list[str] = []
        self._replaced: list[tuple[str, int]] = []
        self._wordless: list[str] = []

    def documents(self, docs: Iterable[Doc]) -> Iterator[Annotated]:
        """Documents in order, one at a time.

        Args:
            docs: gold documents, or predicted ones with the scores of their spans in the `attrs` of the group.

        Raises:
            BionerError: if there is no document, if one is not annotated, if its scores are not as many as its
                spans, if its passages are not parts of its text in order, with whitespace between them, or if the
                format cannot hold a label.
        """
        number = 0
        for number, doc in enumerate(docs, start=1):
            yield self._document(doc, number)
        if not number:
            raise BionerError(Errors.E163.format(path=self.path))

    def write_file(
        self,
        docs: Iterable[Doc],
        render: Callable[[Annotated], str],
        *,
        head: str = "",
        separator: str = "",
        tail: str = "",
    ) -> None:
        """Write a file of all documents, or none, and warn of what the format cannot hold.

        Args:
            docs: as for `documents`.
            render: makes the text of one document.
            head: text before the first document.
            separator: text between two documents.
            tail: text after the last document.
        """
        with replacing(self.path) as (part,), part.open("w", encoding="utf-8", newline="") as file:
            before = head
            for document in self.documents(docs):
                file.write(before + render(document))
                before = separator
            file.write(tail)
        self.finish()

    def without(self, pattern: re.Pattern[str], document: Annotated, expressed: int = 0) -> str:
        """Text of a document with characters that the format cannot hold as spaces, so that offsets stay as they are.

        Args:
            pattern: pattern of such a character.
            document: the document.
            expressed: how many of them the format expresses in another way; they are no loss to report.
        """
        text, count = pattern.subn(" ", document.text)
        if count > expressed:
            self._replaced.append((document.id, count - expressed))
        return text

    def leave_out(self, document: Annotated) -> str:
        """Note that a document without a word is not written, and return the nothing that stands for it."""
        self._wordless.append(document.id)
        return ""

    def finish(self) -> None:
        """Warn of all that is not written as it was."""
        if self._blank:
            message = Warnings.W160.format(
                path=self.path, count=len(self._blank), total=self._spans, first=self._blank[0]
            )
            warn(message)
        if self._replaced:
            count = sum(count for _, count in self._replaced)
            warn(Warnings.W161.format(path=self.path, format=self.format, count=count, first=self._replaced[0][0]))
        if self._wordless:
            count = len(self._wordless)
            warn(Warnings.W162.format(path=self.path, format=self.format, count=count, first=self._wordless[0]))

    def _document(self, doc: Doc, number: int) -> Annotated:
        spans, attrs = self._annotation(doc, number)
        doc_id = str(attrs.get("doc_id", "")).strip() or str(number)
        scores = attrs.get("scores")
        if scores is None:
            scores = [None] * len(spans)
        elif len(scores) != len(spans):
            key, counts = self.spans_key, {"scores": len(scores), "spans": len(spans)}
            raise BionerError(Errors.E161.format(doc_id=doc_id, key=key, **counts))
        self._spans += len(spans)
        found = [self._span(span, score, doc_id) for span, score in zip(spans, scores)]
        kept = [span for span in found if span.start < span.end]
        self._blank += [doc_id] * (len(found) - len(kept))
        written_id = self._not_in_id.sub(_percent, doc_id)
        passages = _passages(doc.text, attrs, doc_id)
        return Annotated(written_id, doc.text, [token.text for token in doc], kept, passages)

    def _annotation(self, doc: Doc, number: int) -> tuple[Sequence[Span], dict[str, Any]]:
        """Spans of a document and the `attrs` of their group; its entities where it has no span groups at all."""
        if self.spans_key in doc.spans:
            group = doc.spans[self.spans_key]
            return list(group), group.attrs
        if len(doc.spans) or not doc.has_annotation("ENT_IOB"):
            known = ", ".join(doc.spans) or "none"
            raise BionerError(Errors.E162.format(number=number, key=self.spans_key, known=known))
        return doc.ents, {}

    def _span(self, span: Span, score: Any, doc_id: str) -> ScoredSpan:
        if not self._label.fullmatch(span.label_):
            raise BionerError(Errors.E160.format(doc_id=doc_id, label=span.label_, format=self.format))
        text, start = span.text, span.start_char
        start += len(text) - len(text.lstrip())
        value = None if score is None else round(float(score), DECIMALS)
        return ScoredSpan(start, start + len(text.strip()), span.label_, value, (span.start, span.end))


def in_pieces(spans: Iterable[ScoredSpan], pieces: Sequence[Sequence[str]]) -> list[tuple[int, int]]:
    """Places of spans in a sequence in which every token has been replaced by several pieces, or by none.

    Args:
        spans: the spans.
        pieces: pieces of every token.

    Returns:
        First piece and the piece after the last one of every span.
    """
    before = [0, *accumulate(map(len, pieces))]
    return [(before[span.tokens[0]], before[span.tokens[1]]) for span in spans]


def _passages(text: str, attrs: dict[str, Any], doc_id: str) -> list[Passage]:
    passages = [Passage(*passage) for passage in attrs.get("passages", ())]
    borders = [0, *(border for start, end, _ in passages for border in (start, end)), len(text)]
    between = (text[before:after] for before, after in zip(borders[::2], borders[1::2]))
    if passages and (borders != sorted(borders) or any(part.strip() for part in between)):
        raise BionerError(Errors.E167.format(doc_id=doc_id))
    return passages


def _percent(match: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in match[0].encode("utf-8"))
