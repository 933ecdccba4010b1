"""Forward-backward and Viterbi over many chains at once, by array operations.

The recursions of Viterbi and of the forward-backward algorithm are products of matrices in the semirings (max, +) and
(+, *), and products can be taken in any bracketing (Blelloch 1990, "Prefix sums and their applications"): N tokens are
cut into about sqrt(N) segments that advance in parallel, so Python runs about sqrt(N) steps.

`edges` is (N, K, S, S) throughout: for each token and each of K chains, the score of moving from a state of the token
before to a state of this token. Documents stand one after another in a chain; one begins where the edges are the same
from every state, which makes it independent of what comes before. Scores are finite; `NEVER` rules a transition out.

Inside, states come first and tokens last, (S, S, ..., tokens), so that every operation runs along many tokens.
"""

import math
from collections.abc import Callable
from typing import Any

from thinc.api import get_array_module

from ..types import Array

# Far below any score, and still exact to add up in double precision.
NEVER = -1e9

# Most decades by which the sums over the sequences of a piece may differ, in double precision.
_DECADES = 280


def best_path(edges: Any) -> Array:
    """Viterbi (1967): the sequence of states with the highest sum of edges.

    Args:
        edges: (N, K, S, S), the first token's alike from every state.

    Returns:
        (N, K) states.
    """
    pieces = _cut(edges)
    return _join(_trace_back(pieces, _best_sums(pieces)), len(edges))


def marginals(edges: Any) -> tuple[Array, Any]:
    """The forward-backward algorithm (Rabiner 1989).

    Args:
        edges: (N, K, S, S), the first token's alike from every state.

    Returns:
        (K,) logarithm of the sum over all state sequences of exp(sum of edges), and (N, K, S, S) probability that
        a sequence makes each transition. From which state the first token is reached is without meaning.
    """
    pieces = _cut(edges)
    log_z, p = _sum_up(pieces, _best_sums(pieces))
    return log_z, _join(p, len(edges))


def best_path_and_marginals(edges: Any) -> tuple[Array, Any]:
    """The states of `best_path` and the probabilities of `marginals`, which share a half of the work."""
    pieces = _cut(edges)
    best = _best_sums(pieces)
    return _join(_trace_back(pieces, best), len(edges)), _join(_sum_up(pieces, best)[1], len(edges))


