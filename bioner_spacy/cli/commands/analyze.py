"""Analyse the predictions of a pipeline: matches, errors with examples, calibration of scores, thresholds.

\b
Example:
  python -m spacy bioner analyze training/multi/model-last --corpora sample --corpus corpus/sample
"""

from pathlib import Path
from typing import Annotated, Optional

import typer

from ...analysis.calibration import BINS
from .. import options


def command(
    pipeline: options.Pipeline,
    data: options.Converted,
    reading: options.Reading,
    split: options.Split = "devel",
    output: options.OutputFolder = Path("reports/analysis"),
    precision: Annotated[
        Optional[float],
        typer.Option(min=0, max=1, help="Choose thresholds for this precision, 0 to 1; default: for the highest F1."),
    ] = None,
    bins: Annotated[int, typer.Option(min=1, max=1000, help="Number of bins of the calibration.")] = BINS,
    tables: options.Tables = "",
) -> None:
    from ...analysis.analysis import analyze
    from ...reports.analysis import analysis_page

    analysis = analyze(
        pipeline,
        data.corpus,
        corpora=data.names,
        split=split,
        precision=precision,
        bins=bins,
        **reading.settings(),
    )
    options.show(analysis_page(analysis), output, brief=analysis_page(analysis, brief=True), tables=tables)
