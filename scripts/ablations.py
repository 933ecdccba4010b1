"""Measure what keeping track of annotation scopes is worth, over several seeds."""

from collections.abc import Callable
from typing import Annotated

import typer
from wasabi import msg

from bioner_spacy.cli import options
from bioner_spacy.cli.app import config_overrides, one_line_errors
from bioner_spacy.corpora import load_catalogue
from bioner_spacy.experiments.ablations import ablate_annotation, ablate_scope
from bioner_spacy.experiments.experiment import Experiment
from bioner_spacy.scoring.systems import Systems
from bioner_spacy.training.runs import run_settings

app = typer.Typer(add_completion=False, help=__doc__)


def add_command(name: str, ablate: Callable[..., Systems], default: str, about: str) -> None:
    """Add a subcommand that runs an ablation on corpora."""

    @app.command(
        name,
        help=f"{about}\n\nFurther arguments change the config, as for `spacy train`: --training.dropout 0.2",
        context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
    )
    @one_line_errors
    def command(
        context: typer.Context,
        output: options.Output,
        corpora: Annotated[str, typer.Option(help="Sets or corpora of the catalogue, with commas.")] = default,
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
            shared={"experiment": name, "corpora": list(chosen.corpora)},
        )
        systems = ablate(experiment, chosen.corpora, options.parse_seeds(seeds), alpha=alpha, resamples=resamples)
        files = systems.to_disk(output / name)
        typer.echo(systems.to_text())
        for sentence in systems.method():
            msg.info(sentence)
        msg.good(f"Wrote {', '.join(map(str, files))}")


add_command(
    "scope",
    ablate_scope,
    "sample",
    "Compare scope masking, a naive merge, and one head per corpus, on the same corpora with the same number of steps.",
)
add_command(
    "split",
    ablate_annotation,
    "sample-cdr",
    "Compare a corpus with all of its annotation, and the same split into parts that keep the annotation of one type each.",
)

if __name__ == "__main__":
    app()
