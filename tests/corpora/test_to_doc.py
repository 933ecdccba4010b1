import itertools
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from spacy.language import Language
from spacy.tokenizer import Tokenizer
from spacy.tokens import Doc
from spacy.vocab import Vocab

from bioner_spacy.corpora import Corpus, Mention, SourceDocument, to_doc
from bioner_spacy.errors import BionerError
from bioner_spacy.scope import SPANS_KEY, get_corpus, get_scope

CORPUS = Corpus("tiny", "iob", {}, {"gene": "GENE", "protein": "GENE", "Dis": "DISEASE", "odd": None})


def source(text: str, *mentions: tuple[int, int, str]) -> SourceDocument:
    found = tuple(Mention(start, end, label, line) for line, (start, end, label) in enumerate(mentions, start=1))
    return SourceDocument("s", text, found, Path("folder/file.tsv"), 1, "d")


split_at_spaces = Tokenizer(Vocab())


def gold(doc: Doc) -> list[tuple[str, str]]:
    return [(span.text, span.label_) for span in doc.spans[SPANS_KEY]]


def test_labels_scope_and_nesting(nlp: Language) -> None:
    mentions = [(0, 13, "gene"), (0, 4, "gene"), (0, 4, "Dis"), (14, 19, "odd")]
    doc, issues = to_doc(source("FOX2 promoter binds", *mentions), nlp.tokenizer, CORPUS)
    assert issues == []
    assert gold(doc) == [("FOX2 promoter", "GENE"), ("FOX2", "DISEASE"), ("FOX2", "GENE")]
    assert get_scope(doc) == {"GENE", "DISEASE"}
    assert get_corpus(doc) == "tiny"
    assert doc.spans[SPANS_KEY].attrs["doc_id"] == "d"


def test_a_format_of_sentences_marks_sentences(nlp: Language) -> None:
    text = "FOX2 binds. So there. One"
    for format_, marked in (("iob", True), ("genia", True), ("jsonlines", True), ("pubtator", False)):
        doc, _ = to_doc(source(text), nlp.tokenizer, replace(CORPUS, format=format_))
        assert doc.has_annotation("SENT_START") is marked
        if marked:
            assert [sentence.text for sentence in doc.sents] == [text]


def test_document_without_mentions_keeps_its_scope(nlp: Language) -> None:
    for text in ("No names here.", ""):
        doc, issues = to_doc(source(text), nlp.tokenizer, CORPUS)
        assert (gold(doc), issues) == ([], [])
        assert get_scope(doc) == {"GENE", "DISEASE"}


def test_label_without_mapping(nlp: Language) -> None:
    with pytest.raises(BionerError, match=r"file\.tsv, line 2: the label RNA has no mapping in the corpus tiny"):
        to_doc(source("FOX2 RNA", (0, 4, "gene"), (5, 8, "RNA")), nlp.tokenizer, CORPUS)


@pytest.mark.parametrize(("alignment", "kept"), [("expand", [("antiFOX2 up", "GENE")]), ("drop", [])])
def test_mention_off_token_borders(alignment: str, kept: list[tuple[str, str]]) -> None:
    doc, (issue,) = to_doc(source("antiFOX2 up", (4, 10, "gene")), split_at_spaces, CORPUS, alignment=alignment)
    assert gold(doc) == kept
    assert issue.kind == {"expand": "expanded", "drop": "lost"}[alignment]
    assert (issue.file, issue.line, issue.text, issue.label) == ("file.tsv", 1, "FOX2 u", "gene")
    assert "antiFOX2 up" in issue.reason


def test_alignment_error_and_unknown_setting() -> None:
    document = source("antiFOX2 up", (4, 8, "gene"))
    with pytest.raises(BionerError, match=r"file\.tsv, line 1: .*'FOX2'.*'antiFOX2'"):
        to_doc(document, split_at_spaces, CORPUS, alignment="error")
    with pytest.raises(BionerError, match="alignment"):
        to_doc(document, split_at_spaces, CORPUS, alignment="strict")


def test_duplicates_and_mentions_that_coincide_are_distinguished() -> None:
    mentions = [(0, 4, "gene"), (0, 4, "protein"), (0, 3, "gene"), (5, 7, "gene"), (4, 5, "gene")]
    doc, issues = to_doc(source("FOX2 up", *mentions), split_at_spaces, CORPUS)
    assert gold(doc) == [("FOX2", "GENE"), ("up", "GENE")]
    assert [(issue.kind, issue.line) for issue in issues] == [("duplicate", 2), ("lost", 3), ("lost", 5)]


@pytest.mark.parametrize("discontinuous", ["report", "cover"])
def test_discontinuous_mentions(discontinuous: str) -> None:
    split = ((0, 4), (8, 12))
    mentions = (
        Mention(0, 12, "gene", 1, split),
        Mention(0, 12, "protein", 2, split),
        Mention(0, 12, "Dis", 3, split),
        Mention(0, 12, "Dis", 4),
        Mention(5, 11, "gene", 5, ((5, 7), (8, 11))),
        Mention(0, 7, "odd", 6, ((0, 1), (5, 7))),
    )
    document = SourceDocument("s", "FOX2 or FOX3 up", mentions, Path("a.ann"), 1)
    doc, issues = to_doc(document, split_at_spaces, CORPUS, discontinuous=discontinuous)
    found = [(issue.kind, issue.line, issue.text) for issue in issues]
    if discontinuous == "report":
        assert gold(doc) == [("FOX2 or FOX3", "DISEASE")]
        assert {issue.reason for issue in issues} == {"it is discontinuous"}
        assert found == [("lost", line, text) for line, text in zip((1, 2, 3, 5), [*["FOX2 or FOX3"] * 3, "or FOX"])]
    else:
        assert gold(doc) == [("FOX2 or FOX3", "DISEASE"), ("FOX2 or FOX3", "GENE"), ("or FOX3", "GENE")]
        assert found == [
            ("covered", 1, "FOX2 or FOX3"),
            ("duplicate", 2, "FOX2 or FOX3"),
            ("lost", 3, "FOX2 or FOX3"),
            ("expanded", 5, "or FOX"),
            ("covered", 5, "or FOX"),
        ]
    with pytest.raises(BionerError, match="discontinuous"):
        to_doc(document, split_at_spaces, CORPUS, discontinuous="drop")


@given(st.text("ab ", min_size=1, max_size=7), st.data())
def test_alignment_against_brute_force(text: str, data: st.DataObject) -> None:
    start, end = data.draw(st.sampled_from(list(itertools.combinations(range(len(text) + 1), 2))))
    doc, issues = to_doc(source(text, (start, end, "gene")), split_at_spaces, CORPUS)
    tokens = [token for token in doc if not token.is_space]
    touched = [t.i for t in tokens if any(start <= i < end for i in range(t.idx, t.idx + len(t)))]
    spans = [(span.start, span.end) for span in doc.spans[SPANS_KEY]]
    assert spans == ([(touched[0], touched[-1] + 1)] if touched else [])
    exact = any(
        (first.idx, last.idx + len(last)) == (start, end) for first, last in itertools.product(tokens, repeat=2)
    )
    assert [issue.kind for issue in issues] == ([] if exact else ["expanded"] if touched else ["lost"])


def test_tokenizer_must_keep_the_text() -> None:
    with pytest.raises(BionerError, match="changed the text"):
        to_doc(source("FOX2  up"), lambda text: Doc(Vocab(), words=text.split()), CORPUS)
