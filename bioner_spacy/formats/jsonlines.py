"""Reader of JSON lines: one sentence a line with its tokens and mentions, which may nest.

A line is an object with `tokens` (strings), `entity_mentions` (objects with `start` and `end`, token indices, end
exclusive; `entity_type`; optionally `text`, the tokens joined by spaces) and optionally `sent_id` and `doc_id`.
"""

from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path
from typing import Any

from ..errors import BionerError, Errors
from ..files import numbered_lines
from ..tokenization import detokenize
from .document import Mention, OnError, SourceDocument, stop
from .json_line import JsonLine


def read(path: Path, *, on_error: OnError = stop) -> Iterator[SourceDocument]:
    """Read a JSON lines file; every line is one document. Blank lines are skipped.

    Args:
        path: the file.
        on_error: what to do about a line that cannot be read: raise the error, or take note of it, so that all of them
            are found in one go; it is left out then.

    Yields:
        The sentences in the order of the file.

    Raises:
        BionerError: if the file is missing, empty, not UTF-8, or if a line is no such object or has a mention that
            is out of range or whose text is another one.
    """
    empty = True
    for line, text in numbered_lines(path):
        if not text.strip():
            continue
        empty = False
        try:
            document = _Line(path, line).document(text)
        except BionerError as error:
            on_error(error)
        else:
            yield document
    if empty:
        raise BionerError(Errors.E102.format(path=path))


class _Line(JsonLine):
    def document(self, text: str) -> SourceDocument:
        record = self.record(text)
        tokens = self.tokens(record.get("tokens"))
        sentence, offsets = _join(tokens)
        annotations = record.get("entity_mentions")
        if not isinstance(annotations, list):
            self.fail("the object has no list entity_mentions")
        mentions = tuple(self.mention(annotation, tokens, offsets) for annotation in annotations)
        name = self.identifier(record, "sent_id") or f"{self.path.stem}:{self.line}"
        return SourceDocument(name, sentence, mentions, self.path, self.line, self.identifier(record, "doc_id"))

    def tokens(self, value: Any) -> list[str]:
        if not isinstance(value, list) or not value:
            self.fail("the object has no list tokens, or an empty one")
        for token in value:
            if not isinstance(token, str) or not token.strip():
                self.fail(f"the token {token!r} is no string or has no characters")
        return value

    def mention(self, value: Any, tokens: list[str], offsets: list[tuple[int, int]]) -> Mention:
        if not isinstance(value, dict):
            self.fail("a mention must be an object")
        start, end, label = value.get("start"), value.get("end"), value.get("entity_type")
        if type(start) is not int or type(end) is not int or not 0 <= start < end <= len(tokens):
            self.fail(f"a mention goes from token {start} to {end} of a sentence of {len(tokens)} tokens")
        if not isinstance(label, str) or not label:
            self.fail(f"the mention from token {start} to {end} has no entity_type")
        text = " ".join(tokens[start:end])
        if value.get("text", text) != text:
            self.fail(f"the mention {value['text']!r} is {text!r} by its token indices")
        return Mention(offsets[start][0], offsets[end - 1][1], label, self.line)


def _join(tokens: list[str]) -> tuple[str, list[tuple[int, int]]]:
    """Text of a sentence and the characters of every token; a token may hold several words ("ER- cells")."""
    parts = [token.split() for token in tokens]
    text, offsets = detokenize([word for words in parts for word in words])
    ends = list(accumulate(len(words) for words in parts))
    return text, [(offsets[end - len(words)][0], offsets[end - 1][1]) for words, end in zip(parts, ends)]
