"""Describe converted corpora: sizes, types, lengths, nesting, shared names, and where their guidelines disagree."""

from pathlib import Path
from typing import Annotated

import typer
from wasabi import msg

from bioner_spacy.cli.app import run
from bioner_spacy.corpora import load_catalogue
from bioner_spacy.reports.corpus_report import describe_corpora, read_statistics, write_report


def main(
    corpora: Annotated[str, typer.Option(help="Sets or corpora of the catalogue, separated by commas.")] = "sample",
    catalogue: Annotated[Path, typer.Option(help="The corpus catalogue.")] = Path("configs/catalogue.yml"),
    corpus: Annotated[Path, typer.Option(help="Folder with <corpus>/<split>.spacy.")] = Path("corpus"),
    output: Annotated[Path, typer.Option(help="Folder to write to.")] = Path("reports"),
) -> None:
    """Describe converted corpora: sizes, types, lengths, nesting, shared names, and where their guidelines disagree."""
    names = load_catalogue(catalogue).select(corpora)
    statistics = read_statistics(corpus, names)
    sections = describe_corpora(statistics)
    page, chart = write_report(statistics, sections, output)
    for section in sections[:2]:  # the others are too wide for a terminal
        typer.echo(section.title + section.table.to_text())
    msg.good(f"Wrote {page}, with shared names and guidelines, and {chart}")


if __name__ == "__main__":
    run(main)
