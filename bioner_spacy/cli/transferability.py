"""Gains of auxiliary corpora: one run on each corpus, one on each pair, for every seed."""

from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

from spacy.cli._util import show_validation_error
from spacy.util import load_config, registry

from ..errors import BionerError, Errors, Warnings, warn
from ..evaluation.learning_curves import read_curve
from ..evaluation.results import Results
from ..evaluation.significance import ALPHA, RESAMPLES
from ..evaluation.transferability.gains import Gains, Losses, gain_rows
from .experiment import RESULTS, Experiment

POINTS = 20
"""Evaluations of a run alone, at each of which the learning curve has a point."""

LOOKED_AT = 100
"""Documents of the development set for these evaluations, whose scores nobody uses."""

_LOGGING = ("training.logger.output_file", "training.eval_frequency", "corpora.dev.limit")


def measure_gains(
    experiment: Experiment,
    corpora: Sequence[str],
    seeds: Sequence[int],
    *,
    alpha: float = ALPHA,
    resamples: int = RESAMPLES,
) -> Gains:
    """Train and score, for each seed, a pipeline on each corpus and one on each pair of corpora.

    Args:
        experiment: where runs are kept, as seed-<seed>/alone/<corpus>, with the learning curves beside them as .jsonl,
            and seed-<seed>/joint/<corpus>+<corpus>. Its setting `words` says how many words of each corpus a run reads,
            about, the same documents in every run; 0 for all.
        corpora: names of two corpora or more; corpora can be added to an experiment.
        seeds: random seeds.
        alpha: level of the tests.
        resamples: number of draws of each test.

    Returns:
        The gains in both directions of every pair.

    Raises:
        BionerError: there is one corpus only, or as the runs of the experiment do.
    """
    if len(set(corpora)) < 2:
        raise BionerError(Errors.E620.format(names=", ".join(corpora)))
    experiment.require_unset(*_LOGGING)
    words = int(experiment.variables.get("words", 0))
    budgets = {corpus: _Budget(experiment, corpus) for corpus in corpora}
    for corpus, budget in budgets.items():
        if budget.words < words:
            warn(Warnings.W508.format(corpus=corpus, found=budget.words, wanted=words))
    alone: dict[str, list[Results]] = {corpus: [] for corpus in corpora}
    joint: dict[frozenset[str], list[Results]] = {frozenset(pair): [] for pair in combinations(corpora, 2)}
    for seed in seeds:
        for corpus in corpora:
            alone[corpus].append(_run_alone(experiment, corpus, budgets[corpus].steps, seed))
        for pair, runs in joint.items():
            # In one order, whatever the order of the corpora: it decides on the batches.
            names = sorted(pair)
            runs.append(experiment.run(f"seed-{seed}/joint/{'+'.join(names)}", names, seed=seed))
    return Gains(
        corpora=list(corpora),
        split=experiment.split,
        seeds=list(seeds),
        words={corpus: budget.words for corpus, budget in budgets.items()},
        budget=words,
        epochs=next(iter(budgets.values())).epochs,
        steps={corpus: budget.steps for corpus, budget in budgets.items()},
        rows=gain_rows(alone, joint, alpha=alpha, resamples=resamples),
        curves={corpus: _curves(experiment, corpus, seeds) for corpus in corpora},
        alpha=alpha,
    )


def config_encoder(config: Path) -> str:
    """Name of the encoder of a training config.

    Raises:
        BionerError: there is no such config.
    """
    if not config.is_file():
        raise BionerError(Errors.E410.format(path=config))
    with show_validation_error(config):
        return str(load_config(config)["vars"]["encoder"])


class _Budget:
    """What a run on one corpus alone reads.

    Attributes:
        words: words of the training corpus.
        epochs: number of epochs.
        steps: number of steps of all epochs.
    """

    def __init__(self, experiment: Experiment, corpus: str) -> None:
        variables = {**experiment.settings, "corpora": corpus}
        values = {**{f"vars.{name}": value for name, value in variables.items()}, **experiment.overrides}
        with show_validation_error(experiment.config):
            config = load_config(experiment.config, overrides=values, interpolate=True)
            blocks = {"reader": config["corpora"]["train"], "batcher": config["training"]["batcher"]}
            made: dict[str, Any] = registry.resolve(blocks)
        lengths = made["reader"].lengths()
        self.words = int(sum(of_corpus.sum() for of_corpus in lengths.values()))
        self.epochs = int(config["training"]["max_epochs"])
        self.steps = self.epochs * int(made["batcher"].batches_per_epoch(lengths))


def _run_alone(experiment: Experiment, corpus: str, steps: int, seed: int) -> Results:
    """Train on one corpus; how often it is evaluated on the way changes nothing in what is learnt."""
    name = _name_alone(corpus, seed)
    if not experiment.results(name).is_file():
        _curve_file(experiment, corpus, seed).unlink(missing_ok=True)  # of a run that was interrupted
    values = (str(_curve_file(experiment, corpus, seed)), max(1, steps // POINTS), LOOKED_AT)
    return experiment.run(name, [corpus], seed=seed, overrides=dict(zip(_LOGGING, values)))


def _curves(experiment: Experiment, corpus: str, seeds: Sequence[int]) -> list[Losses]:
    files = (_curve_file(experiment, corpus, seed) for seed in seeds)
    curves = [read_curve(file) for file in files if file.is_file()]
    return [list(zip(curve.updates, curve.loss)) for curve in curves]


def _name_alone(corpus: str, seed: int) -> str:
    return f"seed-{seed}/alone/{corpus}"


def _curve_file(experiment: Experiment, corpus: str, seed: int) -> Path:
    return experiment.folder / RESULTS / f"{_name_alone(corpus, seed)}.jsonl"
