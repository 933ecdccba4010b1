"""JSON lines with texts and spans by characters."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from spacy.tokens import Doc, Span
from spacy.vocab import Vocab

from bioner_spacy.errors import BionerError, BionerWarning
from bioner_spacy.formats.textspans import read, read_texts

TEXT = "FOX2 binds\nFOX3 \U0001f9ec in mice."
GOOD: dict[str, Any] = {"text": TEXT, "spans": []}


def write(folder: Path, *records: Any) -> Path:
    path = folder / "train.jsonl"
    path.write_text("\n".join(r if isinstance(r, str) else json.dumps(r) for r in records), encoding="utf-8")
    return path


def span(start: Any, end: Any, label: Any = "gene", **other: Any) -> dict[str, Any]:
    return {"start": start, "end": end, "label": label, **other}


def read_one(folder: Path, record: dict[str, Any]) -> list[tuple[str, str]]:
    (document,) = read(write(folder, record))
    assert document.text == record["text"]
    return [(document.text[m.start : m.end], m.label) for m in document.mentions]


def test_texts_alone(tmp_path: Path) -> None:
    path = write(tmp_path, {"text": TEXT, "id": 7}, "", {**GOOD, "doc_id": "d", "answer": "reject", "label": 3})
    assert [(d.text, d.doc_id, d.mentions, d.line) for d in read_texts(path)] == [
        (TEXT, "7", (), 1),
        (TEXT, "d", (), 3),
    ]
    with pytest.raises(BionerError, match="line 2: the object has no string text"):
        list(read_texts(write(tmp_path, GOOD, {"texts": "x"})))
    with pytest.raises(BionerError, match="holds no document"):
        list(read_texts(write(tmp_path, " ")))


@pytest.mark.parametrize(
    "annotation",
    [
        {
            "spans": [span(0, 4, token_start=0, token_end=0), span(21, 25, "taxon")],
            "answer": "accept",
            "label": "gene",
        },
        {"label": [[0, 4, "gene"], [21, 25, "taxon"]], "id": 7},
        {"labels": [[0, 4, "gene"], [21, 25, "taxon"]]},
        {
            "entities": [
                {"id": 1, "label": "gene", "start_offset": 0, "end_offset": 4},
                {"id": 2, "label": " taxon", "start_offset": 21, "end_offset": 25},
            ],
            "relations": [],
        },
        {"entities": [span(0, 4, text="FOX2"), span(21, 25, "taxon", text="mice")], "spans": {}},
    ],
    ids=["prodigy", "doccano", "doccano before", "doccano with relations", "with texts"],
)
def test_what_tools_export(tmp_path: Path, annotation: dict[str, Any]) -> None:
    assert read_one(tmp_path, {"text": TEXT, **annotation}) == [("FOX2", "gene"), ("mice", "taxon")]


def test_what_spacy_exports(tmp_path: Path) -> None:
    doc = Doc(Vocab(), words=["FOX2", "binds"])
    doc.ents = [Span(doc, 0, 1, label="gene")]
    assert read_one(tmp_path, doc.to_json()) == [("FOX2", "gene")]


def test_identifiers_lines_and_nested_spans(tmp_path: Path) -> None:
    nested = {**GOOD, "spans": [span(0, 10), span(0, 4), span(0, 4, "protein")], "doc_id": "d", "id": 1}
    first, second, third = read(write(tmp_path, nested, " ", {**GOOD, "id": 2}, GOOD))
    assert [(m.start, m.end, m.label, m.line) for m in first.mentions] == [
        (0, 10, "gene", 1),
        (0, 4, "gene", 1),
        (0, 4, "protein", 1),
    ]
    assert [(d.id, d.doc_id, d.line) for d in (first, second, third)] == [
        ("train:1", "d", 1),
        ("train:3", "2", 3),
        ("train:4", "", 4),
    ]


def test_what_was_not_accepted_is_counted_and_left_out(tmp_path: Path) -> None:
    path = write(
        tmp_path, GOOD, {**GOOD, "answer": "reject"}, {**GOOD, "answer": "accept"}, {**GOOD, "answer": "ignore"}
    )
    with pytest.warns(BionerWarning, match="2 documents were rejected or ignored .* the first in line 2"):
        assert [document.line for document in read(path)] == [1, 3]


def test_offsets_may_be_believed_against_the_text(tmp_path: Path) -> None:
    path = write(tmp_path, {**GOOD, "spans": [span(0, 4, text="FOX9")]})
    with pytest.warns(BionerWarning, match="1 annotations have another text"):
        (document,) = read(path, mismatch="offsets")
    assert document.mentions[0].end == 4


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ("{", "not valid JSON"),
        ('{"text": "\\ud800", "spans": []}', "not valid JSON"),
        ("[]", "object is needed"),
        ({"spans": []}, "no string text"),
        ({"text": ["a"], "spans": []}, "no string text"),
        ({"text": "a"}, r"no list of spans \(spans, label, labels, entities, annotations, ents\), which may be empty"),
        ({"text": "a", "label": "gene"}, "no list of spans"),
        ({**GOOD, "doc_id": ["a"]}, "doc_id must be"),
        ({**GOOD, "answer": "maybe"}, "answer is 'maybe'"),
        ({**GOOD, "spans": ["gene"]}, "a span must be an object, or a list"),
        ({**GOOD, "spans": [[0, 4]]}, "a span must be an object, or a list"),
        ({**GOOD, "spans": [span(0, 90)]}, "characters 0 to 90 of a text of 26"),
        ({**GOOD, "spans": [span(-4, 2)]}, "characters -4 to 2"),
        ({**GOOD, "spans": [span(4, 4)]}, "characters 4 to 4"),
        ({**GOOD, "spans": [span(False, True)]}, "no whole numbers"),
        ({**GOOD, "spans": [["0", 4, "gene"]]}, "from '0' to 4 has no whole numbers"),
        ({**GOOD, "spans": [span(0, 4, " ")]}, "from 0 to 4 has no label"),
        ({**GOOD, "spans": [span(0, 4, None)]}, "from 0 to 4 has no label"),
        ({**GOOD, "spans": [span(0, 4, text=1)]}, "text of the span from 0 to 4 is no string"),
        ({**GOOD, "spans": [span(0, 4, text="FOX9")]}, "'FOX9' is not"),
    ],
)
def test_malformed_lines(tmp_path: Path, record: Any, message: str) -> None:
    errors: list[BionerError] = []
    path = write(tmp_path, GOOD, record, GOOD)
    with pytest.raises(BionerError, match=rf"train\.jsonl, line 2: .*{message}"):
        list(read(path))
    assert [document.line for document in read(path, on_error=errors.append)] == [1, 3]
    assert len(errors) == 1


@pytest.mark.parametrize("text", ["", "\n \n"])
def test_file_without_a_document(tmp_path: Path, text: str) -> None:
    with pytest.raises(BionerError, match="no document"):
        list(read(write(tmp_path, text)))


VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-1, 4), st.floats(), st.text(max_size=3)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(["start", "end", "label"]), inner)
    ),
    max_leaves=6,
)
RECORDS = st.fixed_dictionaries(
    {"text": st.one_of(st.text(max_size=4), VALUES)},
    optional={key: VALUES for key in ("spans", "label", "entities", "answer", "id")},
)


@given(content=st.one_of(st.binary(max_size=60), RECORDS.map(lambda record: json.dumps(record).encode())))
@settings(max_examples=300)
def test_any_bytes_give_documents_or_a_clear_error(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "fuzz-textspans.jsonl"
    path.write_bytes(content)
    try:
        (document,) = read(path)
    except BionerError as error:
        assert "fuzz-textspans.jsonl" in str(error)
        return
    assert document.text == json.loads(content)["text"]
    assert all(0 <= m.start < m.end <= len(document.text) and m.label for m in document.mentions)
