"""Train one pipeline on several corpora, or a single-task baseline on each of them.

Further arguments change the config, as for `spacy train`: --components.multitask_ner.grain corpus

Ctrl-C stops training after a checkpoint; the same command with --resume continues it.

\b
Example:
  python -m spacy bioner train training/multi --corpora sample --corpus corpus/sample
"""

from pathlib import Path
from typing import Annotated

import typer

from ...errors import counted
from .. import options
from ..app import config_overrides
from ..messages import msg


def command(
    context: typer.Context,
    output: Annotated[Path, typer.Argument(help="Folder to write to; with --each, the folder of <corpus> folders.")],
    training: options.Training,
    each: Annotated[bool, typer.Option(help="Train a single-task baseline on each corpus.")] = False,
    seed: options.Seed = 0,
    resume: Annotated[
        bool, typer.Option(help="Continue an interrupted run; a finished one is left as it is.")
    ] = False,
    checkpoint_minutes: Annotated[float, typer.Option(help="Minutes between two checkpoints.")] = 10.0,
) -> None:
    from ...training.train import train

    overrides = config_overrides(context)
    chosen = training.known.training_set(training.corpora)
    pipelines = train(
        chosen,
        output,
        config=training.config_path,
        corpus_folder=training.corpus,
        each=each,
        epochs=training.epochs,
        fraction=training.fraction,
        encoder=training.encoder,
        seed=seed,
        overrides=overrides,
        gpu_id=training.gpu_id,
        resume=resume,
        checkpoint_minutes=checkpoint_minutes,
    )
    msg.good(f"Trained {counted(len(pipelines), 'pipeline')}: {', '.join(map(str, pipelines))}")
