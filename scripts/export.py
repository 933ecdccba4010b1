"""Write annotated documents in the format of another tool."""

from pathlib import Path
from typing import Annotated, Optional

import typer
from wasabi import msg

from bioner_spacy.cli.app import run
from bioner_spacy.cli.export import TEXT, export
from bioner_spacy.corpora import READERS
from bioner_spacy.corpora.writers import WRITERS
from bioner_spacy.scope import SPANS_KEY


def main(
    source: Annotated[
        Path,
        typer.Argument(metavar="INPUT", help="A .spacy file or folder; with --pipeline, texts to annotate."),
    ],
    output: Annotated[Path, typer.Argument(help="File to write (bioc: .json or .xml); for brat, a new folder.")],
    format: Annotated[str, typer.Option(help=f"One of {', '.join(WRITERS)}.")],
    pipeline: Annotated[Optional[str], typer.Option(help="Pipeline that annotates the texts: folder or name.")] = None,
    input_format: Annotated[
        str, typer.Option(help=f"Of the texts: {TEXT}, one a line, or one of {', '.join(READERS)}.")
    ] = TEXT,
    spans_key: Annotated[str, typer.Option(help="Key of the spans in doc.spans.")] = SPANS_KEY,
    columns: Annotated[Optional[int], typer.Option(help="Tag columns for overlapping spans (iob).")] = None,
    gpu_id: Annotated[int, typer.Option(help="Number of the GPU; -1 for the CPU.")] = -1,
) -> None:
    """Write annotated documents in the format of another tool."""
    export(
        source,
        output,
        format=format,
        pipeline=pipeline,
        input_format=input_format,
        spans_key=spans_key,
        columns=columns,
        gpu_id=gpu_id,
    )
    msg.good(f"Wrote {output}")


if __name__ == "__main__":
    run(main)
