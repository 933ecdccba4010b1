"""Files of a review of predictions: the sheet that judges fill in, and the key that they do not see."""

import csv
import io
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Optional

from ..errors import BionerError, Errors, reason
from ..scoring.results import Pipeline, reading_json

COLUMNS = ("id", "corpus", "document", "type", "left", "mention", "right", "judgement", "comment")
YES, NO, UNSURE = "yes", "no", "unsure"
ANSWERS = (YES, NO, UNSURE)


@dataclass(frozen=True)
class Row:
    """A prediction as judges see it: without its score, which would bias them."""

    row: str  # identifier of the row in its review
    corpus: str  # name of the corpus
    doc_id: str  # identifier of the document
    entity_type: str  # predicted type
    left: str  # text before the mention
    mention: str  # text of the mention
    right: str  # text after it


class Judgement(NamedTuple):
    """The judgement of a row: one of `ANSWERS`, and a comment."""

    answer: str
    comment: str


@dataclass(frozen=True)
class KeyStratum:
    """A stratum: predictions of one type with similar scores, from which rows were drawn."""

    entity_type: str
    low: Optional[float]  # lowest score of the predictions; None if there are no scores
    high: Optional[float]  # highest score
    population: int  # number of the predictions
    rows: list[str]  # identifiers of the rows that were drawn


@dataclass(frozen=True)
class Key:
    """The key of a sheet, which judges do not see."""

    pipeline: Pipeline
    split: str
    seed: int  # random seed of the sample
    strata: list[KeyStratum]  # the strata; every row is in one
    # Row -> the prediction: corpus, number of its record, document, type, start, end (in characters), text and score.
    rows: dict[str, dict[str, Any]]
    # Where the predictions come from, see `bioner_spacy.provenance`.
    provenance: dict[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """The key for a JSON file."""
        return asdict(self)

    @classmethod
    def from_disk(cls, path: Path) -> "Key":
        """Read a key back."""
        with reading_json(path, "key of a review", "name the key.json that `spacy bioner review make` wrote") as data:
            strata = [KeyStratum(**stratum) for stratum in data["strata"]]
            drawn = [row for stratum in strata for row in stratum.rows]
            if not drawn or sorted(drawn) != sorted(data["rows"]) or not all(stratum.rows for stratum in strata):
                raise ValueError("strata and rows differ")
            return cls(**{**data, "pipeline": Pipeline(**data["pipeline"]), "strata": strata})


def read_sheet(path: Path, key: Key, key_path: Path) -> dict[str, Judgement]:
    """Read a sheet that a judge filled in.

    Columns are found by name. Texts are not compared, because spreadsheets change them.

    Args:
        path: the sheet: text with tabs, commas or semicolons, in UTF-8 or UTF-16.
        key_path: its file, for messages.

    Returns:
        Row -> judgement, in the order of the key.

    Raises:
        BionerError: the file is no such sheet or belongs to another key, a row is missing or there twice, or a
            judgement is missing or unknown.
    """
    found: dict[str, Judgement] = {}
    lines: dict[str, int] = {}
    for line, record in _records(path):
        row = (record.get("id") or "").strip()
        if row in found:
            raise BionerError(Errors.E535.format(path=path, line=line, row=row, first=lines[row]))
        if row not in key.rows:
            raise BionerError(Errors.E536.format(path=path, line=line, row=row or "without id", key=key_path))
        answer = (record.get("judgement") or "").strip().lower()
        if answer and answer not in ANSWERS:
            raise BionerError(Errors.E534.format(path=path, line=line, row=row, value=record["judgement"]))
        found[row], lines[row] = Judgement(answer, (record.get("comment") or "").strip()), line
    if missing := [row for row in key.rows if row not in found]:
        counts = {"count": len(missing), "total": len(key.rows)}
        raise BionerError(Errors.E537.format(path=path, key=key_path, row=missing[0], **counts))
    if empty := [row for row, judgement in found.items() if not judgement.answer]:
        raise BionerError(Errors.E533.format(path=path, line=lines[empty[0]], row=empty[0], count=len(empty)))
    return {row: found[row] for row in key.rows}


def _records(path: Path) -> list[tuple[int, Mapping[str, Optional[str]]]]:
    """Number of the last line, and cells by column, of the rows of a sheet that are not empty."""
    try:
        raw = path.read_bytes()
        # Excel's "Unicode text" is UTF-16 with a byte order mark.
        text = raw.decode("utf-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
        header = re.match(r'"?id"?([\t,;])', text)
        if header is None:
            raise ValueError("its first column is not id")
        reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=header[1])
        if missing := {"judgement", "comment"}.difference(reader.fieldnames or ()):
            raise ValueError(f"no column {min(missing)}")
        found: list[tuple[int, Mapping[str, Optional[str]]]] = []
        for record in reader:
            if None in record and any(record.pop(None)):  # type: ignore[call-overload]
                raise ValueError(f"line {reader.line_num} has too many columns")
            if any(value and value.strip() for value in record.values()):
                found.append((reader.line_num, record))
    except (OSError, ValueError, csv.Error) as error:
        what = "filled-in review sheet"
        advice = "fill in the one that `spacy bioner review make` wrote, and save it as text in UTF-8 or UTF-16"
        raise BionerError(Errors.E506.format(path=path, what=what, reason=reason(error), advice=advice)) from error
    return found
