"""From tokens to subwords to overlapping windows: index arrays only, no torch and no `Doc`.

All indices are global over a batch of texts, so a batch of any number of documents of any length costs a
handful of array operations.
"""

from dataclasses import dataclass

import numpy

from ...types import Array


@dataclass(frozen=True)
class WindowBatch:
    """Subwords of a batch of texts, cut into windows, and the subwords of each token.

    Attributes:
        piece_ids: (P,) vocabulary ids of all subwords, texts one after the other, no special tokens.
        starts: (W,) first subword of each window, as an index into `piece_ids`.
        ends: (W,) one past the last subword of each window.
        word_windows: (N,) window that supplies the vector of each token, the one where its context is widest.
        word_firsts: (N,) first subword of each token.
        word_counts: (N,) number of subwords of each token inside its window; 0 for a token without subwords (spaces).
    """

    piece_ids: Array
    starts: Array
    ends: Array
    word_windows: Array
    word_firsts: Array
    word_counts: Array


def align_pieces(word_starts: Array, word_ends: Array, piece_starts: Array, piece_ends: Array) -> tuple[Array, Array]:
    """Find the subwords that overlap each token.

    Tokens and subwords are given by character offsets into the same text, in order, end exclusive. A subword that
    covers several tokens belongs to each of them.

    Args:
        word_starts: (N,) first character of each token.
        word_ends: (N,) one past the last character of each token.
        piece_starts: (P,) first character of each subword.
        piece_ends: (P,) one past the last character of each subword.

    Returns:
        (N,) index of the first subword of each token and (N,) number of its subwords.
    """
    firsts = numpy.searchsorted(piece_ends, word_starts, side="right")
    lasts = numpy.searchsorted(piece_starts, word_ends, side="left")
    return firsts, numpy.maximum(lasts - firsts, 0)


def cut_windows(
    piece_ids: Array,
    text_lengths: Array,
    word_firsts: Array,
    word_counts: Array,
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
        piece_ids: (P,) subword ids of all texts.
        text_lengths: (D,) subwords per text.
        word_firsts: (N,) global index of the first subword of each token.
        word_counts: (N,) number of subwords of each token.
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
    has_pieces = word_counts > 0
    word_windows = numpy.searchsorted(core_starts, word_firsts, side="right") - 1
    # A token without subwords may be after the last subword, or in a text without windows.
    word_windows = numpy.where(has_pieces, word_windows, 0)
    window_ends = ends[word_windows] if len(ends) else numpy.zeros_like(word_windows)
    inside = numpy.minimum(word_counts, window_ends - word_firsts)
    return WindowBatch(
        piece_ids=piece_ids,
        starts=starts,
        ends=ends,
        word_windows=word_windows,
        word_firsts=word_firsts,
        word_counts=numpy.where(has_pieces, inside, 0),
    )


def group_by_length(lengths: Array, *, batch_pieces: int, small: int, waste: float = 0.1) -> list[Array]:
    """Group windows of similar length to minimise padding.

    Args:
        lengths: (W,) subwords per window.
        batch_pieces: maximum number of subwords in a group, padding counted (a single longer window is a group of its
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
        too_large = padded > batch_pieces
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
