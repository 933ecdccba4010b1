"""Files of texts with spans, and files to import in doccano, PubAnnotation and Label Studio."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from annotated_docs import docs, make_doc, mentions, read_mentions, scores
from hypothesis import given, settings
from hypothesis import strategies as st
from spacy.tokens import Doc

from bioner_spacy.errors import BionerWarning
from bioner_spacy.formats import get_format, read_documents
from bioner_spacy.scope import set_origin

SPANS = [(0, 1, "DISEASE"), (1, 3, "SPECIES"), (2, 3, "SPECIES")]


def test_textspans(tmp_path: Path) -> None:
    doc = make_doc(["ER- cells", "\n", "\U0001d6fd"], [(0, 2, "A"), (2, 3, "B")], doc_id="d", scores=[0.5, 1])
    get_format("textspans").written([doc, make_doc(["x"])], tmp_path / "out.jsonl", spans_key="bioner")
    spans = [{"start": 0, "end": 9, "label": "A", "score": 0.5}, {"start": 12, "end": 13, "label": "B", "score": 1.0}]
    assert [json.loads(line) for line in (tmp_path / "out.jsonl").read_text("utf8").splitlines()] == [
        {"id": "d", "text": doc.text, "spans": spans},
        {"id": "2", "text": "x ", "spans": []},
    ]


def test_doccano(tmp_path: Path) -> None:
    doc = make_doc(["Gout", "in", "mice"], SPANS, doc_id="7", scores=[0.5, 0.25, 1.0])
    with pytest.warns(BionerWarning, match="doccano cannot hold all of it; left out: 3 scores"):
        get_format("doccano").written([doc, make_doc(["x"])], tmp_path / "out.jsonl", spans_key="bioner")
    assert [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()] == [
        {"id": "7", "text": "Gout in mice ", "label": [[0, 4, "DISEASE"], [5, 12, "SPECIES"], [8, 12, "SPECIES"]]},
        {"id": "2", "text": "x ", "label": []},
    ]


def test_pubannotation(tmp_path: Path) -> None:
    doc = make_doc(["Gout", "in", "mice"], SPANS[:1], doc_id="7")
    get_format("pubannotation").written([doc], tmp_path / "out.json", spans_key="bioner")
    assert json.loads((tmp_path / "out.json").read_text()) == [
        {
            "sourceid": "7",
            "text": "Gout in mice ",
            "denotations": [{"id": "T1", "span": {"begin": 0, "end": 4}, "obj": "DISEASE"}],
        }
    ]


@pytest.mark.parametrize(
    ("format", "key"), [("doccano", "label"), ("pubannotation", "denotations"), ("labelstudio", "text")]
)
def test_further_keys_with_names_of_the_format_are_counted(format: str, key: str, tmp_path: Path) -> None:
    doc = make_doc(["Gout"], [(0, 1, "DISEASE")], doc_id="7")
    set_origin(doc, doc_id="7", meta={key: "class", "year": 2000})
    with pytest.warns(
        BionerWarning, match=f"{format} cannot hold all of it; left out: 1 further key with a name of its own"
    ):
        get_format(format).written([doc], tmp_path / "out.json", spans_key="bioner")
    text = (tmp_path / "out.json").read_text()
    assert "2000" in text and "class" not in text


def test_label_studio_gets_predictions_of_texts_without_mentions(tmp_path: Path) -> None:
    """As nobody has annotated them; gold documents are annotations."""
    predicted, gold = make_doc(["x"], scores=[]), make_doc(["x"])
    get_format("labelstudio").written([predicted, gold], tmp_path / "out.json", spans_key="bioner")
    first, second = json.loads((tmp_path / "out.json").read_text())
    assert first["predictions"] == [{"model_version": "bioner_spacy", "result": []}] and "annotations" not in first
    assert second["annotations"] == [{"result": []}] and "predictions" not in second


@settings(max_examples=50, deadline=None)
@given(st.lists(docs("\x00"), min_size=1, max_size=3), st.sampled_from(["doccano", "pubannotation", "textspans"]))
@pytest.mark.filterwarnings("ignore:.*have no characters but whitespace", "ignore:.*cannot hold all of it")
def test_what_is_written_is_read(documents: list[Doc], format: str) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "out.json.gz"
        get_format(format).written(documents, path, spans_key="bioner")
        found = list(read_documents(format, path))
    for number, (doc, document) in enumerate(zip(documents, found, strict=True), start=1):
        assert document.text == doc.text
        assert document.doc_id == (doc.spans["bioner"].attrs.get("doc_id", "").strip() or str(number))
        assert read_mentions(document) == mentions(doc) and not document.meta
        assert [one.score for one in document.mentions] == scores(doc) or format != "textspans"
