"""Arrays that pass between the component, the models and the formulations."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Optional, Protocol

import numpy
from numpy.typing import NDArray
from spacy.tokens import Doc

# A NumPy array, or one of CuPy where a docstring does not say "on the CPU"; shapes are in the docstrings. Scores are
# on the device of the model, targets and spans on the CPU.
Array = NDArray[Any]


@dataclass(frozen=True)
class SpanArrays:
    """Spans of a batch of documents as parallel arrays of length M.

    Tokens are counted through the batch: token w of a document whose first token is number b is b + w.

    Attributes:
        starts: first word of each span.
        ends: one past the last token of each span.
        tasks: index of the task that each span belongs to.
        types: index of the entity type of each span among the types of its task.
        scores: score of each span, 0 to 1; 1 in gold annotation.
    """

    starts: Array
    ends: Array
    tasks: Array
    types: Array
    scores: Array

    @classmethod
    def empty(cls) -> "SpanArrays":
        """No spans."""
        none = numpy.zeros(0, dtype="int64")
        return cls(none, none, none, none, numpy.zeros(0, dtype="f"))


@dataclass(frozen=True)
class Taught:
    """What teachers say of the tags of a batch with N tokens, and how much that counts.

    Attributes:
        known: (N, K) bool, whether teachers of the task have read the document of the token.
        tokens: for each of the K tasks, (M,) tokens that are not surely outside of mentions; the others are.
        transitions: for each task, (M, T, T) probability that the token before has one of the T tags of the task, and
            this token another one.
        share: share of the teachers in the target of a task within its scope, 0 to 1; gold is the rest.
        across: weight of the loss of what teachers say outside of the scope, 0 to 1.
    """

    known: Array
    tokens: Sequence[Array]
    transitions: Sequence[Array]
    share: float
    across: float


@dataclass(frozen=True)
class Gold:
    """Gold annotation of a batch of D documents, or sentences that are read by themselves, with N tokens.

    Attributes:
        lengths: (D,) tokens per document.
        spans: gold spans, for supervised tasks only.
        supervised: (D, K) bool, whether the document supervises the task.
        barred: spans that are known to be no mention of a task that their document does not supervise, because they
            are mentions of a disjoint type.
        taught: what teachers say; None without teachers.
    """

    lengths: Array
    spans: SpanArrays
    supervised: Any
    barred: SpanArrays = field(default_factory=SpanArrays.empty)
    taught: Optional[Taught] = None


@dataclass(frozen=True)
class Batch:
    """What a model of the component takes.

    Attributes:
        docs: documents, at least one of them with tokens.
        lengths: (D,) tokens of each text that heads read alone: a document, or one of its sentences.
        targets: what the formulation's `targets` made of their gold annotation; None when predicting. Models whose
            scores do not depend on it pass it over.
        guidelines: corpus by whose guideline each document is annotated, None if that is not known; empty for none.
    """

    docs: list[Doc]
    lengths: Array
    targets: Any = None
    guidelines: Sequence[Optional[str]] = ()


@dataclass(frozen=True)
class ActionSteps:
    """Gold steps of a transition system over D documents: S steps, each of any number of A actions at once.

    Attributes:
        lengths: (D,) steps per document; 0 for documents without tokens.
        places: (S,) number of tokens of the document before the step.
        actions: (S, A) int8, 1 for actions that are taken, 0 for others, `OUT_OF_SCOPE` for those of tasks that the
            document does not supervise. Columns are EOA, SHIFT, then a pair of opening and closing for each type.
    """

    lengths: Array
    places: Array
    actions: Array


@dataclass(frozen=True)
class StepScores:
    """Scores of R steps over D documents, document by document, that a transition system has taken.

    Attributes:
        log_odds: (R, A) of each action, on the device of the model.
        lengths: (D,) steps per document.
        places: (R,) number of tokens of the document before the step.
        gold: (R,) number of the gold step that the step is to take; -1 when predicting.
        postponed: (R,) bool, whether the step was put in before a gold SHIFT.
    """

    log_odds: Any
    lengths: Array
    places: Array
    gold: Array
    postponed: Array


EOA, SHIFT = 0, 1
"""Columns of the actions that end a document and that go on to its next token."""


def next_action(log_odds: Array, least: float) -> Array:
    """(R,) action that each step takes: the most probable one, where `least` is 0.

    Args:
        log_odds: (R, A) of each action.
        least: log-odds from which a TR or RE is to be taken. Where SHIFT has the rest of the probability, so that its
            log-odds are the negative ones, these are twice `least` apart.
    """
    acts = numpy.arange(log_odds.shape[1]) > SHIFT
    chosen: Array = (log_odds - 2 * least * acts).argmax(axis=1)
    return chosen


OUT_OF_SCOPE = -1
"""Target of what a document's annotation says nothing about."""

BARRED = -2
"""Target outside the scope of what is known to be no mention, by a mention of a disjoint type."""

MOST_STEPS = 8
"""Maximum number of steps at one place, the one that leaves it included: where a model takes more, it goes on all the
same."""


class Formulation(Protocol):
    """How spans become a learning problem and scores become spans again, for a fixed list of tasks.

    Pure array functions: a formulation knows no component, no `Doc` and no config. What `scores` and `targets` are
    is the business of the formulation and of the architecture that names it: the component hands both on as they are.
    """

    columns: Sequence[tuple[str, ...]]
    """Name of each output of the model: the task, or the empty string for what tasks share, and what else tells it
    from the others, such as a tag. A task keeps its outputs when others are added."""

    inexpressible: str
    """What is the matter with gold spans that the formulation cannot express, as the predicate of a sentence."""

    def targets(self, gold: Gold) -> tuple[Any, int]:
        """Turn gold spans into targets.

        Returns:
            The targets, and the number of gold spans that the formulation cannot express.
        """

    def loss(self, scores: Any, targets: Any, weights: Array) -> tuple[Array, Any]:
        """Loss of each task, (K,), before weighting; gradient of the weighted sum, as the model's backprop takes
        it."""

    def decode(self, scores: Any, lengths: Array) -> SpanArrays:
        """The best spans of every task, on the CPU, given the scores of documents of `lengths` tokens."""
