"""Collect all reports of a run on one self-contained HTML page.

\b
Example:
  python -m spacy bioner report reports/sample --training training/sample
"""

from pathlib import Path
from typing import Annotated, Optional

import typer

from ...scoring.metrics import STRICT
from .. import options
from ..messages import msg


def command(
    reports: Annotated[Path, typer.Argument(help="Folder of the reports, such as multi.json.")],
    training: Annotated[
        Optional[Path],
        typer.Option(help="Folder with the pipelines multi and single, or with one run, for settings and curves."),
    ] = None,
    catalogue: options.CatalogueFile = None,
    metric: options.MetricName = STRICT.name,
    output: Annotated[Optional[Path], typer.Option(help="File to write; default: report.html in the folder.")] = None,
) -> None:
    from ...reports.report import write_report

    path = output or reports / "report.html"
    write_report(reports, path, catalogue=options.catalogue_of(catalogue), training=training, metric=metric)
    msg.good(f"Wrote {path}")
