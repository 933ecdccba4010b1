"""The discriminator of tasks beside the random fields, against the plain formula."""

from typing import Any

import numpy
import pytest
from finite_differences import slope
from gold_batches import TASKS, make_gold

from bioner_spacy.formulations.adversarial import AdversarialCRFFormulation
from bioner_spacy.formulations.crf import CRFFormulation

LENGTHS = [3, 0, 1, 2, 2]
# Documents of one task, of none (it has no token), of all, of two, and of none.
SUPERVISED = [[1, 0, 0], [0, 1, 0], [1, 1, 1], [0, 1, 1], [0, 0, 0]]
ROWS = [(0, 2, 0, 0), (3, 4, 1, 1)]
WEIGHTS = numpy.array([1.0, 2.0, 0.5])


def batch(formulation: CRFFormulation, n_tasks: int = 3) -> tuple[Any, Any]:
    """Scores of the tokens of a batch, and its targets."""
    supervised = numpy.array(SUPERVISED, dtype=bool)[:, :n_tasks]
    gold = make_gold(LENGTHS, [row for row in ROWS if row[2] < n_tasks], supervised)
    scores = numpy.random.default_rng(0).normal(scale=2.0, size=(sum(LENGTHS), len(formulation.columns)))
    return scores, formulation.targets(gold)[0]


def test_columns_of_the_discriminator_come_last_and_belong_to_no_task() -> None:
    plain, adversarial = CRFFormulation(TASKS), AdversarialCRFFormulation(TASKS)
    added = [("", "is DISEASE"), ("", "is two"), ("", "is GENE")]
    assert adversarial.columns == [*plain.columns, *added]


def test_loss_is_the_cross_entropy_of_the_mean_scores() -> None:
    formulation = AdversarialCRFFormulation(TASKS)
    scores, targets = batch(formulation)
    expected = []
    for document, supervised in zip(numpy.split(scores[:, -3:], numpy.cumsum(LENGTHS)[:-1]), SUPERVISED):
        if len(document) and any(supervised):
            logits = document.mean(axis=0)
            log_p = logits - numpy.logaddexp.reduce(logits)
            expected.append(-sum(log_p[k] for k in range(3) if supervised[k]) / sum(supervised))
    assert len(expected) == 3
    assert formulation.discriminator_loss(scores, targets)[0] == pytest.approx(numpy.mean(expected))


def test_gradient_of_the_discriminator_by_finite_differences() -> None:
    formulation = AdversarialCRFFormulation(TASKS)
    scores, targets = batch(formulation)
    gradient = formulation.loss(scores, targets, WEIGHTS)[1][:, -3:]

    def loss() -> float:
        return formulation.discriminator_loss(scores, targets)[0]

    for place in numpy.ndindex(*gradient.shape):
        assert gradient[place] == pytest.approx(slope(scores[:, -3:], place, loss, step=1e-5), abs=1e-6)
    taught = numpy.repeat(numpy.any(SUPERVISED, axis=1), LENGTHS)
    assert gradient[taught].all() and not gradient[~taught].any()


def test_the_tasks_learn_as_without_it() -> None:
    plain, adversarial = CRFFormulation(TASKS), AdversarialCRFFormulation(TASKS)
    scores, targets = batch(adversarial)
    losses, gradient = adversarial.loss(scores, targets, WEIGHTS)
    expected_losses, expected_gradient = plain.loss(scores[:, :-3], targets, WEIGHTS)
    numpy.testing.assert_array_equal(losses, expected_losses)
    numpy.testing.assert_array_equal(gradient[:, :-3], expected_gradient)
    spans, expected = (f.decode(scores, numpy.array(LENGTHS)) for f in (adversarial, plain))
    assert len(spans.starts)
    for name in ("starts", "ends", "tasks", "types", "scores"):
        numpy.testing.assert_array_equal(getattr(spans, name), getattr(expected, name))


def test_a_single_task_leaves_nothing_to_guess() -> None:
    formulation = AdversarialCRFFormulation(TASKS[:1])
    scores, targets = batch(formulation, 1)
    assert formulation.discriminator_loss(scores, targets)[0] == 0.0
    assert not formulation.loss(scores, targets, WEIGHTS[:1])[1][:, -1].any()


@pytest.mark.parametrize("lengths", [[], [0], [2]])
def test_nothing_to_learn(lengths: list[int]) -> None:
    formulation = AdversarialCRFFormulation(TASKS)
    gold = make_gold(lengths, [], numpy.zeros((len(lengths), 3), dtype=bool))
    scores = numpy.ones((sum(lengths), len(formulation.columns)), dtype="f")
    losses, gradient = formulation.loss(scores, formulation.targets(gold)[0], WEIGHTS)
    assert not losses.any() and not gradient.any()
    assert gradient.shape == scores.shape and gradient.dtype == scores.dtype
