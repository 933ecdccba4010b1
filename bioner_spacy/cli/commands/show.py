"""Show the entities of some texts, in the terminal and as an HTML page.

\b
Example:
  python -m spacy bioner show en_bioner_mtl abstracts.jsonl --output abstracts.html
"""

from pathlib import Path
from typing import Annotated, Optional

import typer

from ...formats.documents import text_formats
from .. import options
from ..messages import msg


def command(
    pipeline: options.Pipeline,
    source: options.Source,
    output: Annotated[Optional[Path], typer.Option(help="HTML page to write, drawn by displaCy.")] = None,
    input_format: options.TextFormat = None,
    reader_options: options.ReaderOptions = "",
    guideline: options.Guideline = None,
    most: Annotated[int, typer.Option(min=1, help="Maximum number of texts.")] = 20,
    gpu_id: options.GpuId = -1,
) -> None:
    from ...serving.show import show

    with options.source_file(source, input_format, text_formats()) as texts:
        found = show(
            pipeline,
            texts,
            output,
            input_format=input_format,
            options=reader_options,
            guideline=guideline,
            most=most,
            gpu_id=gpu_id,
        )
        for document in found:
            typer.echo(f"\n{f' {document.name} ':=^80}\n{document.title}")  # msg.divider writes escape codes to files
            rows = [[text, label, "" if score is None else f"{score:.2f}"] for text, label, score in document.entities]
            msg.table(rows, header=["entity", "type", "score"], divider=True, aligns=["l", "l", "r"], max_col=60)
    if output is not None:
        msg.good(f"Wrote {output}")
