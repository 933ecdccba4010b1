"""Merge the spans of several tasks for one entity type."""

from collections.abc import Mapping, Sequence
from typing import Optional, Union

import numpy

from ..errors import BionerError, Errors
from ..tasks import Task
from ..types import SpanArrays

POLICIES = ("union", "vote", "mean")

# Policy, or name of a corpus whose guideline applies: for all types, or by type ("*" for the others).
Merge = Union[str, Mapping[str, str]]


class Merger:
    """Merges the spans of several tasks to spans of entity types.

    Policies, for a type with n tasks: "union" keeps every span of any task, with its highest score; "vote" keeps spans
    predicted by more than half of the tasks, with their mean score; "mean" keeps spans with a mean score of at least
    0.5, where a missing span counts 0. The name of a corpus keeps the spans of that corpus's task only, or "union" for
    types that the corpus does not annotate.

    Args:
        merge: policy for all types, or by entity type, with "*" for all others ("union" if not given).

    Raises:
        BionerError: a policy is neither known nor a corpus of the tasks, or a type is not one of theirs.
    """

    def __init__(self, tasks: Sequence[Task], merge: Merge) -> None:
        self.types = sorted({entity_type for task in tasks for entity_type in task.types})
        self._number = {entity_type: i for i, entity_type in enumerate(self.types)}
        self._tasks = list(tasks)
        policies = {"*": merge} if isinstance(merge, str) else dict(merge)
        corpora = {task.corpus for task in tasks if task.corpus is not None}
        for entity_type, policy in policies.items():
            if policy not in POLICIES and policy not in corpora:
                allowed = ", ".join([*POLICIES, *sorted(corpora)])
                raise BionerError(Errors.E401.format(policy=policy, type=entity_type, allowed=allowed))
            if entity_type != "*" and entity_type not in self._number:
                raise BionerError(Errors.E402.format(type=entity_type, known=", ".join(self.types)))
        self._policies = policies
        self._plans: dict[Optional[str], tuple[numpy.ndarray, ...]] = {}

    def __call__(self, spans: SpanArrays, guideline: Optional[str] = None) -> SpanArrays:
        """Merge the spans of documents of one guideline.

        Args:
            spans: spans as decoded, of any tasks.
            guideline: a corpus whose guideline overrides the policy.

        Returns:
            One span for each (start, end, type), in text order, longest first; `types` are indices into
            `self.types`, `tasks` is -1.
        """
        type_of, counts, answering, share, is_mean = self._plan(guideline)
        types = type_of[spans.tasks, spans.types] if len(spans.tasks) else spans.types
        kept = counts[spans.tasks, types] if len(types) else numpy.zeros(0, dtype=bool)
        keys = numpy.stack([spans.starts, -spans.ends, types])[:, kept]
        scores = spans.scores[kept].astype("float64")
        unique, inverse = numpy.unique(keys, axis=1, return_inverse=True)
        inverse = inverse.ravel()
        n_found = numpy.bincount(inverse, minlength=unique.shape[1])
        total = numpy.bincount(inverse, weights=scores, minlength=unique.shape[1])
        highest = numpy.zeros(unique.shape[1])
        numpy.maximum.at(highest, inverse, scores)
        starts, ends, types = unique[0], -unique[1], unique[2]
        mean = total / numpy.maximum(answering[types], 1)
        merged = numpy.where(is_mean[types], mean, numpy.where(share[types] > 0, total / n_found, highest))
        chosen = numpy.where(is_mean[types], mean >= 0.5, n_found > share[types] * answering[types])
        tasks = numpy.full(chosen.sum(), -1)
        return SpanArrays(starts[chosen], ends[chosen], tasks, types[chosen], merged[chosen].astype("f"))

    def _plan(self, guideline: Optional[str]) -> tuple[numpy.ndarray, ...]:
        """Tables for a guideline: types and their tasks; by type, the number of tasks and the policy."""
        if guideline not in self._plans:
            widest = max((len(task.types) for task in self._tasks), default=1)
            type_of = numpy.zeros((len(self._tasks), widest), dtype="int64")
            consulted = numpy.zeros((len(self._tasks), len(self.types)), dtype=bool)
            for k, task in enumerate(self._tasks):
                for i, entity_type in enumerate(task.types):
                    type_of[k, i] = self._number[entity_type]
                    consulted[k, self._number[entity_type]] = True
            policies = [self._policy(entity_type, guideline) for entity_type in self.types]
            for number, policy in enumerate(policies):
                if policy not in POLICIES:
                    consulted[:, number] &= [task.corpus == policy for task in self._tasks]
            share = numpy.array([0.5 if policy == "vote" else 0.0 for policy in policies])
            is_mean = numpy.array([policy == "mean" for policy in policies], dtype=bool)
            self._plans[guideline] = (type_of, consulted, consulted.sum(axis=0), share, is_mean)
        return self._plans[guideline]

    def _policy(self, entity_type: str, guideline: Optional[str]) -> str:
        configured = self._policies.get(entity_type, self._policies.get("*", "union"))
        for policy in (guideline, configured):
            if policy in POLICIES or any(t.corpus == policy and entity_type in t.types for t in self._tasks if policy):
                return str(policy)
        return "union"
