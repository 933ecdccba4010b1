"""Multi-task against single-task training, repeated with several seeds."""

from collections.abc import Sequence
from typing import Any

from ..scoring.compare import NAMES, compare
from ..scoring.comparison import Comparison
from .experiment import EPOCHS, MAX_EPOCHS, Experiment


def compare_over_seeds(
    experiment: Experiment,
    corpora: Sequence[str],
    seeds: Sequence[int],
    *,
    equal_steps: bool = False,
    **tests: Any,
) -> Comparison:
    """Train and score, for each seed, one pipeline on all corpora and one on each of them.

    Args:
        experiment: the experiment; runs are seed-<seed>/multi and seed-<seed>/single/<corpus>, or
            single-equal-steps/<corpus>.
        equal_steps: whether single-task pipelines are trained for more epochs, to reach about as many steps as the
            multi-task one.

    Returns:
        The comparison over all seeds.

    Raises:
        BionerError: see the runs of the experiment.
    """
    folder = "single-equal-steps" if equal_steps else "single"
    overrides: dict[str, dict[str, int]] = {corpus: {} for corpus in corpora}
    if equal_steps:
        experiment.require_unset(MAX_EPOCHS)
        steps = experiment.budget(corpora).steps
        for corpus in corpora:
            overrides[corpus][EPOCHS] = experiment.budget([corpus]).with_steps(steps).epochs
    multi, single = [], []
    for seed in seeds:
        multi.append(experiment.run(f"seed-{seed}/multi", corpora, seed=seed))
        for corpus in corpora:
            name = f"seed-{seed}/{folder}/{corpus}"
            single.append(experiment.run(name, [corpus], seed=seed, overrides=overrides[corpus]))
    names = ("longer single-task", NAMES[1]) if equal_steps else NAMES
    return compare(multi, single, names=names, **tests)
