"""Transferability between corpora: what an auxiliary corpus gains, and measures that tell it before."""

from pathlib import Path
from typing import Annotated, Optional

import typer
from wasabi import msg

from bioner_spacy.cli import options
from bioner_spacy.cli.app import config_overrides, one_line_errors
from bioner_spacy.corpora import load_catalogue
from bioner_spacy.experiments.experiment import Experiment
from bioner_spacy.experiments.transferability.correlation import best_measure
from bioner_spacy.experiments.transferability.correlation import correlate as correlate_with
from bioner_spacy.experiments.transferability.gains import FILE as GAINS_FILE
from bioner_spacy.experiments.transferability.gains import Gains
from bioner_spacy.experiments.transferability.measures import Measures, measure_corpora
from bioner_spacy.experiments.transferability.ranking import rank as rank_by
from bioner_spacy.experiments.transferability.runs import EQUAL_EPOCHS, config_encoder, measure_gains
from bioner_spacy.training.runs import run_settings

app = typer.Typer(add_completion=False, help=__doc__)

WORDS = 20_000
EPOCHS = 12  # more than corpora get that are read whole: few words need many
Corpora = Annotated[str, typer.Option(help="Sets or corpora of the catalogue, separated by commas.")]
Words = Annotated[int, typer.Option(min=0, help="Words of the training part of each corpus, about; 0: all.")]


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
@one_line_errors
def pairs(
    context: typer.Context,
    output: options.Output,
    corpora: Corpora = "sample",
    seeds: options.Seeds = options.SEEDS,
    words: Words = WORDS,
    equal_steps: Annotated[
        bool,
        typer.Option(
            "--equal-steps/--equal-epochs",
            help="Train on one corpus for as many steps as on two, or for as many epochs.",
        ),
    ] = True,
    config: options.Config = options.CONFIG,
    catalogue: options.Catalogue = options.CATALOGUE,
    corpus: options.CorpusFolder = options.CORPUS_FOLDER,
    split: options.Split = "devel",
    encoder: options.Encoder = None,
    epochs: options.Epochs = EPOCHS,
    gpu_id: options.GpuId = -1,
    alpha: options.Alpha = options.ALPHA,
    resamples: options.Resamples = options.RESAMPLES,
) -> None:
    """Gain of F1 on each corpus by training with each other one.

    A run on a pair is scored on both corpora, and gives the gains in both directions. Further arguments change the
    config, as for `spacy train`: --components.multitask_ner.grain guideline
    """
    chosen, overrides = load_catalogue(catalogue).training_set(corpora), config_overrides(context)
    budget = {"vars.words": words, **overrides}
    settings = run_settings(chosen, config, corpus, epochs=epochs, encoder=encoder, overrides=budget)
    experiment = Experiment(
        config,
        output,
        corpus_folder=corpus,
        settings={**settings, "words": words},
        overrides=overrides,
        split=split,
        gpu_id=gpu_id,
    )
    gains = measure_gains(
        experiment,
        chosen.corpora,
        options.parse_seeds(seeds),
        equal_steps=equal_steps,
        alpha=alpha,
        resamples=resamples,
    )
    files = gains.to_disk(output if equal_steps else output / EQUAL_EPOCHS)
    typer.echo(gains.table().to_text())
    msg.good(f"Wrote {', '.join(map(str, files))}")


@app.command()
@one_line_errors
def measures(
    output: options.Output,
    corpora: Corpora = "sample",
    words: Words = WORDS,
    config: options.Config = options.CONFIG,
    catalogue: options.Catalogue = options.CATALOGUE,
    corpus: options.CorpusFolder = options.CORPUS_FOLDER,
    encoder: options.Encoder = None,
) -> None:
    """How alike corpora are, by measures that need no training; with the gains in OUTPUT, by their learning curves too."""
    gains = Gains.from_disk(output) if (output / GAINS_FILE).is_file() else None
    found = measure_corpora(
        corpus,
        load_catalogue(catalogue).select(corpora),
        encoder=encoder or config_encoder(config),
        words=words,
        gains=gains,
    )
    files = found.to_disk(output)
    for section in found.sections():
        typer.echo(f"{section.title}\n{section.table.to_text()}")
    msg.good(f"Wrote {', '.join(map(str, files))}")


@app.command()
@one_line_errors
def correlate(
    output: Annotated[Path, typer.Argument(help="Folder with the gains and the measures, to write to.")],
) -> None:
    """How far each measure goes along with the gains."""
    found = correlate_with(Gains.from_disk(output), Measures.from_disk(output))
    files = found.to_disk(output)
    for section in found.sections():
        typer.echo(f"{section.title}\n{section.table.to_text()}")
    msg.good(f"Wrote {', '.join(map(str, files))}")


@app.command()
@one_line_errors
def rank(
    target: Annotated[str, typer.Argument(help="A corpus of the catalogue.")],
    corpora: Corpora = "sample",
    correlations: Annotated[
        Optional[Path],
        typer.Option(help="correlations.json: its best measure decides; default: the mean rank of all."),
    ] = None,
    words: Words = WORDS,
    config: options.Config = options.CONFIG,
    catalogue: options.Catalogue = options.CATALOGUE,
    corpus: options.CorpusFolder = options.CORPUS_FOLDER,
    encoder: options.Encoder = None,
) -> None:
    """Which of some corpora to try first as auxiliaries of TARGET; nothing is trained."""
    by, correlation = (None, 1.0) if correlations is None else best_measure(correlations)
    names = load_catalogue(catalogue).select(f"{target},{corpora}")
    found = measure_corpora(corpus, names, encoder=encoder or config_encoder(config), words=words)
    ranking = rank_by(found, target, by=by, sign=correlation)
    typer.echo(ranking.table().to_text())
    msg.info(ranking.method())
    if by is not None:
        msg.info(f"It went along most closely with the gains in {correlations} (Spearman's rho {correlation:+.2f}).")


if __name__ == "__main__":
    app()
