"""What a mention of a disjoint type says of tasks outside the scope, against the enumeration of all tag sequences."""

from dataclasses import replace
from itertools import product
from typing import Any

import numpy
import pytest
from finite_differences import slope
from gold_batches import make_gold
from test_crf import all_sequences, sequence_score

from bioner_spacy.formulations.crf import CRFFormulation
from bioner_spacy.formulations.span_pairs import SpanPairFormulation
from bioner_spacy.formulations.tags import TagFormulation
from bioner_spacy.tasks import Task
from bioner_spacy.types import BARRED, OUT_OF_SCOPE, Gold, SpanArrays

TASKS = [Task("GENE", ("GENE",)), Task("CHEMICAL", ("CHEMICAL",)), Task("two", ("CELL", "CHEMICAL"), "two")]
LENGTHS = [4, 3]
# In the first text a gene at tokens 1 to 2 and one at the last token; the second one supervises chemicals.
GENES, CHEMICALS = [(1, 3, 0, 0), (3, 4, 0, 0)], [(5, 6, 1, 0)]
SUPERVISED = [[True, False, False], [False, True, False]]
BARRED_SPANS = [(1, 3, 1, 0), (3, 4, 1, 0), (1, 3, 2, 1), (5, 6, 2, 0), (5, 6, 2, 1)]
WEIGHTS = numpy.array([1.0, 0.5, 2.0])


def gold() -> Gold:
    rows = numpy.array(BARRED_SPANS).T
    barred = SpanArrays(*rows, scores=numpy.ones(len(BARRED_SPANS), dtype="f"))
    return replace(make_gold(LENGTHS, GENES + CHEMICALS, SUPERVISED), barred=barred)


def random_scores(formulation: Any, seed: int = 0) -> Any:
    return numpy.random.default_rng(seed).normal(scale=2.0, size=(sum(LENGTHS), len(formulation.columns)))


def ends_at(tags: tuple[str, ...], token: int) -> bool:
    """Whether a mention ends at a token."""
    return tags[token] != "O" and (token + 1 == len(tags) or tags[token + 1][0] != "I")


def test_tokens_at_which_no_mention_ends() -> None:
    (tags, _), _ = TagFormulation(TASKS).targets(gold())
    assert tags[:, 1].tolist() == [OUT_OF_SCOPE, OUT_OF_SCOPE, BARRED, BARRED, 0, 1, 0]
    # A task of several types says nothing where a mention of one of them may still end.
    assert tags[:, 2].tolist() == [OUT_OF_SCOPE] * 5 + [BARRED, OUT_OF_SCOPE]


def loss_of_barred(formulation: Any, scores: Any) -> Any:
    """What barred mentions add to the loss of each task."""
    both = (gold(), replace(gold(), barred=SpanArrays.empty()))
    with_them, without = (formulation.loss(scores, formulation.targets(one)[0], numpy.ones(3))[0] for one in both)
    return with_them - without


@pytest.mark.parametrize("seed", range(5))
def test_loss_of_a_random_field_is_that_of_the_sequences_that_are_left(seed: int) -> None:
    formulation = CRFFormulation(TASKS)
    scores = random_scores(formulation, seed)
    losses = loss_of_barred(formulation, scores)
    for k, (begin, barred) in {1: (0, (2, 3)), 2: (4, (1,))}.items():
        part = scores[begin : begin + LENGTHS[begin > 0]]
        sequences = all_sequences(TASKS[k], len(part))
        totals = [sequence_score(formulation, TASKS[k], part, tags) for tags in sequences]
        left = [total for total, tags in zip(totals, sequences) if not any(ends_at(tags, token) for token in barred)]
        expected = numpy.logaddexp.reduce(totals) - numpy.logaddexp.reduce(left)
        assert losses[k] == pytest.approx(expected / len(part), abs=1e-5)
    assert losses[0] == pytest.approx(0)


@pytest.mark.parametrize("seed", range(5))
def test_loss_of_independent_tags_is_that_of_mentions_that_end(seed: int) -> None:
    formulation = TagFormulation(TASKS)
    scores = random_scores(formulation, seed)
    losses = loss_of_barred(formulation, scores)
    for k, (begin, barred) in {1: (0, (2, 3)), 2: (4, (1,))}.items():
        columns = [i for i, column in enumerate(formulation.columns) if column[0] == TASKS[k].name]
        names = [formulation.columns[i][1] for i in columns]
        p = numpy.exp(scores[begin : begin + LENGTHS[begin > 0]][:, columns])
        p /= p.sum(axis=1, keepdims=True)
        expected = 0.0
        for token in barred:
            nearby = range(token, min(token + 2, len(p)))
            chances = [
                numpy.prod([p[t, i] for t, i in zip(nearby, chosen)])
                for chosen in product(range(len(names)), repeat=len(nearby))
                if ends_at(tuple(names[i] for i in chosen), 0)
            ]
            expected -= numpy.log(1 - sum(chances))
        assert losses[k] == pytest.approx(expected / len(p), abs=1e-5)


@pytest.mark.parametrize("make", [CRFFormulation, TagFormulation, lambda tasks: SpanPairFormulation(tasks, width=3)])
def test_gradient_by_finite_differences(make: Any) -> None:
    formulation = make(TASKS)
    scores = random_scores(formulation)
    targets, _ = formulation.targets(gold())
    _, gradient = formulation.loss(scores, targets, WEIGHTS)

    def loss() -> float:
        return float((formulation.loss(scores, targets, WEIGHTS)[0] * WEIGHTS).sum())

    for place in numpy.ndindex(*scores.shape):
        assert gradient[place] == pytest.approx(slope(scores, place, loss, step=1e-2), abs=1e-3)


@pytest.mark.parametrize("make", [CRFFormulation, TagFormulation])
def test_texts_without_a_barred_token_have_no_gradient_outside_the_scope(make: Any) -> None:
    formulation = make(TASKS)
    _, gradient = formulation.loss(random_scores(formulation), formulation.targets(gold())[0], WEIGHTS)
    of_gene = [i for i, column in enumerate(formulation.columns) if column[0] == "GENE"]
    of_two = [i for i, column in enumerate(formulation.columns) if column[0] == "two"]
    assert not gradient[4:, of_gene].any()
    assert not gradient[:4, of_two].any()


def test_span_pairs_learn_of_exactly_the_barred_spans() -> None:
    formulation = SpanPairFormulation(TASKS, width=3)
    targets, _ = formulation.targets(gold())
    named = {(t, *formulation.columns[c]) for t, c in zip(*numpy.nonzero(targets == BARRED))}
    assert named == {
        (1, "CHEMICAL", "CHEMICAL", "2"),
        (3, "CHEMICAL", "CHEMICAL", "1"),
        (1, "two", "CHEMICAL", "2"),
        (5, "two", "CELL", "1"),
        (5, "two", "CHEMICAL", "1"),
    }
