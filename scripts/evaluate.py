"""Score a pipeline on converted corpora, by corpus and entity type."""

from pathlib import Path
from typing import Annotated, Optional

import typer
from wasabi import msg

from bioner_spacy.cli.app import run
from bioner_spacy.evaluation.evaluate import evaluate, parse_corpora
from bioner_spacy.evaluation.table import results_table


def main(
    pipeline: Annotated[str, typer.Argument(help="Folder or package name of a trained pipeline.")],
    corpus: Annotated[Path, typer.Option(help="Folder with <corpus>/<split>.spacy.")] = Path("corpus"),
    corpora: Annotated[str, typer.Option(help="Names of corpora, separated by commas; null for all.")] = "null",
    split: Annotated[str, typer.Option(help="Name of the split.")] = "test",
    output: Annotated[Path, typer.Option(help="JSON file to write.")] = Path("reports/results.json"),
    limit: Annotated[Optional[int], typer.Option(min=1, help="Most documents of a corpus; default: all.")] = None,
    batch_size: Annotated[Optional[int], typer.Option(min=1, help="Documents per batch.")] = None,
    gpu_id: Annotated[int, typer.Option(help="Number of the GPU; -1 for the CPU.")] = -1,
) -> None:
    """Score a pipeline on converted corpora, by corpus and entity type."""
    results = evaluate(
        pipeline,
        corpus,
        corpora=parse_corpora(corpora),
        split=split,
        limit=limit,
        batch_size=batch_size,
        gpu_id=gpu_id,
    )
    results.to_disk(output)
    msg.text(results_table(results).to_text())
    msg.good(f"Wrote {output}; {results.words_per_second:.0f} words per second")


if __name__ == "__main__":
    run(main)
