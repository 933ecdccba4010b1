"""Score a pipeline on converted corpora, by corpus and entity type."""

from pathlib import Path
from typing import Annotated, Optional

import typer
from wasabi import msg

from bioner_spacy.cli.app import run
from bioner_spacy.corpora import load_catalogue
from bioner_spacy.corpora.context import CONTEXT_WORDS
from bioner_spacy.files import require_file
from bioner_spacy.scoring.evaluate import evaluate
from bioner_spacy.scoring.table import results_table


def main(
    pipeline: Annotated[str, typer.Argument(help="Folder or name of a pipeline; with --each, a folder of them.")],
    corpora: Annotated[str, typer.Option(help="Sets or corpora of the catalogue, separated by commas.")] = "sample",
    each: Annotated[bool, typer.Option(help="Score PIPELINE/<corpus>/model-last on its own corpus.")] = False,
    catalogue: Annotated[Path, typer.Option(help="The corpus catalogue.")] = Path("configs/catalogue.yml"),
    corpus: Annotated[Path, typer.Option(help="Folder with <corpus>/<split>.spacy.")] = Path("corpus"),
    split: Annotated[str, typer.Option(help="Name of the split.")] = "test",
    output: Annotated[
        Optional[Path],
        typer.Option(help="JSON file to write; with --each, a folder. Default: reports/multi.json, reports/single."),
    ] = None,
    limit: Annotated[Optional[int], typer.Option(min=1, help="Most documents of a corpus; default: all.")] = None,
    context: Annotated[
        str, typer.Option(help="What the pipeline sees at once: source, sentence, group or document.")
    ] = "source",
    context_words: Annotated[int, typer.Option(min=1, help="Most words of a group.")] = CONTEXT_WORDS,
    batch_size: Annotated[Optional[int], typer.Option(min=1, max=1_000_000, help="Documents per batch.")] = None,
    gpu_id: Annotated[int, typer.Option(help="Number of the GPU; -1 for the CPU.")] = -1,
) -> None:
    """Score a pipeline on converted corpora, by corpus and entity type."""
    names = load_catalogue(catalogue).select(corpora)
    if each:
        folder = output or Path("reports/single")
        runs = {folder / f"{name}.json": (f"{pipeline}/{name}/model-last", [name]) for name in names}
    else:
        runs = {output or Path("reports/multi.json"): (pipeline, names)}
    for path in runs:
        require_file(path)
    for path, (model, chosen) in runs.items():
        results = evaluate(
            model,
            corpus,
            corpora=chosen,
            split=split,
            limit=limit,
            context=context,
            context_words=context_words,
            batch_size=batch_size,
            gpu_id=gpu_id,
        )
        results.to_disk(path)
        typer.echo(results_table(results).to_text())
        msg.good(f"Wrote {path}; {results.words_per_second:.0f} words per second")


if __name__ == "__main__":
    run(main)
