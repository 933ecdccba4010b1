"""Build wheels of a trained pipeline and of bioner_spacy.

\b
Example:
  python -m spacy bioner package training/multi/model-last --name bioner_mine --results reports/multi.json
"""

from pathlib import Path
from typing import Annotated, Any, Optional

import typer

from .. import options
from ..messages import msg


def command(
    pipeline: Annotated[Path, typer.Argument(help="Folder of a trained pipeline.")],
    name: Annotated[str, typer.Option(help="Name of the pipeline without its language.")] = "bioner_sample",
    version: Annotated[str, typer.Option(help="Version of the pipeline.")] = "0.1.0",
    output: Annotated[Path, typer.Option(help="Folder for the wheels.")] = Path("packages"),
    catalogue: options.CatalogueFile = None,
    results: Annotated[
        Optional[Path], typer.Option(help="JSON file from `evaluate`, for the scores in the model card.")
    ] = None,
    unnamed: Annotated[
        Optional[Path], typer.Option(help="The same from `evaluate --no-guideline`, for a second table.")
    ] = None,
    notes: Annotated[
        Optional[Path],
        typer.Option(
            exists=True, dir_okay=False, help="Markdown to add to the model card, such as known limits with examples."
        ),
    ] = None,
    weights: Annotated[
        str, typer.Option(help="How weights of the encoder are stored: float32, or int8, a quarter of the size.")
    ] = "float32",
    folder: Annotated[
        Optional[Path],
        typer.Option(help="Write the folder FOLDER/en_<name> for pip install, instead of wheels."),
    ] = None,
) -> None:
    from ...scoring.results import Results
    from ..wheels import build_wheels, write_package

    scores = {
        name: path and Results.from_disk(path) for name, path in {"results": results, "unnamed": unnamed}.items()
    }
    text = "" if notes is None else notes.read_text(encoding="utf8")
    known = options.catalogue_of(catalogue)
    settings: dict[str, Any] = {"catalogue": known, "name": name, "version": version, "notes": text, **scores}
    if folder is not None:
        written = write_package(pipeline, folder, **settings, weights=weights)
        msg.good(f"Wrote {written}")
        msg.info(f"Install it with: pip install {written.resolve()}")
        return
    wheels = build_wheels(pipeline, output, **settings, weights=weights)
    msg.good(f"Wrote {', '.join(str(wheel) for wheel in wheels)}")
    msg.info(f"Install both with: pip install {output}/*.whl")
