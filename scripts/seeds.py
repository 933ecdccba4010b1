"""Repeat the comparison of multi-task with single-task training over several seeds."""

from pathlib import Path
from typing import Annotated, Optional

import typer
from wasabi import msg

from bioner_spacy.cli.app import config_overrides, run
from bioner_spacy.cli.seeds import compare_over_seeds
from bioner_spacy.corpora import load_catalogue
from bioner_spacy.evaluation.significance import ALPHA, RESAMPLES
from bioner_spacy.training.runs import run_settings


def main(
    context: typer.Context,
    output: Annotated[Path, typer.Argument(help="Folder of the results; what is there is not computed again.")],
    corpora: Annotated[str, typer.Option(help="Sets or corpora of the catalogue, separated by commas.")] = "sample",
    seeds: Annotated[str, typer.Option(help="Random seeds, separated by commas.")] = "0,1,2",
    config: Annotated[Path, typer.Option(help="The training config.")] = Path("configs/multitask.cfg"),
    catalogue: Annotated[Path, typer.Option(help="The corpus catalogue.")] = Path("configs/catalogue.yml"),
    corpus: Annotated[Path, typer.Option(help="Folder with <corpus>/<split>.spacy.")] = Path("corpus"),
    split: Annotated[str, typer.Option(help="The split to score on.")] = "test",
    encoder: Annotated[Optional[str], typer.Option(help="Encoder; default: the one of the config.")] = None,
    epochs: Annotated[int, typer.Option(min=0, help="Epochs; 0: as many as the catalogue gives the set.")] = 0,
    fraction: Annotated[float, typer.Option(help="Share of each training set that is used.")] = 1.0,
    gpu_id: Annotated[int, typer.Option(help="Number of the GPU; -1 for the CPU.")] = -1,
    alpha: Annotated[float, typer.Option(min=0, max=1, help="Level of the tests.")] = ALPHA,
    resamples: Annotated[int, typer.Option(min=1, help="Draws of each test.")] = RESAMPLES,
) -> None:
    """Repeat the comparison of multi-task with single-task training over several seeds.

    Further arguments change the config, as for `spacy train`: --components.multitask_ner.grain corpus
    """
    overrides = config_overrides(context)
    chosen = load_catalogue(catalogue).training_set(corpora)
    settings = run_settings(chosen, epochs=epochs, fraction=fraction, encoder=encoder)
    try:
        numbers = [int(seed) for seed in seeds.split(",")]
    except ValueError:
        raise typer.BadParameter("give whole numbers separated by commas", param_hint="--seeds") from None
    comparison = compare_over_seeds(
        config,
        output,
        corpora=chosen.corpora,
        corpus_folder=corpus,
        seeds=numbers,
        settings=settings,
        overrides=overrides,
        split=split,
        gpu_id=gpu_id,
        alpha=alpha,
        resamples=resamples,
    )
    comparison.to_disk(output / "seeds.json", output / "seeds.md")
    typer.echo(comparison.to_table().to_text())
    for sentence in (*comparison.verdict(), *comparison.method()):
        msg.info(sentence)
    msg.good(f"Wrote {output / 'seeds.json'} and {output / 'seeds.md'}")


if __name__ == "__main__":
    run(main, overrides=True)
