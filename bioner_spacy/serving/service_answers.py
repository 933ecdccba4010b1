"""Answers of the service: mentions as JSON, or files in other formats."""

import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Optional

from pydantic import BaseModel, Field

from ..errors import collected_warnings
from ..formats import Mention, get_format
from ..scope import SPANS_KEY
from .mentions import make_doc

_one_at_a_time = threading.Lock()  # warning filters are global to the process
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Annotated:
    """A text with its identifier and its mentions in order."""

    id: str
    text: str
    mentions: Sequence[Mention]


class Entity(BaseModel):
    """A mention. Offsets count characters (Unicode code points)."""

    start: int = Field(description="Its first character.")
    end: int = Field(description="The character after its last one.")
    text: str
    type: str = Field(description="Its entity type.")
    score: Optional[float] = Field(description="Its score, 0 to 1; null where the pipeline gives none.")
    flat: bool = Field(description="Whether it is in the flat view, in which no entities overlap.")
    identifiers: list[str] = Field(description="Its concept identifiers.")


class Document(BaseModel):
    """The entities of one text."""

    id: str
    entities: list[Entity]


class Answer(BaseModel):
    """The entities of all texts of a request, in order."""

    pipeline: str = Field(description="Name and version of the pipeline.")
    documents: list[Document]


def to_answer(pipeline: str, documents: Sequence[Annotated]) -> Answer:
    """Make the JSON answer.

    Args:
        pipeline: name and version of the pipeline.
    """
    return Answer(
        pipeline=pipeline,
        documents=[
            Document(id=document.id, entities=[_entity(document.text, mention) for mention in document.mentions])
            for document in documents
        ],
    )


FILE_FORMATS = {
    "bioc": ("application/json", ".json"),
    "pubtator": ("text/plain; charset=utf-8", ".pubtator"),
    "csv": ("text/csv; charset=utf-8", ".csv"),
}
"""Formats of answers other than JSON, with their media types and file endings."""

FORMATS = ("json", *FILE_FORMATS)
"""Formats of requests."""


def to_file(format: str, documents: Sequence[Annotated]) -> bytes:
    """Make an answer in one of `FILE_FORMATS`; log what the format cannot hold."""
    is_csv, ending = format == "csv", FILE_FORMATS[format][1]
    docs = (make_doc(document.text, document.mentions, document.id) for document in documents)
    with TemporaryDirectory() as folder, _one_at_a_time, collected_warnings() as messages:
        path = Path(folder, f"answer{ending}")
        get_format("table" if is_csv else format).written(docs, path, spans_key=SPANS_KEY)
        content = path.read_bytes()
    for message in messages:
        logger.info("%s", message)
    return b"\xef\xbb\xbf" + content if is_csv else content  # byte order mark for spreadsheets


def _entity(text: str, mention: Mention) -> Entity:
    return Entity(
        start=mention.start,
        end=mention.end,
        text=text[mention.start : mention.end],
        type=mention.label,
        score=mention.score,
        flat=bool(mention.flat),
        identifiers=list(mention.identifiers),
    )
