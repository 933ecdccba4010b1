"""Fetch corpus files and compare their checksums; existing files with the right checksum are kept.

\b
Example:
  python -m spacy bioner corpora fetch --corpora benchmark
"""

from typing import Annotated

import typer

from ....errors import counted
from ... import options
from ...messages import msg


def command(
    selection: options.Selection,
    source: Annotated[
        str,
        typer.Option(
            help="URL prefix or folder with <corpus>/<file>; default: the public source; sample corpora come with the package."
        ),
    ] = "",
    assets: options.Assets = options.ASSETS,
) -> None:
    from ....corpora import fetch

    files = fetch(selection.known, selection.names, folder=assets, source=source or None)
    fetched = sum(file.status == "fetched" for file in files)
    msg.good(
        f"{counted(len(files), 'corpus file')} in {assets}: {fetched} fetched, {len(files) - fetched} present before"
    )
