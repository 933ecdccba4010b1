"""Multi-task against single-task training, repeated with several seeds."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from ..evaluation.compare import compare
from ..evaluation.comparison import Comparison
from ..evaluation.significance import ALPHA, RESAMPLES
from .experiment import Experiment


def compare_over_seeds(
    config: Path,
    output: Path,
    *,
    corpora: Sequence[str],
    corpus_folder: Path,
    seeds: Sequence[int],
    settings: Mapping[str, object],
    overrides: Mapping[str, object] = {},
    split: str = "test",
    gpu_id: int = -1,
    alpha: float = ALPHA,
    resamples: int = RESAMPLES,
) -> Comparison:
    """Train and score, for each seed, one pipeline on all corpora and one on each of them.

    Results are kept in `output`/runs/seed-<seed>/multi.json and single/<corpus>.json, and what is there already is not
    computed again: an interrupted run goes on, and seeds can be added. Pipelines are deleted once they are scored.

    Args:
        config: training config, see `train_run`.
        output: folder of the results.
        corpora: names of the corpora.
        corpus_folder: folder with `<corpus>/<split>.spacy`.
        seeds: random seeds.
        settings: values for the section `vars` of the config.
        overrides: other values of the config by their names with dots.
        split: the split to score on.
        gpu_id: number of the GPU; -1 for the CPU.
        alpha: level of the tests.
        resamples: number of draws of each test.

    Returns:
        The comparison over all seeds.

    Raises:
        BionerError: as `Experiment` and its runs do.
    """
    experiment = Experiment(
        config,
        output,
        corpus_folder=corpus_folder,
        settings=settings,
        overrides=overrides,
        split=split,
        gpu_id=gpu_id,
        shared={"corpora": list(corpora)},
    )
    multi, single = [], []
    for seed in seeds:
        multi.append(experiment.run(f"seed-{seed}/multi", corpora, seed=seed))
        single += [experiment.run(f"seed-{seed}/single/{corpus}", [corpus], seed=seed) for corpus in corpora]
    return compare(multi, single, alpha=alpha, resamples=resamples)
