"""Save a pipeline with fewer layers in its encoder, from which a smaller and faster pipeline is trained.

\b
Example:
  python -m spacy bioner shrink training/multi/model-last training/start --layers 3
  python -m spacy bioner train training/small --vars.init_from training/start --corpora sample --corpus corpus/sample
"""

from pathlib import Path
from typing import Annotated

import typer

from .. import options
from ..messages import msg


def command(
    pipeline: options.Pipeline,
    output: Annotated[Path, typer.Argument(help="Folder for the pipeline with fewer layers.")],
    layers: Annotated[int, typer.Option(help="Number of layers to keep.")] = 3,
) -> None:
    from ...training.distillation import shrink

    kept = shrink(pipeline, output, layers)
    msg.good(f"Wrote {output} with the layers {', '.join(map(str, kept))}; train it before use")
