"""Documents with mentions in scope and the scores of the predicted ones."""

import itertools

import pytest
from hand_made import ASTHMA, mark
from hypothesis import given
from hypothesis import strategies as st
from spacy.language import Language
from spacy.tokens import Doc, SpanGroup
from spacy.training import Example

from bioner_spacy.errors import BionerError
from bioner_spacy.scope import SPANS_KEY, set_gold
from bioner_spacy.scoring.mentions import Mention, mentions_in_scope, of_type, scored_docs, without_overlap

ASPIRIN, ILLNESS, RARE = (0, 7, "CHEMICAL"), (16, 22, "DISEASE"), (26, 30, "GENE")


def example(nlp: Language, scores: object, doc_id: str = "") -> Example:
    """Aspirin given twice, asthma, and a gene, which is not annotated."""
    reference, predicted = nlp.make_doc(ASTHMA), nlp.make_doc(ASTHMA)
    scope = ["CHEMICAL", "DISEASE"]
    set_gold(reference, mark(reference, [("asthma", "DISEASE")]), corpus="drugs", scope=scope, doc_id=doc_id)
    spans = mark(
        predicted, [("Aspirin", "CHEMICAL"), ("asthma", "DISEASE"), ("rare", "GENE"), ("Aspirin", "CHEMICAL")]
    )
    attrs = {} if scores is None else {"scores": scores}
    predicted.spans[SPANS_KEY] = SpanGroup(predicted, spans=spans, attrs=attrs)
    return Example(predicted, reference)


def test_mentions_and_scores_in_scope(nlp: Language) -> None:
    first, second = scored_docs([example(nlp, [0.5, 0.5, 0.75, 0.25]), example(nlp, [0, 1, 1, 1], doc_id="a")])
    assert (first.corpus, first.doc_id, first.text, second.doc_id) == ("drugs", "1", ASTHMA, "a")
    assert (first.gold, first.predicted) == ({ILLNESS}, {ASPIRIN, ILLNESS})
    assert first.scores == {ASPIRIN: 0.5, ILLNESS: 0.5}
    assert of_type(first.predicted, "DISEASE") == {ILLNESS}


def test_predictions_without_scores(nlp: Language) -> None:
    [doc] = scored_docs([example(nlp, None)])
    assert (doc.predicted, doc.scores) == ({ASPIRIN, ILLNESS}, {})
    reference = example(nlp, None).reference
    predicted = Doc(
        nlp.vocab, words=[token.text for token in reference], spaces=[bool(t.whitespace_) for t in reference]
    )
    predicted.ents = mark(predicted, [("asthma", "DISEASE")])
    [doc] = scored_docs([Example(predicted, reference)], predicted_key="ents")
    assert (doc.predicted, doc.scores) == ({ILLNESS}, {})


SCORED = st.dictionaries(
    st.tuples(st.integers(0, 8), st.integers(1, 4), st.sampled_from("AB")).map(lambda m: (m[0], m[0] + m[1], m[2])),
    st.sampled_from([0.25, 0.5, 0.75]),
    max_size=6,
)


@given(SCORED)
def test_the_best_of_overlapping_mentions(scores: dict[Mention, float]) -> None:
    """A mention is left out if and only if it overlaps one that stays and is as good or better."""

    def rank(mention: Mention) -> tuple[float, int]:
        return scores[mention], mention[1] - mention[0]

    def overlap(one: Mention, other: Mention) -> bool:
        return one[0] < other[1] and other[0] < one[1]

    kept = without_overlap(scores, scores)
    assert not any(overlap(one, other) for one, other in itertools.combinations(kept, 2))
    for mention in scores.keys() - kept:
        assert any(overlap(mention, other) and rank(other) >= rank(mention) for other in kept)


def test_types_out_of_scope_do_not_compete(nlp: Language) -> None:
    one = example(nlp, [0.5, 0.5, 0.75, 0.25])
    group = one.predicted.spans[SPANS_KEY]
    longer, gene = one.predicted.char_span(0, 22, "CHEMICAL"), one.predicted.char_span(0, 22, "GENE")
    one.predicted.spans[SPANS_KEY] = SpanGroup(
        one.predicted, spans=[*group, longer, gene], attrs={"scores": [0.5, 0.5, 0.75, 0.25, 0.4, 0.9]}
    )
    [nested], [flat] = (list(mentions_in_scope([one], allow_overlap=allow)) for allow in (True, False))
    assert nested.predicted == {ASPIRIN, ILLNESS, (0, 22, "CHEMICAL")}
    assert flat.predicted == {ASPIRIN, ILLNESS}


@pytest.mark.parametrize("score", [1.5, -0.1, float("nan")])
def test_scores_that_are_no_probabilities(nlp: Language, score: float) -> None:
    with pytest.raises(BionerError, match=f"Document a: the score {score} of 'Aspirin' is not between 0 and 1"):
        list(scored_docs([example(nlp, [score, 0.5, 0.5, 0.5], doc_id="a")]))


def test_more_scores_than_spans_are_a_mistake_and_appended_spans_have_none(nlp: Language) -> None:
    with pytest.raises(BionerError, match="has 4 spans and 5 scores"):
        list(scored_docs([example(nlp, [0.5] * 5)]))
    [doc] = scored_docs([example(nlp, [0.5])])
    assert (doc.predicted, doc.scores) == ({ASPIRIN, ILLNESS}, {ASPIRIN: 0.5})
