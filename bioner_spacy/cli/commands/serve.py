"""Serve a pipeline over HTTP, with a page to try it.

\b
Example:
  python -m spacy bioner serve en_bioner_mtl --port 8000
"""

from typing import Annotated

import typer

from ...scope import SPANS_KEY
from .. import options
from ..messages import msg


def command(
    pipeline: options.Pipeline,
    host: Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 for other machines too.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0: any that is free.")] = 8000,
    max_texts: Annotated[int, typer.Option(min=1, help="Maximum number of texts per request.")] = 1_000,
    max_characters: Annotated[int, typer.Option(min=1, help="Maximum number of characters per request.")] = 1_000_000,
    max_body: Annotated[int, typer.Option(min=1, help="Maximum number of bytes per request.")] = 8_000_000,
    timeout: Annotated[float, typer.Option(min=0.001, help="Maximum number of seconds per request.")] = 60.0,
    batch_size: Annotated[int, typer.Option(min=1, help="Maximum number of texts annotated together.")] = 64,
    batch_wait: Annotated[float, typer.Option(min=0, help="Milliseconds that a batch waits for more texts.")] = 5.0,
    max_waiting: Annotated[
        int, typer.Option(min=1, help="Maximum number of waiting texts; further ones are refused.")
    ] = 5_000,
    spans_key: options.SpansKey = SPANS_KEY,
    gpu_id: options.GpuId = -1,
) -> None:
    from ...serving.service import Limits, serve

    msg.info(f"Loading {pipeline}")
    serve(
        pipeline,
        host=host,
        port=port,
        limits=Limits(body=max_body, texts=max_texts, characters=max_characters, seconds=timeout),
        batch_size=batch_size,
        batch_wait=batch_wait / 1000,
        max_waiting=max_waiting,
        spans_key=spans_key,
        gpu_id=gpu_id,
    )
