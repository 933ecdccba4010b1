"""Guides: choose the next step of documents that are read in parallel."""

from typing import Any, Optional

import numpy

from ...types import EOA, MOST_STEPS, OUT_OF_SCOPE, SHIFT, ActionSteps, Array, next_action


class Guide:
    """Takes the most probable step of each of B documents.

    A round of steps takes the first b documents, up to the last that has not ended. EOA ends a document when it is the
    most probable action, as in the paper.

    Args:
        n_tokens: (B,) tokens of each document, at least one.
        least: log-odds from which a TR or RE is taken.

    Attributes:
        taken: for each round, (b, 5) rows of the documents that took part: index of the document, whether it had not
            ended, number of tokens before the step, index of the gold step (-1 without guidance), and whether the step
            was inserted before that.
    """

    def __init__(self, n_tokens: Array, *, least: float = 0.0) -> None:
        self.n_tokens = n_tokens
        self.least = least
        self.places = numpy.zeros_like(n_tokens)
        self.reading = numpy.ones(len(n_tokens), dtype=bool)
        self.taken: list[Array] = []
        self._n_steps = numpy.zeros_like(n_tokens)

    @property
    def in_scope(self) -> Optional[Array]:
        """(B, A) bool, actions that later steps may train; None for all."""
        return None

    @property
    def n_reading(self) -> int:
        """Number b of documents in the next round; 0 at the end."""
        return int(numpy.flatnonzero(self.reading)[-1]) + 1 if self.reading.any() else 0

    def inputs(self, n_slots: int) -> Array:
        """Indices, among the B * `n_slots` slots, of the inputs for `rows`."""
        self._n_slots = n_slots
        return numpy.arange(len(self.n_tokens) * n_slots)

    def rows(self, b: int) -> Array:
        """(b,) next input of each of the first documents, as an index into `inputs`."""
        return numpy.arange(b) * self._n_slots + self.places[:b] + 1

    def advance(self, log_odds: Array) -> None:
        """Advance by a round of steps, given their (b, A) log-odds."""
        b = len(log_odds)
        self._note(numpy.full(b, -1), numpy.zeros(b, dtype=bool))
        action = next_action(log_odds, self.least)
        self._n_steps[:b] += 1
        leaves = (action == SHIFT) | (self._n_steps[:b] == MOST_STEPS)
        ends = (action == EOA) | (leaves & (self.places[:b] == self.n_tokens[:b]))
        self._n_steps[:b][leaves] = 0
        self.places[:b] += leaves & ~ends & self.reading[:b]
        self.reading[:b] &= ~ends

    def _note(self, gold: Array, deferred: Array) -> None:
        b = len(gold)
        self.taken.append(numpy.stack([numpy.arange(b), self.reading[:b], self.places[:b], gold, deferred], axis=1))


class GoldGuide(Guide):
    """Takes the gold steps, and inserts another before a SHIFT if an action out of scope is more probable."""

    def __init__(self, n_tokens: Array, steps: ActionSteps) -> None:
        super().__init__(n_tokens)
        self._steps = steps
        self._last = numpy.cumsum(steps.lengths) - 1
        self._step = self._last + 1 - steps.lengths
        self._is_shift = numpy.append(numpy.diff(steps.places) == 1, False)
        self._is_shift[self._last] = False
        self._has_deferred = numpy.zeros(len(n_tokens), dtype=bool)
        self._in_scope: Any = steps.actions[self._step] != OUT_OF_SCOPE

    @property
    def in_scope(self) -> Optional[Array]:
        result: Array = self._in_scope
        return result

    def inputs(self, n_slots: int) -> Array:
        first = numpy.repeat(numpy.arange(len(self.n_tokens)) * n_slots, self._steps.lengths)
        return first + self._steps.places + 1

    def rows(self, b: int) -> Array:
        return self._step[:b].copy()

    def advance(self, log_odds: Array) -> None:
        b = len(log_odds)
        step = self._step[:b].copy()
        shifts = self._is_shift[step]
        outscored = (~self._in_scope[:b] & (log_odds > log_odds[:, SHIFT, None])).any(axis=1)
        deferred = shifts & outscored & ~self._has_deferred[:b]
        self._note(step, deferred)
        self._has_deferred[:b] = deferred
        goes_on = self.reading[:b] & ~deferred
        self.places[:b] += shifts & goes_on
        self.reading[:b] &= deferred | (step < self._last[:b])
        self._step[:b] += self.reading[:b] & ~deferred
