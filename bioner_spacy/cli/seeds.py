"""Multi-task against single-task training, repeated with several seeds."""

from collections.abc import Sequence

from ..evaluation.compare import compare
from ..evaluation.comparison import Comparison
from ..evaluation.significance import ALPHA, RESAMPLES
from .experiment import Experiment


def compare_over_seeds(
    experiment: Experiment,
    corpora: Sequence[str],
    seeds: Sequence[int],
    *,
    alpha: float = ALPHA,
    resamples: int = RESAMPLES,
) -> Comparison:
    """Train and score, for each seed, one pipeline on all corpora and one on each of them.

    Args:
        experiment: where runs are kept, as seed-<seed>/multi and seed-<seed>/single/<corpus>.
        corpora: names of the corpora.
        seeds: random seeds.
        alpha: level of the tests.
        resamples: number of draws of each test.

    Returns:
        The comparison over all seeds.

    Raises:
        BionerError: as the runs of the experiment do.
    """
    multi, single = [], []
    for seed in seeds:
        multi.append(experiment.run(f"seed-{seed}/multi", corpora, seed=seed))
        single += [experiment.run(f"seed-{seed}/single/{corpus}", [corpus], seed=seed) for corpus in corpora]
    return compare(multi, single, alpha=alpha, resamples=resamples)
