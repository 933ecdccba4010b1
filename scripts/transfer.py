"""Compare transfer from other corpora, multi-task training with them, and both, with training on a corpus alone."""

from typing import Annotated, Optional

import typer
from wasabi import msg

from bioner_spacy.cli import options
from bioner_spacy.cli.app import config_overrides, run
from bioner_spacy.corpora import load_catalogue
from bioner_spacy.experiments.experiment import Experiment
from bioner_spacy.experiments.transfer import compare_transfer
from bioner_spacy.training.runs import run_settings


def main(
    context: typer.Context,
    output: options.Output,
    target: Annotated[str, typer.Option(help="The corpus to be good at.")] = "sample-diseases",
    auxiliaries: Annotated[
        str, typer.Option(help="Other corpora, or sets of them, separated by commas.")
    ] = "sample-cdr,sample-genes",
    best: Annotated[
        Optional[str], typer.Option(help="Auxiliaries in the last stage of transfer + multi-task; default: all.")
    ] = None,
    seeds: options.Seeds = options.SEEDS,
    config: options.Config = options.CONFIG,
    catalogue: options.Catalogue = options.CATALOGUE,
    corpus: options.CorpusFolder = options.CORPUS_FOLDER,
    split: options.Split = "test",
    encoder: options.Encoder = None,
    epochs: options.Epochs = 0,
    fraction: options.Fraction = 1.0,
    gpu_id: options.GpuId = -1,
    alpha: options.Alpha = options.ALPHA,
    resamples: options.Resamples = options.RESAMPLES,
) -> None:
    """Compare transfer from other corpora, multi-task training with them, and both, with training on a corpus alone.

    Further arguments change the config, as for `spacy train`: --components.multitask_ner.grain corpus
    """
    known = load_catalogue(catalogue)
    others, chosen = known.select(auxiliaries), None if best is None else known.select(best)
    [name, *more] = known.select(target)
    if more:
        raise typer.BadParameter("name one corpus", param_hint="--target")
    overrides = config_overrides(context)
    together = known.training_set(f"{target},{auxiliaries}")
    settings = run_settings(
        together, config, corpus, epochs=epochs, fraction=fraction, encoder=encoder, overrides=overrides
    )
    experiment = Experiment(
        config,
        output,
        corpus_folder=corpus,
        settings=settings,
        overrides=overrides,
        split=split,
        gpu_id=gpu_id,
        shared={"experiment": "transfer", "target": name, "auxiliaries": others, "best": chosen},
    )
    systems = compare_transfer(
        experiment, name, others, options.parse_seeds(seeds), best=chosen, alpha=alpha, resamples=resamples
    )
    files = systems.to_disk(output / "transfer")
    typer.echo(systems.to_text())
    for sentence in systems.method():
        msg.info(sentence)
    msg.good(f"Wrote {', '.join(map(str, files))}")


if __name__ == "__main__":
    run(main, overrides=True)
