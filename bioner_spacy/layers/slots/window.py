"""Slot memory for long documents: the cost of a step depends on the window only.

Slots outside the window have no positions. So those to the left, which are final, and those to the right, not yet
written, are each merged into one slot: the weighted mean of their vectors, and the sum of their weights. The result
equals that of `slot_memory`.
"""

from typing import Any

import torch
from torch import Tensor

from .memory import NEVER, SlotMemory, softmax_gradient


class WindowMemory(SlotMemory):
    """`SlotMemory` for documents with more slots than a window."""

    def _prepare(self) -> None:
        B, T, d = self.E.shape
        window = self.attention.window
        self._offsets = torch.arange(-window, window + 1, device=self.E.device)
        self._centre = self.n_slots.new_zeros(B)
        self._left = self.E.new_full((B,), NEVER), self.E.new_zeros(B, d)
        # What is to the right of a window that ends before slot t, for every t.
        scores, self._right_best = self._score_outside(self.S)
        scores[torch.arange(T, device=self.E.device) >= self.n_slots[:, None]] = -torch.inf
        self._right_log = self.E.new_full((T + 1, B), NEVER)
        self._right_mean = self.E.new_zeros(T + 1, B, d)
        self._right_share = self.E.new_zeros(T, B)
        for t in range(T - 1, window, -1):
            self._right_log[t], self._right_mean[t], self._right_share[t] = merge(
                self._right_log[t + 1], self._right_mean[t + 1], scores[:, t], self.E[:, t]
            )

    def _score_outside(self, S: Tensor) -> tuple[Tensor, Tensor]:
        scores, best = (self.attention.scale * S + self.attention.bias[self.attention.outside]).max(dim=-1)
        return scores, best

    def attend(self, centre: Tensor) -> Tensor:
        b = len(centre)
        rows = self._rows[:b]
        passed = self._pass(centre)
        slots, buckets = self._look(centre)
        E = self.E[rows[:, None], slots]
        S = self.S[rows[:, None], slots]
        scores, best = torch.add(self.attention.bias[buckets], S, alpha=self.attention.scale).max(dim=2)
        end = self._window_end(centre)
        logs = torch.stack([self._left[0][:b], self._right_log[end, rows]], dim=1)
        means = torch.stack([self._left[1][:b], self._right_mean[end, rows]], dim=1)
        alpha = torch.cat([scores, logs], dim=1).softmax(dim=1)
        n = scores.shape[1]
        mean = (torch.bmm(alpha[:, None, :n], E) + torch.bmm(alpha[:, None, n:], means)).squeeze(1)
        if self.record:
            self._tape.append((centre, best, alpha, mean, means[:, 0], passed))
        return mean * self.attention.w_tok

    def _window_end(self, centre: Tensor) -> Tensor:
        return (centre + self.attention.window + 1).clamp(max=self.E.shape[1])

    def _look(self, centre: Tensor) -> tuple[Tensor, Tensor]:
        """Slots inside the window, the leading slot first, and their buckets."""
        slots = centre[:, None] + self._offsets
        exists = (slots > 0) & (slots < self.n_slots[: len(centre), None])
        buckets = torch.where(exists, self._offsets + self.attention.window, self.attention.padding)
        zeros = torch.zeros_like(centre)[:, None]
        slots = torch.cat([zeros, torch.where(exists, slots, 0)], dim=1)
        return slots, torch.cat([zeros + self.attention.leading, buckets], dim=1)

    def _pass(self, centre: Tensor) -> tuple[Tensor, ...]:
        """Merge the slot that left the window, if any, into those to the left."""
        b = len(centre)
        rows = self._rows[:b]
        slots = self._centre[:b] - self.attention.window
        leaves = (centre > self._centre[:b]) & (slots > 0)
        slots = torch.where(leaves, slots, 0)
        self._centre[:b] = centre
        scores, best = self._score_outside(self.S[rows, slots])
        scores = torch.where(leaves, scores, -torch.inf)
        log, mean = self._left[0][:b], self._left[1][:b].clone()
        log, new_mean, share = merge(log, mean, scores, self.E[rows, slots])
        self._left[0][:b], self._left[1][:b] = log, new_mean
        return slots, best, share, mean

    # -- backward pass

    def begin_backward(self) -> None:
        super().begin_backward()
        self._d_left = torch.zeros_like(self._left[0]), torch.zeros_like(self._left[1])
        self._d_right_log = torch.zeros_like(self._right_log)
        self._d_right_mean = torch.zeros_like(self._right_mean)

    def unattend(self, d_context: Tensor) -> None:
        centre, best, alpha, mean, left_mean, passed = self._tape.pop()
        b, n = best.shape
        rows = self._rows[:b]
        d_mean = d_context * self.attention.w_tok
        self.d_attention.w_tok += (mean * d_context).sum(dim=0)
        slots, buckets = self._look(centre)
        end = self._window_end(centre)
        E = self.E[rows[:, None], slots]
        means = torch.stack([left_mean, self._right_mean[end, rows]], dim=1)
        d_alpha = torch.cat([torch.bmm(array, d_mean.unsqueeze(2)).squeeze(2) for array in (E, means)], dim=1)
        d_scores = softmax_gradient(alpha, d_alpha)
        self._add_gradient(slots, best, d_scores[:, :n], alpha[:, :n, None] * d_mean[:, None])
        self._add_bias_gradient(buckets, best, d_scores[:, :n])
        self._d_left[0][:b] += d_scores[:, n]
        self._d_left[1][:b] += alpha[:, n, None] * d_mean
        self._d_right_log[end, rows] += d_scores[:, n + 1]
        self._d_right_mean[end, rows] += alpha[:, n + 1, None] * d_mean
        self._unpass(*passed)

    def _add_gradient(self, slots: Tensor, best: Tensor, d_scores: Tensor, d_vectors: Tensor) -> None:
        """Add gradients of the scores and vectors of (b, ...) slots of the first documents; a slot may stand twice."""
        T, d, n_queries = *self.E.shape[1:], self.S.shape[2]
        flat = (self._rows[: len(slots)].reshape(-1, *[1] * (slots.dim() - 1)) * T + slots).flatten()
        self.d_E.view(-1, d).index_add_(0, flat, d_vectors.reshape(-1, d))
        self.d_S.view(-1).index_add_(0, flat * n_queries + best.flatten(), d_scores.flatten())

    def _unpass(self, slots: Tensor, best: Tensor, share: Tensor, mean: Tensor) -> None:
        b = len(slots)
        vectors = self.E[self._rows[:b], slots]
        d_log, d_mean, d_scores, d_vectors = merge_gradient(
            self._d_left[0][:b], self._d_left[1][:b], share, vectors - mean
        )
        self._d_left[0][:b], self._d_left[1][:b] = d_log, d_mean
        self._add_outside_gradient(slots, best, d_scores, d_vectors)

    def _add_outside_gradient(self, slots: Tensor, best: Tensor, d_scores: Tensor, d_vectors: Tensor) -> None:
        self._add_gradient(slots, best, d_scores, d_vectors)
        self._add_bias_gradient(torch.full_like(best, self.attention.outside), best, d_scores)

    def finish_backward(self) -> tuple[Tensor, Any]:
        for t in range(self.attention.window + 1, self.E.shape[1]):
            d_log, d_mean, d_scores, d_vectors = merge_gradient(
                self._d_right_log[t],
                self._d_right_mean[t],
                self._right_share[t],
                self.E[:, t] - self._right_mean[t + 1],
            )
            self._d_right_log[t + 1] += d_log
            self._d_right_mean[t + 1] += d_mean
            self._add_outside_gradient(torch.full_like(self._rows, t), self._right_best[:, t], d_scores, d_vectors)
        return super().finish_backward()


