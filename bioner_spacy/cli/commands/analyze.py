"""Look closely at what a pipeline predicts: matches, mistakes with examples, calibration of scores, thresholds."""

from pathlib import Path
from typing import Annotated, Optional

import typer
from wasabi import msg

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
) -> None:
    """Look closely at what a pipeline predicts: matches, mistakes with examples, calibration of scores, thresholds.

    \b
    Example:
      python -m spacy bioner analyze training/multi/model-last --corpora sample --corpus corpus/sample
    """
    from ...analysis.analysis import analyze

    analysis = analyze(
        pipeline,
        data.corpus,
        corpora=data.names,
        split=split,
        precision=precision,
        bins=bins,
        **reading.settings(),
    )
    files = analysis.to_disk(output)
    for section in analysis.sections(brief=True):
        typer.echo(f"{section.title}\n{section.table.to_text()}")
    if analysis.settings:
        typer.echo(f"Thresholds of types, for the config:\n\n{analysis.settings}")
    msg.good(f"Wrote {', '.join(map(str, files))}")
