"""Biaffine scores of all spans up to a width: one batched matrix product for all entity types."""

from collections.abc import Callable
from typing import Any, Optional

from thinc.api import Model, get_array_module
from thinc.initializers import glorot_uniform_init
from thinc.types import Floats2d

from .prior import RARE


def Biaffine(n_types: Optional[int], width: int, nI: Optional[int] = None) -> Model[Floats2d, Floats2d]:
    """Score spans by their first and their last token, and by all of their tokens.

    The score of span (i, j) for type t is

        [s_i; 1]' W_t [e_j; 1] + sum of u_t' x_k over tokens k from i to j + b_(t, j - i)

    with x_k = [s_k; e_k]. The first term is after Dozat and Manning 2017 ("Deep biaffine attention for neural
    dependency parsing") and Yu, Bohnet and Poesio 2020 ("Named entity recognition as dependency parsing"); the second,
    a sum of scores of tokens as in Sarawagi and Cohen 2004 ("Semi-Markov conditional random fields for information
    extraction"), is learnt in far fewer steps; b acts as a width embedding.

    Args:
        n_types: number of types T; None if not yet known.
        width: maximum number of tokens in a span, V.
        nI: twice the size of token vectors, which are [s; e]: as first and as last token of a span.

    Returns:
        Layer from (N, nI) vectors to (N, T * V) scores: for token i and type t, those of spans of 1, 2, ... V tokens
        that begin at i. Scores of spans that reach beyond the document are meaningless.
    """
    return Model(
        "biaffine",
        forward,
        init=init,
        dims={"nI": nI, "nO": None if n_types is None else n_types * width},
        params={"W": None, "u": None, "b": None},
        attrs={"width": width},
    )


def init(model: Model, X: Optional[Floats2d] = None, Y: Optional[Floats2d] = None) -> None:
    if X is not None:
        model.set_dim("nI", X.shape[1])
    if Y is not None:
        model.set_dim("nO", Y.shape[1])
    half, width = model.get_dim("nI") // 2 + 1, model.attrs["width"]
    n_types = model.get_dim("nO") // width
    model.set_param("W", glorot_uniform_init(model.ops, (n_types, half, half)))
    model.set_param("u", model.ops.alloc2f(n_types, model.get_dim("nI")))
    model.set_param("b", model.ops.alloc2f(n_types, width) + RARE)


def forward(model: Model, X: Floats2d, is_train: bool) -> tuple[Floats2d, Callable[[Floats2d], Floats2d]]:
    xp = model.ops.xp
    W: Any = model.get_param("W")
    u: Any = model.get_param("u")
    b: Any = model.get_param("b")
    n_tokens, size = X.shape[0], X.shape[1] // 2
    n_types, width = b.shape
    one = xp.ones((n_tokens, 1), dtype="f")
    starts = xp.concatenate([X[:, :size], one], axis=1)
    windows = _windows(xp.concatenate([X[:, size:], one], axis=1), width)
    flat_W = W.transpose(1, 0, 2).reshape(size + 1, -1)
    projected = (starts @ flat_W).reshape(n_tokens, n_types, size + 1)
    scores = xp.matmul(projected, windows.swapaxes(1, 2)) + b
    scores += _windows(X @ u.T, width).swapaxes(1, 2).cumsum(axis=2)

    def backprop(d_output: Floats2d) -> Floats2d:
        d_scores: Any = d_output.reshape((n_tokens, n_types, width))
        d_projected = xp.matmul(d_scores, windows)
        d_windows = xp.matmul(d_scores.swapaxes(1, 2), projected)
        flat = d_projected.reshape(n_tokens, n_types * (size + 1))
        model.inc_grad("b", d_scores.sum(axis=0))
        model.inc_grad("W", (starts.T @ flat).reshape(size + 1, n_types, size + 1).transpose(1, 0, 2))
        d_ends = _add_windows(d_windows)[:, :size]
        d_starts = (flat @ flat_W.T)[:, :size]
        # A token is in spans that begin at any of the V tokens up to it.
        d_tokens = _add_windows(d_scores[:, :, ::-1].cumsum(axis=2)[:, :, ::-1].swapaxes(1, 2))
        model.inc_grad("u", d_tokens.T @ X)
        return xp.concatenate([d_starts, d_ends], axis=1) + d_tokens @ u

    return scores.reshape(n_tokens, n_types * width), backprop


def _windows(rows: Any, width: int) -> Any:
    """(N, width, n) view of rows i, i + 1, ... for each of (N, n) rows i, zeros behind the last."""
    xp = get_array_module(rows)
    padded = xp.concatenate([rows, xp.zeros((width - 1, rows.shape[1]), dtype=rows.dtype)])
    step, item = padded.strides
    return xp.lib.stride_tricks.as_strided(padded, (len(rows), width, rows.shape[1]), (step, step, item))


def _add_windows(d_windows: Any) -> Any:
    """Gradient of the rows of `_windows`."""
    n_rows, width, n = d_windows.shape
    d_rows = get_array_module(d_windows).zeros((n_rows + width - 1, n), dtype=d_windows.dtype)
    for offset in range(width):
        d_rows[offset : offset + n_rows] += d_windows[:, offset]
    return d_rows[:n_rows]
