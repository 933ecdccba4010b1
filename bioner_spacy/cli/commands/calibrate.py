"""Calibrate the scores of a pipeline and choose its thresholds, on development data.

\b
Example:
  python -m spacy bioner calibrate training/multi/model-last training/calibrated --corpora sample --corpus
  corpus/sample
"""

from pathlib import Path
from typing import Annotated

import typer

from .. import options
from ..messages import msg


def command(
    pipeline: options.Pipeline,
    output: Annotated[Path, typer.Argument(help="Folder for the calibrated pipeline.")],
    data: options.Converted,
    reading: options.Reading,
    split: options.Split = "devel",
    ents_types: Annotated[
        str, typer.Option(help="Types in doc.ents, in order of preference, separated by commas; default: all alike.")
    ] = "",
) -> None:
    from ...analysis.calibrate import calibrate

    fitted = calibrate(
        pipeline,
        output,
        data.corpus,
        corpora=data.names,
        split=split,
        ents_types=[name.strip() for name in ents_types.split(",") if name.strip()] or None,
        **reading.settings(),
    )
    header = ["type", "predicted", "slope", "intercept", "threshold", "ECE before", "ECE after"]
    rows = [
        [
            kind,
            f"{one.predicted:,}",
            f"{one.slope:.2f}",
            f"{one.intercept:.2f}",
            f"{one.threshold:.2f}",
            f"{100 * one.ece_before:.1f}",
            f"{100 * one.ece_after:.1f}",
        ]
        for kind, one in fitted.items()
    ]
    msg.table(rows, header=header, divider=True, aligns=["l"] + ["r"] * 6)
    msg.good(f"Wrote {output}")
