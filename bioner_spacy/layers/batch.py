"""Layers from a batch to what heads read."""

from collections.abc import Callable
from typing import Any, Optional, Union

import numpy
from spacy.tokens import Doc
from thinc.api import Model
from thinc.types import Floats2d

from ..types import Batch


def as_batch(X: Union[Batch, list[Doc]]) -> Batch:
    """Make a batch of documents (as from `spacy debug model`), one text per document; a batch is returned as it is."""
    return X if isinstance(X, Batch) else Batch(X, numpy.array([len(doc) for doc in X], dtype="int64"))


def batch2docs() -> Model[Batch, list[Doc]]:
    """Build a layer from a batch to its documents, for heads that do not depend on text boundaries."""
    return Model("batch2docs", forward_docs)


def forward_docs(model: Model, batch: Batch, is_train: bool) -> tuple[list[Doc], Callable[[list[Doc]], Batch]]:
    batch = as_batch(batch)

    def backprop(d_docs: list[Doc]) -> Batch:
        return batch

    return batch.docs, backprop


def batch2tokens(tok2vec: Model[list[Doc], list[Floats2d]]) -> Model[Batch, list[Floats2d]]:
    """Build a layer from a batch to the token vectors of each text (document or sentence).

    Returns:
        Model from a batch to D arrays (tokens, width), one for each of its `lengths`.
    """
    return Model("batch2tokens", forward_tokens, init=init_tokens, layers=[tok2vec])


def init_tokens(model: Model, X: Optional[Batch] = None, Y: Any = None) -> None:
    model.layers[0].initialize(X=None if X is None else X.docs)


def forward_tokens(
    model: Model, batch: Batch, is_train: bool
) -> tuple[list[Floats2d], Callable[[list[Floats2d]], Batch]]:
    batch = as_batch(batch)
    vectors, backprop_docs = model.layers[0](batch.docs, is_train)

    def backprop(d_texts: list[Floats2d]) -> Batch:
        backprop_docs(_divide(model, d_texts, [len(array) for array in vectors]))
        return batch

    return _divide(model, vectors, batch.lengths.tolist()), backprop


def _divide(model: Model, arrays: list[Floats2d], lengths: list[int]) -> list[Floats2d]:
    """Split the same rows by other lengths."""
    if [len(array) for array in arrays] == lengths:
        return arrays
    ends = numpy.cumsum(lengths).tolist()
    # Listeners return arrays of any width for texts without tokens.
    rows: Any = model.ops.xp.concatenate([array for array in arrays if len(array)])
    return [rows[end - length : end] for end, length in zip(ends, lengths)]
