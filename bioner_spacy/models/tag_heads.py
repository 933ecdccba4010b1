"""Tag heads: one linear layer over shared token vectors, all tasks in one matrix product."""

from collections.abc import Mapping, Sequence
from typing import Any, Optional

from spacy.tokens import Doc
from thinc.api import Dropout, Model, chain, list2array
from thinc.types import Floats2d

from ..errors import check_setting
from ..formulations.crf import CRFFormulation
from ..formulations.tags import OUTSIDE, TagFormulation
from ..layers.batch import batch2docs
from ..layers.guideline import DEFAULTS, NONE, guideline_residual, resized_corrections
from ..layers.linear import linear
from ..layers.prior import RARE
from ..layers.undecided import or_undecided
from ..types import Batch
from .resize import replace_output, set_n_outputs

# How much less probable, in nats, a type added to a trained task is than its first type.
MARGIN = 5.0


def build_tag_heads(
    tok2vec: Optional[Model[list[Doc], list[Floats2d]]] = None,
    dropout: float = 0.1,
    crf: bool = True,
    guideline_rank: int = 0,
    guideline_dropout: float = 0.5,
    guideline_default: str = NONE,
    nO: Optional[int] = None,
) -> Model[Batch, Floats2d]:
    """Build BIO tag heads for the `multitask_ner` component: a linear classifier for each task on token vectors.

    Args:
        tok2vec: token vectors, from a listener or any other embedding layer; None: chosen on initialisation.
        dropout: dropout on the token vectors. `training.dropout` overrides it.
        crf: whether the tags of a task form a CRF (`bioner_spacy.formulations.crf`), or each token is classified
            independently and decoding finds the best valid sequence.
        guideline_rank: rank of the guideline correction of each corpus; 0 for none. See
            `bioner_spacy.layers.guideline`.
        guideline_dropout: share of documents, 0 to 1, trained without the correction of their corpus.
        guideline_default: what texts without a known guideline get in prediction: no correction ("none"), or for each
            type the mean of those of all corpora that annotate it ("mean").
        nO: number of scores per token; set on initialisation.

    Returns:
        Model from a batch to scores, (tokens of the batch, scores of all tasks).

    Raises:
        BionerError: `guideline_default` is neither.
    """
    check_setting("guideline_default", guideline_default, DEFAULTS)
    tok2vec = or_undecided(tok2vec)
    output: Model = linear(nO, tok2vec.maybe_get_dim("nO"))
    output.name = "heads"
    model: Model
    if guideline_rank:
        features: Model = chain(batch2docs(), tok2vec, list2array(), Dropout(dropout))
        model = guideline_residual(
            features, output, rank=guideline_rank, dropout=guideline_dropout, default=guideline_default
        )
        model.attrs["set_guidelines"] = set_guidelines
    else:
        model = chain(batch2docs(), tok2vec, list2array(), Dropout(dropout), output)
    model.set_ref("tok2vec", tok2vec)
    model.set_ref("output_layer", output)
    model.attrs["make_formulation"] = CRFFormulation if crf else TagFormulation
    model.attrs["resize_output"] = resize_output
    return model


def resize_output(model: Model, old_columns: Sequence[Any], new_columns: Sequence[Any]) -> None:
    """Extend the outputs of a model to a longer list of tasks, in place.

    Args:
        model: a model whose "output_layer" is linear.
        new_columns: names of the new outputs. Existing outputs keep their weights. Those of a new task start with
            `tag_bias` only and predict nothing; new tags of an existing task start as less probable copies of those of
            its first type, so no prediction changes.
    """
    old, bias = model.get_ref("output_layer"), tag_bias(new_columns)
    if not old.has_param("W"):
        old.attrs["bias"] = bias
        return set_n_outputs(model, len(new_columns))
    old_W: Any = old.get_param("W")
    old_b: Any = old.get_param("b")
    W: Any = old.ops.alloc2f(len(new_columns), old_W.shape[1])
    b: Any = old.ops.asarray1f(bias)
    position = {name: i for i, name in enumerate(old_columns)}
    first_tags: dict[tuple[str, str], Any] = {}
    for task, *tags in old_columns:
        if len(tags) == 1 and (task, OUTSIDE) in position:  # only tags begin with O
            first_tags.setdefault((task, tags[0][:2]), (task, *tags))
    for i, (task, *tags) in enumerate(new_columns):
        source = (task, *tags) if (task, *tags) in position else first_tags.get((task, tags[0][:2]))
        if source is not None:
            W[i], b[i] = old_W[position[source]], old_b[position[source]]
            b[i] -= MARGIN * (source != (task, *tags))
    new: Model = linear(len(new_columns), old_W.shape[1])
    new.attrs["bias"] = bias
    new.set_param("W", W)
    new.set_param("b", b)
    replace_output(model, new)
    if (corrected := model.maybe_get_ref("corrections")) is not None:
        sources = [position.get(name, -1) for name in new_columns]
        model.replace_node(corrected, resized_corrections(corrected, corrected.attrs["guidelines"], sources))


def set_guidelines(model: Model, guidelines: Mapping[str, Sequence[int]], *, resize: bool = True) -> None:
    """Set the corpora with a guideline correction, in place; existing ones keep theirs.

    Args:
        model: a model made by `build_tag_heads` with a `guideline_rank`.
        guidelines: for each corpus, the scores of the types that it annotates.
        resize: whether corpora may be added or left out; otherwise only what they annotate is set.
    """
    corrected = model.get_ref("corrections")
    if not resize:
        guidelines = {corpus: guidelines.get(corpus, []) for corpus in corrected.attrs["guidelines"]}
    if corrected.has_param("A") and list(corrected.attrs["guidelines"]) != list(guidelines):
        columns = range(corrected.get_dim("nO"))
        model.replace_node(corrected, resized_corrections(corrected, guidelines, columns))
    else:
        corrected.attrs["guidelines"] = dict(guidelines)


def tag_bias(columns: Sequence[Any]) -> list[float]:
    """Initial bias of outputs: tags other than O are rare."""
    return [RARE if len(tags) == 1 and tags[0].startswith(("B-", "I-")) else 0.0 for _, *tags in columns]
