"""The search space of tuning: settings of a config, and their possible values."""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional, Union

import srsly
from spacy.schemas import ConfigSchemaTraining
from spacy.util import load_model_from_config, registry
from spacy.vocab import Vocab

from ..errors import BionerError, Errors
from ..scope import annotated_types
from ..tasks import make_tasks
from ..training.config_errors import config_errors
from ..training.corpora import MultiCorpus
from ..training.settings import check_variables, read_config

Value = Union[None, bool, int, float, str]

TASK_WEIGHTS = "task_weights"
"""Name in the file for the weights of all tasks."""

COMPONENT = "components.multitask_ner"
GRAIN, TYPES, WEIGHTS = f"{COMPONENT}.grain", f"{COMPONENT}.types", f"{COMPONENT}.task_weights"
# Data and scoring settings, which are the same in all trials.
_FIXED = ("corpora", "system", "training.seed")
_FIXED_VARS = ("corpora", "corpus_folder", "seed", "context", "context_tokens", "exclude")
_DIGITS = 4  # significant digits of a value


@dataclass(frozen=True)
class Range:
    """Numbers from `low` to `high`, both included."""

    low: float
    high: float
    log: bool = False  # whether values are sampled on a log scale
    whole: bool = False  # whether values are integers

    @property
    def fixed(self) -> bool:
        """Whether there is a single value."""
        return self.low == self.high

    @property
    def extremes(self) -> tuple[Value, ...]:
        """Values to check against the config."""
        return (self.low, self.high)

    def __contains__(self, value: object) -> bool:
        return isinstance(value, (int, float)) and not isinstance(value, bool) and self.low <= value <= self.high

    def tidy(self, value: float) -> float:
        """A value with few digits."""
        return value if self.whole else min(max(float(f"{value:.{_DIGITS}g}"), self.low), self.high)

    def to_json(self) -> Any:
        """The value as in a file."""
        return {"low": self.low, "high": self.high, "log": self.log}


@dataclass(frozen=True)
class Choice:
    """Unordered values."""

    values: tuple[Value, ...]  # the values, each once

    @property
    def fixed(self) -> bool:
        """Whether there is a single value."""
        return len(self.values) == 1

    @property
    def extremes(self) -> tuple[Value, ...]:
        """Values to check against the config."""
        return self.values

    def __contains__(self, value: object) -> bool:
        return self.index(value) is not None

    def index(self, value: object) -> Optional[int]:
        """Index of a value (true is not 1); None if it is not one of the values."""
        same = (
            n for n, one in enumerate(self.values) if one == value and isinstance(one, bool) == isinstance(value, bool)
        )
        return next(same, None)

    def to_json(self) -> Any:
        """The value as in a file."""
        return list(self.values)


Setting = Union[Range, Choice]


@dataclass(frozen=True)
class SearchSpace:
    """Settings to search, by their names in the config."""

    settings: Mapping[str, Setting]  # name with dots -> its values
    start: Mapping[str, Value]  # name -> value in the config

    def to_json(self) -> dict[str, Any]:
        """JSON values that identify this space."""
        return {name: setting.to_json() for name, setting in self.settings.items()}


def read_space(path: Path) -> dict[str, Setting]:
    """Read a file of settings to search, see configs/tuning.yml.

    Returns:
        Name of a setting, or `TASK_WEIGHTS` -> its values.

    Raises:
        BionerError: the file is missing, not YAML, or describes a setting wrongly.
    """
    try:
        content = srsly.read_yaml(path)
    except (OSError, ValueError) as error:
        raise BionerError(Errors.E630.format(path=path, reason=" ".join(str(error).split()))) from None
    if not isinstance(content, dict) or not content:
        raise BionerError(Errors.E630.format(path=path, reason="it names no setting"))
    return {str(name): _read_setting(path, str(name), values) for name, values in content.items()}


def resolve_space(
    path: Path,
    config: Path,
    *,
    corpora: Sequence[str],
    corpus_folder: Path,
    settings: Mapping[str, object],
    overrides: Mapping[str, object] = {},
) -> SearchSpace:
    """Read a file of settings to search, and check them against the config.

    The pipeline is built with each bound and choice; errors that need data are only found in a trial.

    Args:
        settings: values for the section `vars`, which all trials share.

    Raises:
        BionerError: as `read_space`; or the config has no such setting or refuses a value, or the setting is fixed.
    """
    read = read_space(path)
    if not config.is_file():
        raise BionerError(Errors.E410.format(path=config))
    shared = {f"vars.{name}": value for name, value in settings.items()}
    shared |= {"vars.corpora": ",".join(corpora), "vars.corpus_folder": str(corpus_folder)}
    values = {**shared, **overrides}
    with config_errors(config, values):
        check_variables(config, read_config(config), shared)
        filled = _build(config, values)
    space = _with_task_weights(path, read, filled, corpora, corpus_folder)
    taken = {*shared, *(f"vars.{name}" for name in _FIXED_VARS), *_FIXED}
    found: dict[str, Setting] = {}
    start: dict[str, Value] = {}
    for name, setting in space.items():
        if any(f"{name}.".startswith(f"{one}.") for one in taken):
            raise BionerError(_wrong(path, name, "all trials share it; name a value that is derived from it, if any"))
        start[name] = 1.0 if name.startswith(f"{WEIGHTS}.") else _value(filled, path, name)
        found[name] = _fit(path, name, setting, start[name])
        for value in found[name].extremes:
            try:
                _build(config, {**values, name: value})
            except (ValueError, TypeError) as error:
                raise BionerError(_wrong(path, name, f"training does not take {value!r}: {_reason(error)}")) from error
    return SearchSpace(found, {name: start[name] for name in found})


