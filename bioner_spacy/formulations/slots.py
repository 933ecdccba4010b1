"""Slots: a document is read token by token, and mentions are opened and closed.

The transition system of SRU-NER: Ruano, Correia, Barreiros & Mendes 2025 (arXiv 2507.18542). Before each token, and
behind the last, RE(t) closes the latest open mention of type t and TR(t) opens one at the token; SHIFT goes on to the
next token, EOA ends the document. Mentions nest, in those of their own type too, and overlap those of other types as
they like.

Two things differ from the paper. The types of a document's scope alone are learnt at its last step too, where the
paper takes all others for wrong: a document says nothing about them there either. And closings come before openings
where both need more than one step, because a mention just opened would be closed at once.
"""

from collections.abc import Sequence
from typing import Any

import numpy
from thinc.api import get_array_module, to_numpy

from ..tasks import Task
from ..types import EOA, MOST_STEPS, OUT_OF_SCOPE, SHIFT, ActionSteps, Array, Gold, SpanArrays, StepScores, next_action
from .binary import binary_entropy, crossed_out, sigmoid, type_pairs

# Most mentions of one type that begin, and that end, at one place: their openings and closings fit into `MOST_STEPS`.
DEPTH = MOST_STEPS // 2
FIRST_PAIR = SHIFT + 1
TR, RE = 0, 1


