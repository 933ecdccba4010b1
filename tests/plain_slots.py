"""SRU-NER as its equations say: one document, loops over steps and slots, automatic derivatives."""

from collections.abc import Mapping
from typing import Any, Optional

import torch
from torch import Tensor

from bioner_spacy.types import EOA, MOST_STEPS, SHIFT

Weights = Mapping[str, Tensor]


def random_weights(seed: int, width: int, n_actions: int, *, queries: int = 2, window: int = 3) -> dict[str, Tensor]:
    """Weights of the layer in double precision, none of them at its special first value."""
    generator = torch.Generator().manual_seed(seed)

    def normal(*shape: int) -> Tensor:
        return torch.randn(*shape, dtype=torch.float64, generator=generator)

    return {
        "slots": normal(2, width),
        "W1": normal(2 * width, 2 * width) * 0.5,
        "b1": normal(2 * width),
        "W": normal(n_actions, 2 * width),
        "b": normal(n_actions),
        "actions": normal(n_actions, width),
        "queries": normal(n_actions, queries, width),
        "positions": normal(2 * window + 3, width),
        "w_att": normal(width),
        "w_tok": normal(width),
        "scale": normal(1).abs() + 0.5,
    }


def attend(weights: Weights, E: list[Tensor], centre: int, window: int) -> Tensor:
    """Context from all slots of the memory."""
    scores = []
    for t, slot in enumerate(E):
        distance = t - centre
        bucket = 2 * window + 1 if t == 0 else distance + window if abs(distance) <= window else 2 * window + 2
        m = weights["scale"] * slot + weights["positions"][bucket]
        scores.append(((weights["queries"] * weights["w_att"]) @ m).max())
    alpha = torch.stack(scores).softmax(dim=0)
    return sum((a * (slot * weights["w_tok"]) for a, slot in zip(alpha, E)), torch.zeros_like(E[0]))


def read(
    weights: Weights, tokens: Tensor, window: int, gold: Optional[tuple[Any, Any]] = None, least: float = 0.0
) -> tuple[list[Tensor], list[int], list[int], list[bool]]:
    """Read a document.

    Args:
        weights: parameters.
        tokens: (n, d).
        window: h.
        gold: rows of 1, 0 and -1 (out of scope) for each gold step, and the tokens before it; None to go the most
            probable way.
        least: log-odds from which a TR or RE is taken.

    Returns:
        Log-odds of each step; place, gold step and whether it was deferred.
    """
    W = [weights["slots"][0], *tokens, weights["slots"][1]]
    E = list(W)
    log_odds: list[Tensor] = []
    places: list[int] = []
    steps: list[int] = []
    deferred: list[bool] = []
    p, k, taken_here = 1, 0, 0
    context = attend(weights, E, 0, window)
    while True:
        hidden = torch.tanh(weights["W1"] @ torch.cat([W[p], context]) + weights["b1"])
        u = weights["W"] @ hidden + weights["b"]
        through = u
        if gold is not None:
            through = torch.stack([x.detach() if row < 0 else x for x, row in zip(u, gold[0][k])])
        action = torch.zeros_like(E[0])
        for i, share in enumerate(through.softmax(dim=0)):
            if u[i] >= u[SHIFT]:
                action = action + share * weights["actions"][i]
        E[p] = E[p] + action
        context = attend(weights, E, p, window)
        log_odds.append(u)
        places.append(p - 1)
        steps.append(k if gold is not None else -1)
        deferred.append(False)
        taken_here += 1
        if gold is None:
            choice = max(range(len(u)), key=lambda i: float(u[i].detach()) - (2 * least if i > SHIFT else 0.0))
            leaves = choice == SHIFT or taken_here == MOST_STEPS
            if choice == EOA or (leaves and p == len(W) - 1):
                break
        else:
            is_shift = k + 1 < len(gold[1]) and gold[1][k + 1] > gold[1][k]
            outside = [float(u[i].detach()) for i in range(len(u)) if gold[0][k][i] < 0]
            if (
                is_shift
                and not (len(deferred) > 1 and deferred[-2])
                and max(outside, default=-1e9) > float(u[SHIFT].detach())
            ):
                deferred[-1] = True
                continue
            leaves = is_shift
            k += 1
            if k == len(gold[1]):
                break
        if leaves:
            p += 1
            taken_here = 0
    return log_odds, places, steps, deferred
