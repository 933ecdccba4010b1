"""Documents, passages and mentions of readers and writers, and error handling of readers."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, NoReturn, Optional, TypeVar

from ..errors import BionerError, Errors

Part = TypeVar("Part")
Made = TypeVar("Made")

OnError = Callable[[BionerError], None]
"""Called by a reader for every part that it cannot read; if it returns, the part is left out."""


def stop(error: BionerError) -> NoReturn:
    """An `OnError` that raises the error."""
    raise error


def fail(path: Path, line: int, reason: str) -> NoReturn:
    """Raise an error about a line of a file."""
    raise BionerError(Errors.E106.format(path=path, line=line, reason=reason))


def require_some(path: Path, parts: Iterable[Part]) -> Iterator[Part]:
    """Pass the parts of a file on; an error at the end if there is none."""
    empty = True
    for part in parts:
        empty = False
        yield part
    if empty:
        raise BionerError(Errors.E102.format(path=path))


LONGEST_GAP = 1_000_000
"""Maximum number of characters between two passages; a larger distance is a wrong offset, and would fill the
memory."""


@dataclass(frozen=True)
class Mention:
    """One annotated mention, read or to be written.

    Attributes:
        start: first character of the mention in the text of its document.
        end: the character after its last one; more than `start`.
        label: the corpus's own label, before any mapping; of a mention to be written, its entity type.
        line: number of the line of the corpus file that the mention comes from, from 1; 0 if there is none.
        fragments: start and end of every part of a discontinuous mention, in order, the first beginning at `start`
            and the last ending at `end`; empty if the mention is contiguous.
        score: score of a predicted mention, None if there is none.
        identifiers: identifiers of its concepts, such as "MESH:D001241".
        infons: further data of the source, by its own keys (infons in BioC).
        flat: whether a mention to be written is in the flat view (`doc.ents`), in which none overlap; None if there is
            no such view.
    """

    start: int
    end: int
    label: str
    line: int = 0
    fragments: tuple[tuple[int, int], ...] = ()
    score: Optional[float] = None
    identifiers: tuple[str, ...] = ()
    infons: Mapping[str, Any] = field(default_factory=dict, hash=False)
    flat: Optional[bool] = None


class Passage(NamedTuple):
    """One part of a document, such as its title.

    Attributes:
        start: first character in the text of the document.
        end: the character after the last one.
        type: its type in the file, such as "title" or "abstract"; may be empty.
        infons: further data of the file; None if there are none.
    """

    start: int
    end: int
    type: str
    infons: Optional[Mapping[str, Any]] = None


@dataclass(frozen=True)
class SourceDocument:
    """A document of a corpus file: a sentence if the format keeps sentences, else a whole record.

    Attributes:
        id: identifier of this unit, for messages.
        text: its text.
        mentions: its mentions as the file lists them; nested ones and repeated ones included.
        path: the file that it comes from.
        line: number of its first line in that file, from 1.
        doc_id: identifier of the article or abstract that the unit belongs to, empty if the file has none.
        passages: its passages in order, with whitespace between them; empty if the format has none.
        meta: further metadata of the file, by its own keys, as JSON values. `COLLECTION` and `INFONS` are keys for
            what BioC says about a collection and a document.
    """

    id: str
    text: str
    mentions: tuple[Mention, ...]
    path: Path
    line: int
    doc_id: str = ""
    passages: tuple[Passage, ...] = ()
    meta: Mapping[str, Any] = field(default_factory=dict, hash=False)


COLLECTION, INFONS = "collection", "infons"


def each_readable(parts: Iterable[Part], make: Callable[[Part], Optional[Made]], on_error: OnError) -> Iterator[Made]:
    """What is made of the parts of a file, such as documents.

    Args:
        make: makes something of one of them, or None to leave it out.
        on_error: what to do about one that cannot be read; it is left out then.
    """
    for part in parts:
        try:
            made = make(part)
        except BionerError as error:
            on_error(error)
        else:
            if made is not None:
                yield made


def join_passages(
    parts: Iterable[tuple[str, str, Mapping[str, Any]]], *, separator: Optional[str] = None
) -> tuple[str, tuple[Passage, ...]]:
    """The text of a document of passages, and the passages in it.

    Args:
        parts: type, text and infons of every passage; those without a text are left out.
        separator: text between two passages. None: a space after what ends as a sentence does, else a blank
            line, which ends sentences too.
    """
    text, passages = "", []
    for type, part, infons in parts:
        if not part:
            continue
        if text:
            text += (" " if text.endswith((".", "?", "!", ".]")) else "\n\n") if separator is None else separator
        passages.append(Passage(len(text), len(text) + len(part), type, infons or None))
        text += part
    return text, tuple(passages)
