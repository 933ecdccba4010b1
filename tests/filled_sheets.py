"""Keys and filled-in sheets of reviews that the tests share."""

from collections.abc import Sequence
from pathlib import Path

from bioner_spacy.analysis.review_sheet import COLUMNS, Key, KeyStratum
from bioner_spacy.scoring.results import Pipeline


def key(*strata: tuple[str, int, int]) -> Key:
    """A key with so many predictions and rows of each type."""
    made, rows = [], {}
    for entity_type, population, drawn in strata:
        names = [f"abc-{len(rows) + number}" for number in range(drawn)]
        for name in names:
            rows[name] = {"corpus": "drugs", "doc_id": "1", "entity_type": entity_type, "text": f"words of {name}"}
        made.append(KeyStratum(entity_type, 0.1, 0.9, population, names))
    return Key(Pipeline("en_p", "1.0", None, 0, []), "test", 0, made, rows)


def fill(path: Path, key_: Key, answers: Sequence[str], comments: Sequence[str] = ()) -> Path:
    """Write a sheet of one key with these answers."""
    lines = ["\t".join(COLUMNS)]
    for place, (row, answer) in enumerate(zip(key_.rows, answers, strict=True)):
        comment = comments[place] if comments else ""
        lines.append("\t".join([row, *["x"] * (len(COLUMNS) - 3), answer, comment]))
    path.write_text("\n".join(lines) + "\n", encoding="utf8")
    return path
