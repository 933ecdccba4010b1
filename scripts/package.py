"""Build a trained pipeline and bioner_spacy itself as wheels, side by side."""

from pathlib import Path
from typing import Annotated

import typer
from wasabi import msg

from bioner_spacy.cli.app import run
from bioner_spacy.cli.package import build_wheels
from bioner_spacy.corpora import load_catalogue


def main(
    pipeline: Annotated[Path, typer.Argument(help="Folder of a trained pipeline.")],
    name: Annotated[str, typer.Option(help="Name of the pipeline without its language.")] = "bioner_mtl",
    version: Annotated[str, typer.Option(help="Version of the pipeline.")] = "0.1.0",
    output: Annotated[Path, typer.Option(help="Folder for the wheels.")] = Path("packages"),
    source: Annotated[Path, typer.Option(help="Folder with the setup.py of bioner_spacy.")] = Path("."),
    catalogue: Annotated[Path, typer.Option(help="The corpus catalogue.")] = Path("configs/catalogue.yml"),
) -> None:
    """Build a trained pipeline and bioner_spacy itself as wheels, side by side."""
    loaded = load_catalogue(catalogue)
    wheels = build_wheels(pipeline, output, source=source, catalogue=loaded, name=name, version=version)
    msg.good(f"Wrote {', '.join(str(wheel) for wheel in wheels)}")
    msg.info(f"Install both with: pip install {output}/*.whl")


if __name__ == "__main__":
    run(main)
