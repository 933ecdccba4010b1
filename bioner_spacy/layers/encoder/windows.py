"""From tokens to subwords to overlapping windows: index arrays only, no torch and no `Doc`.

All indices are global over a batch of texts, so a batch of any number of documents of any length costs a
handful of array operations.
"""

from dataclasses import dataclass

import numpy

from ...types import Array


@dataclass(frozen=True)
class WindowBatch:
    """Subwords of a batch of texts, cut into windows, and the subwords of each token."""

    subword_ids: Array  # (P,) vocabulary ids of all subwords, texts one after the other, no special tokens
    starts: Array  # (W,) first subword of each window, as an index into `subword_ids`
    ends: Array  # (W,) one past the last subword of each window
    token_windows: Array  # (N,) window that supplies the vector of each token, the one where its context is widest
    first_subwords: Array  # (N,) first subword of each token
    # (N,) number of subwords of each token inside its window; 0 for a token without subwords (spaces).
    subword_counts: Array


def align_subwords(
    token_starts: Array, token_ends: Array, subword_starts: Array, subword_ends: Array
) -> tuple[Array, Array]:
    """Find the subwords that overlap each token.

    Tokens and subwords are given by character offsets into the same text, in order, end exclusive. A subword that
    covers several tokens belongs to each of them.

    Args:
        token_starts: (N,) first character of each token.
        token_ends: (N,) one past the last character of each token.
        subword_starts: (P,) first character of each subword.
        subword_ends: (P,) one past the last character of each subword.

    Returns:
        (N,) index of the first subword of each token and (N,) number of its subwords.
    """
    firsts = numpy.searchsorted(subword_ends, token_starts, side="right")
    lasts = numpy.searchsorted(subword_starts, token_ends, side="left")
    return firsts, numpy.maximum(lasts - firsts, 0)


def cut_windows(
    subword_ids: Array,
    text_lengths: Array,
    first_subwords: Array,
    subword_counts: Array,
    *,
    window: int,
    overlap: int,
) -> WindowBatch:
    """Cut texts into windows whose cores tile the text and whose margins give every core token its context.

    A text of up to `window` subwords is one window. A longer one is cut into as few windows of equal length as
    possible. Neighbours share `2 * overlap` subwords, and their cores meet in the middle. A token takes its vector
    from the window in whose core it starts, so it has at least `overlap` subwords of context on each side, except at
    the ends of the text.

    Args:
        subword_ids: (P,) subword ids of all texts.
        text_lengths: (D,) subwords per text.
        first_subwords: (N,) global index of the first subword of each token.
        subword_counts: (N,) number of subwords of each token.
        window: maximum number of subwords in a window, special tokens not counted.
        overlap: subwords of context on either side of a core, within the text; `2 * overlap < window`.

    Returns:
        The windows, in text order; none for texts without subwords.
    """
    # The first and last margin belong to the outer cores; the rest is cut into equal parts.
    inner_lengths = text_lengths - 2 * overlap
    enough = -(-inner_lengths // (window - 2 * overlap))
    n_windows = numpy.where(text_lengths <= window, numpy.minimum(text_lengths, 1), enough)
    text_of_window = numpy.repeat(numpy.arange(len(text_lengths)), n_windows)
    first_window = numpy.cumsum(n_windows) - n_windows
    rank = numpy.arange(len(text_of_window)) - first_window[text_of_window]
    text_starts = numpy.cumsum(text_lengths) - text_lengths
    begin, inner, parts = (a[text_of_window] for a in (text_starts, inner_lengths, n_windows))
    starts = begin + rank * inner // parts
    ends = begin + (rank + 1) * inner // parts + 2 * overlap
    core_starts = numpy.where(rank == 0, begin, starts + overlap)
    has_subwords = subword_counts > 0
    token_windows = numpy.searchsorted(core_starts, first_subwords, side="right") - 1
    # A token without subwords may be after the last subword, or in a text without windows.
    token_windows = numpy.where(has_subwords, token_windows, 0)
    window_ends = ends[token_windows] if len(ends) else numpy.zeros_like(token_windows)
    inside = numpy.minimum(subword_counts, window_ends - first_subwords)
    return WindowBatch(
        subword_ids=subword_ids,
        starts=starts,
        ends=ends,
        token_windows=token_windows,
        first_subwords=first_subwords,
        subword_counts=numpy.where(has_subwords, inside, 0),
    )


def group_by_length(lengths: Array, *, batch_subwords: int, small: int, waste: float = 0.1) -> list[Array]:
    """Group windows of similar length to minimise padding.

    Args:
        lengths: (W,) subwords per window.
        batch_subwords: maximum number of subwords in a group, padding counted (a single longer window is a group of its
            own).
        small: groups with fewer subwords grow regardless of padding.
        waste: maximum share of padding of larger groups.

    Returns:
        Indices of the windows of each group, longest windows first.
    """
    order = numpy.argsort(-lengths, kind="stable")
    groups: list[Array] = []
    begin, total = 0, 0
    for i, index in enumerate(order):
        longest = int(lengths[order[begin]])
        padded = longest * (i + 1 - begin)
        grown = total + int(lengths[index])
        too_large = padded > batch_subwords
        too_wasteful = padded - grown > waste * padded and total >= small
        if i > begin and (too_large or too_wasteful):
            groups.append(order[begin:i])
            begin, grown = i, int(lengths[index])
        total = grown
    if len(order):
        groups.append(order[begin:])
    return groups


# Below this number of subwords, fixed cost outweighs padding in a forward pass or block (measured on a CPU with the
# six-layer encoder).
SMALL_PASS = 384
SMALL_BLOCK = 64
