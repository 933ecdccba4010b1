"""Check the settings of a training config before training: names that spaCy would ignore, and values on which it would
fail later, or without naming the setting."""

import difflib
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from confection import VARIABLE_RE
from spacy.schemas import CONFIG_SCHEMAS
from spacy.util import load_config
from thinc.api import Config

from ..errors import BionerError, Errors, Warnings, check_setting, warn
from ..old_names import NEW_NAMES, with_new_names

_SCHEMAS: Mapping[str, Any] = CONFIG_SCHEMAS
CHECKED: Mapping[str, Sequence[str]] = {
    **{section: list(_SCHEMAS[section].model_fields) for section in ("training", "nlp", "initialize")},
    "system": ("gpu_allocator", "seed"),
}
"""Sections with fixed settings, and these; spaCy drops others without a warning."""
SECTIONS = (*CHECKED, "components", "corpora", "paths", "pretraining", "vars")
"""Sections of a config; others may hold variables of the user."""

Allowed = tuple[Callable[[float], bool], str]
_FROM_1: Allowed = (lambda value: value >= 1, "1 or more")
_FROM_0: Allowed = (lambda value: value >= 0, "0 or more")
_BELOW_1: Allowed = (lambda value: 0 <= value < 1, "0 to 1, without 1")
_SHARE: Allowed = (lambda value: 0 <= value <= 1, "0 to 1")

LIMITS: Mapping[str, Allowed] = {
    "nlp.batch_size": _FROM_1,
    "training.accumulate_gradient": _FROM_1,
    "training.dropout": _BELOW_1,
    "training.eval_frequency": _FROM_1,
    "training.max_epochs": (lambda value: value >= -1, "-1 or more"),
    "training.max_steps": _FROM_0,
    "training.patience": _FROM_0,
    "training.seed": (lambda value: 0 <= value < 2**32, "0 to 4294967295"),
    "training.batcher.size": _FROM_1,
    "training.optimizer.L2": _FROM_0,
    "training.optimizer.beta1": _BELOW_1,
    "training.optimizer.beta2": _BELOW_1,
    "training.optimizer.eps": (lambda value: value > 0, "above 0"),
    "training.optimizer.grad_clip": _FROM_0,
    "training.optimizer.learn_rate": _FROM_0,
    "training.optimizer.learn_rate.initial_rate": _FROM_0,
    "training.optimizer.learn_rate.warmup": _SHARE,
}
"""Valid ranges of numbers, by setting."""


def read_config(path: Path, values: Mapping[str, object] = {}, *, interpolate: bool = False) -> Config:
    """Read a training config.

    Args:
        values: settings given beside it, by dotted names. They set variables whose names in the config are older.
    """
    old_names = {
        f"vars.{NEW_NAMES[name]}": f"vars.{name}" for name in load_config(path).get("vars", {}) if name in NEW_NAMES
    }
    overrides = {old_names.get(name, name): value for name, value in values.items()}
    return load_config(path, overrides=overrides, interpolate=interpolate)


def check_names(config: Mapping[str, Any]) -> None:
    """Refuse unknown settings, such as misspelt ones, in sections with fixed settings, and misspelt sections.

    Args:
        config: the config as it was read, before spaCy fills it.

    Raises:
        BionerError: there is an unknown setting.
    """
    for name in config:
        if name not in SECTIONS and (close := difflib.get_close_matches(name, SECTIONS, n=1, cutoff=0.8)):
            raise BionerError(Errors.E429.format(name=name, guess=f"did you mean {close[0]}?"))
    for section, known in CHECKED.items():
        for name in config.get(section, {}):
            if name not in known:
                close = difflib.get_close_matches(name, known, n=1)
                guess = f"did you mean {section}.{close[0]}?" if close else f"known are {', '.join(sorted(known))}."
                raise BionerError(Errors.E429.format(name=f"{section}.{name}", guess=guess))


def check_sections(config: Mapping[str, Any]) -> None:
    """Refuse values where spaCy reads a section, and references to components and corpora that are not there.

    Args:
        config: the config without variables.
    """
    components, corpora, training = (config.get(name, {}) for name in ("components", "corpora", "training"))
    sections = {"components": components, "corpora": corpora, "training": training}
    sections |= {f"training.{name}": training.get(name, {}) for name in ("batcher", "optimizer", "score_weights")}
    sections |= {f"components.{name}": value for name, value in components.items()}
    sections |= {f"corpora.{name}": value for name, value in corpora.items()}
    for name, value in sections.items():
        check_setting(name, value, "a section", isinstance(value, Mapping))
    for name, value in training.get("score_weights", {}).items():
        check_setting(
            f"training.score_weights.{name}", value, "a number, or null", isinstance(value, int | float | None)
        )
    known = [f"corpora.{name}" for name in corpora]
    for name in ("train_corpus", "dev_corpus"):
        if name in training:
            check_setting(f"training.{name}", training[name], known)
    pipeline = config.get("nlp", {}).get("pipeline")
    if isinstance(pipeline, list):
        check_setting("nlp.pipeline", pipeline, "names of components", bool(pipeline))
        for name in pipeline:
            check_setting("nlp.pipeline", name, list(components))


def check_numbers(config: Mapping[str, Any], name: str = "") -> None:
    """Refuse numbers that spaCy cannot write to a config, or that are outside of `LIMITS`, and what is no number there.

    Args:
        config: the config, or a section of it, without variables.
    """
    for key, value in config.items():
        setting = f"{name}.{key}".lstrip(".")
        if key.startswith("@"):
            check_setting(setting, value, "the name of a registered function", isinstance(value, str))
        if isinstance(value, Mapping):
            _, text = LIMITS.get(setting, (None, ""))
            check_setting(setting, value, text, not text or any(name.startswith("@") for name in value))
            check_numbers(value, setting)
        elif (
            setting in LIMITS
            and isinstance(value, str | list)
            and value != "auto"
            and not VARIABLE_RE.search(str(value))
        ):
            check_setting(setting, value, f"a number, {LIMITS[setting][1]}", False)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            allowed, text = LIMITS.get(setting, (lambda _: True, ""))
            if not abs(value) < 2**63:
                allowed, text = (lambda _: False), "numbers of 64 bits, not NaN or infinity"
            check_setting(setting, value, text, allowed(value))


def check_variables(config: Path, written: Mapping[str, Any], names: Iterable[str]) -> None:
    """Check that a config has the variables that are set; others would have no effect.

    Raises:
        BionerError: a variable is missing.
    """
    known = written.get("vars", {})
    sections = (name.partition(".") for name in names)
    unknown = [
        name for section, _, name in sections if section == "vars" and name not in {**known, **with_new_names(known)}
    ]
    if old := sorted(known.keys() & NEW_NAMES.keys()):
        new = ", ".join(NEW_NAMES[name] for name in old)
        warn(Warnings.W302.format(where=f"Variables of the config {config}", old=", ".join(old), new=new))
    if unknown:
        raise BionerError(
            Errors.E415.format(config=config, names=", ".join(unknown), known=", ".join(known) or "none")
        )
