"""The most probable valid BIO sequence, by array operations alone.

Viterbi's recursion is a product of max-plus matrices, and products can be taken in any bracketing: a prefix scan
(Hillis & Steele 1986, "Data parallel algorithms") reaches all N words in log2(N) steps, for all documents and tasks at
once. Documents need no padding: one begins where the previous word's tag cannot be continued.
"""

from typing import Any

import numpy

from ..types import Array

# Cells of a scan's largest temporary array; longer inputs are scanned block by block.
BLOCK_CELLS = 2**22


def best_valid_tags(log_p: Any, doc_starts: Any) -> Array:
    """Choose the best tag sequence in which I-x follows only B-x or I-x.

    Args:
        log_p: (N, K, 1 + 2L) log-probabilities of O, B-1, I-1, B-2, I-2, ... of N words for K tasks.
        doc_starts: (N,) bool, whether a word is the first of its document.

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
    # The best tag of each word by itself is best overall where it is valid: search the other documents only.
    doc_ids = numpy.cumsum(doc_starts) - 1
    in_search = numpy.isin(doc_ids, doc_ids[invalid.any(axis=1)])
    tags[in_search] = _viterbi(log_p[in_search], doc_starts[in_search])
    return tags


def _viterbi(log_p: Any, doc_starts: Any) -> Array:
    """Viterbi over states 0 (outside) and 1..L (inside a mention of a type), by blocks of words."""
    n_words, n_tasks, n_tags = log_p.shape
    n_states = (n_tags + 1) // 2
    block = max(2, BLOCK_CELLS // (n_tasks * n_states**3))
    log_p = (log_p - log_p.max(axis=2, keepdims=True)).astype("float64")
    best = numpy.zeros((n_tasks, n_states))
    back = numpy.zeros((n_words, n_tasks, n_states), dtype="int64")
    for begin in range(0, n_words, block):
        part = slice(begin, begin + block)
        edges = _edges(log_p[part], doc_starts[part])
        prefix = (best[None, :, :, None] + _scan_max_plus(edges)).max(axis=2)
        before = numpy.concatenate([best[None], prefix[:-1]])
        back[part] = (before[:, :, :, None] + edges).argmax(axis=2)
        best = prefix[-1] - prefix[-1].max(axis=1, keepdims=True)
    states = numpy.zeros((n_words, n_tasks), dtype="int64")
    last = best.argmax(axis=1)
    for begin in reversed(range(0, n_words, block)):
        part = slice(begin, begin + block)
        to_state = _scan_compose(back[part])
        states[part] = numpy.take_along_axis(to_state, last[None, :, None], axis=2)[:, :, 0]
        last = back[begin][numpy.arange(n_tasks), states[begin]]
    return _states_to_tags(states, log_p, doc_starts)


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


def _scan_max_plus(edges: Any) -> Any:
    """Inclusive prefix products, in the max-plus semiring, of (N, K, S, S) matrices."""
    products = edges.copy()
    step = 1
    while step < len(products):
        left, right = products[:-step], products[step:]
        products[step:] = (left[:, :, :, :, None] + right[:, :, None, :, :]).max(axis=3)
        step *= 2
    return products


def _scan_compose(back: Any) -> Any:
    """(N, K, S) state of each word as a function of the state of the last word, given back pointers."""
    n_words, n_tasks, n_states = back.shape
    functions = numpy.empty_like(back)
    functions[:-1] = back[1:]
    functions[-1] = numpy.arange(n_states)
    step = 1
    while step < n_words:
        functions[:-step] = numpy.take_along_axis(functions[:-step], functions[step:], axis=2)
        step *= 2
    return functions


def _states_to_tags(states: Array, log_p: Any, doc_starts: Any) -> Array:
    """Tags of a state sequence: within a type, I where it may stand and is no less probable than B."""
    same = numpy.zeros(states.shape, dtype=bool)
    same[1:] = states[1:] == states[:-1]
    same[doc_starts] = False
    begin = numpy.maximum(2 * states - 1, 0)
    inside = 2 * states
    gain = numpy.take_along_axis(log_p, inside[:, :, None], 2) >= numpy.take_along_axis(log_p, begin[:, :, None], 2)
    return numpy.where(same & gain[:, :, 0] & (states > 0), inside, begin)
