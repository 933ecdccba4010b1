"""Annotate the texts of files in any format, and write them in any format.

The exit status is 3 if documents or files could not be read or annotated; OUTPUT.errors.jsonl, or
OUTPUT/_run/errors.jsonl with --shard-size, names them.

\b
Example:
  python -m spacy bioner apply en_bioner_mtl abstracts.txt annotated.jsonl
"""

from typing import Annotated, Optional

import typer

from ...errors import counted
from ...formats.documents import text_formats
from ...scope import SPANS_KEY
from .. import options
from ..messages import msg

INCOMPLETE = 3
"""Exit status if some documents or files could not be read or annotated."""


def command(
    pipeline: options.Pipeline,
    source: options.Source,
    output: options.OutputFile,
    input_format: options.TextFormat = None,
    reader_options: options.ReaderOptions = "",
    format: options.Format = None,
    spans_key: options.SpansKey = SPANS_KEY,
    columns: options.Columns = None,
    types: Annotated[str, typer.Option(help="Entity types to keep, separated by commas; default: all.")] = "",
    threshold: Annotated[float, typer.Option(min=0, max=1, help="Minimum score of mentions.")] = 0.0,
    flat: Annotated[bool, typer.Option(help="Only mentions that do not overlap: those of doc.ents.")] = False,
    guideline: options.Guideline = None,
    batch_size: Annotated[Optional[int], typer.Option(min=1, help="Documents per batch.")] = None,
    n_process: Annotated[int, typer.Option(min=1, help="Number of parallel processes, or of Ray actors.")] = 1,
    gpu_id: options.GpuId = -1,
    shard_size: Annotated[
        Optional[int],
        typer.Option(
            min=1, help="Write a folder of files with this many documents each; the same command resumes a run."
        ),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Run again from the start.")] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Stop at a document that cannot be read or annotated.")
    ] = False,
    progress: Annotated[
        Optional[str], typer.Option(help="none, bar or log; default: a bar on a terminal, else none.")
    ] = None,
    engine: Annotated[str, typer.Option(help="processes, or ray for a run on a cluster.")] = "processes",
    address: Annotated[Optional[str], typer.Option(help="Ray cluster; default: one on this machine.")] = None,
) -> None:
    from ...serving.apply import apply

    if shard_size is not None and str(source) == "-":
        raise typer.BadParameter("a run reads files, and not the standard input", param_hint="--shard-size")
    with options.source_file(source, input_format, text_formats()) as texts:
        written = apply(
            pipeline,
            texts,
            output,
            input_format=input_format,
            options=reader_options,
            format=format,
            spans_key=spans_key,
            columns=columns,
            types=[name.strip() for name in types.split(",")] if types else None,
            threshold=threshold,
            flat=flat,
            guideline=guideline,
            batch_size=batch_size,
            n_process=n_process,
            gpu_id=gpu_id,
            shard_size=shard_size,
            overwrite=overwrite,
            strict=strict,
            progress=progress,
            engine=engine,
            address=address,
        )
    msg.good(f"Wrote {output}: {counted(written.documents, 'document')}, {counted(written.spans, 'span')}")
    if written.failures:
        raise typer.Exit(INCOMPLETE)
