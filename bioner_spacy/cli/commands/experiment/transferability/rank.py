"""Rank corpora as auxiliaries of TARGET by similarity, without training.

\b
Example:
  python -m spacy bioner experiment transferability rank sample-cdr --corpora sample --corpus corpus/sample
"""

from pathlib import Path
from typing import Annotated, Optional

import typer

from .... import options
from ....messages import msg


def command(
    target: Annotated[str, typer.Argument(help="A corpus of the catalogue.")],
    encoding: options.Encoding,
    correlations: Annotated[
        Optional[Path],
        typer.Option(help="correlations.json, whose best measure is used; default: mean rank over all measures."),
    ] = None,
    tokens: options.Tokens = options.TOKENS,
) -> None:
    from .....experiments.transferability.correlation import best_measure
    from .....experiments.transferability.measures import measure_corpora
    from .....experiments.transferability.ranking import rank
    from .....experiments.transferability.runs import config_encoder
    from .....reports.transferability import ranking_table

    by, correlation = (None, 1.0) if correlations is None else best_measure(correlations)
    names = encoding.known.select(f"{target},{encoding.corpora}")
    encoder = encoding.encoder or config_encoder(encoding.config_path)
    ranking = rank(
        measure_corpora(encoding.corpus, names, encoder=encoder, tokens=tokens), target, by=by, sign=correlation
    )
    typer.echo(ranking_table(ranking).to_text())
    msg.info(ranking.method())
    if by is not None:
        msg.info(f"It correlates most with the gains in {correlations} (Spearman's rho {correlation:+.2f}).")
