"""Character offsets of tokens, as arrays."""

from typing import Any

import numpy
from numpy.typing import NDArray
from spacy.attrs import LENGTH, ORTH, SPACY
from spacy.tokens import Doc


def token_offsets(doc: Doc) -> tuple[NDArray[Any], NDArray[Any]]:
    """Where the tokens of a document are in its text, without a loop over tokens.

    Returns:
        (tokens,) first character of each token and (tokens,) one past its last.
    """
    array = doc.to_array([LENGTH, SPACY]).astype("int64").reshape(-1, 2)
    after = array.sum(axis=1).cumsum()
    return after - array.sum(axis=1), after - array[:, 1]


def same_tokens(one: Doc, other: Doc) -> bool:
    """Whether two documents have the same tokens with the same whitespace."""
    return numpy.array_equal(one.to_array([ORTH, SPACY]), other.to_array([ORTH, SPACY]))
