"""Hyperparameter search on development data."""

import hashlib
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from itertools import takewhile
from pathlib import Path
from typing import Any

import numpy

from ..errors import BionerError, Errors, import_extra
from ..scoring.results import Results, write_text
from ..training.settings import read_config
from .experiment import Experiment
from .search_space import Choice, Range, SearchSpace, Setting, Value, resolve_space
from .tuning import TRIALS_FILE, Trial, Tuning, read_trials, value_text, write_trials

SPLIT = "devel"
BEST = "best.cfg"


def tune(
    config: Path,
    output: Path,
    *,
    space: Path,
    trials: int,
    corpora: Sequence[str],
    corpus_folder: Path,
    seeds: Sequence[int],
    settings: Mapping[str, object],
    overrides: Mapping[str, object] = {},
    report: Callable[[Tuning, Path], object] = write_trials,
    **scoring: Any,
) -> Tuning:
    """Search settings of a config that maximise micro F1, averaged over corpora, on the devel split.

    Trials are kept in `output`/tuning.json and their results in `output`/runs, so an interrupted search continues, and
    trials can be added. After each trial, `report` and best.cfg (the config with the best values) are updated.
    Pipelines are deleted after scoring.

    Args:
        config: training config, see `train_run`.
        space: file of the settings to search, see `read_space`.
        trials: number of trials in the folder at the end.
        seeds: random seeds of training; each trial is trained with each. The first is also the seed of the search.
        settings: values for the section `vars` of the config.
        overrides: other values of the config, by dotted names.
        report: writes the search to a folder, see `reports.tuning.write_tuning`.
        scoring: keys of mentions and GPU, as for `Experiment`.

    Raises:
        BionerError: Optuna is not installed, the search space does not fit the config, or `output` holds another
            search; see also `Experiment`.
    """
    _optuna()
    changes: dict[str, Any] = {"settings": settings, "overrides": overrides}
    found = resolve_space(space, config, corpora=corpora, corpus_folder=corpus_folder, **changes)
    shared = {"corpora": list(corpora), "seeds": list(seeds), "search space": found.to_json()}
    experiment = Experiment(
        config, output, corpus_folder=corpus_folder, split=SPLIT, shared=shared, **changes, **scoring
    )
    experiment.require_unset(*found.settings)
    tuning = Tuning(found, corpora, seeds, _finished(experiment, seeds))
    while len(tuning.trials) < trials:
        values = propose(found, tuning.trials, seed=seeds[0])
        number, names = len(tuning.trials) + 1, tuning.names()
        shown = ", ".join(f"{names[name]} {value_text(values[name])}" for name in tuning.varied)
        sys.stdout.write(f"Trial {number} of {trials}: {shown}\n")
        scores = [
            _score(experiment.run(_run_name(values, seed), corpora, seed=seed, overrides=values)) for seed in seeds
        ]
        tuning = tuning.add(Trial(values, tuple(scores)))
        _write(tuning, experiment, report)
        best, score = tuning.trials[tuning.best], tuning.trials[-1].score
        others = (
            "the best so far"
            if tuning.best + 1 == number
            else f"best: {100 * best.score:.2f}, trial {tuning.best + 1}"
        )
        sys.stdout.write(f"Trial {number} of {trials}: F1 {100 * score:.2f} ({others})\n")
    _write(tuning, experiment, report)
    return tuning


def propose(space: SearchSpace, trials: Sequence[Trial], *, seed: int) -> dict[str, Value]:
    """Values to try next, by the multivariate tree-structured Parzen estimator (Bergstra et al. 2011).

    The first trial has the values of the config if the space contains them; the first ten are otherwise random. Random
    numbers depend on the seed and the number of the trial only, so resumed searches give the same result.
    """
    optuna = _optuna()
    distributions = {name: _distribution(optuna, setting) for name, setting in space.settings.items()}
    numbers = numpy.random.SeedSequence([seed, len(trials)]).generate_state(1)
    sampler = optuna.samplers.TPESampler(seed=int(numbers[0]))
    study = optuna.create_study(direction="maximize", sampler=sampler)
    for trial in trials:
        params = {name: _encode(setting, trial.values[name]) for name, setting in space.settings.items()}
        study.add_trial(optuna.trial.create_trial(params=params, distributions=distributions, value=trial.score))
    if not trials:
        start = {name: space.start[name] for name, setting in space.settings.items() if space.start[name] in setting}
        study.enqueue_trial({name: _encode(space.settings[name], value) for name, value in start.items()})
    asked = study.ask(distributions).params
    return {name: _decode(setting, asked[name]) for name, setting in space.settings.items()}


def _optuna() -> Any:
    optuna = import_extra("optuna", "tune")
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna


def _distribution(optuna: Any, setting: Setting) -> Any:
    if isinstance(setting, Choice):
        # By index, because 1 and true are equal for Optuna.
        return optuna.distributions.CategoricalDistribution(tuple(range(len(setting.values))))
    kind = optuna.distributions.IntDistribution if setting.whole else optuna.distributions.FloatDistribution
    return kind(setting.low, setting.high, log=setting.log)


def _encode(setting: Setting, value: Value) -> Any:
    return value if isinstance(setting, Range) else setting.index(value)


def _decode(setting: Setting, value: Any) -> Value:
    return setting.tidy(value) if isinstance(setting, Range) else setting.values[value]


def _run_name(values: Mapping[str, Value], seed: int) -> str:
    """Name of a run, the same for the same values, so that repeated values are not trained again."""
    digest = hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()
    return f"{digest[:12]}/seed-{seed}"


def _finished(experiment: Experiment, seeds: Sequence[int]) -> tuple[Trial, ...]:
    """Trials of a resumed search, up to the first one without results."""
    path = experiment.folder / TRIALS_FILE
    if not path.is_file():
        return ()

    def scored(trial: Trial) -> bool:
        return all(experiment.results(_run_name(trial.values, seed)).is_file() for seed in seeds)

    return tuple(takewhile(scored, read_trials(path)))


def _score(results: Results) -> float:
    """Mean over corpora of their micro F1."""
    score = results.scores["macro_f"]
    if score is None:
        raise BionerError(Errors.E634.format(path=results.label))
    return float(score)


def _write(tuning: Tuning, experiment: Experiment, report: Callable[[Tuning, Path], object]) -> None:
    folder = experiment.folder
    report(tuning, folder)
    variables = {**experiment.settings, "corpora": ",".join(tuning.corpora), "seed": tuning.seeds[0]}
    values = {**{f"vars.{name}": value for name, value in variables.items()}, **experiment.overrides}
    best = tuning.trials[tuning.best]
    values.update({name: best.values[name] for name in tuning.space.settings})
    filled = read_config(experiment.config, values)
    trial = f"Trial {tuning.best + 1} of {len(tuning.trials)} of `spacy bioner experiment tune`"
    head = f"# {trial}: F1 {100 * best.score:.2f} on development data.\n"
    write_text(folder / BEST, head + filled.to_str(interpolate=False) + "\n")
