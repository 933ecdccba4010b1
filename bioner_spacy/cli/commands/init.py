"""Create a project folder: project file, configs, sample corpora and a README, ready to run.

\b
Example:
  python -m spacy bioner init mine
  python -m spacy project run all mine
"""

from pathlib import Path
from typing import Annotated

import typer

from ..messages import msg


def command(
    folder: Annotated[Path, typer.Argument(help="The folder to create; an existing one must be empty.")],
) -> None:
    from ...shipped import init_project

    init_project(folder)
    msg.good(f"Made {folder} with project.yml, configs and sample corpora; README.md says how to use it")
    msg.info("Install what its commands need: pip install 'bioner_spacy[project]'")
    msg.info(f"Train, score and package on the samples: python -m spacy project run all {folder}")
