"""Distillation in the component: gather soft targets of a batch, and check settings."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy
from spacy.training import Example

from ..errors import BionerError, Errors, Warnings, check_number, warn
from ..tasks import Task
from ..tokens import same_tokens
from ..training.soft_targets import TARGETS_KEY, TaughtDocument
from ..types import Formulation, Gold, Taught


def has_tags(formulation: Formulation) -> bool:
    """Whether a formulation supports teachers."""
    return hasattr(formulation, "transitions")


def check_teaching(name: str, formulation: Formulation, shares: dict[str, float]) -> None:
    """Check the weights of teachers in the settings of a component.

    Raises:
        BionerError: one is not a number from 0 to 1, or the formulation does not support teachers.
    """
    for setting, value in shares.items():
        check_number(setting, value, 0, 1)
        if value and not has_tags(formulation):
            raise BionerError(Errors.E440.format(setting=setting, name=name))


def require_teachers(name: str, examples: Iterable[Example], tasks: Sequence[Task]) -> None:
    """Check that training documents have soft targets, and warn of tasks for which they have none.

    Raises:
        BionerError: there are none for any task.
    """
    found = (example.reference.user_data.get(TARGETS_KEY) for example in examples)
    corpora = list({id(taught.corpus): taught.corpus for taught in found if taught is not None}.values())
    untaught = [task.name for task in tasks if not any(c.teaches(task, supervised=False) for c in corpora)]
    if len(untaught) == len(tasks):
        raise BionerError(Errors.E448.format(name=name))
    if untaught:
        warn(Warnings.W413.format(tasks=", ".join(untaught)))


def gather_taught(
    examples: Sequence[Example], tasks: Sequence[Task], gold: Gold, *, share: float, across: float
) -> Taught:
    """Soft targets of a batch.

    Documents without soft targets, or tokenized differently from the corpus, have none.

    Args:
        examples: the batch, with references from the reader.
        gold: gold of the batch with a text for each document.
        share: share of the teachers in the targets within the scope.
        across: weight of the teachers' loss outside the scope.
    """
    n_tokens = int(gold.lengths.sum())
    known = numpy.zeros((n_tokens, len(tasks)), dtype=bool)
    tokens: list[list[Any]] = [[numpy.zeros(0, dtype="int64")] for _ in tasks]
    sizes = [1 + 2 * len(task.types) for task in tasks]
    transitions: list[list[Any]] = [[numpy.zeros((0, size, size), dtype="f")] for size in sizes]
    base = 0
    for d, example in enumerate(examples):
        end = base + len(example.predicted)
        taught: TaughtDocument | None = example.reference.user_data.get(TARGETS_KEY)
        if taught is not None and same_tokens(example.predicted, example.reference):
            for k, task in enumerate(tasks):
                supervised = bool(gold.supervised[d, k])
                said = taught.task(task, supervised=supervised) if (share if supervised else across) else None
                if said is not None:
                    known[base:end, k] = True
                    tokens[k].append(said[0] + base)
                    transitions[k].append(said[1])
        base = end
    return Taught(
        known=known,
        tokens=[numpy.concatenate(parts) for parts in tokens],
        transitions=[numpy.concatenate(parts) for parts in transitions],
        share=share,
        across=across,
    )
