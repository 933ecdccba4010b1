"""Forward-backward and Viterbi over many chains at once, by array operations.

The recursions of Viterbi and of the forward-backward algorithm are products of matrices in the semirings (max, +) and
(+, *), and products can be taken in any bracketing (Blelloch 1990, "Prefix sums and their applications"): N tokens are
cut into about sqrt(N) segments that advance in parallel, so Python runs about sqrt(N) steps.

`edges` is (N, K, S, S) throughout: for each token and each of K chains, the score of the transition from a state of the token
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

# Most decades by which the sums over the sequences of a chunk may differ, in double precision.
_DECADES = 280


def best_path(edges: Any) -> Array:
    """Viterbi (1967): the sequence of states with the highest sum of edges.

    Args:
        edges: (N, K, S, S), the first token's alike from every state.

    Returns:
        (N, K) states.
    """
    chunks = _cut(edges)
    return _join(_trace_back(chunks, _best_sums(chunks)), len(edges))


def marginals(edges: Any) -> tuple[Array, Any]:
    """The forward-backward algorithm (Rabiner 1989).

    Args:
        edges: (N, K, S, S), the first token's alike from every state.

    Returns:
        (K,) logarithm of the sum over all state sequences of exp(sum of edges), and (N, K, S, S) probability that
        a sequence makes each transition. From which state the first token is reached is without meaning.
    """
    chunks = _cut(edges)
    log_z, p = _sum_up(chunks, _best_sums(chunks))
    return log_z, _join(p, len(edges))


def best_path_and_marginals(edges: Any) -> tuple[Array, Any]:
    """The states of `best_path` and the probabilities of `marginals`, which share a half of the work."""
    chunks = _cut(edges)
    best = _best_sums(chunks)
    return _join(_trace_back(chunks, best), len(edges)), _join(_sum_up(chunks, best)[1], len(edges))


def _trace_back(chunks: Any, best: Any) -> Any:
    """(size, P, K) states of the best path, from the highest sums to each state."""
    xp = get_array_module(chunks)
    size, n_states, _, n_chunks, n_chains = chunks.shape
    lanes = xp.arange(n_chunks * n_chains)
    # For each state of each token, the place of the best state before it among the states and lanes of that token.
    back = xp.zeros((size, n_states, n_chunks, n_chains), dtype="int64")
    for state in range(n_states - 1, -1, -1):
        back = xp.where(best[:-1, state, None] + chunks[:, state] == best[1:], state, back)
    places = (back.reshape(size, n_states, -1) * len(lanes) + lanes).reshape(size, -1)
    # State of the last token of each chunk -> state of the last token of the chunk before.
    jump = places[-1]
    for i in range(size - 2, -1, -1):
        jump = places[i][jump]
    jump = (jump // len(lanes)).reshape(n_states, n_chunks, n_chains)
    ends = xp.zeros((n_chunks, n_chains), dtype="int64")
    ends[-1] = best[-1, :, -1].argmax(axis=0)
    for chunk in range(n_chunks - 1, 0, -1):
        ends[chunk - 1] = xp.take_along_axis(jump[:, chunk], ends[chunk][None], axis=0)[0]
    chosen = xp.zeros((size, len(lanes)), dtype="int64")
    chosen[-1] = ends.ravel() * len(lanes) + lanes
    for i in range(size - 1, 0, -1):
        chosen[i - 1] = places[i][chosen[i]]
    return (chosen // len(lanes)).reshape(size, n_chunks, n_chains)


def _sum_up(chunks: Any, best: Any) -> tuple[Any, Any]:
    """(K,) logarithm of the sum over all sequences, and (size, P, K, S, S) probability of each transition.

    Sums are taken relative to the best sequence that leads to each state: so measured no transition is worth more than
    1, some sequence is worth exactly 1, and what underflows is negligible however large scores are. A single
    exponential of each edge is all that is not a sum or a product.
    """
    xp = get_array_module(chunks)
    weights = best[:-1, :, None] + chunks
    weights -= best[1:, None]
    weights = xp.exp(weights, out=weights)
    product = _product(weights, xp.sum, xp.multiply)
    # Each chunk begins with sums of at most 1, and ends with such sums over what follows it.
    starts = xp.zeros_like(best[0])
    starts[0, 0] = 1.0
    ends = xp.zeros_like(starts)
    log_z = best[-1, :, -1].max(axis=0)
    ends[:, -1] = xp.exp(best[-1, :, -1] - log_z)
    n_chunks = starts.shape[1]
    for chunk in range(1, n_chunks):
        sums = (starts[:, chunk - 1, None] * product[:, :, chunk - 1]).sum(axis=0)
        top = sums.max(axis=0)
        starts[:, chunk] = sums / top
        log_z = log_z + xp.log(top)
    log_z = log_z + xp.log((starts[:, -1, None] * product[:, :, -1] * ends[:, -1]).sum(axis=(0, 1)))
    for chunk in range(n_chunks - 1, 0, -1):
        sums = (product[:, :, chunk] * ends[:, chunk]).sum(axis=1)
        ends[:, chunk - 1] = sums / sums.max(axis=0)
    forward = _forward(weights, starts, xp.sum, xp.multiply)
    backward = _forward(weights[::-1].swapaxes(1, 2), ends, xp.sum, xp.multiply)[::-1]
    weights *= forward[:-1, :, None]
    weights *= backward[1:, None]
    weights /= weights.sum(axis=(1, 2), keepdims=True)
    return log_z, xp.moveaxis(weights, (3, 4), (1, 2))


def _best_sums(chunks: Any) -> Any:
    """(size + 1, S, P, K) highest sum of edges to each state, before the first token of each chunk and of each
    token."""
    xp = get_array_module(chunks)
    product = _product(chunks, xp.max, xp.add)
    starts = xp.zeros(chunks.shape[2:])
    starts[1:, 0] = NEVER
    for chunk in range(1, chunks.shape[3]):
        starts[:, chunk] = (starts[:, chunk - 1, None] + product[:, :, chunk - 1]).max(axis=0)
    return _forward(chunks, starts, xp.max, xp.add)


def _product(chunks: Any, plus: Callable, times: Callable) -> Any:
    """(S, S, P, K) product of the matrices of each chunk in a semiring."""
    product = chunks[0]
    for chunk in chunks[1:]:
        product = plus(times(product[:, :, None], chunk[None]), axis=1)
    return product


def _forward(chunks: Any, starts: Any, plus: Callable, times: Callable) -> Any:
    """(size + 1, S, P, K) sums over all ways to each state of each token, from (S, P, K) before each chunk."""
    xp = get_array_module(chunks)
    sums = xp.empty((len(chunks) + 1, *starts.shape))
    sums[0] = starts
    for i, chunk in enumerate(chunks):
        sums[i + 1] = plus(times(sums[i][:, None], chunk), axis=0)
    return sums


def _cut(edges: Any) -> Any:
    """Cut (N, K, S, S) edges into (size, S, S, chunks, K), about as many chunks as their size."""
    xp = get_array_module(edges)
    n_tokens, n_chains, n_states = edges.shape[:3]
    # No more tokens than that the sum over all their sequences, each worth 1 at most, is finite.
    most = _DECADES / math.log10(max(n_states, 2))
    size = max(1, int(min(n_tokens**0.5, most)))
    n_chunks = max(1, -(-n_tokens // size))
    chunks = xp.empty((n_states, n_states, n_chunks * size, n_chains))
    chunks[:, :, :n_tokens] = xp.moveaxis(edges, (2, 3), (0, 1))
    # Chunks are filled up at the end, by tokens that lead from every state to every state and add nothing to the sum.
    chunks[:, :, n_tokens:] = -math.log(n_states)
    split = chunks.reshape(n_states, n_states, n_chunks, size, n_chains)
    return xp.ascontiguousarray(xp.moveaxis(split, 3, 0))


def _join(chunks: Any, n_tokens: int) -> Any:
    """Undo what `_cut` does to tokens, for (size, chunks, K, ...)."""
    return chunks.swapaxes(0, 1).reshape(-1, *chunks.shape[2:])[:n_tokens]
