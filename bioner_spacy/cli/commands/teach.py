"""Store the predictions of trained pipelines for the training documents, for distillation.

Training uses them with --vars.soft_targets auto and --components.multitask_ner.teach_scope or teach_across above 0.

\b
Example:
  python -m spacy bioner teach training/single/*/model-best --corpora sample --corpus corpus/sample
"""

from typing import Annotated

import typer

from .. import options
from ..messages import msg


def command(
    teachers: Annotated[
        list[str],
        typer.Argument(help="Folders of trained pipelines, optionally with names: NAME=FOLDER."),
    ],
    data: options.Converted,
    gpu_id: options.GpuId = -1,
) -> None:
    from ...training.distillation import name_teachers, write_soft_targets

    files = write_soft_targets(name_teachers(teachers), data.corpus, data.names, gpu_id=gpu_id)
    msg.good(f"Soft targets: {', '.join(map(str, files))}")
