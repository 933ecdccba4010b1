"""Trials of a search for settings: their values, scores, table and files."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ..errors import Errors
from ..scoring.results import reading_json, write_json, write_text
from ..scoring.table import Table, percent, spread
from .search_space import SearchSpace, Value


@dataclass(frozen=True)
class Trial:
    """One choice of values and how well it did.

    Attributes:
        values: setting -> value.
        scores: mean over corpora of micro F1 of each seed, fractions of 1.
    """

    values: dict[str, Value]
    scores: tuple[float, ...]

    @property
    def score(self) -> float:
        """Mean over the seeds."""
        return sum(self.scores) / len(self.scores)


@dataclass(frozen=True)
class Tuning:
    """A search, as far as it got.

    Attributes:
        space: what is searched.
        corpora: names of the corpora.
        seeds: random seeds of each trial.
        trials: in the order in which they were made; people count them from 1.
    """

    space: SearchSpace
    corpora: Sequence[str]
    seeds: Sequence[int]
    trials: Sequence[Trial] = field(default_factory=tuple)

    @property
    def best(self) -> int:
        """Place of the trial with the highest score; the first one of several."""
        return max(range(len(self.trials)), key=lambda number: (self.trials[number].score, -number))

    @property
    def title(self) -> str:
        """What was searched on."""
        return f"Tuning on {', '.join(self.corpora)} (devel split)"

    @property
    def varied(self) -> list[str]:
        """Names of the settings that may take several values."""
        return [name for name, setting in self.space.settings.items() if not setting.fixed]

    def add(self, trial: Trial) -> "Tuning":
        """The search with one more trial."""
        return replace(self, trials=(*self.trials, trial))

    def names(self) -> dict[str, str]:
        """Short names of the settings, no two the same: the last two parts, or more."""
        return short_names(list(self.space.settings))

    def to_table(self) -> Table:
        """The trials in their order, F1 in percent with the spread over seeds; a star marks the best."""
        names = self.names()
        rows = []
        for number, trial in enumerate(self.trials):
            cells = [value_text(trial.values[name]) for name in self.varied]
            star = " *" if number == self.best else ""
            rows.append([f"{number + 1}{star}", *cells, spread(trial.scores)])
        header = ["Trial", *(names[name] for name in self.varied), "F1"]
        return Table(header, rows, numbers=len(header) - 1)

    def verdict(self) -> list[str]:
        """What the search says, and what it does not, in sentences."""
        best, first = self.trials[self.best], self.trials[0]
        found = [f"Trial {self.best + 1} is the best of {len(self.trials)}: F1 {percent(best.score)}."]
        if self.best and self._starts_as_it_is():
            gain = 100 * (best.score - first.score)
            found.append(f"That is {gain:.2f} points above trial 1, the values of the config as it is.")
        found.append(
            "The best score of many is too high by chance; score the pipeline that best.cfg gives on the test split, once."
        )
        if len(self.seeds) == 1:
            found.append("Each trial was trained with one seed; other seeds move F1 as well.")
        return found

    def to_markdown(self) -> str:
        """Trials, best values and verdict as a Markdown page."""
        best = self.trials[self.best].values
        rows = [
            [f"`{name}`", value_text(self.space.start[name]), value_text(best[name])] for name in self.space.settings
        ]
        parts = [
            f"# {self.title}\n",
            f"F1 in percent, strict match: the mean over corpora of their micro F1 (seeds: {', '.join(map(str, self.seeds))}).\n",
            self.to_table().to_markdown(),
            "".join(f"- {sentence}\n" for sentence in self.verdict()),
            Table(["Setting", "Config", "Best"], rows, numbers=2).to_markdown(),
        ]
        return "\n".join(parts)

    def to_disk(self, json_path: Path, markdown_path: Path) -> None:
        """Write the search as JSON, from which it can go on, and as a Markdown page."""
        trials = [
            {"number": number, "values": trial.values, "scores": trial.scores, "score": trial.score}
            for number, trial in enumerate(self.trials, start=1)
        ]
        data = {"trials": trials, "best": self.best + 1, "corpora": list(self.corpora), "seeds": list(self.seeds)}
        write_json(json_path, {**data, "search space": self.space.to_json(), "start": dict(self.space.start)})
        write_text(markdown_path, self.to_markdown())

    def _starts_as_it_is(self) -> bool:
        return self.trials[0].values == self.space.start


def read_trials(path: Path) -> list[Trial]:
    """The trials of a search from its JSON file.

    Raises:
        BionerError: the file is not there, or holds no trials.
    """
    with reading_json(path, Errors.E632) as data:
        trials: list[dict[str, Any]] = data["trials"]
        return [Trial(dict(trial["values"]), tuple(map(float, trial["scores"]))) for trial in trials]


def short_names(names: Sequence[str]) -> dict[str, str]:
    """Name with dots -> its last two parts, with as many before them as tell it from the others."""

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
    """A value for people, as a config has it."""
    if isinstance(value, float):
        return f"{value:.4g}"
    return value if isinstance(value, str) else json.dumps(value)
