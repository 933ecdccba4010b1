"""Convert corpus files to DocBins with gold spans and annotation scope.

\b
Example:
  python -m spacy bioner corpora convert --corpora sample --output corpus/sample
"""

from pathlib import Path
from typing import Annotated

import typer

from ....corpora.to_doc import ALIGNMENTS, DISCONTINUOUS
from ... import options
from ...messages import msg


def command(
    selection: options.Selection,
    assets: options.Assets = options.ASSETS,
    output: options.OutputFolder = Path("corpus"),
    alignment: Annotated[
        str, typer.Option(help=f"Mentions that are not on token boundaries: {', '.join(ALIGNMENTS)}.")
    ] = "expand",
    discontinuous: Annotated[
        str, typer.Option(help=f"Mentions of several parts: {', '.join(DISCONTINUOUS)}.")
    ] = "report",
    merge_types: options.MergeTypes = "",
) -> None:
    from ....corpora import convert, summary, tokenizing_pipeline
    from ....corpora.convert import SUMMARY

    known = selection.known.merge_types(merge_types)
    reports = convert(
        known,
        known.select(selection.corpora),
        assets=assets,
        output=output,
        nlp=tokenizing_pipeline(),
        alignment=alignment,
        discontinuous=discontinuous,
    )
    msg.table(summary(reports), header=SUMMARY, divider=True, aligns=["l", "l"] + ["r"] * (len(SUMMARY) - 2))
    msg.good(f"Wrote {output}; {output}/<corpus>/report.json accounts for every mention")
