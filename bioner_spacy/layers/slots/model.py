"""A recurrent reader that opens and closes mentions: from token vectors to log-odds of actions at each step.

Ruano et al. 2025 (arXiv 2507.18542). Slots of a document are a learned leading one, its tokens and a learned trailing
one. Step k is taken at slot p_k, and sees its token vector W and the context c_k that attention gathers from the
written memory:

    u_k = W2 tanh(W1 dropout([W[p_k]; c_k]) + b1) + b2;   a_k = sum_i softmax(u_k)_i [u_k,i >= u_k,SHIFT] Emb_i
    E[p_k] += a_k;   c_k+1 = attention to E, centred at p_k;   p_k+1 = p_k + 1 after SHIFT

The SOA vector of the paper is a part of the leading slot, which is read from the memory alone. Predicted actions out
of scope are written too, but later steps do not train them. Parameters are Thinc's, so they are saved, averaged and
updated as those of any layer; only the computation is torch's.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Optional

import numpy
import torch
from thinc.api import Model, torch2xp, xp2torch
from thinc.initializers import glorot_uniform_init
from thinc.types import Floats2d
from torch import Tensor

from ...types import SHIFT, ActionSteps, Array, StepScores
from ..prior import RARE
from .guides import GoldGuide, Guide
from .reader import Reader

MOST_SLOTS = 8192
"""Maximum number of slots read in parallel, including padding; longer documents are read alone."""

Input = tuple[list[Floats2d], Optional[ActionSteps]]


def Slots(
    n_actions: Optional[int] = None,
    *,
    queries: int,
    window: int,
    scale: float,
    learn_scale: bool,
    focus: float,
    least: float,
    dropout: float,
    nI: Optional[int] = None,
) -> Model[Input, StepScores]:
    """Build the layer.

    Args:
        n_actions: number of actions A; None if not yet known.
        queries: latent queries for each action, c of the paper.
        window: maximum distance with a position embedding, h of the paper.
        scale: factor s on the memory against the position in attention.
        learn_scale: whether the factor is learned, from `scale` on.
        focus: initial attention score of the slot last written to; others have 0.
        least: log-odds from which a TR or RE is taken in prediction.
        dropout: dropout on the input of a step.
        nI: width d of the token vectors.

    Returns:
        Layer from token vectors of D documents and their gold steps to scores. With gold steps, the reader follows
        them; otherwise it takes the most probable steps.
    """
    names = ("slots", "W1", "b1", "W", "b", "actions", "queries", "positions", "w_att", "w_tok", "scale")
    return Model(
        "slots",
        partial(forward, learn_scale=learn_scale, least=least),
        init=partial(init, scale=scale, focus=focus),
        dims={"nI": nI, "nO": n_actions, "queries": queries, "window": window},
        params=dict.fromkeys(names),
        attrs={"dropout_rate": dropout},
    )


def init(model: Model, X: Optional[Input] = None, Y: Any = None, *, scale: float, focus: float) -> None:
    """Initialise weights as in the paper (`w_att` and `w_tok` 1, queries 0), except one query.

    With all queries 0, attention is uniform at first, and what the last step wrote is lost in the mean until many
    updates have changed the queries. The paper does not mention biases; here they reflect that most steps are SHIFT.
    """
    if X is not None and X[0]:
        model.set_dim("nI", X[0][0].shape[1])
    ops, width, n_actions = model.ops, model.get_dim("nI"), model.get_dim("nO")
    weights: dict[str, Any] = {
        "slots": _normal(model, 2, width),
        "W1": glorot_uniform_init(ops, (2 * width, 2 * width)),
        "b1": ops.alloc1f(2 * width),
        "W": glorot_uniform_init(ops, (n_actions, 2 * width)),
        "b": ops.alloc1f(n_actions) + RARE,
        "actions": _normal(model, n_actions, width),
        "queries": ops.alloc3f(n_actions, model.get_dim("queries"), width),
        "positions": _normal(model, 2 * model.get_dim("window") + 3, width),
        "w_att": ops.alloc1f(width) + 1,
        "w_tok": ops.alloc1f(width) + 1,
        "scale": ops.alloc1f(1) + scale,
    }
    weights["b"][SHIFT] = 0
    own_place = weights["positions"][model.get_dim("window")]
    weights["queries"][0, 0] = focus / float((own_place**2).sum()) * own_place
    for name, array in weights.items():
        model.set_param(name, array)


def _normal(model: Model, *shape: int) -> Any:
    array: Any = numpy.random.normal(size=shape).astype("f")
    return model.ops.asarray(array)


def forward(
    model: Model, X: Input, is_train: bool, *, learn_scale: bool, least: float
) -> tuple[StepScores, Callable[[Floats2d], Input]]:
    vectors, steps = X
    weights = {name: xp2torch(model.get_param(name)) for name in model.param_names}
    window: int = model.get_dim("window")
    dropout: float = model.attrs["dropout_rate"] if is_train else 0.0
    lengths = numpy.array([len(array) for array in vectors], dtype="int64")
    groups = group_documents(lengths, long=2 * window)
    readers, rounds, taken = [], [weights["W"].new_zeros(0, len(weights["W"]))], []
    with torch.no_grad():
        for docs in groups:
            guide, numbers = _make_guide(lengths, steps, docs, least)
            tokens = [xp2torch(vectors[d]) for d in docs]
            readers.append(Reader(weights, tokens, guide, window=window, dropout=dropout, record=is_train))
            rounds.append(readers[-1].read())
            rows = numpy.concatenate(guide.taken)
            rows[:, 0], rows[:, 3] = docs[rows[:, 0]], numbers[rows[:, 3]]  # as indices over all documents
            taken.append(rows)
        log_odds = torch.cat(rounds)
        scores, order = _by_document(log_odds, taken, len(vectors))

    def backprop(d_scores: Floats2d) -> Input:
        gradients = {name: torch.zeros_like(weight) for name, weight in weights.items()}
        d_vectors: list[Any] = [model.ops.alloc2f(*array.shape) for array in vectors]
        with torch.no_grad():
            d_log_odds = torch.zeros_like(log_odds)
            d_log_odds[order] = xp2torch(d_scores)
            parts = d_log_odds.split([len(part) for part in rounds])[1:]
            for reader, docs, part in zip(readers, groups, parts):
                for d, d_tokens in zip(docs, reader.backward(part, gradients)):
                    d_vectors[d] = torch2xp(d_tokens)
        for name, gradient in gradients.items():
            if name != "scale" or learn_scale:
                array: Any = torch2xp(gradient)
                model.inc_grad(name, array)
        return d_vectors, None

    return scores, backprop


def _make_guide(lengths: Array, steps: Optional[ActionSteps], docs: Array, least: float) -> tuple[Guide, Array]:
    """Guide for a group of documents, and the indices of its gold steps."""
    if steps is None:
        return Guide(lengths[docs], least=least), numpy.array([-1])
    first = numpy.cumsum(steps.lengths) - steps.lengths
    numbers = numpy.concatenate([numpy.arange(first[d], first[d] + steps.lengths[d]) for d in docs])
    own = ActionSteps(steps.lengths[docs], steps.places[numbers], steps.actions[numbers])
    return GoldGuide(lengths[docs], own), numbers


def _by_document(log_odds: Tensor, taken: Sequence[Array], n_docs: int) -> tuple[StepScores, Tensor]:
    """Scores by document, without rounds after its end; and the rows they come from."""
    rows = numpy.concatenate([numpy.zeros((0, 5), dtype="int64"), *taken])
    order = numpy.argsort(rows[:, 0], kind="stable")
    order = order[rows[order, 1] == 1]
    docs, _, places, gold, deferred = rows[order].T
    on_device = torch.from_numpy(order).to(log_odds.device)
    ordered: Any = torch2xp(log_odds[on_device])
    lengths = numpy.bincount(docs, minlength=n_docs)
    return StepScores(ordered, lengths, places, gold, deferred == 1), on_device


def group_documents(lengths: Array, *, long: int) -> list[Array]:
    """Group documents to read in parallel, longest first; those without tokens are left out.

    Args:
        lengths: (D,) tokens of each document.
        long: longer documents do not share a group with shorter ones.
    """
    order = numpy.argsort(-lengths, kind="stable")
    order = order[lengths[order] > 0]
    groups, begin = [], 0
    for i, d in enumerate(order):
        longest = lengths[order[begin]]
        if (i + 1 - begin) * (longest + 2) > MOST_SLOTS or (longest > long) != (lengths[d] > long):
            groups.append(order[begin:i])
            begin = i
    groups.append(order[begin:])
    return [group for group in groups if len(group)]
