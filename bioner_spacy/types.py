"""Arrays passed between the component, models and formulations."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Optional, Protocol

import numpy
from numpy.typing import NDArray
from spacy.tokens import Doc

# A NumPy or CuPy array ("on the CPU": NumPy); shapes are in the docstrings. Scores are on the device of the model,
# targets and spans on the CPU.
Array = NDArray[Any]


@dataclass(frozen=True)
class SpanArrays:
    """Spans of a batch of documents as parallel arrays of length M.

    Tokens are indexed over the batch: token w of a document that starts at b is b + w.

    Attributes:
        starts: first token of each span.
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
    """Soft targets of teachers for a batch with N tokens, and their weights.

    Attributes:
        known: (N, K) bool, whether there are soft targets for the task and the document of the token.
        tokens: for each of the K tasks, (M,) tokens that are not certainly outside of mentions.
        transitions: for each task, (M, T, T) probability of each pair of tags (previous token, token).
        share: share of the teachers in the targets within scope, 0 to 1; the rest is gold.
        across: weight of the teachers' loss outside the scope, 0 to 1.
    """

    known: Array
    tokens: Sequence[Array]
    transitions: Sequence[Array]
    share: float
    across: float


@dataclass(frozen=True)
class Gold:
    """Gold annotation of a batch of D texts (documents or sentences) with N tokens.

    Attributes:
        lengths: (D,) tokens per document.
        spans: gold spans, for supervised tasks only.
        supervised: (D, K) bool, whether the document supervises the task.
        barred: negative spans of tasks that the document does not supervise, because they are mentions of a disjoint
            type.
        taught: soft targets of teachers; None without teachers.
    """

    lengths: Array
    spans: SpanArrays
    supervised: Any
    barred: SpanArrays = field(default_factory=SpanArrays.empty)
    taught: Optional[Taught] = None


@dataclass(frozen=True)
class Batch:
    """Input of a model of the component.

    Attributes:
        docs: documents, at least one of them with tokens.
        lengths: (D,) tokens of each text: a document, or one of its sentences.
        targets: targets of the formulation; None when predicting. Most models ignore them.
        guidelines: corpus whose guideline each document follows, or None; empty for none.
    """

    docs: list[Doc]
    lengths: Array
    targets: Any = None
    guidelines: Sequence[Optional[str]] = ()


@dataclass(frozen=True)
class ActionSteps:
    """Gold steps of a transition system over D documents: S steps, each with any number of A actions.

    Attributes:
        lengths: (D,) steps per document; 0 for documents without tokens.
        places: (S,) number of tokens of the document before the step.
        actions: (S, A) int8, 1 for actions taken, 0 for others, `OUT_OF_SCOPE` for tasks that the document does not
            supervise. Columns are EOA, SHIFT, then TR and RE (open and close) of each type.
    """

    lengths: Array
    places: Array
    actions: Array


@dataclass(frozen=True)
class StepScores:
    """Scores of R steps that a transition system took over D documents.

    Attributes:
        log_odds: (R, A) of each action, on the device of the model.
        lengths: (D,) steps per document.
        places: (R,) number of tokens of the document before the step.
        gold: (R,) index of the gold step; -1 when predicting.
        deferred: (R,) bool, whether the step was inserted before a gold SHIFT.
    """

    log_odds: Any
    lengths: Array
    places: Array
    gold: Array
    deferred: Array


EOA, SHIFT = 0, 1
"""Columns of the actions that end a document and that advance to the next token."""


def next_action(log_odds: Array, least: float) -> Array:
    """(R,) action of each step: the most probable one if `least` is 0.

    Args:
        log_odds: (R, A) of each action.
        least: minimum log-odds of TR or RE.
    """
    acts = numpy.arange(log_odds.shape[1]) > SHIFT
    chosen: Array = (log_odds - 2 * least * acts).argmax(axis=1)
    return chosen


OUT_OF_SCOPE = -1
"""Target outside the annotation scope."""

BARRED = -2
"""Negative target outside the annotation scope, by a mention of a disjoint type."""

MOST_STEPS = 8
"""Maximum number of steps at one position, after which SHIFT is forced."""


class Formulation(Protocol):
    """A formulation: from gold spans to targets and loss, and from scores to spans, for a fixed list of tasks.

    Pure array functions, independent of component, `Doc` and config. The component passes `scores` and `targets`
    through unchanged.
    """

    columns: Sequence[tuple[str, ...]]
    """Name of each output of the model: the task (or an empty string for shared outputs), and further parts such as a
    tag."""

    inexpressible: str
    """Why gold spans cannot be represented, as a verb phrase for warnings."""

    def targets(self, gold: Gold) -> tuple[Any, int]:
        """Turn gold spans into targets.

        Returns:
            The targets, and the number of gold spans that cannot be represented.
        """

    def loss(self, scores: Any, targets: Any, weights: Array) -> tuple[Array, Any]:
        """Unweighted loss of each task, (K,), and gradient of the weighted sum for the model's backprop."""

    def decode(self, scores: Any, lengths: Array) -> SpanArrays:
        """The best spans of every task, on the CPU; `lengths` are the tokens of each text."""
