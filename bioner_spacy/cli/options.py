"""Options that commands of experiments have in common."""

from pathlib import Path
from typing import Annotated, Optional

import typer

from ..scoring.significance import ALPHA as ALPHA
from ..scoring.significance import RESAMPLES as RESAMPLES
from ..training.runs import ENOUGH_STEPS

Output = Annotated[Path, typer.Argument(help="Folder of the results; what is there is not computed again.")]
Seeds = Annotated[str, typer.Option(help="Random seeds, separated by commas.")]
Config = Annotated[Path, typer.Option(help="The training config.")]
Catalogue = Annotated[Path, typer.Option(help="The corpus catalogue.")]
CorpusFolder = Annotated[Path, typer.Option(help="Folder with <corpus>/<split>.spacy.")]
Split = Annotated[str, typer.Option(help="The split to score on.")]
Encoder = Annotated[Optional[str], typer.Option(help="Encoder; default: the one of the config.")]
Epochs = Annotated[
    int,
    typer.Option(
        min=0,
        help=f"Epochs; 0: those of the set in the catalogue, for other corpora as many as give {ENOUGH_STEPS:,} steps.",
    ),
]
Fraction = Annotated[float, typer.Option(help="Share of each training set that is used.")]
GpuId = Annotated[int, typer.Option(help="Number of the GPU; -1 for the CPU.")]
Alpha = Annotated[float, typer.Option(min=0, max=1, help="Level of the tests.")]
Resamples = Annotated[int, typer.Option(min=1, help="Draws of each test.")]

SEEDS = "0,1,2"
CONFIG = Path("configs/multitask.cfg")
CATALOGUE = Path("configs/catalogue.yml")
CORPUS_FOLDER = Path("corpus")


def parse_seeds(text: str) -> list[int]:
    """The numbers of the option `--seeds`, each once.

    Raises:
        typer.BadParameter: one is not a number of 0 or more.
    """
    if not all(seed.strip().isdecimal() for seed in text.split(",")):
        raise typer.BadParameter("give whole numbers of 0 or more, separated by commas", param_hint="--seeds")
    return list(dict.fromkeys(int(seed) for seed in text.split(",")))
