"""Check that corpus files are there and are the right ones."""

from pathlib import Path
from typing import Annotated

import typer
from wasabi import msg

from bioner_spacy.cli.app import run
from bioner_spacy.corpora import load_catalogue, verify


def main(
    corpora: Annotated[str, typer.Option(help="Sets or corpora of the catalogue, separated by commas.")] = "sample",
    catalogue: Annotated[Path, typer.Option(help="The corpus catalogue.")] = Path("configs/catalogue.yml"),
    assets: Annotated[Path, typer.Option(help="Folder of the files.")] = Path("assets"),
) -> None:
    """Check that corpus files are there and are the right ones."""
    loaded = load_catalogue(catalogue)
    files = verify(loaded, loaded.select(corpora), folder=assets)
    msg.good(f"{len(files)} corpus files in {assets} are there and right")


if __name__ == "__main__":
    run(main)