def merge(log: Tensor, mean: Tensor, scores: Tensor, vectors: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Merge a slot into a weighted mean.

    Args:
        log: (B,) logarithm of the sum of the others' weights.
        mean: (B, d) mean of the others.
        scores: (B,) logarithm of the slot's weight; minus infinity if it does not join.
        vectors: (B, d) the slot's vector.

    Returns:
        The new logarithm and mean, and (B,) the share that the slot has in them.
    """
    total = torch.logaddexp(log, scores)
    share = (scores - total).exp()
    return total, mean + share[:, None] * (vectors - mean), share


def merge_gradient(d_log: Tensor, d_mean: Tensor, share: Tensor, difference: Tensor) -> tuple[Tensor, ...]:
    """Gradients of `log`, `mean`, `scores` and `vectors` of `merge`, given those of what it returns.

    Args:
        d_log: (B,) gradient of the new logarithm.
        d_mean: (B, d) gradient of the new mean.
        share: (B,) share of the slot.
        difference: (B, d) the slot's vector minus the mean of the others.
    """
    d_share = (d_mean * difference).sum(dim=1) * share * (1 - share)
    d_vectors = share[:, None] * d_mean
    return d_log * (1 - share) - d_share, d_mean - d_vectors, d_log * share + d_share, d_vectors
