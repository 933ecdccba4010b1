"""Repeat the comparison of multi-task with single-task training over several seeds."""

from typing import Annotated

import typer
from wasabi import msg

from bioner_spacy.cli import options
from bioner_spacy.cli.app import config_overrides, run
from bioner_spacy.corpora import load_catalogue
from bioner_spacy.experiments.experiment import Experiment
from bioner_spacy.experiments.seeds import compare_over_seeds
from bioner_spacy.training.runs import run_settings


def main(
    context: typer.Context,
    output: options.Output,
    corpora: Annotated[str, typer.Option(help="Sets or corpora of the catalogue, separated by commas.")] = "sample",
    seeds: options.Seeds = options.SEEDS,
    config: options.Config = options.CONFIG,
    catalogue: options.Catalogue = options.CATALOGUE,
    corpus: options.CorpusFolder = options.CORPUS_FOLDER,
    split: options.Split = "test",
    equal_steps: Annotated[
        bool,
        typer.Option(
            "--equal-steps",
            help="Train single-task pipelines for more epochs, for as many steps as the multi-task one.",
        ),
    ] = False,
    encoder: options.Encoder = None,
    epochs: options.Epochs = 0,
    fraction: options.Fraction = 1.0,
    gpu_id: options.GpuId = -1,
    alpha: options.Alpha = options.ALPHA,
    resamples: options.Resamples = options.RESAMPLES,
) -> None:
    """Repeat the comparison of multi-task with single-task training over several seeds.

    Further arguments change the config, as for `spacy train`: --components.multitask_ner.grain corpus
    """
    chosen, overrides = load_catalogue(catalogue).training_set(corpora), config_overrides(context)
    settings = run_settings(
        chosen, config, corpus, epochs=epochs, fraction=fraction, encoder=encoder, overrides=overrides
    )
    experiment = Experiment(
        config,
        output,
        corpus_folder=corpus,
        settings=settings,
        overrides=overrides,
        split=split,
        gpu_id=gpu_id,
        shared={"corpora": list(chosen.corpora)},
    )
    comparison = compare_over_seeds(
        experiment,
        chosen.corpora,
        options.parse_seeds(seeds),
        equal_steps=equal_steps,
        alpha=alpha,
        resamples=resamples,
    )
    stem = output / ("seeds-equal-steps" if equal_steps else "seeds")
    page, data = stem.with_suffix(".md"), stem.with_suffix(".json")
    comparison.to_disk(data, page)
    typer.echo(comparison.to_table().to_text())
    for sentence in (*comparison.verdict(), *comparison.method()):
        msg.info(sentence)
    msg.good(f"Wrote {data} and {page}")


if __name__ == "__main__":
    run(main, overrides=True)
