"""Wheels of a trained pipeline and of this package, side by side, so that one `pip install` takes both."""

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import srsly
from spacy.cli.package import package

from ..corpora import Catalogue
from ..errors import BionerError, Errors


def build_wheels(
    pipeline: Path, output: Path, *, source: Path, catalogue: Catalogue, name: str, version: str
) -> list[Path]:
    """Build both wheels.

    Args:
        pipeline: folder of a trained pipeline.
        output: folder for the wheels; wheels in it are replaced.
        source: folder with the `setup.py` of this package.
        catalogue: catalogue that tells source and licence of the corpora that the pipeline was trained on.
        name: name of the pipeline, without the language: bioner_mtl makes en_bioner_mtl.
        version: version of the pipeline.

    Returns:
        The wheels, the pipeline's first.

    Raises:
        BionerError: there is no pipeline, or a wheel cannot be built.
    """
    if not (pipeline / "meta.json").is_file():
        raise BionerError(Errors.E601.format(pipeline=pipeline))
    with TemporaryDirectory() as folder:
        work = Path(folder)
        srsly.write_json(work / "meta.json", _complete_meta(pipeline, catalogue))
        package(
            pipeline,
            work,
            meta_path=work / "meta.json",
            name=name,
            version=version,
            create_sdist=False,
            create_wheel=False,
            silent=True,
        )
        built = next(path for path in work.iterdir() if (path / "setup.py").is_file())
        wheels = work / "wheels"
        for project in (built, source):
            command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", str(wheels), str(project)]
            status = subprocess.run(command, check=False).returncode
            if status:
                raise BionerError(Errors.E602.format(what=project.name, status=status))
        output.mkdir(parents=True, exist_ok=True)
        for old in output.glob("*.whl"):
            old.unlink()
        found = sorted(wheels.glob("*.whl"), key=lambda path: path.name.startswith("bioner_spacy"))
        return [Path(wheel.replace(output / wheel.name)) for wheel in found]


def _complete_meta(pipeline: Path, catalogue: Catalogue) -> dict[str, Any]:
    """The pipeline's meta data, with what the training config knows about corpora and encoder."""
    meta = srsly.read_json(pipeline / "meta.json")
    component: dict[str, Any] = srsly.read_json(pipeline / "multitask_ner" / "cfg")
    corpora = [catalogue.corpora[name] for name in component["label_data"] if name in catalogue.corpora]
    types = ", ".join(meta["labels"]["multitask_ner"])
    meta["description"] = f"Multi-task biomedical named entity recognition: {types}."
    meta["sources"] = [{"name": corpus.name, "url": corpus.homepage, "license": corpus.licence} for corpus in corpora]
    return meta
