"""Gather all reports of a run on one HTML page that needs no other file."""

from pathlib import Path
from typing import Annotated, Optional

import typer
from wasabi import msg

from bioner_spacy.cli.app import run
from bioner_spacy.corpora import load_catalogue
from bioner_spacy.reports.report import write_report


def main(
    reports: Annotated[Path, typer.Argument(help="Folder of the reports, with multi.json and what is beside it.")],
    training: Annotated[
        Optional[Path],
        typer.Option(help="Folder of the pipelines, with multi and single, or of one run; for settings and curves."),
    ] = None,
    catalogue: Annotated[Path, typer.Option(help="The corpus catalogue.")] = Path("configs/catalogue.yml"),
    output: Annotated[Optional[Path], typer.Option(help="File to write; default: report.html in the folder.")] = None,
) -> None:
    """Gather all reports of a run on one HTML page that needs no other file."""
    path = output or reports / "report.html"
    write_report(reports, path, catalogue=load_catalogue(catalogue), training=training)
    msg.good(f"Wrote {path}")


if __name__ == "__main__":
    run(main)
