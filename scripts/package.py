"""Build a trained pipeline and bioner_spacy itself as wheels, side by side."""

from pathlib import Path
from typing import Annotated, Optional

import typer
from wasabi import msg

from bioner_spacy.cli.app import run
from bioner_spacy.cli.package import build_wheels
from bioner_spacy.corpora import load_catalogue
from bioner_spacy.scoring.results import Results


def main(
    pipeline: Annotated[Path, typer.Argument(help="Folder of a trained pipeline.")],
    name: Annotated[str, typer.Option(help="Name of the pipeline without its language.")] = "bioner_mtl",
    version: Annotated[str, typer.Option(help="Version of the pipeline.")] = "0.1.0",
    output: Annotated[Path, typer.Option(help="Folder for the wheels.")] = Path("packages"),
    source: Annotated[Path, typer.Option(help="Folder with the setup.py of bioner_spacy.")] = Path("."),
    catalogue: Annotated[Path, typer.Option(help="The corpus catalogue.")] = Path("configs/catalogue.yml"),
    results: Annotated[
        Optional[Path], typer.Option(help="JSON file from evaluate.py, for the scores in the model card.")
    ] = None,
) -> None:
    """Build a trained pipeline and bioner_spacy itself as wheels, side by side."""
    loaded = load_catalogue(catalogue)
    scores = None if results is None else Results.from_disk(results)
    wheels = build_wheels(
        pipeline, output, source=source, catalogue=loaded, name=name, version=version, results=scores
    )
    msg.good(f"Wrote {', '.join(str(wheel) for wheel in wheels)}")
    msg.info(f"Install both with: pip install {output}/*.whl")


if __name__ == "__main__":
    run(main)
