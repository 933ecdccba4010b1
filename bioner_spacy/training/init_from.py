"""Initialise a pipeline from a trained one: the encoder, and the heads of shared tasks."""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Optional

from spacy.language import Language
from spacy.util import load_model, logger
from thinc.api import Model

from ..errors import BionerError, Errors, raising

_FREE = {"dropout", "guideline_dropout", "guideline_default"}
"""Settings of heads that may differ, because the weights do not depend on them."""


def init_from(
    path: Optional[str] = None, components: Optional[Sequence[str]] = None
) -> Callable[[Language], Language]:
    """Build a callback for `[initialize.after_init]` that takes weights from a trained pipeline.

    Components are matched by name, heads by the names of their tasks. Shared tasks start from trained heads, new tasks
    as with `add_label`, and other tasks are left out. Guideline corrections likewise: shared corpora keep theirs, new
    ones start with none, and those of other corpora are left out. Tokenizer, settings, tasks, task weights and
    optimizer are those of the new pipeline.

    Args:
        components: names of the components to take, such as the transformer only; None for all shared ones.
    """

    def take_weights(nlp: Language) -> Language:
        if path is None:
            return nlp
        with raising(Errors.E423, path=path):
            trained = load_model(path)
        names = [name for name, pipe in nlp.pipeline if isinstance(getattr(pipe, "model", None), Model)]
        names = [name for name in names if name in trained.pipe_names and (components is None or name in components)]
        if not names:
            known = ", ".join(trained.pipe_names) or "none"
            raise BionerError(Errors.E424.format(path=path, known=known, wanted=", ".join(nlp.pipe_names)))
        for name in names:
            _take(nlp, trained, name, path)
        return nlp

    return take_weights


def _take(nlp: Language, trained: Language, name: str, path: str) -> None:
    model, source = _pipe(nlp, name).model, _pipe(trained, name).model
    with_heads = "make_formulation" in model.attrs
    _check_settings(nlp, trained, name, path, with_heads=with_heads)
    settings = [] if with_heads else [(node, dict(node.attrs)) for node in model.walk()]
    if with_heads:
        old, new = _pipe(trained, name).tasks, _pipe(nlp, name).tasks
        columns = [source.attrs["make_formulation"](tasks).columns for tasks in (old, new)]
        source.attrs["resize_output"](source, *columns)
        if set_guidelines := source.attrs.get("set_guidelines"):
            set_guidelines(source, model.get_ref("corrections").attrs["guidelines"])
        kept = {task.name for task in old} & {task.name for task in new}
        fresh = {task.name for task in new} - kept
        logger.info("Tasks of %s from %s: %s; new ones: %s", name, path, _listed(kept), _listed(fresh))
    else:
        logger.info("Weights of %s from %s", name, path)
    try:
        model.from_bytes(source.to_bytes())
    except ValueError as error:  # of Thinc: other layers, or weights of other sizes
        raise BionerError(Errors.E425.format(name=name, path=path, problem=f"do not fit: {error}")) from error
    for node, attrs in settings:
        node.attrs.update(attrs)


def _check_settings(nlp: Language, trained: Language, name: str, path: str, *, with_heads: bool) -> None:
    """Check settings, because weights of another encoder or formulation may have the same sizes."""
    found, wanted = (dict(one.config["components"][name].get("model", {})) for one in (trained, nlp))
    for settings in (found, wanted):
        # Versions of an architecture have the same layers.
        settings["@architectures"] = re.sub(r"\.v\d+$", "", str(settings.get("@architectures")))
    names = {*found, *wanted} - _FREE if with_heads else {"@architectures", "name"}
    if different := sorted(key for key in names if found.get(key) != wanted.get(key)):
        pairs = (f"{key} {found.get(key)!r} and not {wanted.get(key)!r}" for key in different)
        raise BionerError(Errors.E425.format(name=name, path=path, problem=f"have {', '.join(pairs)}"))


def _pipe(nlp: Language, name: str) -> Any:
    return nlp.get_pipe(name)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "none"
