"""Span pairs: a biaffine score for every span up to a width, all tasks in one batched matrix product."""

from collections.abc import Sequence
from functools import partial
from typing import Any, Optional

from spacy.tokens import Doc
from thinc.api import Dropout, Model, chain, list2array
from thinc.types import Floats2d

from ..errors import check_setting
from ..formulations.binary import threshold_log_odds
from ..formulations.span_pairs import SpanPairFormulation
from ..layers.batch import batch2docs
from ..layers.biaffine import Biaffine
from ..layers.gelu import Gelu
from ..layers.linear import linear
from ..layers.prior import RARE
from ..layers.undecided import or_undecided
from ..types import Batch
from .resize import replace_output, set_n_outputs


def build_span_pairs(
    tok2vec: Optional[Model[list[Doc], list[Floats2d]]] = None,
    width: int = 12,
    hidden: int = 256,
    span_threshold: float = 0.5,
    dropout: float = 0.1,
    nO: Optional[int] = None,
) -> Model[Batch, Floats2d]:
    """Build span-pair heads for the `multitask_ner` component; they also find nested mentions of one type.

    Args:
        tok2vec: token vectors, from a listener or any other embedding layer; None: chosen on initialisation.
        width: maximum number of tokens in a mention. A warning counts longer gold mentions, which are not learnt.
        hidden: size of the vectors of a token as the first and as the last of a span.
        span_threshold: minimum probability of a mention. Lower values find more mentions at lower precision.
        dropout: dropout on token and span vectors. `training.dropout` overrides it.
        nO: number of scores per token; set on initialisation.

    Returns:
        Model from a batch to scores, (tokens of the batch, `width` spans that begin there x all types).

    Raises:
        BionerError: `width` or `hidden` is less than 1, or `span_threshold` is not between 0 and 1.
    """
    for setting, value in (("width", width), ("hidden", hidden)):
        check_setting(setting, value, "1 or more", value >= 1)
    least = threshold_log_odds("span_threshold", span_threshold)
    tok2vec = or_undecided(tok2vec)
    output: Model = Biaffine(None if nO is None else nO // width, width, nI=2 * hidden)
    output.name = "spans"
    ends: Model = linear(2 * hidden, tok2vec.maybe_get_dim("nO"))
    model: Model = chain(batch2docs(), tok2vec, list2array(), Dropout(dropout), ends, Gelu(), Dropout(dropout), output)
    model.set_ref("tok2vec", tok2vec)
    model.set_ref("output_layer", output)
    model.attrs["make_formulation"] = partial(SpanPairFormulation, width=width, least=least)
    model.attrs["resize_output"] = resize_spans
    return model


def resize_spans(model: Model, old_columns: Sequence[Any], new_columns: Sequence[Any]) -> None:
    """Extend the outputs of a model to a longer list of tasks, in place.

    Args:
        old_columns: names of the old outputs: task, type, width.
        new_columns: names of the new outputs. Existing types keep their weights; those of new types are zero and
            predict nothing.
    """
    old = model.get_ref("output_layer")
    if not old.has_param("W"):
        return set_n_outputs(model, len(new_columns))
    old_W: Any = old.get_param("W")
    old_b: Any = old.get_param("b")
    n_widths = old_b.shape[1]
    types = [tuple(column[:2]) for column in new_columns[::n_widths]]
    position = {tuple(column[:2]): i for i, column in enumerate(old_columns[::n_widths])}
    old_u: Any = old.get_param("u")
    W: Any = old.ops.alloc3f(len(types), *old_W.shape[1:])
    u: Any = old.ops.alloc2f(len(types), old_u.shape[1])
    b: Any = old.ops.alloc2f(len(types), n_widths) + RARE
    for i, name in enumerate(types):
        if name in position:
            W[i], u[i], b[i] = (array[position[name]] for array in (old_W, old_u, old_b))
    new: Model = Biaffine(len(types), n_widths, nI=old.get_dim("nI"))
    new.set_param("W", W)
    new.set_param("u", u)
    new.set_param("b", b)
    replace_output(model, new)
