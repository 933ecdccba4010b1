"""The guideline of a corpus, named wherever texts are annotated."""

import json
from pathlib import Path
from typing import Optional

import pytest
import spacy
from spacy.language import Language
from spacy.tokens import Doc

import bioner_spacy
from bioner_spacy.errors import BionerError
from bioner_spacy.formats import read_documents
from bioner_spacy.serving.apply import apply
from bioner_spacy.serving.show import show

UNKNOWN = "guideline is 'bc2gm'; allowed: BC2GM, GENIA"


class Guided:
    """Annotates the first token, with the corpus of the guideline as its type."""

    labels = ("BC2GM", "GENIA", "NONE")
    label_data = {"BC2GM": ["GENE"], "GENIA": ["GENE"]}
    unscoped = "corpus"

    def __call__(self, doc: Doc) -> Doc:
        doc.ents = [spacy.tokens.Span(doc, 0, 1, label=doc._.guideline or "NONE")]
        doc.spans["bioner"] = list(doc.ents)
        return doc

    def to_disk(self, path: Path, exclude: object = ()) -> None:
        """There are no weights."""

    def from_disk(self, path: Path, exclude: object = ()) -> None:
        """There are no weights."""


@Language.factory("guided_in_a_test", assigns=["doc.spans", "doc.ents"])
def make_guided(nlp: Language, name: str) -> Guided:
    """The component."""
    return Guided()


@pytest.fixture
def nlp() -> Language:
    nlp = spacy.blank("en")
    nlp.add_pipe("guided_in_a_test")
    return nlp


@pytest.mark.parametrize("guideline", [None, "BC2GM"])
def test_annotate(nlp: Language, guideline: Optional[str]) -> None:
    own = nlp.make_doc("NOD2")
    own._.guideline = "GENIA"
    docs = list(bioner_spacy.annotate(["NOD2", own], nlp, guideline=guideline))
    assert [doc.ents[0].label_ for doc in docs] == [guideline or "NONE", guideline or "GENIA"]
    with pytest.raises(BionerError, match=UNKNOWN):
        bioner_spacy.annotate(["NOD2"], nlp, guideline="bc2gm")


def test_files(nlp: Language, tmp_path: Path) -> None:
    nlp.to_disk(tmp_path / "nlp")
    texts, output = tmp_path / "texts.jsonl", tmp_path / "out.jsonl"
    texts.write_text('{"text": "NOD2"}\n{"text": "BRCA1"}\n')
    for guideline in (None, "BC2GM"):
        apply(tmp_path / "nlp", texts, output, guideline=guideline)
        found = [mention.label for document in read_documents("textspans", output) for mention in document.mentions]
        assert found == [guideline or "NONE"] * 2
        [shown, _] = show(str(tmp_path / "nlp"), texts, guideline=guideline)
        assert shown.entities == [("NOD2", guideline or "NONE", None)]
    with pytest.raises(BionerError, match=UNKNOWN):
        apply(tmp_path / "nlp", texts, tmp_path / "none.jsonl", guideline="bc2gm")
    assert not (tmp_path / "none.jsonl").exists()


def test_a_run_goes_on_with_its_guideline_only(nlp: Language, tmp_path: Path) -> None:
    nlp.to_disk(tmp_path / "nlp")
    texts, run = tmp_path / "texts.jsonl", tmp_path / "run.jsonl"
    texts.write_text('{"text": "NOD2"}\n')
    assert apply(tmp_path / "nlp", texts, run, guideline="GENIA", shard_size=1).documents == 1
    for other in ("BC2GM", None):
        with pytest.raises(BionerError, match="setting guideline"):
            apply(tmp_path / "nlp", texts, run, guideline=other, shard_size=1)


def test_a_run_of_an_earlier_version_goes_on_without_a_guideline(nlp: Language, tmp_path: Path) -> None:
    nlp.to_disk(tmp_path / "nlp")
    texts, run = tmp_path / "texts.jsonl", tmp_path / "run.jsonl"
    texts.write_text('{"text": "NOD2"}\n')
    apply(tmp_path / "nlp", texts, run, shard_size=1)
    path = run / "_run" / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["made_with"].pop("guideline", None)
    path.write_text(json.dumps(manifest))
    assert apply(tmp_path / "nlp", texts, run, shard_size=1).documents == 1
    with pytest.raises(BionerError, match="setting guideline"):
        apply(tmp_path / "nlp", texts, run, guideline="GENIA", shard_size=1)


@pytest.mark.slow
def test_processes(nlp: Language) -> None:
    for guideline in (None, "BC2GM"):
        found = bioner_spacy.annotate(["NOD2", "BRCA1"], nlp, guideline=guideline, n_process=2, batch_size=1)
        assert [doc.ents[0].label_ for doc in found] == [guideline or "NONE"] * 2


def test_service(nlp: Language) -> None:
    pytest.importorskip("fastapi")
    from fastapi.testclient import TestClient

    from bioner_spacy.serving.service import make_app

    with TestClient(make_app(nlp)) as client:
        for guideline in (None, "BC2GM", "GENIA"):
            answer = client.post("/annotate", json={"texts": ["NOD2", "BRCA1"], "guideline": guideline}).json()
            found = [entity["type"] for document in answer["documents"] for entity in document["entities"]]
            assert found == [guideline or "NONE"] * 2
        refused = client.post("/annotate", json={"text": "NOD2", "guideline": "bc2gm"})
        assert refused.status_code == 422 and UNKNOWN in refused.json()["detail"]
