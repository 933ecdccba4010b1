"""From predicted spans to `doc.spans` and `doc.ents`."""

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st
from spacy.language import Language
from spacy.tokens import Doc, Span
from spacy.training import Example
from toy_corpora import ASPIRIN, BREAST_CANCER, CORPORA, component, found, gold_doc, make_examples, make_nlp, train

from bioner_spacy.errors import BionerError
from bioner_spacy.scope import SPANS_KEY
from bioner_spacy.types import SpanArrays

TYPES = ("CHEMICAL", "DISEASE", "GENE")
Row = tuple[int, int, str, float]  # first token, one past the last, entity type, score


@cache
def labelled_nlp(**settings: Any) -> Language:
    """A pipeline that knows `TYPES` and has learnt nothing."""
    nlp = make_nlp(**settings)
    for label in TYPES:
        component(nlp).add_label(label)
    return nlp


def annotate(rows: Sequence[Row], ents: Sequence[tuple[int, int]] = (), **settings: Any) -> Doc:
    """A document of eight tokens with the given predictions, where entities (start, end) were set before."""
    nlp = labelled_nlp(**settings)
    doc = Doc(nlp.vocab, words=["w"] * 8)
    doc.ents = [Span(doc, start, end, "GIVEN") for start, end in ents]
    starts, ends, types, scores = zip(*rows) if rows else ((), (), (), ())
    numbers = numpy.array([TYPES.index(label) for label in types], dtype="int64")
    arrays = [numpy.array(values, dtype="int64") for values in (starts, ends)]
    tasks = numpy.full(len(rows), -1)
    component(nlp).set_annotations([doc], [SpanArrays(*arrays, tasks, numbers, numpy.array(scores, dtype="f"))])
    return doc


def spans_of(doc: Doc) -> list[Row]:
    group = doc.spans[SPANS_KEY]
    scores = group.attrs["scores"]
    assert len(scores) == len(group)
    return [(span.start, span.end, span.label_, score) for span, score in zip(group, scores)]


def ents_of(doc: Doc) -> list[tuple[int, int, str]]:
    return [(ent.start, ent.end, ent.label_) for ent in doc.ents]


OVERLAPPING: list[Row] = [(0, 4, "GENE", 0.5), (1, 2, "DISEASE", 0.75), (3, 5, "GENE", 0.5), (6, 7, "CHEMICAL", 0.25)]


def test_all_spans_go_to_doc_spans_and_the_best_to_ents() -> None:
    doc = annotate(OVERLAPPING)
    assert spans_of(doc) == OVERLAPPING
    assert ents_of(doc) == [(1, 2, "DISEASE"), (3, 5, "GENE"), (6, 7, "CHEMICAL")]


def test_scores_below_the_threshold_are_left_out() -> None:
    doc = annotate(OVERLAPPING, threshold=0.5)
    assert spans_of(doc) == OVERLAPPING[:3]
    assert ents_of(doc) == [(1, 2, "DISEASE"), (3, 5, "GENE")]


def test_thresholds_of_types_go_before_the_one_of_all() -> None:
    ner = component(labelled_nlp())
    ner.threshold, ner.thresholds = 0.5, {"DISEASE": 0.8, "CHEMICAL": 0.25}
    try:
        doc = annotate(OVERLAPPING)
        assert spans_of(doc) == [OVERLAPPING[0], *OVERLAPPING[2:]]
        assert ents_of(doc) == [(0, 4, "GENE"), (6, 7, "CHEMICAL")]
        for wrong, message in [({"Gene": 0.5}, "names Gene"), ({"GENE": float("nan")}, "thresholds.GENE is nan")]:
            ner.thresholds = wrong
            with pytest.raises(BionerError, match=message):
                annotate(OVERLAPPING)
    finally:
        ner.threshold, ner.thresholds = 0.0, {}


def test_entities_are_left_alone_on_request() -> None:
    doc = annotate(OVERLAPPING, ents=[(1, 3)], annotate_ents=False)
    assert ents_of(doc) == [(1, 3, "GIVEN")]
    assert spans_of(doc) == OVERLAPPING


def test_a_document_without_mentions_is_annotated_as_such() -> None:
    doc = annotate([])
    assert spans_of(doc) == []
    assert doc.has_annotation("ENT_IOB")


def test_the_spans_key_is_a_setting() -> None:
    doc = annotate(OVERLAPPING, spans_key="mentions")
    assert list(doc.spans) == ["mentions"]
    assert len(doc.spans["mentions"]) == len(OVERLAPPING)


