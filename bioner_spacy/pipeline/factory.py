"""The factory of the component `multitask_ner`: its settings and their defaults."""

from collections.abc import Callable
from dataclasses import fields
from inspect import Parameter, Signature, signature
from typing import Any, Optional

from spacy.language import Language
from thinc.api import Config, Model

from ..errors import Warnings, warn
from ..scope import SPANS_KEY, score_name
from ..types import Batch
from .multitask_ner import MultiTaskNER
from .settings import Settings

DEFAULT_MODEL_CONFIG = """
[model]
@architectures = "bioner_spacy.TagHeads.v1"
dropout = 0.1
crf = true
# A listener or another embedding layer; null: chosen on initialisation.
tok2vec = null
"""
DEFAULT_MODEL = Config().from_str(DEFAULT_MODEL_CONFIG)["model"]


def make_multitask_ner(
    nlp: Language, name: str, model: Model[Batch, Any], scorer: Optional[Callable], **settings: Any
) -> MultiTaskNER:
    """Construct a `multitask_ner` component; the settings are those of `Settings`."""
    key = settings["spans_key"]
    twins = [other for other, pipe in nlp.pipeline if isinstance(pipe, MultiTaskNER) and pipe.spans_key == key]
    if twins:
        warn(Warnings.W408.format(names=", ".join([*twins, name]), spans_key=key))
    return MultiTaskNER(nlp.vocab, model, name, scorer=scorer, **settings)


# spaCy checks a config by the signature, in which each setting has its name and type.
_own = [one for one in signature(make_multitask_ner).parameters.values() if one.kind is not one.VAR_KEYWORD]
_settings = [Parameter(one.name, Parameter.KEYWORD_ONLY, annotation=one.type) for one in fields(Settings)]
make_multitask_ner.__signature__ = Signature([*_own, *_settings])  # type: ignore[attr-defined]

Language.factory(
    "multitask_ner",
    func=make_multitask_ner,
    assigns=["doc.spans", "doc.ents", "token.ent_iob", "token.ent_type"],
    default_config={
        "model": DEFAULT_MODEL,
        **vars(Settings()),
        "task_balance": {"@misc": "bioner_spacy.FixedBalance.v1"},
        "scorer": {"@scorers": "bioner_spacy.multitask_scorer.v1", "spans_key": SPANS_KEY},
    },
    default_score_weights={
        score_name("macro_f"): 1.0,
        **{score_name(name): 0.0 for name in ("f", "p", "r")},
        **{score_name(name): None for name in ("nested_r", "per_type", "per_corpus")},
    },
)
