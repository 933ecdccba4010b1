"""The documents of a batch, for models whose scores do not depend on its targets."""

from collections.abc import Callable

from spacy.tokens import Doc
from thinc.api import Model

from ..types import Batch


def batch2docs() -> Model[Batch, list[Doc]]:
    """Build a layer from a batch to its documents, to stand before an encoder of documents."""
    return Model("batch2docs", forward)


def forward(model: Model, batch: Batch, is_train: bool) -> tuple[list[Doc], Callable[[list[Doc]], Batch]]:
    def backprop(d_docs: list[Doc]) -> Batch:
        return batch

    return batch.docs, backprop
