"""Annotate the texts of a file, whatever its format, and write them in any format."""

from typing import Annotated, Optional

import typer

from ...formats.documents import text_formats
from ...scope import SPANS_KEY
from .. import options
from ..messages import msg


def command(
    pipeline: options.Pipeline,
    source: options.Source,
    output: options.OutputFile,
    input_format: Annotated[Optional[str], typer.Option(help=options.format_help(text_formats()))] = None,
    reader_options: options.ReaderOptions = "",
    format: options.Format = None,
    spans_key: Annotated[str, typer.Option(help="Key of the spans in doc.spans.")] = SPANS_KEY,
    columns: options.Columns = None,
    types: Annotated[str, typer.Option(help="Entity types to keep, separated by commas; default: all.")] = "",
    threshold: Annotated[float, typer.Option(min=0, max=1, help="Least score of mentions.")] = 0.0,
    flat: Annotated[bool, typer.Option(help="Only mentions that do not overlap: those of doc.ents.")] = False,
    batch_size: Annotated[Optional[int], typer.Option(min=1, help="Documents per batch.")] = None,
    n_process: Annotated[int, typer.Option(min=1, help="Processes side by side.")] = 1,
    gpu_id: options.GpuId = -1,
) -> None:
    """Annotate the texts of a file, whatever its format, and write them in any format.

    \b
    Example:
      python -m spacy bioner apply en_bioner_sample abstracts.txt annotated.jsonl
    """
    from ...serving.apply import apply_pipeline

    with options.source_file(source, input_format, text_formats()) as texts:
        documents, spans = apply_pipeline(
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
            batch_size=batch_size,
            n_process=n_process,
            gpu_id=gpu_id,
        )
    msg.good(f"Wrote {output}: {documents:,} documents, {spans:,} spans")
