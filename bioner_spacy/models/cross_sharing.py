"""Shared and private BiLSTMs with a gate between the tasks, and a conditional random field for each task."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Optional

from spacy.tokens import Doc
from thinc.api import Dropout, Model, chain, list2ragged, with_array
from thinc.types import Floats2d

from ..errors import check_setting
from ..formulations.adversarial import DISCRIMINATOR, AdversarialCRFFormulation
from ..formulations.crf import CRFFormulation
from ..layers.batch import batch2tokens
from ..layers.cross_sharing.model import CrossSharing, Structure, resize_tasks
from ..layers.task_linear import ADVERSARY, TaskLinear
from ..layers.undecided import or_undecided
from ..types import Batch
from .resize import replace_output
from .tag_heads import resize_output


def build_cross_sharing(
    tok2vec: Optional[Model[list[Doc], list[Floats2d]]] = None,
    variant: str = "cs",
    hidden: int = 256,
    width: int = 128,
    dropout: float = 0.1,
    adversarial: float = 0.01,
    orthogonality: float = 0.001,
) -> Model[Batch, Floats2d]:
    """Build heads with shared and private BiLSTMs for the `multitask_ner` component.

    Wang et al. 2019, "Multitask learning for biomedical named entity recognition with cross-sharing structure". For
    the variants, see `bioner_spacy.layers.cross_sharing.model`. Each task has a CRF on its features
    (`bioner_spacy.formulations.crf`).

    Args:
        tok2vec: token vectors, from a listener or any other embedding layer; None: chosen on initialisation.
        variant: "cs" (cross-sharing: a gate lets each task see the others), "adv" (shared and private, separated by a
            task discriminator and orthogonality), "sp" (shared and private), "fs" (fully shared) or "stm" (single
            task: private only; tasks share the encoder only).
        hidden: units of a BiLSTM in each direction.
        width: size of the features computed from a BiLSTM's states.
        dropout: dropout on the token vectors and features. `training.dropout` overrides it.
        adversarial: for "adv": factor on the reversed gradient from the discriminator to shared features. The
            discriminator itself learns at the full rate.
        orthogonality: for "adv": weight of the orthogonality of shared and private features in the loss.

    Returns:
        Model from a batch to scores, (tokens of the batch, scores of all tasks and of the discriminator).

    Raises:
        BionerError: a setting is invalid.
    """
    structure = Structure(variant, hidden, width)
    for setting, value in (("adversarial", adversarial), ("orthogonality", orthogonality)):
        check_setting(setting, value, "0 or more", value >= 0)
    tok2vec = or_undecided(tok2vec)
    n_inputs = tok2vec.maybe_get_dim("nO")
    make_features = partial(CrossSharing, structure, orthogonality, n_inputs)
    make_output = partial(TaskLinear, width, private=structure.private, shared=structure.shared, reversal=adversarial)
    features, output = make_features(), make_output()
    features.name, output.name = "features", "heads"
    before: Model = chain(batch2tokens(tok2vec), list2ragged(), with_array(Dropout(dropout)))
    model: Model = chain(before, features, Dropout(dropout), output)
    model.set_ref("tok2vec", tok2vec)
    model.set_ref("features", features)
    model.set_ref("output_layer", output)
    model.attrs["make_formulation"] = AdversarialCRFFormulation if variant == "adv" else CRFFormulation
    model.attrs["resize_output"] = partial(resize, make_features=make_features, make_output=make_output)
    return model


def resize(
    model: Model,
    old_columns: Sequence[Any],
    new_columns: Sequence[Any],
    *,
    make_features: Callable[[], Model],
    make_output: Callable[[], Model],
) -> None:
    """Extend the outputs of a model to a longer list of tasks, in place.

    Args:
        new_columns: names of the new outputs. A new task gets a private BiLSTM with random weights and outputs that
            predict nothing; existing tasks do not change (see `resize_tasks` and `resize_output`).
    """
    old_tasks, new_tasks = _task_names(old_columns), _task_names(new_columns)
    tasks = [ADVERSARY if _is_adversary(column) else new_tasks.index(column[0]) for column in new_columns]
    if not model.get_ref("output_layer").has_param("W"):
        model.get_ref("features").set_dim("nK", len(new_tasks), force=True)
        model.get_ref("output_layer").attrs["tasks"] = tasks
        return resize_output(model, old_columns, new_columns)
    features = make_features()
    sources = [old_tasks.index(task) if task in old_tasks else None for task in new_tasks]
    resize_tasks(model.get_ref("features"), features, sources)
    model.replace_node(model.get_ref("features"), features)
    resize_output(model, old_columns, new_columns)
    resized, output = model.get_ref("output_layer"), make_output()
    output.set_dim("nO", len(new_columns))
    output.attrs.update(tasks=tasks, bias=resized.attrs["bias"])
    for name in resized.param_names:
        output.set_param(name, resized.get_param(name))
    replace_output(model, output)


def _task_names(columns: Sequence[Any]) -> list[str]:
    """The tasks that have outputs, in order."""
    return list(dict.fromkeys(column[0] for column in columns if not _is_adversary(column)))


def _is_adversary(column: Sequence[str]) -> bool:
    """Whether an output is one of the discriminator."""
    return column[1].startswith(DISCRIMINATOR)
