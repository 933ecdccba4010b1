"""Loss and decoding of tasks of several types, in a time proportional to the number of types; see `typed_chains`."""

from typing import Any

import numpy
from thinc.api import get_array_module

from ..types import Array, SpanArrays
from .tags import find_spans
from .typed_chains import TypedChains, n_types_of, transition_number


def decode_typed(values: Array, begins: Array, kept: Array) -> tuple[SpanArrays, Array]:
    """Spans of the best sequences, whose tasks are chains, and their probabilities.

    Args:
        values: (T + M, N, K) scores of the tags and transitions of a token.
        begins: (N, K) bool, whether a token begins a text.
        kept: (N, K) bool, false for tokens that add nothing.

    Returns:
        S spans, and their (S,) probabilities.
    """
    values = numpy.moveaxis(values, 0, 2)
    n_tags = 1 + 2 * n_types_of(values.shape[2])
    chains = TypedChains.make(values[:, :, :n_tags], values[:, :, n_tags:], begins, kept)
    tags = chains.best_path()
    spans = find_spans(tags, numpy.arange(len(tags[0])))
    p = chains.marginals().spans(spans.starts, spans.ends, spans.tasks, spans.types)
    return spans, numpy.clip(p, 0.0, 1.0).astype("f")


def typed_loss(scores: Any, tags: Array, starts: Array, columns: Array, weights: Array) -> tuple[Any, Any]:
    """Loss of tasks of one size, of more than one type, within their scope, in a time proportional to the number of
    types.

    Args:
        scores: (N, all columns) scores.
        tags: (N, K) targets.
        starts: (N,) bool, whether a token begins a text.
        columns: (T + M, K) columns of the tags and transitions of each task.
        weights: (K,) weights of the tasks.

    Returns:
        (K,) losses in nats a token and (N, all columns) gradient.
    """
    xp = get_array_module(scores)
    in_scope = tags >= 0
    n_tokens = in_scope.sum(axis=0)
    losses, d_scores = xp.zeros(len(n_tokens), dtype="f"), xp.zeros_like(scores)
    if not n_tokens.any():
        return losses, d_scores
    # A chain for each text and task in whose scope it is.
    firsts = numpy.flatnonzero(starts)
    lengths = numpy.diff(firsts, append=len(starts))
    texts, k = numpy.nonzero(in_scope[firsts])
    tokens = firsts[texts] + numpy.arange(lengths[texts].max())[:, None]
    kept = tokens < firsts[texts] + lengths[texts]
    tokens = numpy.minimum(tokens, len(starts) - 1)
    truth = numpy.where(kept, tags[tokens, k], 0)
    n_types = n_types_of(len(columns))
    n_tags = 1 + 2 * n_types
    transitions = transition_number(numpy.vstack([numpy.zeros_like(truth[:1]), truth[:-1]]), truth, n_types)

    places = xp.asarray(tokens[:, :, None] * scores.shape[1] + columns.T[k])
    kept_here = xp.asarray(kept)
    values = scores.ravel()[places]
    begins = xp.asarray(starts[tokens])
    chains = TypedChains.make(values[:, :, :n_tags], values[:, :, n_tags:], begins, kept_here)
    found = chains.marginals()
    gradient = xp.concatenate([found.tags(), found.transitions()], axis=2)
    rows = [xp.asarray(indices) for indices in numpy.indices(truth.shape)]
    chosen = [tuple([*rows, xp.asarray(numbers)]) for numbers in (truth, n_tags + transitions)]
    values = values.astype("float64")
    of_gold = ((values[chosen[0]] + values[chosen[1]]) * kept_here).sum(axis=0)
    for numbers in chosen:
        gradient[numbers] -= 1.0
    of_task = xp.asarray(k[None] == numpy.arange(len(n_tokens))[:, None])
    counts = numpy.maximum(n_tokens, 1)
    losses += ((of_task * (found.log_z - of_gold)).sum(axis=1) / xp.asarray(counts)).astype("f")
    gradient *= xp.asarray(kept * (weights / counts)[k])[:, :, None]
    of_kept = places[kept_here]
    flat = d_scores.ravel()
    flat[of_kept] += gradient[kept_here].astype(flat.dtype)
    return losses, flat.reshape(scores.shape)
