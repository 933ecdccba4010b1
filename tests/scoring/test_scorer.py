"""The scorer against hand-made cases and against a plain rewriting of its definition."""

from collections.abc import Sequence
from typing import Any, Optional

import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st
from spacy.language import Language
from spacy.tokens import Doc, Span, SpanGroup
from spacy.training import Example

from bioner_spacy.errors import BionerError
from bioner_spacy.scope import SPANS_KEY, set_gold
from bioner_spacy.scoring.mentions import mentions_in_scope, nested_mentions
from bioner_spacy.scoring.metrics import Counts
from bioner_spacy.scoring.scorer import make_scorer, score_mentions

VOCAB = spacy.blank("en").vocab
TOKENS = ["w"] * 8
TYPES = ["CHEMICAL", "DISEASE", "GENE"]

Triple = tuple[int, int, str]  # first token, one past the last token, entity type


def make_doc(spans: Sequence[Triple], **gold: Any) -> Doc:
    """A document of eight tokens; a gold one where `gold` names corpus and scope."""
    doc = Doc(VOCAB, words=TOKENS)
    marked = [Span(doc, start, end, label) for start, end, label in spans]
    if gold:
        set_gold(doc, marked, **gold)
    else:
        doc.spans[SPANS_KEY] = SpanGroup(doc, spans=marked)
    return doc


def score_spans(examples: Sequence[Example], *, spans_key: str = SPANS_KEY, **settings: Any) -> dict[str, Any]:
    return score_mentions(mentions_in_scope(examples, spans_key=spans_key, **settings), spans_key=spans_key)


def score(predicted: Sequence[Triple], gold: Sequence[Triple], scope: Sequence[str] = TYPES) -> dict[str, Any]:
    return score_spans([Example(make_doc(predicted), make_doc(gold, corpus="A", scope=scope))])


def counts(scores: dict[str, Any]) -> tuple[int, int, int]:
    return scores["tp"], scores["fp"], scores["fn"]


def test_start_end_and_type_must_all_match() -> None:
    predicted = [(0, 2, "GENE"), (2, 4, "GENE"), (4, 5, "GENE"), (6, 7, "GENE")]
    gold = [(0, 2, "GENE"), (3, 4, "GENE"), (4, 6, "GENE"), (6, 7, "DISEASE")]
    scores = score(predicted, gold)["spans_bioner_per_corpus"]["A"]
    assert counts(scores) == (1, 3, 3)
    assert scores["p"] == scores["r"] == scores["f"] == 0.25
    assert counts(scores["per_type"]["DISEASE"]) == (0, 0, 1)
    assert counts(scores["per_type"]["GENE"]) == (1, 3, 2)


def test_predictions_out_of_scope_are_ignored() -> None:
    scores = score([(0, 1, "GENE"), (2, 3, "CHEMICAL")], [(0, 1, "GENE")], ["GENE"])
    assert counts(scores["spans_bioner_per_corpus"]["A"]) == (1, 0, 0)
    assert list(scores["spans_bioner_per_type"]) == ["GENE"]
    assert scores["spans_bioner_p"] == 1.0


def test_empty_scope_counts_nothing_and_no_scope_counts_the_types_of_the_corpus() -> None:
    predicted = make_doc([(0, 1, "GENE")])
    assert score([(0, 1, "GENE")], [], [])["spans_bioner_f"] is None
    none, other = [Example(predicted, make_doc([]))], Example(make_doc([]), make_doc([(2, 3, "GENE")]))
    assert score_spans(none)["spans_bioner_p"] is None
    assert score_spans(none, corpus_types=None)["spans_bioner_p"] == 0.0
    assert score_spans(none, corpus_types={"": ["GENE"]})["spans_bioner_p"] == 0.0
    assert score_spans([*none, other])["spans_bioner_p"] == 0.0


def test_scores_are_none_where_there_is_nothing_to_score() -> None:
    for scores in (score_spans([]), score([], [])):
        names = ("p", "r", "f", "macro_f", "nested_r")
        assert all(scores[f"spans_bioner_{name}"] is None for name in names)
    assert score([], [])["spans_bioner_per_corpus"]["A"]["gold"] == 0


def test_document_without_annotation_is_skipped() -> None:
    reference = Doc(VOCAB, words=TOKENS)
    assert score_spans([Example(make_doc([(0, 1, "GENE")]), reference)])["spans_bioner_per_corpus"] == {}