class SlotFormulation:
    """Action steps for a list of tasks.

    Actions are EOA and SHIFT, then TR and RE of each (task, type) pair, in the order of tasks.

    Args:
        least: minimum log-odds of TR and RE in decoding, 0 in the paper.
    """

    inexpressible = f"cross a longer one of their type, or begin or end where {DEPTH} others of their type do"

    def __init__(self, tasks: Sequence[Task], *, least: float = 0.0) -> None:
        self.n_tasks = len(tasks)
        self._least = least
        self._task_of, self._type_of, self._first_pair = type_pairs(tasks)
        self.columns: list[tuple[str, ...]] = [("", "EOA"), ("", "SHIFT")]
        self.columns += [
            (task.name, entity_type, action) for task in tasks for entity_type in task.types for action in ("TR", "RE")
        ]

    def targets(self, gold: Gold) -> tuple[ActionSteps, int]:
        """The steps that open and close the gold spans.

        At a place, all openings and closings share one step; a second one of the same type makes another step.

        Returns:
            The steps, and the number of spans that they cannot express.
        """
        spans = gold.spans
        pairs = self._first_pair[spans.tasks] + spans.types
        kept = _expressible(spans.starts, spans.ends, pairs)
        starts, ends, pairs = spans.starts[kept], spans.ends[kept], pairs[kept]
        token_ends = numpy.cumsum(gold.lengths)
        # A document has a place before each of its tokens and one behind the last.
        n_places = numpy.where(gold.lengths > 0, gold.lengths + 1, 0)
        first_places = numpy.cumsum(n_places) - n_places
        docs = numpy.searchsorted(token_ends, starts, side="right")
        shift = (first_places - token_ends + gold.lengths)[docs]
        opened, closed = starts + shift, ends + shift
        total = int(n_places.sum())
        n_closed = numpy.zeros((total, len(self._task_of)), dtype="int64")
        numpy.add.at(n_closed, (closed, pairs), 1)
        close_step = _rank(closed, pairs)
        # After the last closing, in its step.
        open_step = numpy.maximum(n_closed[opened, pairs] - 1, 0) + _rank(opened, pairs)
        n_steps = numpy.ones(total, dtype="int64")
        numpy.maximum.at(n_steps, closed, close_step + 2)
        numpy.maximum.at(n_steps, opened, open_step + 2)
        first_steps = numpy.cumsum(n_steps) - n_steps
        doc_of_place = numpy.repeat(numpy.arange(len(n_places)), n_places)
        is_last = numpy.zeros(total, dtype=bool)
        is_last[(first_places + n_places - 1)[n_places > 0]] = True
        actions = numpy.zeros((int(n_steps.sum()), len(self.columns)), dtype="int8")
        actions[first_steps[closed] + close_step, FIRST_PAIR + 2 * pairs + RE] = 1
        actions[first_steps[opened] + open_step, FIRST_PAIR + 2 * pairs + TR] = 1
        actions[first_steps + n_steps - 1, numpy.where(is_last, EOA, SHIFT)] = 1
        doc_of_step = numpy.repeat(doc_of_place, n_steps)
        actions[~self._in_scope(gold.supervised)[doc_of_step]] = OUT_OF_SCOPE
        places = numpy.repeat(numpy.arange(total) - first_places[doc_of_place], n_steps)
        return ActionSteps(numpy.bincount(doc_of_step, minlength=len(n_places)), places, actions), int((~kept).sum())

    def _in_scope(self, supervised: Any) -> Any:
        """(D, A) bool, whether a document says something about an action."""
        shared = supervised.any(axis=1, keepdims=True).repeat(FIRST_PAIR, axis=1)
        return numpy.concatenate([shared, supervised[:, self._task_of].repeat(2, axis=1)], axis=1)

    def loss(self, scores: StepScores, targets: ActionSteps, weights: Array) -> tuple[Array, Array]:
        """Binary cross-entropy of the actions of each step, averaged over all actions and over the steps in scope.

        TR and RE count for the task of their type; EOA and SHIFT count in equal parts for the tasks that the document
        supervises. With one corpus, which supervises all tasks, the losses add up to that of the paper.

        Out of scope, the paper takes the model's own probability for the target, which is no gradient; what such a
        target adds to the loss is left out here. The target of a SHIFT that was deferred is of this kind too.

        Args:
            scores: scores of steps taken under the guidance of `targets`.
            targets: from `targets`.
            weights: (K,) weight of each task in the sum whose gradient is returned.

        Returns:
            (K,) loss in nats, 0 for a task without steps in scope, and (R, A) gradient of the log-odds, exactly 0
            outside the scope.
        """
        xp = get_array_module(scores.log_odds)
        truth = targets.actions[scores.gold]
        supervised = self._supervised(targets)
        n_steps = numpy.maximum(scores.lengths @ supervised, 1)
        # Share of each task in the shared actions of each document.
        shares = supervised / numpy.maximum(supervised.sum(axis=1, keepdims=True), 1)
        per_task = numpy.asarray(weights, dtype="float64") / (len(self.columns) * n_steps)
        own = numpy.broadcast_to(per_task[self._task_of].repeat(2), (len(supervised), 2 * len(self._task_of)))
        scale = numpy.concatenate([(shares @ per_task)[:, None].repeat(FIRST_PAIR, axis=1), own], axis=1)
        in_scope = truth != OUT_OF_SCOPE
        in_scope[scores.deferred, SHIFT] = False
        docs = numpy.repeat(numpy.arange(len(scores.lengths)), scores.lengths)
        truth, in_scope = xp.asarray(truth == 1), xp.asarray(in_scope)
        d_log_odds = (sigmoid(scores.log_odds) - truth) * (in_scope * xp.asarray(scale[docs].astype("f")))
        entropy = (binary_entropy(scores.log_odds, truth) * in_scope).astype("float64")
        total = to_numpy(xp.concatenate([xp.zeros((1, len(self.columns))), xp.cumsum(entropy, axis=0)]))
        ends = numpy.cumsum(scores.lengths)
        by_doc = total[ends] - total[ends - scores.lengths]
        by_type = by_doc[:, FIRST_PAIR:].sum(axis=0).reshape(-1, 2).sum(axis=1)
        losses = (self._task_of == numpy.arange(self.n_tasks)[:, None]) @ by_type
        losses += by_doc[:, :FIRST_PAIR].sum(axis=1) @ shares
        return (losses / (len(self.columns) * n_steps)).astype("f"), d_log_odds.astype(scores.log_odds.dtype)

    def _supervised(self, targets: ActionSteps) -> Any:
        """(D, K) bool, whether a document with tokens supervises a task."""
        result = numpy.zeros((len(targets.lengths), self.n_tasks), dtype=bool)
        first = (numpy.cumsum(targets.lengths) - targets.lengths)[targets.lengths > 0]
        result[targets.lengths > 0] = targets.actions[first][:, FIRST_PAIR + 2 * self._first_pair] != OUT_OF_SCOPE
        return result

    def decode(self, scores: StepScores, lengths: Array) -> SpanArrays:
        """Spans opened and closed by steps in which neither EOA nor SHIFT is the most probable action.

        In such a step, every RE above `least` closes a mention, then every TR above it opens one. Spans of one type
        cannot cross, because the last one opened is closed first. The score of a span is the product of the
        probabilities of its opening and its closing; of equal spans the best one counts.

        Args:
            scores: scores of the steps that a model took alone.
            lengths: (D,) tokens per document.
        """
        log_odds = to_numpy(scores.log_odds).astype("float64")
        acting = next_action(log_odds, self._least) > SHIFT
        steps, columns = numpy.nonzero((log_odds[:, FIRST_PAIR:] > self._least) & acting[:, None])
        pairs, kinds = numpy.divmod(columns, 2)
        order = numpy.lexsort((kinds != RE, steps))
        steps, pairs, kinds, columns = steps[order], pairs[order], kinds[order], columns[order]
        docs = numpy.repeat(numpy.arange(len(scores.lengths)), scores.lengths)[steps]
        tokens = scores.places[steps] + (numpy.cumsum(lengths) - lengths)[docs]
        p = sigmoid(log_odds[steps, FIRST_PAIR + columns])
        found: dict[tuple[int, int, int], float] = {}
        still_open: dict[tuple[int, int], list[tuple[int, float]]] = {}
        for doc, pair, kind, token, probability in zip(*(a.tolist() for a in (docs, pairs, kinds, tokens, p))):
            stack = still_open.setdefault((doc, pair), [])
            if kind == TR:
                stack.append((token, probability))
            elif stack:
                start, opening = stack.pop()
                if start < token:
                    found[start, token, pair] = max(found.get((start, token, pair), 0.0), opening * probability)
        starts, ends, pairs = numpy.array(list(found), dtype="int64").reshape(-1, 3).T
        return SpanArrays(
            starts, ends, self._task_of[pairs], self._type_of[pairs], numpy.array(list(found.values()), dtype="f")
        )


def _expressible(starts: Array, ends: Array, pairs: Array) -> Array:
    """(M,) bool, spans that can be opened and closed: none crosses a longer one of its type that can."""
    widths = ends - starts
    kept = ~crossed_out(starts, ends, pairs, widths)
    order = numpy.argsort(-widths, kind="stable")
    ranks = numpy.maximum(_rank(starts[order], pairs[order]), _rank(ends[order], pairs[order]))
    kept[order[ranks >= DEPTH]] = False
    return kept


def _rank(places: Array, pairs: Array) -> Array:
    """(M,) number of items before each one with the same place and pair."""
    order = numpy.lexsort((pairs, places))
    same = (numpy.diff(places[order]) == 0) & (numpy.diff(pairs[order]) == 0)
    begins = numpy.flatnonzero(numpy.concatenate([[True], ~same]))[: len(order)]
    ranks = numpy.empty(len(order), dtype="int64")
    ranks[order] = numpy.arange(len(order)) - numpy.repeat(begins, numpy.diff(numpy.append(begins, len(order))))
    return ranks
