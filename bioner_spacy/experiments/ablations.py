"""Ablations of annotation scopes: against a naive merge, heads per corpus, and full annotation."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..errors import BionerError, Errors
from ..scoring.results import Results
from ..scoring.systems import Systems, compare_systems
from ..training.corpora import MultiCorpus
from .experiment import Experiment, over_seeds, run_name
from .split_types import split_types

MASKED, NAIVE, BY_CORPUS, FULL = "scope masking", "naive merge", "one head per corpus", "full annotation"
GRAIN, IGNORE_SCOPE = "components.multitask_ner.grain", "components.multitask_ner.ignore_scope"
SYSTEMS: Mapping[str, Mapping[str, object]] = {
    MASKED: {GRAIN: "type", IGNORE_SCOPE: False},
    NAIVE: {GRAIN: "type", IGNORE_SCOPE: True},
    BY_CORPUS: {GRAIN: "corpus", IGNORE_SCOPE: False},
}
"""Values of the config for each system."""

PARTS = "parts"
"""Subfolder of the parts of a corpus."""


def ablate_scope(
    experiment: Experiment,
    corpora: Sequence[str],
    seeds: Sequence[int],
    **tests: Any,
) -> Systems:
    """Train with scope masking, with a naive merge, and with one head per corpus; compare with the first.

    Args:
        tests: how differences are tested, as for `compare`.

    Raises:
        BionerError: the experiment changes a setting in which the systems differ; see also its runs.
    """
    experiment.require_unset(GRAIN, IGNORE_SCOPE)

    def run(system: str) -> Callable[[int], Results]:
        return lambda seed: experiment.run(run_name(seed, system), corpora, seed=seed, overrides=SYSTEMS[system])

    results = over_seeds({system: run(system) for system in SYSTEMS}, seeds)
    title = f"Scope ablation on {', '.join(corpora)} ({experiment.split} split)"
    return compare_systems(title, results, **tests)


def ablate_annotation(
    experiment: Experiment,
    corpora: Sequence[str],
    seeds: Sequence[int],
    **tests: Any,
) -> Systems:
    """Train on a corpus of several types, and on parts of it annotated for one type each.

    The parts hold the training examples of the corpus, split again for every seed (`split_types`). Scope masking and a
    naive merge on the parts are compared with full annotation, on all types of the corpus.

    Args:
        seeds: random seeds, of training and of the draw.
        tests: how differences are tested, as for `compare`.

    Raises:
        BionerError: there are several corpora, the corpus cannot be split, or the experiment changes a setting in
            which the systems differ; see also its runs.
    """
    if len(corpora) != 1:
        raise BionerError(Errors.E608.format(what="a corpus to split", names=", ".join(corpora)))
    [corpus] = corpora
    experiment.require_unset(GRAIN, IGNORE_SCOPE, "corpora.train", "corpora.dev")

    def full(seed: int) -> Results:
        return experiment.run(run_name(seed, FULL), [corpus], seed=seed, overrides=SYSTEMS[MASKED])

    def on_parts(system: str) -> Callable[[int], Results]:
        return lambda seed: _run_on_parts(experiment, corpus, system, seed)

    systems = {MASKED: on_parts(MASKED), FULL: full, NAIVE: on_parts(NAIVE)}
    results = over_seeds(systems, seeds)
    title = f"Full annotation of {corpus} and one type in each part ({experiment.split} split)"
    return compare_systems(title, results, **tests)


def _run_on_parts(experiment: Experiment, corpus: str, system: str, seed: int) -> Results:
    name, folder = run_name(seed, system), experiment.folder / PARTS / f"seed-{seed}"
    parts: Sequence[str] = ()
    if not experiment.results(name).is_file():
        context = experiment.variable("context", "context_tokens")
        chosen = experiment.variable("fraction", "tokens", "exclude")
        training = MultiCorpus(experiment.corpus_folder, [corpus], "train", **chosen, **context)
        development = MultiCorpus(experiment.corpus_folder, [corpus], "devel", **context)
        parts = split_types(training, development, corpus, folder, seed=seed)
    # The parts are already a selection.
    plain = {"fraction": 1.0, "tokens": 0, "exclude": None, "context": "source"}
    overrides = {f"vars.{setting}": plain[setting] for setting in experiment.variable(*plain)}
    return experiment.run(
        name,
        parts,
        seed=seed,
        score_on=[corpus],
        corpus_folder=folder,
        overrides={**SYSTEMS[system], **overrides},
    )