def test_entities_are_scored_on_demand_and_never_in_silence() -> None:
    reference, predicted = Doc(VOCAB, words=TOKENS), Doc(VOCAB, words=TOKENS)
    reference.ents = [Span(reference, 0, 2, "GENE"), Span(reference, 3, 4, "GENE")]
    predicted.ents = [Span(predicted, 0, 2, "GENE")]
    examples = [Example(predicted, reference)]
    assert counts(score_spans(examples, spans_key="ents")["spans_ents_per_corpus"][""]) == (1, 0, 1)
    with pytest.raises(BionerError, match=r"has no doc.spans\['bioner'\]; it has: ents. Name the key"):
        score_spans(examples)
    reference.spans[SPANS_KEY] = list(reference.ents)
    with pytest.raises(BionerError, match=r"has no doc.spans\['bioner'\]; it has: ents"):
        score_spans(examples)
    assert score_spans(examples, predicted_key="ents")["spans_bioner_r"] == 0.5
    predicted.spans["other"] = []
    with pytest.raises(BionerError, match="it has: other, ents"):
        score_spans(examples)


def test_spacys_scores_of_entities_where_gold_has_entities_and_no_scope() -> None:
    reference, predicted = Doc(VOCAB, words=TOKENS), Doc(VOCAB, words=TOKENS)
    reference.ents = [Span(reference, 0, 2, "GENE"), Span(reference, 3, 4, "GENE")]
    predicted.ents = [Span(predicted, 0, 2, "GENE"), Span(predicted, 4, 5, "DISEASE")]
    predicted.spans[SPANS_KEY] = []
    scores = make_scorer()([Example(predicted, reference)])
    assert (scores["ents_p"], scores["ents_r"], scores["ents_per_type"]["GENE"]["p"]) == (0.5, 0.5, 1.0)
    predicted.spans[SPANS_KEY] = []
    set_gold(reference, reference.ents, corpus="A", scope=["GENE"])
    scores = make_scorer()([Example(predicted, reference)])
    assert (scores["ents_p"], scores["ents_r"]) == (1.0, 0.5)  # the disease is out of scope


def test_entities_are_scored_against_the_flat_view_of_gold_spans() -> None:
    predicted = make_doc([])
    predicted.ents = [Span(predicted, 0, 3, "GENE"), Span(predicted, 4, 5, "DISEASE")]
    gold = make_doc([(0, 3, "GENE"), (1, 2, "GENE"), (5, 6, "GENE")], corpus="A", scope=["GENE"])
    scores = make_scorer()([Example(predicted, gold)])
    assert (scores["ents_p"], scores["ents_r"], scores["spans_bioner_r"]) == (1.0, 0.5, 0.0)
    assert scores["ents_per_type"]["GENE"]["f"] == pytest.approx(2 / 3)


def test_mentions_are_compared_by_characters_whatever_the_tokens(nlp: Language) -> None:
    predicted = Doc(nlp.vocab, words=["IL-2", "receptor"], spaces=[True, False])
    reference = Doc(nlp.vocab, words=["IL", "-", "2", "recep", "tor"], spaces=[False, False, True, False, False])
    predicted.spans[SPANS_KEY] = [Span(predicted, 0, 1, "GENE"), Span(predicted, 0, 2, "GENE")]
    gold = [Span(reference, 0, 3, "GENE"), Span(reference, 0, 4, "GENE")]
    set_gold(reference, gold, corpus="A", scope=["GENE"])
    assert counts(score_spans([Example(predicted, reference)])["spans_bioner_per_corpus"]["A"]) == (1, 1, 1)


def test_macro_f_is_the_mean_over_corpora_that_have_a_score() -> None:
    full, empty = [(0, 1, "GENE")], list[Triple]()
    pairs = {"A": (full, full), "B": (empty, full), "C": (empty, empty)}
    examples = [
        Example(make_doc(predicted), make_doc(gold, corpus=corpus, scope=TYPES))
        for corpus, (predicted, gold) in pairs.items()
        for _ in range(3 if corpus == "A" else 1)
    ]
    scores = score_spans(examples)
    assert scores["spans_bioner_macro_f"] == 0.5
    assert scores["spans_bioner_r"] == 0.75
    assert scores["spans_bioner_per_corpus"]["C"]["f"] is None


