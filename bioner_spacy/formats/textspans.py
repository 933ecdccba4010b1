"""Reader of JSON lines with texts and spans by characters, as annotation tools export them.

A line is an object with `text` and, in a list, its spans: `spans` (Prodigy), `label` or `labels` (doccano), `entities`
(doccano with relations; training data of older versions of spaCy) or `ents` (`doc.to_json()` of spaCy). A span is an
object with `start`, `end` and `label`, or with `start_offset`, `end_offset` and `label`, or a list of these three; its
`text`, if given, is compared. Offsets count characters, the end is exclusive. `doc_id`, or else `id`, may name the
document; what else there is, is not looked at.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..errors import BionerError, Errors, Warnings, warn
from ..files import numbered_lines
from .document import Mention, OnError, SourceDocument, stop
from .json_line import JsonLine
from .standoff import MentionBuilder

SPANS = ("spans", "label", "labels", "entities", "ents")
"""Keys of the list of spans; where there are several, the first that holds a list."""


def read(path: Path, *, mismatch: str = "error", on_error: OnError = stop) -> Iterator[SourceDocument]:
    """Read a file; every line is one document. Blank lines are skipped.

    Lines that an annotator has rejected or ignored (`answer` of Prodigy) say nothing that can be learnt: they are left
    out, and a warning tells how many.

    Args:
        path: the file.
        mismatch: what to do with a span whose text is not the one at its offsets: "error", or "offsets" to believe the
            offsets and to warn at the end.
        on_error: what to do about a line that cannot be read: raise the error, or take note of it, so that all of them
            are found in one go; it is left out then.

    Yields:
        The documents in the order of the file.

    Raises:
        BionerError: if the file is missing, empty, not UTF-8, or if a line is no such object, or has a span that is out
            of range or whose text is another one.
    """
    builder = MentionBuilder(path, mismatch)
    empty = True
    left_out: list[int] = []
    for number, content in numbered_lines(path):
        if not content.strip():
            continue
        empty = False
        line = _Line(path, number)
        try:
            record = line.record(content)
            accepted = line.accepted(record)
            document = line.document(record, builder)
        except BionerError as error:
            on_error(error)
        else:
            if accepted:
                yield document
            else:
                left_out.append(number)
    if empty:
        raise BionerError(Errors.E102.format(path=path))
    builder.finish()
    if left_out:
        warn(Warnings.W106.format(path=path, count=len(left_out), line=left_out[0]))


def read_texts(path: Path) -> Iterator[SourceDocument]:
    """Read the texts and identifiers of a file, whatever else its lines say: they need no spans.

    Args:
        path: the file.

    Yields:
        The documents in the order of the file, without mentions.

    Raises:
        BionerError: if the file is missing, empty, not UTF-8, or if a line is no object with a text.
    """
    line = None
    for number, content in numbered_lines(path):
        if content.strip():
            line = _Line(path, number)
            yield line.source_document(line.record(content))
    if line is None:
        raise BionerError(Errors.E102.format(path=path))


class _Line(JsonLine):
    def accepted(self, record: dict[str, Any]) -> bool:
        answer = record.get("answer", "accept")
        if answer not in ("accept", "reject", "ignore"):
            self.fail(f"answer is {answer!r}, and none of accept, reject and ignore")
        return bool(answer == "accept")

    def source_document(self, record: dict[str, Any]) -> SourceDocument:
        """The document without its mentions."""
        text = record.get("text")
        if not isinstance(text, str):
            self.fail("the object has no string text")
        doc_id = self.identifier(record, "doc_id") or self.identifier(record, "id")
        return SourceDocument(f"{self.path.stem}:{self.line}", text, (), self.path, self.line, doc_id)

    def document(self, record: dict[str, Any], builder: MentionBuilder) -> SourceDocument:
        document = self.source_document(record)
        spans = next((record[key] for key in SPANS if isinstance(record.get(key), list)), None)
        if spans is None:
            self.fail(f"the object has no list of spans ({', '.join(SPANS)}), which may be empty")
        return replace(document, mentions=tuple(self.mention(span, document.text, builder) for span in spans))

    def mention(self, span: Any, text: str, builder: MentionBuilder) -> Mention:
        claimed = ""
        if isinstance(span, dict):
            start, end = (span.get(key, span.get(f"{key}_offset")) for key in ("start", "end"))
            label, claimed = span.get("label"), span.get("text", "")
        elif isinstance(span, list) and len(span) == 3:
            start, end, label = span
        else:
            self.fail("a span must be an object, or a list of start, end and label")
        if type(start) is not int or type(end) is not int:
            self.fail(f"the span from {start!r} to {end!r} has no whole numbers for start and end")
        if not isinstance(label, str) or not label.strip():
            self.fail(f"the span from {start} to {end} has no label")
        if not isinstance(claimed, str):
            self.fail(f"the text of the span from {start} to {end} is no string")
        return builder.mention(
            self.path, self.line, text, label=label.strip(), fragments=[(start, end)], claimed=claimed
        )
