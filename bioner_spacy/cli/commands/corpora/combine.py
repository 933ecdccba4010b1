"""Merge training and development sets into one training set per corpus, without any sentence of a test set.

\b
Example:
  python -m spacy bioner corpora combine corpus/all --corpora sample --corpus corpus/sample
"""

from pathlib import Path
from typing import Annotated

import typer

from ... import options
from ...messages import msg


def command(
    output: Annotated[Path, typer.Argument(help="Folder to write <corpus>/train.spacy and devel.spacy to.")],
    data: options.Converted,
    tested: Annotated[
        str, typer.Option(help="Further corpora whose test sets are kept out of training, separated by commas.")
    ] = "",
    held_out: Annotated[float, typer.Option(min=0, max=1, help="Share of a development set that is held out.")] = 0.2,
    shares: Annotated[str, typer.Option(help="Shares of corpora to use, such as JNLPBA=0.6.")] = "",
    empty_shares: Annotated[str, typer.Option(help="Shares of documents without a mention to use, likewise.")] = "",
    seed: options.Seed = 0,
) -> None:
    from ....corpora.combine import combine

    reports = combine(
        data.corpus,
        output,
        data.names,
        tested=[name for name in tested.split(",") if name],
        held_out=held_out,
        shares=_numbers(shares, "--shares"),
        empty_shares=_numbers(empty_shares, "--empty-shares"),
        seed=seed,
    )
    header = ["corpus", "leaking", "held out", "train", "tokens", "skipped"]
    rows = [[one.corpus, one.leaking, one.held_out, one.train, one.tokens, one.skipped] for one in reports]
    msg.table([[row[0], *(f"{number:,}" for number in row[1:])] for row in rows], header=header, divider=True)
    msg.good(f"Wrote {output}")


def _numbers(text: str, option: str) -> dict[str, float]:
    """The numbers of an option such as JNLPBA=0.6,CRAFT=0.5."""
    try:
        pairs = (pair.split("=") for pair in text.split(",") if pair)
        numbers = {name.strip(): float(number) for name, number in pairs}
    except ValueError:
        numbers = {text: -1.0}
    if not all(0 <= number <= 1 for number in numbers.values()):
        raise typer.BadParameter("give names and numbers from 0 to 1, such as JNLPBA=0.6", param_hint=option)
    return numbers
