"""Texts and tables in Python."""

import sys
from pathlib import Path

import pytest
import spacy
from spacy.language import Language

import bioner_spacy
from bioner_spacy.errors import BionerError
from bioner_spacy.scope import set_origin

TEXTS = ["The NOD2 protein complex of aspirin", "", "NOD2 in Crohn disease"]
ROWS = [
    ("b", 4, 24, "NOD2 protein complex", "COMPLEX", 0.4, False),
    ("b", 4, 8, "NOD2", "GENE", 0.95, True),
    ("b", 28, 35, "aspirin", "CHEMICAL", 0.6, True),
    ("d", 0, 4, "NOD2", "GENE", 0.95, True),
    ("d", 8, 21, "Crohn disease", "DISEASE", 0.9, True),
]
COLUMNS = ["document", "start", "end", "text", "type", "score", "flat"]


def test_documents_of_texts(nlp: Language) -> None:
    docs = bioner_spacy.annotate((text for text in TEXTS), nlp, types=["GENE", "COMPLEX"], threshold=0.5)
    docs = list(docs)
    assert [doc.text for doc in docs] == TEXTS
    assert [[(span.text, span.label_) for span in doc.spans["bioner"]] for doc in docs] == [
        [("NOD2", "GENE")],
        [],
        [("NOD2", "GENE")],
    ]
    assert [[ent.text for ent in doc.ents] for doc in docs] == [["NOD2"], [], ["NOD2"]]
    assert docs[0].spans["bioner"].attrs["scores"] == [0.95]


def test_a_pipeline_by_its_folder(tmp_path: Path) -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe("entity_ruler").add_patterns([{"label": "GENE", "pattern": "NOD2"}])
    nlp.to_disk(tmp_path / "nlp")
    [doc] = bioner_spacy.annotate(["NOD2"], tmp_path / "nlp", spans_key="ents")
    assert [ent.label_ for ent in doc.ents] == ["GENE"]
    with pytest.raises(BionerError, match="types is 'DISEASE'; allowed: GENE"):
        bioner_spacy.annotate(["NOD2"], tmp_path / "nlp", types=["DISEASE"], spans_key="ents")


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_tables(nlp: Language, library: str) -> None:
    frames = pytest.importorskip(library)
    table = frames.DataFrame({"key": ["b", "c", "d", "e"], "body": [*TEXTS, None]})
    found = bioner_spacy.annotate(
        table, nlp, text_column="body", id_column="key", types=["GENE", "COMPLEX", "CHEMICAL", "DISEASE"]
    )
    assert isinstance(found, frames.DataFrame)
    assert list(found.columns) == COLUMNS
    assert list(found.itertuples(index=False, name=None) if library == "pandas" else found.iter_rows()) == ROWS
    numbered = bioner_spacy.annotate(table, nlp, text_column="body", threshold=0.95)
    assert numbered["document"].to_list() == [0, 2]
    none = bioner_spacy.annotate(table, nlp, text_column="body", types=[])
    assert len(none) == 0
    assert list(none.dtypes) == list(numbered.dtypes)


def test_lazy_tables_and_columns(nlp: Language) -> None:
    polars = pytest.importorskip("polars")
    table = polars.DataFrame({"text": TEXTS})
    assert len(bioner_spacy.annotate(table.lazy(), nlp, threshold=0.9)) == 3
    assert [len(doc.spans["bioner"]) for doc in bioner_spacy.annotate(table["text"], nlp)] == [4, 0, 2]


def test_what_is_wrong_with_tables(nlp: Language, monkeypatch: pytest.MonkeyPatch) -> None:
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame({"title": ["a"], "year": [2024]})
    with pytest.raises(BionerError, match="no column 'text'; there are: title, year"):
        bioner_spacy.annotate(table, nlp)
    with pytest.raises(BionerError, match="no column 'pmid'"):
        bioner_spacy.annotate(table, nlp, text_column="title", id_column="pmid")
    with pytest.raises(BionerError, match="Row 0 of the column 'year' is of the type int"):
        bioner_spacy.annotate(table, nlp, text_column="year")
    monkeypatch.setitem(sys.modules, "narwhals", None)
    with pytest.raises(BionerError, match="pip install 'bioner_spacy.frames"):
        bioner_spacy.annotate(table, nlp, text_column="title")


