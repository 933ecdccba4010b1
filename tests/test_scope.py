"""Gold annotation on a document: spans, corpus and annotation scope."""

import numpy
import pytest
import spacy
from spacy.language import Language
from spacy.tokens import Doc, DocBin, Span, SpanGroup

from bioner_spacy.errors import BionerError, BionerWarning
from bioner_spacy.scope import (
    SPANS_KEY,
    get_corpus,
    get_scope,
    name_corpus,
    part_of_attrs,
    set_gold,
    set_origin,
    state_scopes,
)


@pytest.fixture(scope="module")
def nlp() -> Language:
    return spacy.blank("en")


@pytest.fixture
def doc(nlp: Language) -> Doc:
    return nlp.make_doc("BRCA1 mutations cause breast cancer")


def test_gold_is_stored_with_its_scope(doc: Doc) -> None:
    spans = [Span(doc, 3, 5, label="DISEASE"), Span(doc, 4, 5, label="DISEASE")]
    set_gold(doc, spans, corpus="NCBI", scope={"GENE", "DISEASE"}, doc_id="7")
    assert [(span.text, span.label_) for span in doc.spans[SPANS_KEY]] == [
        ("breast cancer", "DISEASE"),
        ("cancer", "DISEASE"),
    ]
    assert get_scope(doc) == frozenset({"DISEASE", "GENE"})
    assert get_corpus(doc) == "NCBI"
    assert doc.spans[SPANS_KEY].attrs["doc_id"] == "7"


def test_origin_survives_a_docbin(doc: Doc, nlp: Language) -> None:
    doc.spans[SPANS_KEY] = []
    set_origin(doc, doc_id="7", passages=[(0, 15, "title"), (16, 35, "")])
    [loaded] = DocBin().from_bytes(DocBin(docs=[doc]).to_bytes()).get_docs(nlp.vocab)
    assert loaded.spans[SPANS_KEY].attrs == {"doc_id": "7", "passages": [[0, 15, "title"], [16, 35, ""]]}


def test_a_scope_is_no_text(doc: Doc) -> None:
    with pytest.raises(BionerError, match="Setting scope is 'GENE'; allowed: a list of entity types"):
        set_gold(doc, [Span(doc, 0, 1, label="GENE")], corpus="c", scope="GENE")
    assert SPANS_KEY not in doc.spans


def test_a_mention_that_ends_inside_a_token_is_no_span(doc: Doc) -> None:
    with pytest.raises(BionerError, match=r"Setting spans\[1\] is None; allowed: a Span .*alignment_mode is expand"):
        set_gold(doc, [Span(doc, 0, 1, label="GENE"), doc.char_span(0, 3)], corpus="c", scope=["GENE"])


def test_empty_scope_is_a_statement(doc: Doc) -> None:
    set_gold(doc, [], corpus="NCBI", scope=[])
    assert get_scope(doc) == frozenset()


def test_scope_survives_a_docbin_without_user_data(doc: Doc, nlp: Language) -> None:
    set_gold(doc, [], corpus="NCBI", scope=["DISEASE"])
    [loaded] = DocBin().from_bytes(DocBin(docs=[doc]).to_bytes()).get_docs(nlp.vocab)
    assert (get_scope(loaded), get_corpus(loaded), list(loaded.spans[SPANS_KEY])) == ({"DISEASE"}, "NCBI", [])


def test_keys_are_apart(doc: Doc) -> None:
    set_gold(doc, [], corpus="NCBI", scope=["DISEASE"], spans_key="other")
    assert get_scope(doc) is None
    assert get_scope(doc, "other") == frozenset({"DISEASE"})
    assert get_corpus(doc, "other") == "NCBI"


def test_documents_of_other_tools_state_no_scope(doc: Doc) -> None:
    assert (get_scope(doc), get_corpus(doc)) == (None, "")
    doc.spans[SPANS_KEY] = [Span(doc, 0, 1, label="GENE")]
    assert (get_scope(doc), get_corpus(doc)) == (None, "")


def test_the_scope_of_a_corpus_is_what_its_documents_annotate(nlp: Language) -> None:
    docs = [nlp.make_doc(text) for text in ("BRCA1 mutations", "Aspirin helps", "Nothing said", "No genes")]
    set_gold(docs[0], [], corpus="A", scope=["RNA"])
    docs[1].ents = [Span(docs[1], 0, 1, "CHEMICAL")]
    docs[3].ents = []
    for doc in docs:
        name_corpus(doc, "A")
    with pytest.warns(BionerWarning, match=r"\(A: CHEMICAL, GENE, RNA\)") as warned:
        state_scopes(docs, {"A": ["GENE"], "B": ["DISEASE"]})
    assert len(warned) == 1
    every = {"CHEMICAL", "GENE", "RNA"}
    assert [get_scope(doc) for doc in docs] == [{"RNA"}, every, None, every]


