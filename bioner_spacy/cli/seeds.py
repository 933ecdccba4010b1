"""Multi-task against single-task training, repeated with several seeds."""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Optional

import srsly
from spacy.cli._util import show_validation_error
from spacy.util import load_config

from ..corpora.files import checksum
from ..errors import BionerError, Errors
from ..evaluation.compare import compare
from ..evaluation.comparison import Comparison
from ..evaluation.evaluate import evaluate
from ..evaluation.results import Results, write_json
from ..evaluation.significance import ALPHA, RESAMPLES
from ..training.corpora import MultiCorpus
from ..training.runs import train_run

SETTINGS_FILE = "settings.json"


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

    Results are kept in `output`/seed-<seed>/multi.json and single/<corpus>.json, and what is there already is not
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
        BionerError: `output` holds results of another config, other corpora, other settings or other sentences that are
            left out of training; or as `train_run` and `evaluate` do.
    """
    if not config.is_file():
        raise BionerError(Errors.E410.format(path=config))
    made_with: dict[str, object] = {"config": config.read_text(encoding="utf8"), "corpora": list(corpora)}
    made_with.update(split=split, **settings, **overrides)
    settings = {**settings, "corpus_folder": str(corpus_folder)}
    values: dict[str, Any] = {**{f"vars.{name}": value for name, value in settings.items()}, **overrides}
    _check_settings(output, {**made_with, "excluded sentences": _checksum_of_excluded(config, values)})
    # Scored on texts of the kind that was trained on.
    context = {name: values[f"vars.{name}"] for name in ("context", "context_words") if f"vars.{name}" in values}
    multi, single = [], []
    for seed in seeds:
        folder = output / f"seed-{seed}"
        runs = {folder / "multi.json": list(corpora)}
        runs.update({folder / "single" / f"{corpus}.json": [corpus] for corpus in corpora})
        for path, names in runs.items():
            if path.is_file():
                continue
            pipeline = path.with_suffix("")
            try:
                train_run(
                    config,
                    pipeline,
                    names,
                    settings={**settings, "seed": seed},
                    overrides=overrides,
                    gpu_id=gpu_id,
                )
                model = pipeline / "model-last"
                evaluate(model, corpus_folder, corpora=names, split=split, gpu_id=gpu_id, **context).to_disk(path)
            finally:
                shutil.rmtree(pipeline, ignore_errors=True)
        of_seed = [Results.from_disk(path) for path in runs]
        multi.append(of_seed[0])
        single += of_seed[1:]
    return compare(multi, single, alpha=alpha, resamples=resamples)


def _checksum_of_excluded(config: Path, values: Mapping[str, Any]) -> Optional[str]:
    """Checksum of the file of sentences to leave out of training, as its name alone ("auto") tells nothing; or None."""
    with show_validation_error(config):
        variables = load_config(config, overrides=dict(values), interpolate=True)["vars"]
    file = MultiCorpus(variables["corpus_folder"], exclude=variables.get("exclude")).exclude
    return None if file is None else checksum(file)


def _check_settings(output: Path, made_with: Mapping[str, object]) -> None:
    path = output / SETTINGS_FILE
    # Settings of a run that ended before its first result bind nobody.
    if not path.is_file() or not any(output.glob("seed-*/multi.json")):
        write_json(path, dict(made_with))
        return
    before = srsly.read_json(path)
    different = sorted(name for name in {*before, *made_with} if before.get(name) != made_with.get(name))
    if different:
        raise BionerError(Errors.E603.format(output=output, names=", ".join(different)))
