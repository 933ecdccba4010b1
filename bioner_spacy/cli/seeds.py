"""Multi-task against single-task training, repeated with several seeds."""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import srsly

from ..errors import BionerError, Errors
from ..evaluation.compare import Comparison, compare
from ..evaluation.evaluate import evaluate
from ..evaluation.results import Results, write_json
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
) -> list[Comparison]:
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

    Returns:
        The comparison of each seed.

    Raises:
        BionerError: `output` holds results of another config, other corpora or other settings; or as `train_run` and
            `evaluate` do.
    """
    if not config.is_file():
        raise BionerError(Errors.E410.format(path=config))
    made_with: dict[str, object] = {"config": config.read_text(encoding="utf8"), "corpora": list(corpora)}
    made_with.update(split=split, **settings, **overrides)
    _check_settings(output, made_with)
    settings = {**settings, "corpus_folder": str(corpus_folder)}
    values: dict[str, Any] = {**{f"vars.{name}": value for name, value in settings.items()}, **overrides}
    # Scored on texts of the kind that was trained on.
    context = {name: values[f"vars.{name}"] for name in ("context", "context_words") if f"vars.{name}" in values}
    comparisons = []
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
        multi, *singles = (Results.from_disk(path) for path in runs)
        comparisons.append(compare(multi, singles))
    return comparisons


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