places = st.tuples(st.integers(0, 7), st.integers(1, 4)).map(lambda drawn: (drawn[0], min(8, sum(drawn))))
predictions = st.lists(
    st.tuples(places, st.sampled_from(TYPES), st.sampled_from([0.25, 0.5, 1.0])),
    unique_by=lambda row: row[:2],
    max_size=8,
).map(lambda rows: [(start, end, label, score) for (start, end), label, score in rows])


@given(predictions, st.lists(places, max_size=2), st.booleans())
def test_entities_are_the_greedy_choice_of_the_spans(rows: list[Row], given_ents: list[Any], overwrite: bool) -> None:
    given_ents = [place for i, place in enumerate(given_ents) if not any(overlap(place, p) for p in given_ents[:i])]
    doc = annotate(rows, ents=given_ents, overwrite_ents=overwrite)
    assert spans_of(doc) == rows
    expected = [] if overwrite else [(start, end, "GIVEN") for start, end in given_ents]
    for start, end, label, _ in sorted(rows, key=lambda row: (-row[3], row[0] - row[1], row[0], row[2])):
        if not any(overlap((start, end), chosen) for chosen in expected):
            expected.append((start, end, label))
    assert ents_of(doc) == sorted(expected)


def overlap(one: Sequence[Any], other: Sequence[Any]) -> bool:
    return one[0] < other[1] and other[0] < one[1]


# -- with a trained pipeline


def test_predictions_have_scores_between_0_and_1(nlp: Language) -> None:
    docs = list(nlp.pipe([text for _, sentences in CORPORA.values() for text, _ in sentences]))
    scores = [score for doc in docs for *_, score in spans_of(doc)]
    assert scores and all(0.0 < score <= 1.0 for score in scores)
    assert found(docs[0]) >= set(BREAST_CANCER[1])
    nested = next(doc for doc in docs if doc.text == ASPIRIN[0])
    assert len(nested.ents) < len(nested.spans[SPANS_KEY])


def test_prediction_touches_no_document(nlp: Language) -> None:
    ner = component(nlp)
    doc = nlp.make_doc(BREAST_CANCER[0])
    for _, pipe in nlp.pipeline[:-1]:
        doc = pipe(doc)
    before = doc.to_bytes()
    spans = ner.predict([doc])[0]
    assert len(spans.starts) and doc.to_bytes() == before


DISAGREEING: dict[str, list[tuple[str, str]]] = {"narrow": [("fever", "DISEASE")], "wide": [("had fever", "DISEASE")]}


@pytest.fixture(scope="module")
def disagreeing() -> bytes:
    """A pipeline with two guidelines that disagree on one sentence."""
    nlp = make_nlp(grain="guideline")
    text = BREAST_CANCER[0]
    references = [gold_doc(nlp, (text, mentions), corpus, ["DISEASE"]) for corpus, mentions in DISAGREEING.items()]
    train(nlp, [Example(nlp.make_doc(text), reference) for reference in references], steps=80)
    return nlp.to_bytes()


@pytest.mark.parametrize(
    ("merge", "guideline", "expected"),
    [
        ("union", None, {"fever", "had fever"}),
        ("vote", None, set()),
        ("mean", None, set()),
        ("narrow", None, {"fever"}),
        ({"DISEASE": "wide"}, None, {"had fever"}),
        ("union", "narrow", {"fever"}),
        ("narrow", "wide", {"had fever"}),
    ],
)
def test_guidelines_that_disagree_are_merged(
    disagreeing: bytes, merge: Any, guideline: Any, expected: set[str]
) -> None:
    # Where one of two is sure, their mean is about a half.
    nlp = make_nlp(grain="guideline", merge=merge, threshold=0.6).from_bytes(disagreeing)
    doc = nlp.make_doc(BREAST_CANCER[0])
    doc._.guideline = guideline
    assert {span.text for span in nlp(doc).spans[SPANS_KEY]} == expected


def test_scores_of_a_pipeline_are_those_of_the_guidelines_of_the_documents(disagreeing: bytes) -> None:
    nlp = make_nlp(grain="guideline").from_bytes(disagreeing)
    examples = []
    for corpus, mentions in DISAGREEING.items():
        predicted = nlp.make_doc(BREAST_CANCER[0])
        predicted._.guideline = corpus
        examples.append(Example(predicted, gold_doc(nlp, (predicted.text, mentions), corpus, ["DISEASE"])))
    assert nlp.evaluate(examples)["spans_bioner_f"] == 1.0


def test_evaluation_counts_only_what_is_in_scope(nlp: Language) -> None:
    """The sentences of the genes name other entities, of which the corpus says nothing."""
    examples = make_examples(nlp, ["genes"])
    scores = nlp.evaluate(examples)
    assert any(label != "GENE" for example in examples for _, label in found(nlp(example.text)))
    assert scores["spans_bioner_f"] == 1.0