def test_nested_and_flat_mentions() -> None:
    gold = [(0, 4, "GENE"), (1, 2, "GENE"), (1, 2, "CHEMICAL"), (3, 6, "GENE"), (6, 8, "GENE"), (6, 8, "DISEASE")]
    scores = score([(0, 4, "GENE"), (1, 2, "GENE")], gold)["spans_bioner_per_corpus"]["A"]
    assert scores["nested"] == {"p": 1.0, "r": 0.5, "f": pytest.approx(2 / 3), "gold": 2, "predicted": 1}
    assert scores["flat"] == {"p": 1.0, "r": 0.25, "f": 0.4, "gold": 4, "predicted": 1}


def test_a_nested_mention_may_be_found_without_the_one_around_it() -> None:
    scores = score([(1, 2, "GENE"), (3, 4, "GENE"), (3, 5, "GENE")], [(0, 4, "GENE"), (1, 2, "GENE")])
    corpus = scores["spans_bioner_per_corpus"]["A"]
    assert corpus["nested"] == {"p": 0.0, "r": 1.0, "f": 0.0, "gold": 1, "predicted": 1}
    assert corpus["flat"] == {"p": 0.5, "r": 0.0, "f": 0.0, "gold": 1, "predicted": 2}
    assert [scores[f"spans_bioner_nested_{name}"] for name in "prf"] == [0.0, 1.0, 0.0]


def test_names_of_scores_follow_the_spans_key() -> None:
    reference, predicted = make_doc([]), make_doc([])
    for doc in (reference, predicted):
        doc.spans["other"] = [Span(doc, 0, 1, "GENE")]
    scores = make_scorer(spans_key="other")([Example(predicted, reference)], threshold=0.5)
    assert scores["spans_other_f"] == 1.0
    assert all(name.startswith(("spans_other_", "ents_")) for name in scores)


def test_other_text_is_an_error() -> None:
    predicted = Doc(VOCAB, words=["other"])
    with pytest.raises(BionerError, match="differ in text"):
        score_spans([Example(predicted, make_doc([], corpus="A", scope=TYPES))])


def test_scores_of_one_sided_counts_are_zero() -> None:
    assert Counts(gold=2).scores()["p"] == Counts(predicted=2).scores()["r"] == 0.0
    assert Counts(predicted=2).scores()["f"] == 0.0
    assert Counts(gold=2).scores(None)["p"] is None


triples = st.lists(
    st.tuples(st.integers(0, 7), st.integers(1, 4), st.sampled_from(TYPES)).map(
        lambda drawn: (drawn[0], min(8, drawn[0] + drawn[1]), drawn[2])
    ),
    max_size=8,
)
scopes = st.one_of(st.none(), st.lists(st.sampled_from(TYPES), unique=True))
cases = st.lists(st.tuples(st.sampled_from(["A", "B"]), triples, triples, scopes), max_size=5)


@given(cases)
def test_counts_agree_with_brute_force(
    drawn: list[tuple[str, list[Triple], list[Triple], Optional[list[str]]]],
) -> None:
    examples: list[Example] = []
    expected: dict[tuple[str, str], list[int]] = {}
    for corpus, predicted, gold, scope in drawn:
        reference = make_doc(gold, corpus=corpus, scope=scope or [])
        if scope is None:
            del reference.spans[SPANS_KEY].attrs["scope"]
        examples.append(Example(make_doc(predicted), reference))
        for entity_type in TYPES if scope is None else scope:
            for start in range(9):
                for end in range(9):
                    mention = (start, end, entity_type)
                    totals = expected.setdefault((corpus, entity_type), [0, 0, 0])
                    totals[0] += mention in gold and mention in predicted
                    totals[1] += mention in predicted and mention not in gold
                    totals[2] += mention in gold and mention not in predicted
    found = {
        (corpus, entity_type): list(counts(scores))
        for corpus, of_corpus in score_spans(examples, corpus_types=None)["spans_bioner_per_corpus"].items()
        for entity_type, scores in of_corpus["per_type"].items()
    }
    assert found == {key: totals for key, totals in expected.items() if any(totals)}


@given(triples)
def test_nested_mentions_agree_with_brute_force(drawn: list[Triple]) -> None:
    mentions = set(drawn)
    inside = {
        inner
        for inner in mentions
        for outer in mentions
        if outer[0] <= inner[0] and inner[1] <= outer[1] and outer[:2] != inner[:2]
    }
    assert nested_mentions(mentions) == inside
