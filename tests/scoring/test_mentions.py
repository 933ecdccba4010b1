"""Documents with mentions in scope and the scores of the predicted ones."""

import pytest
from hand_made import ASTHMA, mark
from spacy.language import Language
from spacy.tokens import Doc, SpanGroup
from spacy.training import Example

from bioner_spacy.errors import BionerError
from bioner_spacy.scope import SPANS_KEY, set_gold
from bioner_spacy.scoring.mentions import of_type, scored_docs

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


@pytest.mark.parametrize("score", [1.5, -0.1, float("nan")])
def test_scores_that_are_no_probabilities(nlp: Language, score: float) -> None:
    with pytest.raises(BionerError, match=f"Document a: the score {score} of 'Aspirin' is not between 0 and 1"):
        list(scored_docs([example(nlp, [score, 0.5, 0.5, 0.5], doc_id="a")]))


def test_more_scores_than_spans_are_a_mistake_and_appended_spans_have_none(nlp: Language) -> None:
    with pytest.raises(BionerError, match="has 4 spans and 5 scores"):
        list(scored_docs([example(nlp, [0.5] * 5)]))
    [doc] = scored_docs([example(nlp, [0.5])])
    assert (doc.predicted, doc.scores) == ({ASPIRIN, ILLNESS}, {ASPIRIN: 0.5})
