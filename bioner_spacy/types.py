"""Arrays that pass between the component, the models and the formulations."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from numpy.typing import NDArray

from .tasks import Task

# A NumPy array, or one of CuPy where a docstring does not say "on the CPU"; shapes are in the docstrings.
Array = NDArray[Any]


@dataclass(frozen=True)
class SpanArrays:
    """Spans of a batch of documents as parallel arrays of length M.

    Words are counted through the batch: word w of a document whose first word is number b is b + w.

    Attributes:
        starts: first word of each span.
        ends: one past the last word of each span.
        tasks: index of the task that each span belongs to.
        types: index of the entity type of each span among the types of its task.
        scores: score of each span, 0 to 1; 1 in gold annotation.
    """

    starts: Array
    ends: Array
    tasks: Array
    types: Array
    scores: Array


@dataclass(frozen=True)
class Gold:
    """Gold annotation of a batch of D documents with N words.

    Attributes:
        lengths: (D,) words per document.
        spans: gold spans, for supervised tasks only.
        supervised: (D, K) bool, whether the document supervises the task.
    """

    lengths: Array
    spans: SpanArrays
    supervised: Any


class Formulation(Protocol):
    """How spans become a learning problem and scores become spans again, for a fixed list of tasks.

    Pure array functions: a formulation knows no component, no `Doc` and no config. What `scores` and `targets` are
    is the business of the formulation and of the architecture that names it.
    """

    columns: Sequence[tuple[str, ...]]
    """Name of each score that the heads give a word: the task, and what else tells it from the others, such as a tag.
    A head keeps its columns when tasks are added."""

    inexpressible: str
    """What is the matter with gold spans that the formulation cannot express, as the predicate of a sentence."""

    def targets(self, gold: Gold) -> tuple[Any, int]:
        """Turn gold spans into targets.

        Returns:
            The targets, and the number of gold spans that the formulation cannot express.
        """

    def loss(self, scores: Any, targets: Any, weights: Array) -> tuple[Array, Any]:
        """Loss of each task, (K,), before weighting, and the gradient of the weighted sum, shaped as `scores`."""

    def decode(self, scores: Any, lengths: Array) -> SpanArrays:
        """The best spans of every task given the scores of documents of `lengths` words."""


MakeFormulation = Callable[[Sequence[Task]], Formulation]
