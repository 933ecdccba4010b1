"""Search the settings of training for those that score best on development data."""

from pathlib import Path
from typing import Annotated

import typer
from wasabi import msg

from bioner_spacy.cli import options
from bioner_spacy.cli.app import config_overrides, run
from bioner_spacy.corpora import load_catalogue
from bioner_spacy.experiments.tune import tune
from bioner_spacy.training.runs import run_settings


def main(
    context: typer.Context,
    output: options.Output,
    corpora: Annotated[str, typer.Option(help="Sets or corpora of the catalogue, with commas.")] = "sample",
    space: Annotated[Path, typer.Option(help="The settings to search.")] = Path("configs/tuning.yml"),
    trials: Annotated[int, typer.Option(min=1, help="Trials in the folder at the end.")] = 20,
    seeds: options.Seeds = "0",
    config: options.Config = options.CONFIG,
    catalogue: options.Catalogue = options.CATALOGUE,
    corpus: options.CorpusFolder = options.CORPUS_FOLDER,
    encoder: options.Encoder = None,
    epochs: options.Epochs = 0,
    fraction: options.Fraction = 1.0,
    gpu_id: options.GpuId = -1,
) -> None:
    """Search the settings of training for those that score best on development data.

    The score of a trial is the mean over corpora of micro F1 on the devel split, and over the seeds. Further arguments
    change the config for all trials, as for `spacy train`: --components.multitask_ner.grain corpus
    """
    chosen, overrides = load_catalogue(catalogue).training_set(corpora), config_overrides(context)
    settings = run_settings(
        chosen, config, corpus, epochs=epochs, fraction=fraction, encoder=encoder, overrides=overrides
    )
    tuning = tune(
        config,
        output,
        space=space,
        trials=trials,
        corpora=chosen.corpora,
        corpus_folder=corpus,
        seeds=options.parse_seeds(seeds),
        settings=settings,
        overrides=overrides,
        gpu_id=gpu_id,
    )
    typer.echo(tuning.to_table().to_text())
    for sentence in tuning.verdict():
        msg.info(sentence)
    msg.good(
        f"Wrote {output / 'best.cfg'}, {output / 'tuning.md'}, {output / 'tuning.svg'} and {output / 'tuning.png'}"
    )


if __name__ == "__main__":
    run(main, overrides=True)
