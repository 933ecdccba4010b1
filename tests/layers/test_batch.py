"""What the heads read of a batch."""

from typing import Any

import numpy
import pytest
from thinc.api import Model
from tiny_encoder import make_docs

from bioner_spacy.layers.batch import batch2docs, batch2tokens
from bioner_spacy.types import Batch

DOCS = make_docs("a b c d e", "", "f g")
VECTORS = numpy.arange(21.0).reshape(7, 3)


def numbering(received: list[Any]) -> Model:
    """Gives tokens their rows of `VECTORS`, as a listener does, and puts gradients that come back into a list."""

    def forward(model: Model, docs: Any, is_train: bool) -> Any:
        assert docs == DOCS
        return [VECTORS[:5], numpy.zeros((0, 0)), VECTORS[5:]], received.extend

    return Model("numbering", forward)


def rows(arrays: list[Any]) -> Any:
    return numpy.concatenate([array for array in arrays if len(array)])


@pytest.mark.parametrize("lengths", [[5, 0, 2], [3, 2, 0, 1, 1], [1, 1, 1, 1, 1, 0, 2]])
def test_token_vectors_of_texts_and_their_gradients(lengths: list[int]) -> None:
    received: list[Any] = []
    batch = Batch(DOCS, numpy.array(lengths))
    texts, backprop = batch2tokens(numbering(received))(batch, is_train=True)
    assert [len(text) for text in texts] == lengths
    numpy.testing.assert_array_equal(rows(texts), VECTORS)
    assert backprop([text + 0.5 for text in texts]) is batch
    assert [len(array) for array in received] == [5, 0, 2]
    numpy.testing.assert_array_equal(rows(received), VECTORS + 0.5)


def test_documents() -> None:
    batch = Batch(DOCS, numpy.array([3, 2, 0, 2]))
    docs, backprop = batch2docs()(batch, is_train=True)
    assert docs is batch.docs and backprop([]) is batch
