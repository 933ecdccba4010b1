"""The writable slot memory and attention to it, for documents in parallel.

Ruano et al. 2025 (arXiv 2507.18542): the memory E starts as the token vectors W; an action vector is added to the
current slot, and attention reads all slots from there. With latent queries q_v = Q_v * w_att,

    score_t = max_v q_v . (s E_t + P[bucket(t - centre)])
    alpha = softmax_t(score);   context = sum_t alpha_t (E_t * w_tok)

For speed, s E_t . q_v is cached for all slots and updated in one row per write; P . q_v is computed once.

Derivatives are explicit, because autograd would keep a copy of the memory per step. A write adds to one row, so the
backward pass needs one gradient array and restores E row by row. A step takes only the first documents of the batch,
those not finished.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

NEVER = -1e30
"""Log of weight 0; finite, so that differences are finite."""


@dataclass
class Attention:
    """Combined parameters of attention."""

    q: Tensor  # (V, d) latent queries times `w_att`
    # (2 * window + 4, V) product of the vector of each bucket with each query: distances from -window to window, then
    # the leading slot, slots out of the window, and slots behind the end, which get minus infinity.
    bias: Tensor
    w_tok: Tensor  # (d,) weights of the context
    scale: float  # s
    window: int  # largest distance that is distinguished

    @property
    def leading(self) -> int:
        return 2 * self.window + 1

    @property
    def outside(self) -> int:
        return 2 * self.window + 2

    @property
    def padding(self) -> int:
        return 2 * self.window + 3

    def gradient(self) -> "Attention":
        """Zeros in the shape of the parameters."""
        q, bias, w_tok = (torch.zeros_like(tensor) for tensor in (self.q, self.bias, self.w_tok))
        return Attention(q, bias, w_tok, scale=0.0, window=self.window)


class SlotMemory:
    """Memory of B documents with up to T slots, all of which are read in every step.

    Args:
        tokens: (B, T, d) vectors of the slots, zeros behind the end of a document.
        n_slots: (B,) slots of each document, longest first.
        record: keep what `unattend` and `unwrite` need.
    """

    def __init__(self, tokens: Tensor, n_slots: Tensor, attention: Attention, record: bool) -> None:
        self.E = tokens.clone()
        self.attention = attention
        self.S = tokens @ attention.q.T
        self.record = record
        self.n_slots = n_slots
        self._rows = torch.arange(len(tokens), device=tokens.device)
        self._tape: list[tuple[Any, ...]] = []
        self._writes: list[tuple[Any, ...]] = []
        self._prepare()

    def _prepare(self) -> None:
        slots = torch.arange(self.E.shape[1], device=self.E.device)
        distances = slots - slots[:, None]
        is_near = distances.abs() <= self.attention.window
        self._buckets = torch.where(is_near, distances + self.attention.window, self.attention.outside)
        self._buckets[:, 0] = self.attention.leading
        self._behind = slots >= self.n_slots[:, None]

    def attend(self, centre: Tensor) -> Tensor:
        """Attend to the memory of the first documents, centred at a slot of each.

        Args:
            centre: (b,) slots.

        Returns:
            (b, d) context.
        """
        b = len(centre)
        buckets = torch.where(self._behind[:b], self.attention.padding, self._buckets[centre])
        scores, best = torch.add(self.attention.bias[buckets], self.S[:b], alpha=self.attention.scale).max(dim=2)
        alpha = scores.softmax(dim=1)
        mean = torch.bmm(alpha.unsqueeze(1), self.E[:b]).squeeze(1)
        if self.record:
            self._tape.append((buckets, best, alpha, mean))
        return mean * self.attention.w_tok

    def write(self, slots: Tensor, vectors: Tensor) -> None:
        """Add (b, d) vectors to a slot of each of the first documents."""
        E, S = self.E.flatten(0, 1), self.S.flatten(0, 1)
        rows = self._rows[: len(slots)] * self.E.shape[1] + slots
        old, old_scores = E[rows], S[rows]
        E[rows] = old + vectors
        S[rows] = torch.addmm(old_scores, vectors, self.attention.q.T)
        if self.record:
            self._writes.append((rows, vectors, old, old_scores))

    # -- backward pass

    def begin_backward(self) -> None:
        """Allocate gradients; then undo every step, last first."""
        self.d_E = torch.zeros_like(self.E)
        # Gradient of the score of each slot and query, and that of the queries, before they are multiplied by s.
        self.d_S = torch.zeros_like(self.S)
        self.d_attention = self.attention.gradient()

    def unattend(self, d_context: Tensor) -> None:
        """Undo the last `attend`, given the (b, d) gradient of its context."""
        buckets, best, alpha, mean = self._tape.pop()
        b = len(buckets)
        d_mean = d_context * self.attention.w_tok
        self.d_attention.w_tok += (mean * d_context).sum(dim=0)
        d_alpha = torch.bmm(self.E[:b], d_mean.unsqueeze(2)).squeeze(2)
        d_scores = softmax_gradient(alpha, d_alpha)
        self.d_E[:b].baddbmm_(alpha.unsqueeze(2), d_mean.unsqueeze(1))
        self.d_S[:b].scatter_add_(2, best.unsqueeze(2), d_scores.unsqueeze(2))
        self._add_bias_gradient(buckets, best, d_scores)

    def _add_bias_gradient(self, buckets: Tensor, best: Tensor, d_scores: Tensor) -> None:
        places = (buckets * self.S.shape[2] + best).flatten()
        self.d_attention.bias.view(-1).index_add_(0, places, d_scores.flatten())

    def unwrite(self) -> Tensor:
        """Undo the last write; returns its (b, d) gradient."""
        rows, vectors, old, old_scores = self._writes.pop()
        d_scores = self.d_S.flatten(0, 1)[rows]
        self.d_attention.q.addmm_(d_scores.T, vectors)
        self.E.flatten(0, 1)[rows], self.S.flatten(0, 1)[rows] = old, old_scores
        return torch.addmm(self.d_E.flatten(0, 1)[rows], d_scores, self.attention.q, alpha=self.attention.scale)

    def finish_backward(self) -> tuple[Tensor, Attention]:
        """Finish after all steps are undone.

        Returns:
            (B, T, d) gradient of the tokens, and those of the parameters.
        """
        gradient, scale = self.d_attention, self.attention.scale
        gradient.q += self.d_S.flatten(0, 1).T @ self.E.flatten(0, 1)
        gradient.scale = float((gradient.q * self.attention.q).sum())
        gradient.q *= scale
        return self.d_E + scale * (self.d_S @ self.attention.q), gradient


def softmax_gradient(p: Tensor, d_p: Tensor) -> Tensor:
    """Gradient of scores given the gradient of their softmax over the last axis."""
    d_p = d_p * p
    return d_p - p * d_p.sum(dim=-1, keepdim=True)
