"""What every corpus reader yields, and what it does about what it cannot read."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, NoReturn

from ..errors import BionerError

OnError = Callable[[BionerError], None]
"""What a reader calls for every part of a file that it cannot read; where it returns, the part is left out."""


def stop(error: BionerError) -> NoReturn:
    """The `OnError` of all work with corpora: raise the error."""
    raise error


@dataclass(frozen=True)
class Mention:
    """One annotated mention.

    Attributes:
        start: first character of the mention in the text of its document.
        end: the character after its last one; more than `start`.
        label: the corpus's own label, before any mapping.
        line: number of the line of the corpus file that the mention comes from, from 1.
        fragments: start and end of every part of a discontinuous mention, in order, the first beginning at `start`
            and the last ending at `end`; empty where the mention is contiguous.
    """

    start: int
    end: int
    label: str
    line: int
    fragments: tuple[tuple[int, int], ...] = ()


class Passage(NamedTuple):
    """One part of a document, such as its title.

    Attributes:
        start: first character in the text of the document.
        end: the character after the last one.
        type: what the file calls it, such as "title" or "abstract"; may be empty.
    """

    start: int
    end: int
    type: str


@dataclass(frozen=True)
class SourceDocument:
    """The unit that a corpus file is made of: a sentence where the format keeps sentences, else a whole record.

    Attributes:
        id: identifier of this unit, for messages.
        text: its text.
        mentions: its mentions as the file lists them; nested ones and repeated ones included.
        path: the file that it comes from.
        line: number of its first line in that file, from 1.
        doc_id: identifier of the article or abstract that the unit belongs to, empty where the file does not tell.
        passages: its passages in order, with whitespace between them; empty where the format has none.
    """

    id: str
    text: str
    mentions: tuple[Mention, ...]
    path: Path
    line: int
    doc_id: str = ""
    passages: tuple[Passage, ...] = ()
