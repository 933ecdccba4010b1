"""Report evaluation sentences that stand in training data too, and list the training sentences to leave out."""

from pathlib import Path
from typing import Annotated, Optional

import typer
from wasabi import msg

from bioner_spacy.cli.app import run
from bioner_spacy.corpora import load_catalogue
from bioner_spacy.corpora.leakage import LEVELS, converted_corpora, find_leaks
from bioner_spacy.reports.corpus_report import leakage_table, write_leakage


def main(
    corpus: Annotated[Path, typer.Argument(help="Folder with <corpus>/<split>.spacy.")] = Path("corpus"),
    corpora: Annotated[
        Optional[str], typer.Option(help="Sets or corpora of the catalogue, separated by commas; default: all there.")
    ] = None,
    catalogue: Annotated[Path, typer.Option(help="The corpus catalogue.")] = Path("configs/catalogue.yml"),
    threshold: Annotated[
        float, typer.Option(help="Least similarity of a near match, 0.5 to 1; 1: exact ones only.")
    ] = 0.8,
    output: Annotated[Path, typer.Option(help="Folder for the report.")] = Path("reports/leakage"),
) -> None:
    """Report evaluation sentences that stand in training data too, and list the training sentences to leave out."""
    names = load_catalogue(catalogue).select(corpora) if corpora else converted_corpora(corpus)
    leakage = find_leaks(corpus, names, threshold=threshold)
    report, pairs, exclude = write_leakage(leakage, corpus, output)
    for level in LEVELS:
        typer.echo(
            f"{level.capitalize()} of evaluation data in training data" + leakage_table(leakage, level).to_text()
        )
    msg.good(f"Wrote {report}, {pairs}, and {exclude}, which training reads")


if __name__ == "__main__":
    run(main)
