"""Vectors of training corpora from an encoder before training."""

from collections.abc import Mapping, Sequence

import numpy
from numpy.typing import NDArray

from ..layers.encoder.first_subwords import mean_first_subwords


def corpus_vectors(encoder: str, sentences: Mapping[str, Sequence[str]]) -> dict[str, NDArray[numpy.float64]]:
    """Mean vector of the sentences of each corpus, see `mean_first_subwords`.

    Args:
        encoder: name of a pretrained encoder, a folder, or package:NAME.
    """
    return mean_first_subwords(encoder, sentences)
