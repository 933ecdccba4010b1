"""Records split into sentences and joined to groups and documents."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from spacy.language import Language
from spacy.tokens import Doc, DocBin, Span
from toy_corpora import blank_nlp

from bioner_spacy.corpora.context import CONTEXTS, check_context, documents, in_context, regroup
from bioner_spacy.errors import BionerError
from bioner_spacy.scope import SPANS_KEY, get_corpus, get_doc_id, get_scope, set_gold

NLP = blank_nlp()
OTHER_KEY = "other"

# Sentences and what is no sentence: punctuation, whitespace at the ends, a single token, nothing.
TEXTS = ["IL-2 binds p53 .", "We saw E. coli. And more.", "\n", "", "Fever", "  The end. ", "No. 2 of 3!\n\nB cells"]


def record(text: str, doc_id: str = "", spans: Sequence[tuple[int, int, str]] = (), marked: bool = False) -> Doc:
    doc = NLP.make_doc(text)
    if marked:
        for token in doc:
            token.is_sent_start = token.i == 0
    gold = [Span(doc, start, end, label=label) for start, end, label in spans]
    set_gold(doc, gold, corpus="toy", scope=["GENE", "DISEASE"], doc_id=doc_id)
    doc.spans[OTHER_KEY] = gold[:1]
    return doc


@st.composite
def corpora(draw: st.DrawFn) -> list[Doc]:
    """Records of a few documents with overlapping gold spans, some of them with known sentences; as from a file."""
    docs = []
    for _ in range(draw(st.integers(0, 8))):
        text = " ".join(draw(st.lists(st.sampled_from(TEXTS), min_size=1, max_size=3)))
        n = len(NLP.make_doc(text))
        span = st.tuples(
            st.integers(0, max(0, n - 1)), st.integers(1, max(1, n)), st.sampled_from(["GENE", "DISEASE"])
        )
        spans = [span_ for span_ in draw(st.lists(span, max_size=4)) if span_[0] < span_[1]] if n else []
        docs.append(record(text, draw(st.sampled_from(["", "a", "b"])), spans, draw(st.booleans())))
    return list(DocBin().from_bytes(DocBin(docs=docs).to_bytes()).get_docs(NLP.vocab))


def mentions(docs: Sequence[Doc], key: str = SPANS_KEY) -> list[tuple[str, str, str]]:
    """Document id, text and type of every span, in order of the documents."""
    found = []
    for doc in docs:
        for span in doc.spans[key]:
            assert doc.text[span.start_char : span.end_char] == span.text
            found.append((get_doc_id(doc), span.text, span.label_))
    return found


@given(corpora(), st.sampled_from(CONTEXTS), st.integers(1, 30))
def test_nothing_is_lost(records: list[Doc], context: str, tokens: int) -> None:
    texts = list(in_context(records, context, tokens))
    assert [token.text for doc in texts for token in doc] == [token.text for doc in records for token in doc]
    assert "".join("".join(doc.text for doc in texts).split()) == "".join("".join(d.text for d in records).split())
    for key in (SPANS_KEY, OTHER_KEY):
        assert sorted(mentions(texts, key)) == sorted(mentions(records, key))
    assert all(get_scope(doc) == {"GENE", "DISEASE"} and get_corpus(doc) == "toy" for doc in texts)
    assert all(doc.spans[SPANS_KEY].name == SPANS_KEY for doc in texts)
    # They survive a file, and the text makes the same tokens wherever it was split; whitespace may meet at a joint.
    again = list(DocBin().from_bytes(DocBin(docs=texts).to_bytes()).get_docs(NLP.vocab))
    assert mentions(again) == mentions(texts)
    for doc in texts:
        made = [token.text for token in NLP.make_doc(doc.text) if not token.is_space]
        assert made == [token.text for token in doc if not token.is_space]


@given(corpora(), st.integers(1, 30))
def test_groups_are_as_long_as_they_may_be(records: list[Doc], tokens: int) -> None:
    sentences = {doc.text.strip() for doc in in_context(records, "sentence")}
    for numbers in documents(records, "group"):
        groups = regroup([records[number] for number in numbers], "group", tokens)
        for group, following in zip(groups, groups[1:]):
            [first, *_] = regroup([following], "sentence")
            assert len(group) + len(first) > tokens
        for group in groups:
            assert len(group) <= tokens or group.text.strip() in sentences


@pytest.mark.parametrize("context", CONTEXTS)
def test_a_record_that_needs_no_change_is_itself(context: str) -> None:
    for doc in (record("One sentence."), record(""), record("Two. Sentences.", "a", marked=True)):
        [text] = regroup([doc], context)
        assert text is doc
    assert regroup([], context) == []


def test_a_document_is_split_into_sentences() -> None:
    doc = record("IL-2 binds p53. It (Fig. 2) does.\nThe end.", "a", [(0, 3, "GENE"), (2, 3, "GENE"), (4, 5, "GENE")])
    sentences = regroup([doc], "sentence")
    assert [sentence.text for sentence in sentences] == ["IL-2 binds p53.", "It (Fig. 2) does.\n", "The end."]
    assert mentions(sentences) == [("a", "IL-2", "GENE"), ("a", "2", "GENE"), ("a", "p53", "GENE")]
    assert [len(sentence.spans[SPANS_KEY]) for sentence in sentences] == [3, 0, 0]


def test_sentences_of_a_document_are_joined() -> None:
    parts = [record("p53 is here .", "a", [(0, 1, "GENE")]), record("So is IL-2 .\n", "a", [(2, 5, "GENE")])]
    parts.append(record("No more .", "a"))
    [joined] = regroup(parts, "document")
    assert joined.text == "p53 is here . So is IL-2 .\nNo more ."
    assert [(span.start_char, span.end_char) for span in joined.spans[SPANS_KEY]] == [(0, 3), (20, 24)]
    assert dict(joined.spans[SPANS_KEY].attrs) == dict(parts[0].spans[SPANS_KEY].attrs)
    assert [len(group) for group in regroup(parts, "group", 10)] == [4, 10]


def test_a_sentence_of_the_source_is_not_split_again() -> None:
    text = "It ends. Not here."
    marked = record(text, "a", marked=True)
    assert [doc.text for doc in regroup([marked], "sentence")] == [text]
    assert len(regroup([record(text, "a")], "sentence")) == 2
    # Two records that are joined are the same two sentences.
    [joined] = regroup([marked, marked], "document")
    assert [doc.text for doc in regroup([joined], "sentence")] == [text, text]


def test_no_mention_and_no_entity_is_split() -> None:
    text = "Given E. Coli was. Found in B. Cells. The end."
    doc = record(text, "a")
    assert len(regroup([doc], "sentence")) == 3
    inside = doc.char_span(text.index("was"), text.index(" in"), "GENE")
    set_gold(doc, [inside], corpus="toy", scope=["GENE"])
    assert [sentence.text for sentence in regroup([doc], "sentence")][1:] == ["The end."]
    del doc.spans[SPANS_KEY]
    doc.spans[OTHER_KEY] = []
    doc.ents = [doc.char_span(text.index("Cells"), text.index(" end"), "CELL")]
    first, second = regroup([doc], "sentence")
    assert first.text == "Given E. Coli was."
    assert [(ent.text, ent.label_) for ent in second.ents] == [("Cells. The", "CELL")]
    assert not first.ents and first.has_annotation("ENT_IOB")


def test_sentences_of_other_tools_are_taken(nlp: Language) -> None:
    nlp.add_pipe("sentencizer")
    doc = nlp("See Fig. 2 of them. So there.")
    assert [sentence.text for sentence in regroup([doc], "sentence")] == ["See Fig.", "2 of them.", "So there."]


def test_records_of_a_document() -> None:
    records = [record("x", doc_id) for doc_id in ("a", "a", "", "", "b", "a")]
    assert documents(records, "sentence") == documents(records, "source") == [[0], [1], [2], [3], [4], [5]]
    assert documents(records, "group") == documents(records, "document") == [[0, 1], [2], [3], [4], [5]]


def test_only_records_of_the_same_kind_are_joined() -> None:
    docs = [record("x", "a"), record("y", "a"), record("z", "a"), NLP.make_doc("none")]
    set_gold(docs[1], [], corpus="toy", scope=["GENE"], doc_id="a")
    set_gold(docs[2], [], corpus="other", scope=["GENE"], doc_id="a")
    assert documents(docs, "document") == [[0], [1], [2], [3]]
    assert [doc.text for doc in in_context(docs, "document")] == ["x", "y", "z", "none"]


def test_settings_are_checked() -> None:
    with pytest.raises(BionerError, match="Setting context is 'page'; allowed: source, sentence, group, document"):
        check_context("page", 100)
    with pytest.raises(BionerError, match="Setting context_tokens is 0; allowed: 1 or above"):
        check_context("group", 0)
