"""The factory of the component `multitask_ner`: its settings and their defaults."""

from collections.abc import Callable
from typing import Any, Optional, Union

from spacy.language import Language
from thinc.api import Config, Model

from ..errors import Warnings, warn
from ..scope import SPANS_KEY, score_name
from ..training.balance import TaskBalance
from ..types import Batch
from .multitask_ner import MultiTaskNER

DEFAULT_MODEL_CONFIG = """
[model]
@architectures = "bioner_spacy.TagHeads.v1"
dropout = 0.1
crf = true

[model.tok2vec]
@architectures = "spacy-transformers.TransformerListener.v1"
grad_factor = 1.0
upstream = "*"

[model.tok2vec.pooling]
@layers = "reduce_mean.v1"
"""
DEFAULT_MODEL = Config().from_str(DEFAULT_MODEL_CONFIG)["model"]


@Language.factory(
    "multitask_ner",
    assigns=["doc.spans", "doc.ents", "token.ent_iob", "token.ent_type"],
    default_config={
        "model": DEFAULT_MODEL,
        "spans_key": SPANS_KEY,
        "context": "source",
        "grain": "type",
        "types": None,
        "merge": "union",
        "threshold": 0.0,
        "thresholds": {},
        "calibration": {},
        "annotate_ents": True,
        "ents_types": None,
        "overwrite_ents": False,
        "task_weights": {},
        "task_balance": {"@misc": "bioner_spacy.FixedBalance.v1"},
        "ignore_scope": False,
        "unscoped": "corpus",
        "disjoint": {},
        "teach_scope": 0.0,
        "teach_across": 0.0,
        "learn_rate_factor": 10.0,
        "scorer": {"@scorers": "bioner_spacy.multitask_scorer.v1", "spans_key": SPANS_KEY},
    },
    default_score_weights={
        score_name("macro_f"): 1.0,
        score_name("f"): 0.0,
        score_name("p"): 0.0,
        score_name("r"): 0.0,
        score_name("nested_r"): None,
        score_name("per_type"): None,
        score_name("per_corpus"): None,
    },
)
def make_multitask_ner(
    nlp: Language,
    name: str,
    model: Model[Batch, Any],
    spans_key: str,
    context: str,
    grain: str,
    types: Optional[list[str]],
    merge: Union[str, dict[str, str]],
    threshold: float,
    thresholds: dict[str, float],
    calibration: dict[str, list[float]],
    annotate_ents: bool,
    ents_types: Optional[list[str]],
    overwrite_ents: bool,
    task_weights: dict[str, float],
    task_balance: Optional[TaskBalance],
    ignore_scope: bool,
    unscoped: str,
    disjoint: dict[str, list[str]],
    teach_scope: float,
    teach_across: float,
    learn_rate_factor: float,
    scorer: Optional[Callable],
) -> MultiTaskNER:
    """Construct a `multitask_ner` component; the arguments are those of `MultiTaskNER`."""
    twins = [other for other, pipe in nlp.pipeline if isinstance(pipe, MultiTaskNER) and pipe.spans_key == spans_key]
    if twins:
        warn(Warnings.W408.format(names=", ".join([*twins, name]), spans_key=spans_key))
    return MultiTaskNER(
        nlp.vocab,
        model,
        name,
        spans_key=spans_key,
        context=context,
        grain=grain,
        types=types,
        merge=merge,
        threshold=threshold,
        thresholds=thresholds,
        calibration=calibration,
        annotate_ents=annotate_ents,
        ents_types=ents_types,
        overwrite_ents=overwrite_ents,
        task_weights=task_weights,
        task_balance=task_balance,
        ignore_scope=ignore_scope,
        unscoped=unscoped,
        disjoint=disjoint,
        teach_scope=teach_scope,
        teach_across=teach_across,
        learn_rate_factor=learn_rate_factor,
        scorer=scorer,
    )
