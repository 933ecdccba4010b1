"""Edges of the chains of a CRF, and the spans of their best paths."""

import math
from collections.abc import Sequence
from typing import Any

import numpy
from thinc.api import get_array_module

from ..types import Array, SpanArrays
from .chains import NEVER, best_path_and_marginals
from .tags import find_spans
from .typed_chains import n_types_of, transition_number

# Tokens of a mention that the search for documents without any looks ahead.
_LOOK_AHEAD = 4
# Edges that it has at hand at once, so that they fit into a cache.
_BLOCK_EDGES = 2**16
# Chains in parallel, about.
_CHAINS = 32


def chain_edges(values: Any, transitions: Sequence[tuple[int, int]], begins: Any, kept: Any) -> Any:
    """(T, T, N, K) double-precision edges of K chains.

    Args:
        values: (T + M, N, K) scores of the tags and transitions of a token.
        transitions: tags before and after each transition.
        begins: (N, K) whether a token begins a document.
        kept: (N, K) false for tokens that are to add nothing.
    """
    xp = get_array_module(values)
    edges = _edges(values.astype("float64"), transitions)
    edges[1:] = xp.where(begins, edges[:1], edges[1:])
    return xp.where(kept, edges, -math.log(len(edges)))


def _edges(values: Any, transitions: Sequence[tuple[int, int]]) -> Any:
    """(T, T, ...) score of the transition from a tag to a token's tag, from (T + M, ...) scores of the token's tags and
    transitions."""
    xp = get_array_module(values)
    n_types = n_types_of(len(values))
    n_tags = 1 + 2 * n_types
    edges = xp.full((n_tags, n_tags, *values.shape[1:]), NEVER, dtype=values.dtype)
    for i, j in transitions:
        xp.add(values[j], values[n_tags + transition_number(i, j, n_types)], out=edges[i, j])
    return edges


def may_hold_mentions(scores: Array, lengths: Array, columns: Array, transitions: Sequence[tuple[int, int]]) -> Array:
    """(K, D) bool; where False, O is the best tag of every token.

    Value iteration (Bellman 1957): what the tokens behind a token add at best, compared with O, while a mention goes
    on, is found for mentions that end within some tokens. Where that changes no more in a document, and nowhere is it
    better to begin a mention than not to, no sequence is better than O throughout.
    """
    n_tags, n_tasks = 1 + 2 * n_types_of(len(columns)), columns.shape[1]
    found = numpy.zeros((n_tasks, len(lengths)), dtype=bool)
    if not len(scores):
        return found
    nonempty = lengths > 0
    ends = numpy.cumsum(lengths)[nonempty]
    lasts = numpy.zeros(len(scores), dtype=bool)
    lasts[ends - 1] = True
    better = numpy.zeros((n_tasks, len(scores)), dtype=bool)
    size = max(_BLOCK_EDGES // (n_tasks * n_tags**2), 4 * _LOOK_AHEAD)
    for begin in range(0, len(scores), size):
        block = slice(begin, begin + size + _LOOK_AHEAD + 1)
        edges = _edges(numpy.ascontiguousarray(scores[block].T)[columns], transitions)
        edges -= edges[0, 0].copy()
        # What is to come while a mention goes on, (T - 1, K, tokens): at first nothing but its end.
        value, rest = edges[1:, 0], numpy.zeros_like(edges[1:, 0])
        for _ in range(_LOOK_AHEAD + 1):
            before, rest = rest, numpy.zeros_like(rest)
            rest[:, :, :-1] = value[:, :, 1:]
            rest[:, :, lasts[block]] = 0.0
            value = numpy.maximum(edges[1:, 0], (edges[1:, 1:] + rest).max(axis=1))
        improved = ((edges[0, 1:] + rest).max(axis=0) > 0) | (rest > before).any(axis=0)
        better[:, begin : begin + size] = improved[:, :size]
    found[:, nonempty] = numpy.logical_or.reduceat(better, ends - lengths[nonempty], axis=1)
    return found


def line_up(pairs: Array, lengths: Array) -> tuple[Array, Array, Array]:
    """Put documents into some chains of about the same length.

    Args:
        pairs: (P, 2) task and document, none of them empty.
        lengths: (D,) tokens per document.

    Returns:
        (N, K) task and token of each place in a chain, and whether it is one; shorter chains end with others.
    """
    n_tokens = lengths[pairs[:, 1]]
    ends = numpy.cumsum(n_tokens)
    begins = ends - n_tokens
    size = max(n_tokens.max(), ends[-1] // _CHAINS)
    firsts = begins[numpy.diff(begins // size, prepend=-1) > 0]
    places = firsts + numpy.arange(numpy.diff(firsts, append=ends[-1]).max())[:, None]
    kept = places < numpy.append(firsts[1:], ends[-1])
    places = numpy.minimum(places, ends[-1] - 1)
    pair = numpy.repeat(numpy.arange(len(pairs)), n_tokens)[places]
    first_tokens = (numpy.cumsum(lengths) - lengths)[pairs[:, 1]]
    return pairs[pair, 0], places + (first_tokens - begins)[pair], kept


def decode_edges(
    values: Array, begins: Array, kept: Array, transitions: Sequence[tuple[int, int]]
) -> tuple[SpanArrays, Array]:
    """Spans of the best sequences, whose tasks are chains, and their probabilities.

    Args:
        values: (T + M, N, K) scores of the tags and transitions of a token.
        begins: (N, K) whether a token begins a document.
        kept: (N, K) false for tokens that are to add nothing.
        transitions: tags before and after each transition.
    """
    edges = chain_edges(values, transitions, begins, kept)
    tags, p = best_path_and_marginals(numpy.moveaxis(edges, (0, 1), (2, 3)))
    spans = find_spans(tags, numpy.arange(len(tags[0])))
    return spans, _span_probabilities(spans, p, tags, begins | ~kept)


def _span_probabilities(spans: SpanArrays, p: Array, tags: Array, final: Array) -> Array:
    """Probability of each span: to begin, to go on and on, and to go on no further.

    Args:
        spans: spans whose tasks are chains.
        p: (N, K, T, T) probability of each transition.
        tags: (N, K) the chosen sequences.
        final: (N, K) whether no span goes on from the token before.
    """
    tiny = numpy.finfo("float64").tiny
    widths = spans.ends - spans.starts
    # All tokens of the spans, and the first of each.
    firsts = numpy.cumsum(widths) - widths
    chains = numpy.repeat(spans.tasks, widths)
    tokens = numpy.arange(len(chains)) + numpy.repeat(spans.starts - firsts, widths)
    chosen = tags[tokens, chains]
    tag_p = p[tokens, chains, :, chosen].sum(axis=1) + tiny
    transition_p = p[tokens, chains, tags[tokens - 1, chains], chosen] + tiny
    went_on = numpy.log(transition_p) - numpy.log(numpy.roll(tag_p, 1))
    went_on[firsts] = numpy.log(tag_p[firsts])
    log_p = numpy.add.reduceat(went_on, firsts) if len(firsts) else went_on
    # The token behind a span may go on with it, unless there is none or it begins another document.
    lasts = firsts + widths - 1
    behind = numpy.minimum(spans.ends, len(tags) - 1)
    go_on = p[behind, spans.tasks, chosen[lasts], 2 * spans.types + 2] / tag_p[lasts]
    is_final = (spans.ends == len(tags)) | final[behind, spans.tasks]
    return numpy.clip(numpy.exp(log_p) * numpy.where(is_final, 1.0, 1.0 - go_on), 0.0, 1.0).astype("f")
