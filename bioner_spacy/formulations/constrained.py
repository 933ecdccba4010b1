"""The most probable valid BIO sequence for independently scored tags."""

from typing import Any

import numpy

from ..types import Array
from .chains import best_path


def best_valid_tags(log_p: Any, doc_starts: Any) -> Array:
    """Choose the best tag sequence in which I-x follows only B-x or I-x.

    Args:
        log_p: (N, K, 1 + 2L) log-probabilities of O, B-1, I-1, B-2, I-2, ... of N tokens for K tasks.
        doc_starts: (N,) bool, whether a token is the first of its document.

    Returns:
        (N, K) tags that maximise the sum of log-probabilities of each document and task.
    """
    tags = log_p.argmax(axis=2)
    if not len(tags):
        return tags
    continued = numpy.zeros(tags.shape, dtype=bool)
    type_of = (tags + 1) // 2
    continued[1:] = type_of[1:] == type_of[:-1]
    continued[doc_starts] = False
    invalid = (tags > 0) & (tags % 2 == 0) & ~continued
    if not invalid.any():
        return tags
    # The best tag of each token alone is best overall where it is valid: search the other documents only, one task
    # after the other in a single chain.
    found = numpy.logical_or.reduceat(invalid, numpy.flatnonzero(doc_starts), axis=0)
    in_search = found[numpy.cumsum(doc_starts) - 1].T
    starts = numpy.broadcast_to(doc_starts, in_search.shape)[in_search]
    tags.T[in_search] = _viterbi(log_p.swapaxes(0, 1)[in_search][:, None], starts)[:, 0]
    return tags


def _viterbi(log_p: Any, doc_starts: Any) -> Array:
    """Viterbi over states 0 (outside) and 1..L (inside a mention of a type)."""
    log_p = (log_p - log_p.max(axis=2, keepdims=True)).astype("float64")
    return _states_to_tags(best_path(_edges(log_p, doc_starts)), log_p, doc_starts)


def _edges(log_p: Any, doc_starts: Any) -> Any:
    """(N, K, S, S) score of reaching a state from a state: O, B-x from anywhere, or I-x from within x."""
    reach = log_p[:, :, _begin_tags(log_p.shape[2])]
    n_states = reach.shape[2]
    edges = numpy.repeat(reach[:, :, None, :], n_states, axis=2)
    inside = numpy.arange(1, n_states)
    stay = numpy.maximum(log_p[:, :, 1::2], log_p[:, :, 2::2])
    edges[:, :, inside, inside] = numpy.where(doc_starts[:, None, None], reach[:, :, 1:], stay)
    return edges


def _begin_tags(n_tags: int) -> Any:
    """Tags that may follow any tag: O and every B-x, by state."""
    return numpy.concatenate([[0], numpy.arange(1, n_tags, 2)])


def _states_to_tags(states: Array, log_p: Any, doc_starts: Any) -> Array:
    """Tags of a state sequence: within a type, I where it may stand and is no less probable than B."""
    same = numpy.zeros(states.shape, dtype=bool)
    same[1:] = states[1:] == states[:-1]
    same[doc_starts] = False
    begin = numpy.maximum(2 * states - 1, 0)
    inside = 2 * states
    gain = numpy.take_along_axis(log_p, inside[:, :, None], 2) >= numpy.take_along_axis(log_p, begin[:, :, None], 2)
    return numpy.where(same & gain[:, :, 0] & (states > 0), inside, begin)
