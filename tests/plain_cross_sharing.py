"""Cross-sharing as its equations read: one document, one direction, one token, one task at a time."""

from typing import Any

import numpy
from thinc.api import Model


def sigmoid(x: Any) -> Any:
    return 1 / (1 + numpy.exp(-x))


def plain_lstm(x: Any, W: Any, U: Any, b: Any) -> list[Any]:
    """States of an LSTM after each token; units in the order input, forget and output gate, cell."""
    h = c = numpy.zeros(len(U))
    states = []
    for token in x:
        i, f, o, g = numpy.split(token @ W + h @ U + b, 4)
        c = sigmoid(f) * c + sigmoid(i) * numpy.tanh(g)
        h = sigmoid(o) * numpy.tanh(c)
        states.append(h)
    return states


def plain_blocks(layer: Model, x: Any) -> dict[Any, Any]:
    """T_k' (T_k without a gate) by k, and S under "S", (n, width) each, of a document with token vectors x.

    Args:
        layer: an initialised `CrossSharing` layer.
    """
    params = {name: layer.get_param(name).astype("float64") for name in layer.param_names}
    structure, n_tasks = layer.attrs["structure"], layer.get_dim("nK")
    names: list[Any] = (list(range(n_tasks)) if structure.private else []) + (["S"] if structure.shared else [])
    blocks = {}
    for j, name in enumerate(names):
        W, U, b = ([params[letter][direction, j] for direction in (0, 1)] for letter in "WUb")
        forward = plain_lstm(x, W[0], U[0], b[0])
        backward = plain_lstm(x[::-1], W[1], U[1], b[1])[::-1]
        states = numpy.array([numpy.concatenate(pair) for pair in zip(forward, backward)])
        a = states @ params["linear_W"][j] + params["linear_b"][j]
        blocks[name] = numpy.where(a > 0, a, numpy.exp(numpy.minimum(a, 0)) - 1)
    if structure.variant != "cs" or n_tasks == 1:
        return blocks
    gated = {}
    for k in range(n_tasks):
        other = numpy.mean([blocks[j] for j in layer.attrs["others"][k]], axis=0)
        gated[k] = blocks[k] * sigmoid(other @ params["gate_W"][k] + params["gate_b"][k])
    return {**gated, "S": blocks["S"]}


def plain_scores(features: Model, output: Model, x: Any) -> Any:
    """(n, columns) scores of a document."""
    blocks = plain_blocks(features, x)
    columns = []
    for task, w, b in zip(output.attrs["tasks"], output.get_param("W"), output.get_param("b"), strict=True):
        zeros = numpy.zeros((len(x), features.attrs["structure"].width))
        h = [blocks.get(task, zeros)] if features.attrs["structure"].private else []
        h += [blocks["S"]] if "S" in blocks else []
        columns.append(numpy.concatenate(h, axis=1) @ w + b)
    return numpy.array(columns).T
