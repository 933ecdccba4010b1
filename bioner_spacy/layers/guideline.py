"""Guideline corrections: scores of a type, with a low-rank correction per corpus.

Corpora that annotate one entity type follow different guidelines. One head learns what they have in common, and a
correction per corpus the rest: score = W h + b + m (B_c A_c h + d_c), where m is 0 for texts without a known guideline
and, in training, for a random share of documents, so that W alone stays a good head. See Evgeniou and Pontil 2004;
Daume III 2007, "Frustratingly easy domain adaptation".

W follows the largest corpora most. In prediction, texts without a known guideline may therefore get the mean of the
corrections of all corpora that annotate a type, so that every guideline has one vote.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, Optional

import numpy
from numpy.typing import NDArray
from thinc.api import Model
from thinc.initializers import glorot_uniform_init
from thinc.types import Floats2d

from ..types import Batch
from .batch import as_batch

NONE, MEAN = "none", "mean"
DEFAULTS = (NONE, MEAN)
"""What texts without a known guideline get in prediction."""


def guideline_residual(
    features: Model[Batch, Floats2d],
    output: Model[Floats2d, Floats2d],
    *,
    rank: int,
    dropout: float = 0.5,
    default: str = NONE,
) -> Model[Batch, Floats2d]:
    """Add a low-rank correction per guideline to the scores of a linear output layer.

    Args:
        features: layer from a batch to (N, nI) features of its tokens.
        output: layer from features to (N, nO) scores.
        dropout: share of the documents for which a correction is left out in training.
        default: what the scores of a token get in prediction if its guideline is not known or does not annotate their
            type: the mean of the corrections of the guidelines that do ("mean"), or what they get in training
            ("none"). Like `dropout` it is a setting, and not saved with the weights.

    Returns:
        Model from a batch to (N, nO) scores, with a reference "corrections" to the layer that `corrections` makes.
    """
    corrected = corrections(rank)
    run = partial(forward, dropout=dropout, default=default)
    model: Model = Model("guideline_residual", run, init=init, layers=[features, output, corrected])
    model.set_ref("corrections", corrected)
    return model


def init(model: Model, X: Optional[Batch] = None, Y: Any = None) -> None:
    features, output, corrected = model.layers
    features.initialize(X=X)
    output.initialize(X=None if X is None else features.predict(X))
    if not corrected.has_param("A"):
        corrected.set_dim("nO", output.get_dim("nO"))
        corrected.set_dim("nI", output.get_dim("nI"))
        corrected.initialize()


def forward(
    model: Model, batch: Batch, is_train: bool, *, dropout: float, default: str
) -> tuple[Floats2d, Callable[[Floats2d], Batch]]:
    features, output, corrected = model.layers
    batch = as_batch(batch)
    X, backprop_features = features(batch, is_train)
    Y, backprop_output = output(X, is_train)
    numbers = _guidelines_of_tokens(corrected.attrs["guidelines"], batch, dropout if is_train else 0.0)
    if default == MEAN and not is_train:
        return Y + corrections_or_means(corrected, X, numbers), _no_backprop
    added, backprop_corrections = corrected((X, numbers), is_train)

    def backprop(d_Y: Any) -> Any:
        return backprop_features(backprop_output(d_Y) + backprop_corrections(d_Y)[0])

    return Y + added, backprop


def corrections(
    rank: int,
    nO: Optional[int] = None,
    nI: Optional[int] = None,
    guidelines: Mapping[str, Sequence[int]] = {},
) -> Model[tuple[Floats2d, Any], Floats2d]:
    """Build the layer that holds the corrections of G guidelines.

    Args:
        guidelines: for each guideline, the scores (0 to nO - 1) of the types that it annotates.

    Returns:
        Layer from (N, nI) features and (N,) index of the guideline of each token, -1 for none, to (N, nO) corrections.
        Its attribute "guidelines" has the guidelines; its parameters are A (G, rank, nI), B (G, nO, rank) and d (G,
        nO). B and d start at 0.
    """
    return Model(
        "corrections",
        forward_corrections,
        init=init_corrections,
        dims={"nO": nO, "nI": nI},
        params={"A": None, "B": None, "d": None},
        attrs={"guidelines": dict(guidelines), "rank": rank},
    )


def init_corrections(model: Model, X: Any = None, Y: Any = None) -> None:
    n_guidelines, rank = len(model.attrs["guidelines"]), model.attrs["rank"]
    A: Any = model.ops.alloc3f(n_guidelines, rank, model.get_dim("nI"))
    for g in range(n_guidelines):
        A[g] = glorot_uniform_init(model.ops, A[g].shape)
    model.set_param("A", A)
    model.set_param("B", model.ops.alloc3f(n_guidelines, model.get_dim("nO"), rank))
    model.set_param("d", model.ops.alloc2f(n_guidelines, model.get_dim("nO")))


def forward_corrections(
    model: Model, inputs: tuple[Any, Any], is_train: bool
) -> tuple[Floats2d, Callable[[Floats2d], tuple[Floats2d, Any]]]:
    X, numbers = inputs
    xp = model.ops.xp
    A, B, d = (_weights(model, name) for name in ("A", "B", "d"))
    Y = xp.zeros((len(X), B.shape[1]), dtype=X.dtype)
    parts = []
    for g in numpy.unique(numbers[numbers >= 0]).tolist():
        rows = xp.asarray(numpy.flatnonzero(numbers == g))
        hidden = X[rows] @ A[g].T
        Y[rows] = hidden @ B[g].T + d[g]
        parts.append((g, rows, hidden))

    def backprop(d_Y: Any) -> tuple[Any, Any]:
        d_X, d_A, d_B, d_d = (xp.zeros_like(values) for values in (X, A, B, d))
        for g, rows, hidden in parts:
            d_rows = d_Y[rows]
            d_hidden = d_rows @ B[g]
            d_A[g], d_B[g], d_d[g] = d_hidden.T @ X[rows], d_rows.T @ hidden, d_rows.sum(axis=0)
            d_X[rows] = d_hidden @ A[g]
        if parts:
            for name, gradient in (("A", d_A), ("B", d_B), ("d", d_d)):
                model.inc_grad(name, gradient)
        return d_X, numbers

    return Y, backprop


def shares(guidelines: Mapping[str, Sequence[int]], n_scores: int) -> NDArray[numpy.float32]:
    """Shares of the G corrections in the scores of a token of each guideline, and of none.

    A score gets the correction of the token's guideline if that annotates its type, else the mean of those that do.

    Args:
        guidelines: for each guideline, the scores of the types that it annotates.

    Returns:
        (G + 1, G, nO) shares, each sum over G 1 or 0; the last G are those of a token without a guideline.
    """
    annotates = numpy.zeros((len(guidelines), n_scores), dtype="f")
    for g, columns in enumerate(guidelines.values()):
        annotates[g, list(columns)] = 1
    mean = annotates / numpy.maximum(annotates.sum(axis=0), 1)
    own = numpy.eye(len(guidelines), dtype="f")[:, :, numpy.newaxis]
    named = numpy.where(annotates[:, numpy.newaxis] > 0, own, mean)
    return numpy.concatenate([named, mean[numpy.newaxis]])


def corrections_or_means(model: Model, X: Any, numbers: Any) -> Any:
    """Corrections in prediction, with means where the guideline of a token does not annotate a type, see `shares`.

    Args:
        model: an initialised layer made by `corrections`.
        X: (N, nI) features.
        numbers: (N,) index of the guideline of each token, -1 for none.

    Returns:
        (N, nO) corrections.
    """
    xp = model.ops.xp
    A, B, d = (_weights(model, name) for name in ("A", "B", "d"))
    of_all = shares(model.attrs["guidelines"], B.shape[1])
    hidden = X @ A.reshape(-1, A.shape[2]).T
    Y = xp.zeros((len(X), B.shape[1]), dtype=X.dtype)
    for g in numpy.unique(numbers).tolist():
        share = xp.asarray(of_all[g])
        rows = xp.asarray(numpy.flatnonzero(numbers == g))
        together = (B * share[:, :, None]).transpose(0, 2, 1).reshape(-1, B.shape[1])
        Y[rows] = hidden[rows] @ together + (share * d).sum(axis=0)
    return Y


def resized_corrections(old: Model, guidelines: Mapping[str, Sequence[int]], columns: Sequence[int]) -> Model:
    """Resize the layer for other guidelines and scores, keeping existing corrections.

    Args:
        old: an initialised layer made by `corrections`.
        guidelines: the guidelines from now on, see `corrections`.
        columns: for each new score, its old index, or -1.
    """
    new: Model = corrections(old.attrs["rank"], len(columns), old.get_dim("nI"), guidelines)
    new.initialize()
    before = numpy.asarray(columns)
    kept, source = (new.ops.xp.asarray(numbers) for numbers in (numpy.flatnonzero(before >= 0), before[before >= 0]))
    A, B, d = (_weights(new, name) for name in ("A", "B", "d"))
    for g, name in enumerate(guidelines):
        if name in old.attrs["guidelines"]:
            number = list(old.attrs["guidelines"]).index(name)
            A[g] = _weights(old, "A")[number]
            B[g, kept] = _weights(old, "B")[number][source]
            d[g, kept] = _weights(old, "d")[number][source]
    for name, values in (("A", A), ("B", B), ("d", d)):
        new.set_param(name, values)
    return new


def _no_backprop(d_Y: Any) -> Any:
    raise RuntimeError("there is no gradient in prediction")


def _weights(model: Model, name: str) -> Any:
    """A parameter."""
    return model.get_param(name)


def _guidelines_of_tokens(guidelines: Iterable[str], batch: Batch, dropout: float) -> Any:
    """(N,) index of the guideline of each token of a batch, -1 if there is none or it is dropped."""
    numbers = {name: i for i, name in enumerate(guidelines)}
    names = batch.guidelines or [None] * len(batch.docs)
    of_docs = numpy.array([numbers.get(name, -1) if name else -1 for name in names], dtype="int64")
    if dropout:
        of_docs[numpy.random.random(len(of_docs)) < dropout] = -1
    return numpy.repeat(of_docs, [len(doc) for doc in batch.docs])
