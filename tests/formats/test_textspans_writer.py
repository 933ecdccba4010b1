import json
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from annotated_docs import docs, make_doc, mentions, read_mentions, scores
from hypothesis import given
from hypothesis import strategies as st
from spacy.tokens import Doc

from bioner_spacy.formats.textspans import read, write


def test_file(tmp_path: Path) -> None:
    doc = make_doc(["ER- cells", "\n", "\U0001d6fd"], [(0, 2, "A"), (2, 3, "B")], doc_id="d", scores=[0.5, 1])
    write([doc, make_doc(["x"])], tmp_path / "out.jsonl")
    first, second = (tmp_path / "out.jsonl").read_text("utf8").splitlines()
    assert json.loads(first) == {
        "id": "d",
        "text": doc.text,
        "spans": [
            {"start": 0, "end": 9, "label": "A", "score": 0.5},
            {"start": 12, "end": 13, "label": "B", "score": 1.0},
        ],
    }
    assert json.loads(second) == {"id": "2", "text": "x ", "spans": []}


@given(st.lists(docs("\x00"), min_size=1, max_size=3))
@pytest.mark.filterwarnings("ignore:.*have no characters but whitespace")
def test_what_is_written_is_read(documents: list[Doc]) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "out.jsonl"
        write(documents, path)
        found = list(read(path))
        written = [json.loads(line)["spans"] for line in path.read_bytes().splitlines()]
    for number, (doc, document, spans) in enumerate(zip(documents, found, written, strict=True), start=1):
        assert document.text == doc.text
        assert document.doc_id == (doc.spans["bioner"].attrs.get("doc_id", "").strip() or str(number))
        assert read_mentions(document) == mentions(doc)
        assert [span.get("score") for span in spans] == scores(doc)
