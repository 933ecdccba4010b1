"""SRU-NER: a recurrent reader over shared token vectors that opens and closes mentions of all tasks."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Optional

from spacy.tokens import Doc
from thinc.api import Model
from thinc.types import Floats2d

from ..errors import check_setting
from ..formulations.binary import threshold_log_odds
from ..formulations.slots import SlotFormulation
from ..layers.batch import as_batch, batch2tokens
from ..layers.slots.model import Slots
from ..layers.undecided import or_undecided
from ..types import Batch, StepScores
from .resize import replace_output, set_n_outputs

# Initial log-odds of the actions of a type that is added to a trained model: low, so that nothing is predicted and
# other actions keep their weight.
ADDED = -6.0


def build_slot_recurrent(
    tok2vec: Optional[Model[list[Doc], list[Floats2d]]] = None,
    queries: int = 2,
    window: int = 150,
    scale: float = 1.0,
    learn_scale: bool = False,
    focus: float = 5.0,
    action_threshold: float = 0.35,
    dropout: float = 0.1,
    nO: Optional[int] = None,
) -> Model[Batch, StepScores]:
    """Build the recurrent reader of SRU-NER for the `multitask_ner` component; it also finds nested mentions.

    Ruano, Correia, Barreiros & Mendes 2025, "Effective multi-task learning for biomedical named entity recognition"
    (arXiv 2507.18542). For nested corpora such as GENIA the paper sets `queries` to 10, `window` to 240, `scale` to 10
    and `learn_scale` to true.

    Args:
        tok2vec: token vectors, from a listener or any other embedding layer; None: chosen on initialisation. The paper pools subwords by
            their maximum; here the encoder's pooling is used. Special slots are learned vectors.
        queries: latent queries of attention for each action.
        window: maximum distance in tokens with a position embedding in attention.
        scale: factor on the memory against positions in attention.
        learn_scale: whether that factor is learned.
        focus: initial attention score of the slot last written to; others have 0. 0, as in the paper, learns a little
            more slowly (docs/results.md).
        action_threshold: minimum probability to open and to close a mention. 0.5, as in the paper, misses more
            mentions (docs/results.md), because both must succeed.
        dropout: dropout on the input of a step. `training.dropout` overrides it.
        nO: number of actions; set on initialisation.

    Returns:
        Model from a batch to the scores of the steps taken, which follow the gold steps if the batch has targets.

    Raises:
        BionerError: `queries` or `window` is less than 1, or `action_threshold` is not between 0 and 1.
    """
    for setting, value in (("queries", queries), ("window", window)):
        check_setting(setting, value, "1 or more", value >= 1)
    tok2vec = or_undecided(tok2vec)
    least = threshold_log_odds("action_threshold", action_threshold)
    make_output = partial(
        Slots,
        queries=queries,
        window=window,
        scale=scale,
        learn_scale=learn_scale,
        focus=focus,
        least=least,
        dropout=dropout,
    )
    output = make_output(nO, nI=tok2vec.maybe_get_dim("nO"))
    return Model(
        "slot_recurrent",
        forward,
        init=init,
        dims={"nO": nO},
        layers=[batch2tokens(tok2vec), output],
        refs={"tok2vec": tok2vec, "output_layer": output},
        attrs={
            "make_formulation": partial(SlotFormulation, least=least),
            "resize_output": partial(resize_actions, make_output=make_output),
        },
    )


def init(model: Model, X: Optional[Batch] = None, Y: Any = None) -> None:
    embed, output = model.layers
    embed.initialize(X=X)
    output.initialize(X=None if X is None else (embed.predict(X), X.targets))


def forward(model: Model, batch: Batch, is_train: bool) -> tuple[StepScores, Callable[[Any], Batch]]:
    embed, output = model.layers
    batch = as_batch(batch)
    vectors, backprop_tokens = embed(batch, is_train)
    scores, backprop_vectors = output((vectors, batch.targets), is_train)

    def backprop(d_log_odds: Any) -> Batch:
        d_vectors, _ = backprop_vectors(d_log_odds)
        return backprop_tokens(d_vectors)

    return scores, backprop


def resize_actions(
    model: Model, old_columns: Sequence[Any], new_columns: Sequence[Any], *, make_output: Callable[..., Model]
) -> None:
    """Extend the actions of a model to a longer list of tasks, in place.

    Args:
        new_columns: names of the new actions. Existing actions keep their weights; those of a new type have zero
            weights and copied latent queries, so no prediction changes.
    """
    old = model.get_ref("output_layer")
    if not old.has_param("W"):
        return set_n_outputs(model, len(new_columns))
    new = make_output(len(new_columns), nI=old.get_dim("nI"))
    for name in old.param_names:
        new.set_param(name, old.get_param(name))
    number = {name: i for i, name in enumerate(old_columns)}
    pairs = [(i, number[name]) for i, name in enumerate(new_columns) if name in number]
    kept, source = old.ops.xp.asarray(pairs, dtype="int64").T
    for name, filling in (("W", 0.0), ("b", ADDED), ("actions", 0.0), ("queries", old.get_param("queries")[0])):
        array: Any = old.get_param(name)
        resized: Any = old.ops.alloc((len(new_columns), *array.shape[1:]))
        resized[:] = filling
        resized[kept] = array[source]
        new.set_param(name, resized)
    replace_output(model, new)
