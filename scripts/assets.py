"""Fetch corpus files and check them."""

from pathlib import Path
from typing import Annotated, Optional

import typer
from wasabi import msg

from bioner_spacy.cli.app import run
from bioner_spacy.corpora import fetch, load_catalogue


def main(
    corpora: Annotated[str, typer.Option(help="Sets or corpora of the catalogue, separated by commas.")] = "sample",
    source: Annotated[
        Optional[str], typer.Option(help="Address prefix or folder with <corpus>/<file>; default: the public source.")
    ] = None,
    catalogue: Annotated[Path, typer.Option(help="The corpus catalogue.")] = Path("configs/catalogue.yml"),
    assets: Annotated[Path, typer.Option(help="Folder for the files.")] = Path("assets"),
) -> None:
    """Fetch corpus files and check them."""
    loaded = load_catalogue(catalogue)
    files = fetch(loaded, loaded.select(corpora), folder=assets, source=source or None)
    fetched = sum(file.status == "fetched" for file in files)
    msg.good(f"{len(files)} corpus files are in {assets}: {fetched} fetched, {len(files) - fetched} present before")


if __name__ == "__main__":
    run(main)
