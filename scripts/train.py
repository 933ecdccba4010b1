"""Train one pipeline on several corpora, or a single-task baseline on each of them."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from wasabi import msg

from bioner_spacy.cli import options
from bioner_spacy.cli.app import config_overrides, run
from bioner_spacy.corpora import load_catalogue
from bioner_spacy.training.runs import run_settings, train_run


def main(
    context: typer.Context,
    output: Annotated[Path, typer.Argument(help="Folder to write to; with --each, the folder of <corpus> folders.")],
    corpora: Annotated[str, typer.Option(help="Sets or corpora of the catalogue, separated by commas.")] = "sample",
    each: Annotated[bool, typer.Option(help="Train a single-task baseline on each corpus.")] = False,
    config: options.Config = options.CONFIG,
    catalogue: options.Catalogue = options.CATALOGUE,
    corpus: options.CorpusFolder = options.CORPUS_FOLDER,
    encoder: options.Encoder = None,
    epochs: options.Epochs = 0,
    fraction: options.Fraction = 1.0,
    seed: Annotated[int, typer.Option(help="Random seed.")] = 0,
    gpu_id: options.GpuId = -1,
) -> None:
    """Train one pipeline on several corpora, or a single-task baseline on each of them.

    Further arguments change the config, as for `spacy train`: --components.multitask_ner.grain corpus
    """
    overrides = config_overrides(context)
    chosen = load_catalogue(catalogue).training_set(corpora)
    runs = {output / name: (name,) for name in chosen.corpora} if each else {output: chosen.corpora}
    for folder, names in runs.items():
        part = replace(chosen, corpora=names)
        settings = run_settings(
            part, config, corpus, epochs=epochs, fraction=fraction, encoder=encoder, overrides=overrides
        )
        msg.info(f"{', '.join(names)}: {settings['epochs']} epochs")
        settings.update(corpus_folder=str(corpus), seed=seed)
        train_run(config, folder, names, settings=settings, overrides=overrides, gpu_id=gpu_id)
    msg.good(f"Trained {len(runs)} pipeline(s): {', '.join(str(folder / 'model-last') for folder in runs)}")


if __name__ == "__main__":
    run(main, overrides=True)
