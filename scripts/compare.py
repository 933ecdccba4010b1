"""Compare a multi-task pipeline with one single-task pipeline for each corpus."""

from pathlib import Path
from typing import Annotated

import typer
from wasabi import msg

from bioner_spacy.cli.app import run
from bioner_spacy.evaluation.compare import compare
from bioner_spacy.evaluation.results import Results


def main(
    multi: Annotated[Path, typer.Argument(help="Results of the multi-task pipeline, from evaluate.py.")],
    single: Annotated[list[Path], typer.Argument(help="Results of the single-task pipelines: files or folders.")],
    output_json: Annotated[Path, typer.Option(help="JSON file to write.")] = Path("reports/comparison.json"),
    output_md: Annotated[Path, typer.Option(help="Markdown file to write.")] = Path("reports/comparison.md"),
) -> None:
    """Compare a multi-task pipeline with one single-task pipeline for each corpus."""
    files = [file for path in single for file in (sorted(path.glob("*.json")) if path.is_dir() else [path])]
    comparison = compare(Results.from_disk(multi), [Results.from_disk(file) for file in files])
    comparison.to_disk(output_json, output_md)
    typer.echo(comparison.to_table().to_text())
    for sentence in comparison.verdict():
        msg.info(sentence)
    msg.good(f"Wrote {output_json} and {output_md}")


if __name__ == "__main__":
    run(main)
