"""Report evaluation records that are in training data too, and list the training records to leave out.

\b
Example:
  python -m spacy bioner corpora leakage corpus/sample --corpora sample
"""

from pathlib import Path
from typing import Annotated, Optional

import typer

from ... import options
from ...messages import msg


def command(
    corpus: Annotated[Path, typer.Argument(help="Folder with <corpus>/<split>.spacy.")] = Path("corpus"),
    corpora: Annotated[
        Optional[str], typer.Option(help="Sets or corpora of the catalogue, separated by commas; default: all there.")
    ] = None,
    catalogue: options.CatalogueFile = None,
    threshold: Annotated[
        float, typer.Option(help="Minimum similarity of a near match, 0.5 to 1; 1: exact matches only.")
    ] = 0.8,
    output: options.OutputFolder = Path("reports/leakage"),
) -> None:
    from ....corpora.leakage import LEVELS, converted_corpora, find_leaks
    from ....reports.corpus_report import leakage_table, write_leakage

    names = options.catalogue_of(catalogue).select(corpora) if corpora else converted_corpora(corpus)
    leakage = find_leaks(corpus, names, threshold=threshold)
    report, pairs, exclude = write_leakage(leakage, corpus, output)
    for level in LEVELS:
        typer.echo(
            f"{level.capitalize()} of evaluation data in training data" + leakage_table(leakage, level).to_text()
        )
    msg.good(f"Wrote {report}, {pairs}, and {exclude}, which training reads")
