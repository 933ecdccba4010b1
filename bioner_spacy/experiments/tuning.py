"""Trials of a hyperparameter search: values, scores and files."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ..scoring.results import reading_json, write_json
from .search_space import SearchSpace, Value

TRIALS_FILE = "tuning.json"


@dataclass(frozen=True)
class Trial:
    """One set of values and its scores."""

    values: dict[str, Value]  # setting -> value
    scores: tuple[float, ...]  # mean over corpora of micro F1 of each seed, fractions of 1

    @property
    def score(self) -> float:
        """Mean over the seeds."""
        return sum(self.scores) / len(self.scores)


@dataclass(frozen=True)
class Tuning:
    """A hyperparameter search."""

    space: SearchSpace  # what is searched
    corpora: Sequence[str]  # names of the corpora
    seeds: Sequence[int]  # random seeds of each trial
    trials: Sequence[Trial] = field(default_factory=tuple)  # trials, in order

    @property
    def best(self) -> int:
        """Index of the best trial (the first of several)."""
        return max(range(len(self.trials)), key=lambda number: (self.trials[number].score, -number))

    @property
    def title(self) -> str:
        """Title."""
        return f"Tuning on {', '.join(self.corpora)} (devel split)"

    @property
    def varied(self) -> list[str]:
        """Names of the settings that may take several values."""
        return [name for name, setting in self.space.settings.items() if not setting.fixed]

    def add(self, trial: Trial) -> "Tuning":
        """The search with one more trial."""
        return replace(self, trials=(*self.trials, trial))

    def names(self) -> dict[str, str]:
        """Unique short names of the settings: the last two parts, or more."""
        return short_names(list(self.space.settings))

    def to_dict(self) -> dict[str, Any]:
        """The search for a JSON file, from which it can be resumed."""
        trials = [
            {"number": number, "values": trial.values, "scores": trial.scores, "score": trial.score}
            for number, trial in enumerate(self.trials, start=1)
        ]
        data = {"trials": trials, "best": self.best + 1, "corpora": list(self.corpora), "seeds": list(self.seeds)}
        return {**data, "search space": self.space.to_json(), "start": dict(self.space.start)}

    def starts_as_it_is(self) -> bool:
        """Whether the first trial has the values of the config."""
        return self.trials[0].values == self.space.start


def write_trials(tuning: Tuning, folder: Path) -> None:
    """Write a search as JSON, from which it can be resumed."""
    write_json(folder / TRIALS_FILE, tuning.to_dict())


def read_trials(path: Path) -> list[Trial]:
    """The trials of a search from its JSON file."""
    with reading_json(path, "trials", "remove it to search again, without training again what is in runs") as data:
        trials: list[dict[str, Any]] = data["trials"]
        return [Trial(dict(trial["values"]), tuple(map(float, trial["scores"]))) for trial in trials]


def short_names(names: Sequence[str]) -> dict[str, str]:
    """Dotted name -> its last two parts, or more if needed to be unique."""

    def last(name: str, parts: int) -> str:
        return ".".join(name.split(".")[-parts:])

    found = {}
    for name in names:
        parts = 2
        while Counter(last(other, parts) for other in names)[last(name, parts)] > 1:
            parts += 1
        found[name] = last(name, parts)
    return found


def value_text(value: Value) -> str:
    """A value as in a config."""
    if isinstance(value, float):
        return f"{value:.4g}"
    return value if isinstance(value, str) else json.dumps(value)
