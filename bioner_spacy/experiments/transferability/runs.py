"""Runs that measure gains: one per corpus and one per pair of corpora, for every seed."""

from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from statistics import mean
from typing import Union

from spacy.util import load_config

from ...errors import BionerError, Errors, Warnings, warn
from ...scoring.metrics import STRICT, Metric, get_metric
from ...scoring.results import Results
from ...scoring.significance import ALPHA, RESAMPLES
from ...training.config_errors import config_errors
from ..curves import read_curve
from ..experiment import EPOCHS, MAX_EPOCHS, RESULTS, Budget, Experiment
from .gains import Gains, Losses, gain_rows

POINTS = 20
"""Number of evaluations (points of the learning curve) of a single run."""

LOOKED_AT = 100
"""Development documents per evaluation; scores are not used."""

EQUAL_EPOCHS = "equal-epochs"
"""Subfolder of gains against single runs with equal epochs."""

_LOGGING = ("training.logger.output_file", "training.eval_frequency", "corpora.dev.limit")


def measure_gains(
    experiment: Experiment,
    corpora: Sequence[str],
    seeds: Sequence[int],
    *,
    equal_steps: bool = True,
    alpha: float = ALPHA,
    resamples: int = RESAMPLES,
    metric: Union[str, Metric] = STRICT,
) -> Gains:
    """Train and score, for each seed, a pipeline per corpus and one per pair of corpora.

    Args:
        experiment: the experiment; runs are seed-<seed>/alone/<corpus>-<epochs>-epochs (with learning curves, .jsonl)
            and seed-<seed>/joint/<corpus>+<corpus>. Its setting `tokens` is the approximate number of tokens per
            corpus; 0 for all.
        corpora: names of two corpora or more; corpora can be added to an experiment.
        equal_steps: whether single runs have as many steps as joint runs on average, instead of as many epochs.

    Returns:
        The gains in both directions of every pair.

    Raises:
        BionerError: there is one corpus only, or see the runs of the experiment.
    """
    if len(set(corpora)) < 2:
        raise BionerError(Errors.E620.format(names=", ".join(corpora)))
    experiment.require_unset(*_LOGGING)
    tokens = int(experiment.variables.get("tokens", 0))
    budgets = {corpus: experiment.budget([corpus]) for corpus in corpora}
    for corpus, budget in budgets.items():
        if budget.tokens < tokens:
            warn(Warnings.W508.format(corpus=corpus, found=budget.tokens, wanted=tokens))
    alone: dict[str, list[Results]] = {corpus: [] for corpus in corpora}
    joint: dict[frozenset[str], list[Results]] = {frozenset(pair): [] for pair in combinations(corpora, 2)}
    joint_steps = {pair: experiment.budget(sorted(pair)).steps for pair in joint}
    epochs = next(iter(budgets.values())).epochs
    if equal_steps:
        experiment.require_unset(MAX_EPOCHS)
        for corpus in corpora:
            wanted = mean(steps for pair, steps in joint_steps.items() if corpus in pair)
            budgets[corpus] = budgets[corpus].with_steps(wanted)
    for seed in seeds:
        for corpus in corpora:
            name = _name_alone(corpus, budgets[corpus], seed)
            alone[corpus].append(_run_alone(experiment, name, corpus, budgets[corpus], seed))
        for pair, runs in joint.items():
            # In a fixed order, because it affects the batches.
            names = sorted(pair)
            runs.append(experiment.run(f"seed-{seed}/joint/{'+'.join(names)}", names, seed=seed))
    return Gains(
        corpora=list(corpora),
        split=experiment.split,
        seeds=list(seeds),
        tokens={corpus: budget.tokens for corpus, budget in budgets.items()},
        budget=tokens,
        equal_steps=equal_steps,
        epochs=epochs,
        steps={corpus: budget.steps for corpus, budget in budgets.items()},
        joint_steps=round(mean(joint_steps.values())),
        rows=gain_rows(alone, joint, alpha=alpha, resamples=resamples, metric=metric),
        curves={
            corpus: _curves(experiment, [_name_alone(corpus, budget, seed) for seed in seeds])
            for corpus, budget in budgets.items()
        },
        alpha=alpha,
        metric=get_metric(metric).name,
    )


def config_encoder(config: Path) -> str:
    """Name of the encoder of a training config."""
    if not config.is_file():
        raise BionerError(Errors.E410.format(path=config))
    with config_errors(config, {}):
        return str(load_config(config)["vars"]["encoder"])


def _name_alone(corpus: str, budget: Budget, seed: int) -> str:
    """Name of a run, including its epochs, which depend on the other corpora with equal steps."""
    return f"seed-{seed}/alone/{corpus}-{budget.epochs}-epochs"


def _run_alone(experiment: Experiment, name: str, corpus: str, budget: Budget, seed: int) -> Results:
    """Train on one corpus, with frequent evaluations, which do not affect training."""
    curve = _curve_file(experiment, name)
    if not experiment.results(name).is_file():
        curve.unlink(missing_ok=True)  # of a run that was interrupted
    logging = dict(zip(_LOGGING, (str(curve), max(1, budget.steps // POINTS), LOOKED_AT)))
    return experiment.run(name, [corpus], seed=seed, overrides={**logging, EPOCHS: budget.epochs})


def _curves(experiment: Experiment, names: Sequence[str]) -> list[Losses]:
    files = (_curve_file(experiment, name) for name in names)
    curves = [read_curve(file) for file in files if file.is_file()]
    return [list(zip(curve.updates, curve.loss)) for curve in curves]


def _curve_file(experiment: Experiment, name: str) -> Path:
    return experiment.folder / RESULTS / f"{name}.jsonl"