def _read_setting(path: Path, name: str, values: Any) -> Setting:
    if isinstance(values, list):
        strange = [value for value in values if not isinstance(value, (type(None), bool, int, float, str))]
        if not values or strange or len(set(map(repr, values))) < len(values):
            raise BionerError(
                _wrong(path, name, "a choice is a list of different numbers, texts, true, false or null")
            )
        return Choice(tuple(values))
    if not isinstance(values, dict) or not {"low", "high"} <= set(values) <= {"low", "high", "log"}:
        raise BionerError(_wrong(path, name, "it needs {low: ..., high: ...}, log: true if ratios count, or a list"))
    low, high, log = values["low"], values["high"], values.get("log", False)
    if not isinstance(log, bool) or any(isinstance(v, bool) or not isinstance(v, (int, float)) for v in (low, high)):
        raise BionerError(_wrong(path, name, "low and high are numbers, and log is true or false"))
    if not low <= high or abs(low) == float("inf") or abs(high) == float("inf"):
        raise BionerError(
            _wrong(path, name, f"low ({low}) is above high ({high}), or one of them is no finite number")
        )
    if log and low <= 0:
        raise BionerError(_wrong(path, name, f"with log, low is above 0, and it is {low}"))
    return Range(low, high, log)


def _with_task_weights(
    path: Path, read: Mapping[str, Setting], filled: Any, corpora: Sequence[str], corpus_folder: Path
) -> dict[str, Setting]:
    """Replace `TASK_WEIGHTS` by one setting per task; tasks that are named separately have precedence."""
    space = {name: setting for name, setting in read.items() if name != TASK_WEIGHTS}
    named = [name for name in read if name == TASK_WEIGHTS or name.startswith(f"{WEIGHTS}.")]
    if not named:
        return space
    for name in (GRAIN, TYPES):
        if name in read:
            raise BionerError(_wrong(path, name, f"the tasks depend on it, so that {named[0]} cannot be searched too"))
    component = filled["components"].get("multitask_ner")
    if component is None:
        raise BionerError(_wrong(path, named[0], "the config has no component multitask_ner"))
    tasks = _tasks(corpora, corpus_folder, component)
    weights = [f"{WEIGHTS}.{task}" for task in tasks]
    for name in named:
        if name != TASK_WEIGHTS and name not in weights:
            raise BionerError(
                _wrong(path, name, f"there is no such task; the tasks of these corpora: {', '.join(tasks)}")
            )
    every = {name: read[TASK_WEIGHTS] for name in weights} if TASK_WEIGHTS in read else {}
    return {**space, **{name: space.get(name, setting) for name, setting in every.items()}}


def _tasks(corpora: Sequence[str], corpus_folder: Path, component: Mapping[str, Any]) -> list[str]:
    label_data, _ = annotated_types(doc for _, doc in MultiCorpus(corpus_folder, corpora).documents(Vocab()))
    if component["types"] is not None:
        label_data = {corpus: types & set(component["types"]) for corpus, types in label_data.items()}
    return [task.name for task in make_tasks(label_data, component["grain"]) if task.types]


def _build(config: Path, values: Mapping[str, object]) -> Any:
    """Build pipeline and training of a config, without data and weights; the config with all defaults."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # training will warn
        nlp = load_model_from_config(read_config(config, values), auto_fill=True)
        filled = nlp.config.interpolate()
        registry.resolve(filled["training"], schema=ConfigSchemaTraining)
    return filled


def _value(filled: Any, path: Path, name: str) -> Value:
    """Value of a setting in a config with all defaults."""
    at = filled
    for part in name.split("."):
        if not isinstance(at, dict) or part not in at:
            raise BionerError(_wrong(path, name, "the config has no such setting; names begin with the section"))
        at = at[part]
    if isinstance(at, (dict, list)):
        raise BionerError(_wrong(path, name, "it is a section or a list, not a single value"))
    value: Value = at
    return value


def _fit(path: Path, name: str, setting: Setting, value: Value) -> Setting:
    """Make the values of a setting integers if that of the config is one."""
    if isinstance(setting, Choice) or value is None:
        return setting
    if isinstance(value, (bool, str)):
        raise BionerError(_wrong(path, name, f"it is no number ({value!r}), so that it needs a list of choices"))
    if isinstance(value, float):
        return Range(float(setting.low), float(setting.high), setting.log)
    if isinstance(setting.low, float) or isinstance(setting.high, float):
        raise BionerError(_wrong(path, name, f"it is a whole number ({value}), so that low and high are too"))
    return Range(setting.low, setting.high, setting.log, whole=True)


def _reason(error: Exception) -> str:
    """Reason why a config is refused, in one line."""
    details = getattr(error, "errors", None)  # of the config system
    return str(details[0]["msg"]) if details else str(error).strip().splitlines()[0]


def _wrong(path: Path, name: str, problem: str) -> str:
    return Errors.E631.format(path=path, name=name, problem=problem)