def _trace_back(pieces: Any, best: Any) -> Any:
    """(size, P, K) states of the best path, from the highest sums to each state."""
    xp = get_array_module(pieces)
    size, n_states, _, n_pieces, n_chains = pieces.shape
    lanes = xp.arange(n_pieces * n_chains)
    # For each state of each token, the place of the best state before it among the states and lanes of that token.
    back = xp.zeros((size, n_states, n_pieces, n_chains), dtype="int64")
    for state in range(n_states - 1, -1, -1):
        back = xp.where(best[:-1, state, None] + pieces[:, state] == best[1:], state, back)
    places = (back.reshape(size, n_states, -1) * len(lanes) + lanes).reshape(size, -1)
    # State of the last token of each piece -> state of the last token of the piece before.
    jump = places[-1]
    for i in range(size - 2, -1, -1):
        jump = places[i][jump]
    jump = (jump // len(lanes)).reshape(n_states, n_pieces, n_chains)
    ends = xp.zeros((n_pieces, n_chains), dtype="int64")
    ends[-1] = best[-1, :, -1].argmax(axis=0)
    for piece in range(n_pieces - 1, 0, -1):
        ends[piece - 1] = xp.take_along_axis(jump[:, piece], ends[piece][None], axis=0)[0]
    chosen = xp.zeros((size, len(lanes)), dtype="int64")
    chosen[-1] = ends.ravel() * len(lanes) + lanes
    for i in range(size - 1, 0, -1):
        chosen[i - 1] = places[i][chosen[i]]
    return (chosen // len(lanes)).reshape(size, n_pieces, n_chains)


def _sum_up(pieces: Any, best: Any) -> tuple[Any, Any]:
    """(K,) logarithm of the sum over all sequences, and (size, P, K, S, S) probability of each transition.

    Sums are taken relative to the best sequence that leads to each state: so measured no transition is worth more than
    1, some sequence is worth exactly 1, and what underflows is negligible however large scores are. A single
    exponential of each edge is all that is not a sum or a product.
    """
    xp = get_array_module(pieces)
    weights = best[:-1, :, None] + pieces
    weights -= best[1:, None]
    weights = xp.exp(weights, out=weights)
    product = _product(weights, xp.sum, xp.multiply)
    # Each piece begins with sums of at most 1, and ends with such sums over what follows it.
    starts = xp.zeros_like(best[0])
    starts[0, 0] = 1.0
    ends = xp.zeros_like(starts)
    log_z = best[-1, :, -1].max(axis=0)
    ends[:, -1] = xp.exp(best[-1, :, -1] - log_z)
    n_pieces = starts.shape[1]
    for piece in range(1, n_pieces):
        sums = (starts[:, piece - 1, None] * product[:, :, piece - 1]).sum(axis=0)
        top = sums.max(axis=0)
        starts[:, piece] = sums / top
        log_z = log_z + xp.log(top)
    log_z = log_z + xp.log((starts[:, -1, None] * product[:, :, -1] * ends[:, -1]).sum(axis=(0, 1)))
    for piece in range(n_pieces - 1, 0, -1):
        sums = (product[:, :, piece] * ends[:, piece]).sum(axis=1)
        ends[:, piece - 1] = sums / sums.max(axis=0)
    forward = _forward(weights, starts, xp.sum, xp.multiply)
    backward = _forward(weights[::-1].swapaxes(1, 2), ends, xp.sum, xp.multiply)[::-1]
    weights *= forward[:-1, :, None]
    weights *= backward[1:, None]
    weights /= weights.sum(axis=(1, 2), keepdims=True)
    return log_z, xp.moveaxis(weights, (3, 4), (1, 2))


def _best_sums(pieces: Any) -> Any:
    """(size + 1, S, P, K) highest sum of edges to each state, before the first token of each piece and of each
    token."""
    xp = get_array_module(pieces)
    product = _product(pieces, xp.max, xp.add)
    starts = xp.zeros(pieces.shape[2:])
    starts[1:, 0] = NEVER
    for piece in range(1, pieces.shape[3]):
        starts[:, piece] = (starts[:, piece - 1, None] + product[:, :, piece - 1]).max(axis=0)
    return _forward(pieces, starts, xp.max, xp.add)


def _product(pieces: Any, plus: Callable, times: Callable) -> Any:
    """(S, S, P, K) product of the matrices of each piece in a semiring."""
    product = pieces[0]
    for piece in pieces[1:]:
        product = plus(times(product[:, :, None], piece[None]), axis=1)
    return product


def _forward(pieces: Any, starts: Any, plus: Callable, times: Callable) -> Any:
    """(size + 1, S, P, K) sums over all ways to each state of each token, from (S, P, K) before each piece."""
    xp = get_array_module(pieces)
    sums = xp.empty((len(pieces) + 1, *starts.shape))
    sums[0] = starts
    for i, piece in enumerate(pieces):
        sums[i + 1] = plus(times(sums[i][:, None], piece), axis=0)
    return sums


def _cut(edges: Any) -> Any:
    """Cut (N, K, S, S) edges into (size, S, S, pieces, K), about as many pieces as their size."""
    xp = get_array_module(edges)
    n_words, n_chains, n_states = edges.shape[:3]
    # No more tokens than that the sum over all their sequences, each worth 1 at most, is finite.
    most = _DECADES / math.log10(max(n_states, 2))
    size = max(1, int(min(n_words**0.5, most)))
    n_pieces = max(1, -(-n_words // size))
    pieces = xp.empty((n_states, n_states, n_pieces * size, n_chains))
    pieces[:, :, :n_words] = xp.moveaxis(edges, (2, 3), (0, 1))
    # Pieces are filled up at the end, by tokens that lead from every state to every state and add nothing to the sum.
    pieces[:, :, n_words:] = -math.log(n_states)
    split = pieces.reshape(n_states, n_states, n_pieces, size, n_chains)
    return xp.ascontiguousarray(xp.moveaxis(split, 3, 0))


def _join(pieces: Any, n_words: int) -> Any:
    """Undo what `_cut` does to tokens, for (size, pieces, K, ...)."""
    return pieces.swapaxes(0, 1).reshape(-1, *pieces.shape[2:])[:n_words]
