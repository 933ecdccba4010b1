"""Transfer learning and multi-task training, separately and combined, for a target corpus."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Optional

from ..errors import BionerError, Errors
from ..scoring.results import Results
from ..scoring.systems import Systems, compare_systems
from .experiment import EPOCHS, MAX_EPOCHS, Experiment, over_seeds, run_name

SINGLE, TRANSFER, MULTI, BOTH = "single task", "transfer", "multi-task", "transfer + multi-task"
LONGER = "longer single task"
"""Target only, for about as many steps as multi-task training: the effect of steps without data."""
AUXILIARIES = "auxiliaries"
"""Name of the runs on auxiliary corpora; scored on these."""
INIT_FROM = "vars.init_from"


def compare_transfer(
    experiment: Experiment,
    target: str,
    auxiliaries: Sequence[str],
    seeds: Sequence[int],
    *,
    best: Optional[Sequence[str]] = None,
    **tests: Any,
) -> Systems:
    """Compare training on a target corpus: alone, longer, by transfer, multi-task, and transfer + multi-task.

    Akdemir & Shibuya 2020, "Analyzing the effect of multi-task learning for biomedical named entity recognition"
    (arXiv 2011.00425): the encoder and the heads are trained on the auxiliary corpora first, and then on the target
    ("transfer") or on the target and its best auxiliaries ("transfer + multi-task"). All are scored on the target and
    tested against training on it alone for as many steps.

    Args:
        best: auxiliaries of the last stage of "transfer + multi-task"; None for all.

    Raises:
        BionerError: the target is among the auxiliaries, one of `best` is not, or the experiment changes a setting in
            which the systems differ; see also its runs.
    """
    chosen = list(auxiliaries if best is None else best)
    if target in auxiliaries or not auxiliaries:
        raise BionerError(Errors.E609.format(target=target, names=", ".join(auxiliaries) or "none"))
    if unknown := [name for name in chosen if name not in auxiliaries]:
        raise BionerError(Errors.E610.format(names=", ".join(unknown), known=", ".join(auxiliaries)))
    experiment.require_unset(INIT_FROM, MAX_EPOCHS)
    if not experiment.variable("init_from"):
        raise BionerError(Errors.E611.format(config=experiment.config))

    def alone(system: str, corpora: Sequence[str], overrides: Mapping[str, object] = {}) -> Callable[[int], Results]:
        return lambda seed: experiment.run(
            run_name(seed, system), corpora, seed=seed, score_on=[target], overrides=overrides
        )

    def transferred(system: str, corpora: Sequence[str]) -> Callable[[int], Results]:
        return lambda seed: _run_from(experiment, system, corpora, auxiliaries, target, seed)

    longer = experiment.budget([target]).with_steps(experiment.budget([target, *auxiliaries]).steps)
    systems = {
        LONGER: alone(LONGER, [target], {EPOCHS: longer.epochs}),
        SINGLE: alone(SINGLE, [target]),
        MULTI: alone(MULTI, [target, *auxiliaries]),
        TRANSFER: transferred(TRANSFER, [target]),
        BOTH: transferred(BOTH, [target, *chosen]),
    }
    results: dict[str, list[Results]] = {system: [] for system in systems}
    for seed in seeds:
        for system, found in over_seeds(systems, [seed]).items():
            results[system] += found
        experiment.discard(run_name(seed, AUXILIARIES))
    title = f"Transfer to {target} from {', '.join(auxiliaries)} ({experiment.split} split)"
    return compare_systems(title, results, **tests)


def _run_from(
    experiment: Experiment, system: str, corpora: Sequence[str], auxiliaries: Sequence[str], target: str, seed: int
) -> Results:
    """A run that starts from the pipeline of the auxiliaries, which is trained if missing."""
    name, first = run_name(seed, system), run_name(seed, AUXILIARIES)
    if not experiment.results(name).is_file():
        experiment.run(first, auxiliaries, seed=seed, keep=True)
    overrides = {INIT_FROM: str(experiment.pipeline(first))}
    return experiment.run(name, corpora, seed=seed, score_on=[target], overrides=overrides)