def test_setting_gold_again_replaces_it(doc: Doc) -> None:
    set_gold(doc, [Span(doc, 0, 1, label="GENE")], corpus="one", scope=["GENE"])
    set_gold(doc, [], corpus="two", scope=["DISEASE"])
    assert (get_corpus(doc), get_scope(doc), len(doc.spans[SPANS_KEY])) == ("two", frozenset({"DISEASE"}), 0)


def test_guideline_is_unset_unless_given(doc: Doc) -> None:
    assert doc._.guideline is None
    doc._.guideline = "NCBI"
    assert doc._.guideline == "NCBI"


def test_scores_of_spans(doc: Doc) -> None:
    span, other = Span(doc, 0, 1, label="GENE"), Span(doc, 0, 1, label="RNA")
    doc.spans["a"], doc.spans["b"] = [span], SpanGroup(doc, spans=[other, span], attrs={"scores": [0.25, 0.5]})
    doc.ents = [span]
    asked = (*doc.ents, *doc.spans["b"], Span(doc, 0, 1, label="DNA"))
    assert [one._.score for one in asked] == [0.5, 0.25, 0.5, None]


def test_scores_of_a_group_that_was_replaced(doc: Doc) -> None:
    spans = [Span(doc, 0, 1, label="GENE"), Span(doc, 3, 5, label="DISEASE")]
    for order, score in (spans, 0.9), (spans[::-1], 0.1):
        doc.spans["sc"] = SpanGroup(doc, spans=order, attrs={"scores": [0.9, 0.1]})
        assert spans[0]._.score == score


def test_scores_of_other_components_and_of_spans_that_were_appended(doc: Doc) -> None:
    spans = [Span(doc, 0, 1, label="GENE"), Span(doc, 3, 5, label="DISEASE")]
    doc.spans["sc"] = SpanGroup(doc, spans=spans, attrs={"scores": numpy.array([0.25, 0.5])})  # as spancat does
    doc.spans["sc"].append(Span(doc, 4, 5, label="DISEASE"))
    assert [span._.score for span in doc.spans["sc"]] == [0.25, 0.5, None]
    assert doc._.span_scores == {"ents": [], "sc": [0.25, 0.5, None]}
    assert part_of_attrs(doc.spans["sc"].attrs, [1, 2], 3) == {"scores": [0.5, None]}


def test_entities_keep_their_scores_when_tokens_are_merged(doc: Doc) -> None:
    spans = [Span(doc, 0, 2, label="GENE"), Span(doc, 2, 3, label="VERB"), Span(doc, 3, 5, label="DISEASE")]
    doc.spans["a"] = SpanGroup(doc, spans=spans, attrs={"scores": [0.25, 0.5, 0.75]})
    doc.ents = spans
    with doc.retokenize() as retokenizer:
        retokenizer.merge(doc[0:2])
    # spaCy does not move doc.spans, of which the last is beyond the end.
    scores = {ent.text: ent._.score for ent in doc.ents}
    assert scores == {"BRCA1 mutations": 0.25, "cause": 0.5, "breast cancer": None}


def test_scores_in_the_json_of_spacy(doc: Doc) -> None:
    spans = [Span(doc, 0, 2, label="GENE"), Span(doc, 0, 1, label="GENE")]
    doc.spans["a"] = SpanGroup(doc, spans=spans, attrs={"scores": [0.25, 0.5]})
    doc.spans["none"], doc.spans["gold"] = SpanGroup(doc, attrs={"scores": []}), spans
    doc.ents = [spans[1]]
    written = doc.to_json(underscore=["span_scores"])
    assert written["_"]["span_scores"] == {"a": [0.25, 0.5], "none": [], "ents": [0.5]}
    read = Doc(doc.vocab).from_json(written, validate=True)
    assert {key: dict(group.attrs) for key, group in read.spans.items()} == {
        "a": {"scores": [0.25, 0.5]},
        "none": {"scores": []},
        "gold": {},
    }
    assert read.to_json(underscore=["span_scores"]) == written
