"""The place of the layer for token vectors in a model whose settings do not name one."""

from collections.abc import Callable
from typing import Any, Optional

from spacy.tokens import Doc
from thinc.api import Model
from thinc.types import Floats2d

from ..errors import BionerError, Errors

Tok2Vec = Model[list[Doc], list[Floats2d]]

_NAME = "undecided"


def or_undecided(tok2vec: Optional[Tok2Vec]) -> Tok2Vec:
    """A layer for token vectors, or its place if it is None."""
    return Model(_NAME, forward) if tok2vec is None else tok2vec


def forward(model: Tok2Vec, docs: list[Doc], is_train: bool) -> tuple[list[Floats2d], Callable[[Any], list[Doc]]]:
    raise BionerError(Errors.E449)


def is_undecided(model: Model) -> bool:
    """Whether the layer for token vectors of a model of `bioner_spacy.models` has still to be chosen."""
    return any(node.name == _NAME for node in model.walk())


def set_tok2vec(model: Model, tok2vec: Tok2Vec) -> None:
    """Put a layer for token vectors in its place, in place."""
    for node in list(model.walk()):
        if node.name == _NAME:
            model.replace_node(node, tok2vec)
