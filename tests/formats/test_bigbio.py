"""Records of BigBIO's schema."""

import json
from pathlib import Path
from typing import Any

import pytest

from bioner_spacy.errors import BionerError, BionerWarning
from bioner_spacy.formats.bigbio import read, read_texts


def entity(text: list[str], offsets: list[list[int]], **other: Any) -> dict[str, Any]:
    return {"id": "e", "type": "D", "text": text, "offsets": offsets, "normalized": [], **other}


def record(*entities: dict[str, Any], **other: Any) -> dict[str, Any]:
    passages = [
        {"id": "p1", "type": "title", "text": ["Gout."], "offsets": [[0, 5]]},
        {"id": "p2", "type": "abstract", "text": ["Breast and ovarian cancers."], "offsets": [[6, 33]]},
    ]
    return {"id": "0", "document_id": "77", "passages": passages, "entities": list(entities), "events": [], **other}


def write(folder: Path, *records: dict[str, Any]) -> Path:
    path = folder / "in.jsonl"
    path.write_text("".join(json.dumps(one) + "\n" for one in records))
    return path


def test_records(tmp_path: Path) -> None:
    concepts = [{"db_name": "MESH", "db_id": "D1"}, {"db_name": "", "db_id": "D2"}, {"db_name": "MESH", "db_id": "D1"}]
    found = [entity(["Gout"], [[0, 4]], normalized=concepts), entity(["Breast", "cancers"], [[6, 12], [25, 32]])]
    path = write(tmp_path, record(*found, relations=[{"id": "r"}], year=2000))
    with pytest.warns(BionerWarning, match=r"1 relation \(first in line 1\)"):
        [document] = read(path)
    assert (document.text, document.doc_id, document.meta) == (
        "Gout. Breast and ovarian cancers.",
        "77",
        {"year": 2000},
    )
    assert [tuple(passage[:3]) for passage in document.passages] == [(0, 5, "title"), (6, 33, "abstract")]
    assert [(m.start, m.end, m.label, m.identifiers, m.fragments) for m in document.mentions] == [
        (0, 4, "D", ("MESH:D1", "D2"), ()),
        (6, 32, "D", (), ((6, 12), (25, 32))),
    ]
    assert [text.text for text in read_texts(write(tmp_path, record(entity(["x"], [[90, 91]]))))] == [document.text]


@pytest.mark.parametrize(
    ("one", "message"),
    [
        (record(entity(["Gout"], [[0, 5]])), "'Gout' is not the text at its offsets"),
        (record(entity(["Gout"], [[0, 99]])), "characters 0 to 99"),
        (record(entity(["Gout"], [])), "as many places"),
        (record(entity(["Gout"], [[0, "4"]])), "pair of whole numbers"),
        (record(entity(["Gout"], [[0, 4]], type="")), "no type"),
        (record(passages=[{"text": ["Gout"], "offsets": [[0, 9]]}]), "not as long as its text"),
        (record(passages=[{"text": ["a"], "offsets": [[10**9, 10**9 + 1]]}]), "not behind the text before it"),
        ({"id": 1}, "no list of objects passages"),
    ],
)
def test_what_is_wrong(one: dict[str, Any], message: str, tmp_path: Path) -> None:
    errors: list[BionerError] = []
    assert len(list(read(write(tmp_path, one, record()), on_error=errors.append))) == 1
    assert len(errors) == 1 and message in str(errors[0]) and "line 1" in str(errors[0])