def test_what_is_wrong_with_texts(nlp: Language) -> None:
    with pytest.raises(BionerError, match="texts is 'aspirin'; allowed: a list"):
        bioner_spacy.annotate("aspirin", nlp)
    for text in (nlp.make_doc("aspirin"), None):
        with pytest.raises(BionerError, match="texts is (aspirin|None); allowed: a list"):
            bioner_spacy.annotate(text, nlp)
    for settings in ({"threshold": 2}, {"threshold": "1"}, {"n_process": 0}, {"batch_size": 0}):
        with pytest.raises(BionerError, match=f"Setting {next(iter(settings))} is .*; allowed: a number"):
            bioner_spacy.annotate(["aspirin"], nlp, **settings)  # type: ignore[arg-type]
    with pytest.raises(BionerError, match="types is 'GENE'; allowed: a list"):
        bioner_spacy.annotate(["aspirin"], nlp, types="GENE")
    with pytest.raises(BionerError, match="types is 'GEN'; allowed: CHEMICAL, COMPLEX"):
        bioner_spacy.annotate(["aspirin"], nlp, types=["GEN", "GENE"])
    with pytest.raises(BionerError, match="Row 1 of the column 'texts' is of the type NoneType"):
        list(bioner_spacy.annotate(["a", None], nlp))
    with pytest.raises(BionerError, match="does not set"):
        list(bioner_spacy.annotate(["a"], spacy.blank("en")))


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_a_table_of_documents(nlp: Language, library: str) -> None:
    pytest.importorskip(library)
    docs = list(bioner_spacy.annotate(TEXTS, nlp, threshold=0.35))
    set_origin(docs[2], doc_id="d")
    table = bioner_spacy.to_dataframe(docs, library=library)
    rows = table.itertuples(index=False, name=None) if library == "pandas" else table.iter_rows()
    assert list(table.columns) == COLUMNS
    assert list(rows) == [("0" if row[0] == "b" else "d", *row[1:]) for row in ROWS]


def test_entities_have_the_scores_of_their_spans(nlp: Language) -> None:
    pytest.importorskip("pandas")
    docs = list(bioner_spacy.annotate(TEXTS, nlp, spans_key="ents", threshold=0.92))
    assert [[ent.text for ent in doc.ents] for doc in docs] == [["NOD2"], [], ["NOD2"]]
    assert bioner_spacy.to_dataframe(docs, spans_key="ents")["score"].to_list() == [0.95, 0.95]


def test_merged_tokens(nlp: Language) -> None:
    nlp.add_pipe("merge_entities")
    [doc] = bioner_spacy.annotate(TEXTS[2:], nlp, spans_key="ents")
    assert [(ent.text, len(ent)) for ent in doc.ents] == [("NOD2", 1), ("Crohn disease", 1)]
    with pytest.raises(BionerError, match=r"'NOD2 in .* doc.spans\['bioner'\] that do not fit its tokens"):
        list(bioner_spacy.annotate(TEXTS[2:], nlp))


def test_documents_of_the_tokenizer(nlp: Language) -> None:
    docs = [nlp.make_doc(text) for text in TEXTS]
    assert [doc for doc in bioner_spacy.annotate(docs, nlp)] == docs
    assert [ent.text for ent in docs[0].ents] == ["NOD2", "protein complex of", "aspirin"]


def test_spans_that_were_appended_have_no_score_and_stay(nlp: Language) -> None:
    pytest.importorskip("pandas")
    ruler = nlp.add_pipe("span_ruler", config={"spans_key": "bioner", "overwrite": False})
    ruler.add_patterns([{"label": "WORD", "pattern": "of"}])  # type: ignore[attr-defined]
    [doc] = bioner_spacy.annotate(TEXTS[:1], nlp, threshold=0.5)
    assert [(span.text, span._.score) for span in doc.spans["bioner"]] == [
        ("NOD2", 0.95),
        ("aspirin", 0.6),
        ("of", None),
    ]
    assert bioner_spacy.to_dataframe([doc])["text"].to_list() == ["NOD2", "of", "aspirin"]


def test_what_is_wrong_with_documents(nlp: Language) -> None:
    pytest.importorskip("pandas")
    doc = nlp("NOD2")
    for docs in (doc, "NOD2"):
        with pytest.raises(BionerError, match="Setting docs is 'NOD2'|Setting docs is NOD2; allowed: a list of"):
            bioner_spacy.to_dataframe(docs)
    with pytest.raises(BionerError, match=r"Setting docs\[1\] is 'NOD2'; allowed: a document"):
        bioner_spacy.to_dataframe([doc, "NOD2"])  # type: ignore[list-item]
    with pytest.raises(BionerError, match="Setting library is 'excel'; allowed: pandas, polars"):
        bioner_spacy.to_dataframe([doc], library="excel")
    with pytest.raises(BionerError, match="The pipeline of these documents does not set"):
        bioner_spacy.to_dataframe([spacy.blank("en")("NOD2")])
