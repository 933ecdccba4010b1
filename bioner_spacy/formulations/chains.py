"""Sums over, and the best of, all state sequences of a chain, by array operations over many chains at once.

The recursions of Viterbi and of the forward-backward algorithm are products of matrices in the semirings (max, +) and
(logsumexp, +), and products can be taken in any bracketing (Blelloch 1990, "Prefix sums and their applications"): N
words are cut into about sqrt(N) pieces which advance side by side, so that Python sees some sqrt(N) steps.

`edges` is (N, K, S, S) throughout: for each word and each of K chains, the score of moving from a state of the word
before to a state of this word. Documents stand one after another in a chain; one begins where the edges are the same
from every state, which makes it independent of what comes before. Scores are finite; `NEVER` rules a move out.
"""

import math
from typing import Any

from thinc.api import get_array_module

from ..types import Array

# Far below any score, and still exact to add up in double precision.
NEVER = -1e9


def best_path(edges: Any) -> Array:
    """Viterbi (1967): the sequence of states with the highest sum of edges.

    Args:
        edges: (N, K, S, S), the first word's alike from every state.

    Returns:
        (N, K) states.
    """
    xp = get_array_module(edges)
    n_words, n_chains, n_states = edges.shape[:3]
    if not n_words:
        return xp.zeros((0, n_chains), dtype="int64")
    best = _forward(edges, _max)
    before = xp.concatenate([xp.zeros_like(best[:1]), best[:-1]])
    back = (before[:, :, :, None] + edges).argmax(axis=2)
    # State of the last word of each piece -> state of the last word of the piece before.
    pieces, n_pieces, size = _cut(back, xp.arange(n_states))
    jump = pieces[-1]
    for i in range(size - 2, -1, -1):
        jump = xp.take_along_axis(pieces[i], jump, axis=2)
    ends = xp.zeros((n_pieces, n_chains), dtype="int64")
    ends[-1] = best[-1].argmax(axis=1)
    for piece in range(n_pieces - 1, 0, -1):
        ends[piece - 1] = xp.take_along_axis(jump[piece], ends[piece][:, None], axis=1)[:, 0]
    states = xp.zeros((size, n_pieces, n_chains), dtype="int64")
    states[-1] = ends
    for i in range(size - 1, 0, -1):
        states[i - 1] = xp.take_along_axis(pieces[i], states[i][:, :, None], axis=2)[:, :, 0]
    return _join(states, n_words)


def marginals(edges: Any) -> tuple[Array, Any]:
    """The forward-backward algorithm (Rabiner 1989).

    Args:
        edges: (N, K, S, S), the first word's alike from every state.

    Returns:
        (K,) logarithm of the sum over all state sequences of exp(sum of edges), and (N, K, S, S) probability that
        a sequence makes each move. From which state the first word is reached is without meaning.
    """
    xp = get_array_module(edges)
    n_words, n_chains, n_states = edges.shape[:3]
    if not n_words:
        return xp.zeros(n_chains), edges
    forward = _forward(edges, _logsumexp)
    # backward[t] sums over what follows word t: the same recursion, from the end, along the moves reversed.
    backward = xp.zeros_like(forward)
    backward[:-1] = _forward(edges[:0:-1].swapaxes(2, 3), _logsumexp, reset=False)[::-1]
    log_z = _logsumexp(forward[-1], 1)
    before = xp.concatenate([xp.full_like(forward[:1], -math.log(n_states)), forward[:-1]])
    log_p = before[:, :, :, None] + edges + backward[:, :, None, :] - log_z[:, None, None]
    return log_z, xp.exp(log_p)


def _max(scores: Any, axis: int) -> Any:
    return scores.max(axis=axis)


def _logsumexp(scores: Any, axis: int) -> Any:
    xp = get_array_module(scores)
    top = scores.max(axis=axis, keepdims=True)
    return (xp.log(xp.exp(scores - top).sum(axis=axis, keepdims=True)) + top).squeeze(axis)


def _forward(edges: Any, plus: Any, reset: bool = True) -> Any:
    """(N, K, S) sum, in the sense of `plus`, over all ways to each state of each word.

    With `reset`, the first word is reached by the first row of its edges; otherwise from every state at no cost.
    """
    xp = get_array_module(edges)
    n_words, n_chains, n_states = edges.shape[:3]
    if not n_words:
        return xp.zeros((0, n_chains, n_states))
    # Pieces are filled up at the end, where nothing depends on them.
    pieces, n_pieces, size = _cut(edges, xp.zeros((n_states, n_states)))
    product = pieces[0]
    for i in range(1, size):
        product = plus(product[:, :, :, :, None] + pieces[i, :, :, None, :, :], 3)
    starts = xp.zeros((n_pieces, n_chains, n_states))
    if reset:
        starts[0, :, 1:] = NEVER
    for piece in range(1, n_pieces):
        starts[piece] = plus(starts[piece - 1][:, :, None] + product[piece - 1], 1)
    sums = xp.zeros((size, n_pieces, n_chains, n_states))
    state = starts
    for i in range(size):
        state = sums[i] = plus(state[:, :, :, None] + pieces[i], 2)
    return _join(sums, n_words)


def _cut(array: Any, filling: Any) -> tuple[Any, int, int]:
    """Cut (N, K, ...) into (size, pieces, K, ...), about as many pieces as their size; returns both numbers too."""
    xp = get_array_module(array)
    size = max(1, int((len(array) / 2) ** 0.5))
    n_pieces = -(-len(array) // size)
    tail = xp.broadcast_to(filling, (n_pieces * size - len(array), *array.shape[1:])).astype(array.dtype)
    pieces = xp.concatenate([array, tail]).reshape(n_pieces, size, *array.shape[1:])
    return xp.ascontiguousarray(pieces.swapaxes(0, 1)), n_pieces, size


def _join(pieces: Any, n_words: int) -> Any:
    """Undo `_cut`."""
    return pieces.swapaxes(0, 1).reshape(-1, *pieces.shape[2:])[:n_words]
