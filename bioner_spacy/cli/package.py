"""Wheels of a trained pipeline and of this package, side by side, so that one `pip install` takes both."""

import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Optional

import srsly
from spacy.cli.package import package

from ..corpora import Catalogue
from ..errors import BionerError, Errors
from ..files import replacing
from ..reports.model_card import complete_meta
from ..scoring.results import Results


def build_wheels(
    pipeline: Path,
    output: Path,
    *,
    source: Path,
    catalogue: Catalogue,
    name: str,
    version: str,
    results: Optional[Results] = None,
) -> list[Path]:
    """Build both wheels.

    Args:
        pipeline: folder of a trained pipeline.
        output: folder for the wheels; other versions of the same packages in it are deleted.
        source: folder with the `setup.py` of this package.
        catalogue: catalogue that tells source and licence of the corpora that the pipeline was trained on.
        name: name of the pipeline, without the language: bioner_mtl makes en_bioner_mtl.
        version: version of the pipeline.
        results: scores of the pipeline for its model card (`README.md` and `meta.json`); None for a card without them.

    Returns:
        The wheels, the pipeline's first.

    Raises:
        BionerError: there is no pipeline, the results are those of another one, or a wheel cannot be built.
    """
    if not (pipeline / "meta.json").is_file():
        raise BionerError(Errors.E601.format(pipeline=pipeline))
    with TemporaryDirectory() as folder:
        work = Path(folder)
        srsly.write_json(work / "meta.json", complete_meta(pipeline, catalogue, results, name=name))
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
            address = str(project.resolve())  # pip would look for a bare name in the package index
            command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", str(wheels), address]
            status = subprocess.run(command, check=False).returncode
            if status:
                raise BionerError(Errors.E602.format(what=project.name, status=status))
        found = sorted(wheels.glob("*.whl"), key=lambda path: path.name.startswith("bioner_spacy"))
        made = [output / wheel.name for wheel in found]
        with replacing(*made) as parts:
            for wheel, part in zip(found, parts):
                shutil.copyfile(wheel, part)
        for wheel in made:
            for old in output.glob(f"{wheel.name.split('-')[0]}-*.whl"):
                if old not in made:
                    old.unlink()
        return made
