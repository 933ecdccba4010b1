"""The reader: forward and backward pass over the steps of documents in parallel.

See `slots` for the equations and `slot_memory` for attention. Derivatives are explicit; those of weights are computed
at once from the records of all steps.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Optional

import torch
from torch import Tensor

from ...types import SHIFT, Array
from .guides import Guide
from .memory import Attention, SlotMemory, softmax_gradient
from .window import WindowMemory

Tensors = Mapping[str, Tensor]


class Step(NamedTuple):
    """Record of a round of steps of b documents: (b, ...) tensors.

    `rows`: inputs; `context`: attention context after dropout by `mask`; `p`: probabilities of actions; `kept`:
    whether each is written.
    """

    rows: Tensor
    context: Tensor
    mask: Optional[Tensor]
    hidden: Tensor
    p: Tensor
    kept: Tensor


class Reader:
    """Reads B documents.

    Args:
        weights: parameters of the layer, by name.
        tokens: token vectors of each document, most tokens first.
        guide: chooses the next step.
        window: maximum distance with a position embedding.
        dropout: dropout on the input of a step.
        record: keep what `backward` needs.
    """

    def __init__(
        self, weights: Tensors, tokens: Sequence[Tensor], guide: Guide, *, window: int, dropout: float, record: bool
    ) -> None:
        self.weights = weights
        self.guide = guide
        self.dropout = dropout
        self.record = record
        self.slots = pad_slots(tokens, weights["slots"])
        self.n_slots = torch.tensor([len(array) + 2 for array in tokens], device=self.slots.device)
        memory_type = WindowMemory if self.slots.shape[1] > 2 * window + 2 else SlotMemory
        self.attention = make_attention(weights, window)
        self.memory: SlotMemory = memory_type(self.slots, self.n_slots, self.attention, record)
        self.steps: list[Step] = []

    def read(self) -> Tensor:
        """Read to the end.

        Returns:
            (R, A) log-odds of all steps, round by round, including documents that have ended.
        """
        weights, guide = self.weights, self.guide
        n_documents, n_slots, width = self.slots.shape
        self._inputs = self._tensor(guide.inputs(n_slots))
        self._seen = self.slots.view(-1, width)[self._inputs]
        self._seen_mask = self._mask(self._seen)
        if self._seen_mask is not None:
            self._seen *= self._seen_mask
        # The memory-independent part of the hidden layer.
        base = torch.addmm(weights["b1"], self._seen, weights["W1"][:, :width].T)
        W1 = weights["W1"][:, width:].T
        centre = self.n_slots.new_zeros(n_documents)
        rounds = []
        while b := guide.n_reading:
            context = self.memory.attend(centre[:b])
            mask = self._mask(context)
            if mask is not None:
                context *= mask
            rows = self._tensor(guide.rows(b))
            centre = self._tensor(guide.places[:b] + 1)
            hidden = torch.addmm(base[rows], context, W1).tanh_()
            log_odds = torch.addmm(weights["b"], hidden, weights["W"].T)
            p = log_odds.softmax(dim=1)
            kept = log_odds >= log_odds[:, SHIFT, None]
            self.memory.write(centre, (p * kept) @ weights["actions"])
            if self.record:
                self.steps.append(Step(rows, context, mask, hidden, p, kept))
            rounds.append(log_odds)
            guide.advance(log_odds.cpu().numpy())
        return torch.cat(rounds)

    def _tensor(self, array: Array) -> Tensor:
        return torch.from_numpy(array).to(self.slots.device)

    def _mask(self, X: Tensor) -> Optional[Tensor]:
        """The dropout mask."""
        if not self.dropout:
            return None
        return torch.empty_like(X).bernoulli_(1 - self.dropout).div_(1 - self.dropout)

    def backward(self, d_log_odds: Tensor, gradients: Tensors) -> list[Tensor]:
        """Backward pass through all steps.

        Args:
            d_log_odds: (R, A) gradient of what `read` returned.
            gradients: of the weights, by name; increased in place.

        Returns:
            Gradients of the token vectors of each document.
        """
        weights, memory, width = self.weights, self.memory, self.slots.shape[2]
        W1 = weights["W1"][:, width:]
        in_scope = None if self.guide.in_scope is None else self._tensor(self.guide.in_scope)
        d_actions, d_outputs, d_hiddens = [], [], []
        memory.begin_backward()
        end = len(d_log_odds)
        for step in reversed(self.steps):
            b = len(step.rows)
            d_actions.append(memory.unwrite())
            d_output = softmax_gradient(step.p, (d_actions[-1] @ weights["actions"].T) * step.kept)
            if in_scope is not None:
                d_output *= in_scope[:b]
            d_outputs.append(d_output.add_(d_log_odds[end - b : end]))
            d_hiddens.append((d_output @ weights["W"]) * (1 - step.hidden.square()))
            d_context = d_hiddens[-1] @ W1
            memory.unattend(d_context if step.mask is None else d_context * step.mask)
            end -= b
        steps = self.steps[::-1]
        d_hidden, d_output = torch.cat(d_hiddens), torch.cat(d_outputs)
        gradients["W"].addmm_(d_output.T, torch.cat([step.hidden for step in steps]))
        gradients["b"].add_(d_output.sum(dim=0))
        gradients["actions"].addmm_(torch.cat([step.p * step.kept for step in steps]).T, torch.cat(d_actions))
        gradients["b1"].add_(d_hidden.sum(dim=0))
        gradients["W1"][:, width:].addmm_(d_hidden.T, torch.cat([step.context for step in steps]))
        d_base = d_hidden.new_zeros(len(self._seen), d_hidden.shape[1])
        d_base.index_add_(0, torch.cat([step.rows for step in steps]), d_hidden)
        gradients["W1"][:, :width].addmm_(d_base.T, self._seen)
        d_seen = d_base @ weights["W1"][:, :width]
        d_slots, d_attention = memory.finish_backward()
        d_slots.view(-1, width).index_add_(
            0, self._inputs, d_seen if self._seen_mask is None else d_seen * self._seen_mask
        )
        add_attention_gradients(gradients, weights, self.attention, d_attention)
        return self._split(d_slots, gradients["slots"])

    def _split(self, d_slots: Tensor, d_special: Tensor) -> list[Tensor]:
        """Gradients of the tokens of each document; those of the special slots are added to `d_special`."""
        last = self.n_slots - 1
        d_special[0] += d_slots[:, 0].sum(dim=0)
        d_special[1] += d_slots[torch.arange(len(last), device=last.device), last].sum(dim=0)
        return [array[1:end] for array, end in zip(d_slots, last.tolist())]


def pad_slots(tokens: Sequence[Tensor], special: Tensor) -> Tensor:
    """(B, T, d) vectors of the slots: the leading one, the tokens, the trailing one, then zeros."""
    result = special.new_zeros(len(tokens), len(tokens[0]) + 2, special.shape[1])
    result[:, 0] = special[0]
    for row, array in zip(result, tokens):
        row[1 : len(array) + 1] = array
        row[len(array) + 1] = special[1]
    return result


def make_attention(weights: Tensors, window: int) -> Attention:
    """Combine the weights of attention."""
    q = (weights["queries"] * weights["w_att"]).flatten(0, 1)
    bias = weights["positions"] @ q.T
    padding = bias.new_full((1, len(q)), -torch.inf)
    return Attention(q, torch.cat([bias, padding]), weights["w_tok"], float(weights["scale"]), window)


def add_attention_gradients(
    gradients: Tensors, weights: Tensors, attention: Attention, d_attention: Attention
) -> None:
    """Add the gradients of the weights that `make_attention` combined."""
    d_bias = d_attention.bias[:-1]
    d_q = (d_attention.q + d_bias.T @ weights["positions"]).view_as(weights["queries"])
    gradients["positions"].addmm_(d_bias, attention.q)
    gradients["queries"].add_(d_q * weights["w_att"])
    gradients["w_att"].add_((d_q * weights["queries"]).sum(dim=(0, 1)))
    gradients["w_tok"].add_(d_attention.w_tok)
    gradients["scale"].add_(d_attention.scale)
