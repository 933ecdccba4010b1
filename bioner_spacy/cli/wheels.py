"""Packages of a trained pipeline: a folder for pip, or wheels of it and of this package."""

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from importlib.metadata import distribution
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Optional
from zipfile import ZIP_DEFLATED, ZipFile

import srsly
from spacy import registry
from spacy.cli.package import package
from thinc.api import Config

from ..corpora import Catalogue
from ..errors import BionerError, Errors
from ..files import replacing
from ..reports.model_card import complete_meta
from ..scoring.evaluate import load_pipeline
from ..scoring.results import Results
from ..shipped import shipped_project

NAME = "bioner_spacy"
_OF_ONE_INSTALLATION = {"RECORD", "INSTALLER", "REQUESTED", "direct_url.json"}


def build_wheels(
    pipeline: Path,
    output: Path,
    *,
    catalogue: Catalogue,
    name: str,
    version: str,
    results: Optional[Results] = None,
    unnamed: Optional[Results] = None,
    notes: str = "",
    weights: str = "float32",
) -> list[Path]:
    """Build both wheels.

    Args:
        pipeline: folder of a trained pipeline.
        output: folder for the wheels; other versions of the same packages are deleted.
        catalogue: catalogue with sources and licences of the training corpora.
        name: name of the pipeline, without the language: bioner_sample makes en_bioner_sample.
        version: version of the pipeline.
        results: scores of the pipeline for its model card (`README.md` and `meta.json`); None for a card without them.
        unnamed: its scores without a named guideline, for a second table.
        notes: Markdown to add to the card, such as known limits with examples.
        weights: how weights of the encoder are stored, "float32" or "int8" (a quarter of the size).

    Returns:
        The wheels, that of the pipeline first.

    Raises:
        BionerError: there is no pipeline, the results are of another one, `weights` is unknown, or a wheel cannot be
            built.
    """
    card = partial(
        complete_meta, pipeline, catalogue, results, unnamed=unnamed, notes=notes, name=name, weights=weights
    )
    with _package(pipeline, card, name=name, version=version, weights=weights) as built:
        wheels = built.parent / "wheels"
        _build(built, wheels)
        checkout = shipped_project()
        if (checkout / "setup.py").is_file():
            _build(checkout, wheels)
        else:
            pack_installed(wheels)
        found = sorted(wheels.glob("*.whl"), key=lambda path: path.name.startswith(NAME))
        made = [output / wheel.name for wheel in found]
        with replacing(*made) as parts:
            for wheel, part in zip(found, parts):
                shutil.copyfile(wheel, part)
        for wheel in made:
            for old in output.glob(f"{wheel.name.split('-')[0]}-*.whl"):
                if old not in made:
                    old.unlink()
        return made


def write_package(
    pipeline: Path,
    output: Path,
    *,
    catalogue: Catalogue,
    name: str,
    version: str,
    results: Optional[Results] = None,
    unnamed: Optional[Results] = None,
    notes: str = "",
    weights: str = "float32",
) -> Path:
    """Write a pipeline as a folder for pip.

    Args:
        pipeline: see `build_wheels`, also for other arguments.
        output: parent folder of en_<name>, which is replaced if it exists.

    Returns:
        The folder.

    Raises:
        BionerError: see `build_wheels`.
    """
    card = partial(
        complete_meta, pipeline, catalogue, results, unnamed=unnamed, notes=notes, name=name, weights=weights
    )
    with _package(pipeline, card, name=name, version=version, weights=weights) as built:
        folder = output / built.name.rpartition("-")[0]
        with replacing(folder, folders=True) as [unfinished]:
            shutil.copytree(built, unfinished)
        return folder


@contextmanager
def _package(
    pipeline: Path, card: Callable[[], dict[str, Any]], *, name: str, version: str, weights: str
) -> Iterator[Path]:
    """A temporary folder with a setup.py, made by spaCy."""
    if not (pipeline / "meta.json").is_file():
        raise BionerError(Errors.E601.format(pipeline=pipeline))
    prepare = registry.callbacks.get("bioner_spacy.before_saving.v1")(weights=weights)
    with TemporaryDirectory() as folder:
        work = Path(folder)
        prepare(load_pipeline(pipeline)).to_disk(work / "saved")
        config = Config().from_disk(work / "saved" / "config.cfg", interpolate=False)
        Config(_without_folders(config)).to_disk(work / "saved" / "config.cfg", interpolate=False)
        srsly.write_json(work / "meta.json", card())
        package(
            work / "saved",
            work,
            meta_path=work / "meta.json",
            name=name,
            version=version,
            create_sdist=False,
            create_wheel=False,
            silent=True,
        )
        built = next(path for path in work.iterdir() if (path / "setup.py").is_file())
        # Otherwise setup.py would change a folder under version control.
        for inside in (built / built.name.rpartition("-")[0], next(built.glob("*/*/config.cfg")).parent):
            shutil.copy(built / "meta.json", inside)
        yield built


def _without_folders(value: Any) -> Any:
    """A config with absolute paths replaced by names."""
    if isinstance(value, Mapping):
        return {name: _without_folders(inner) for name, inner in value.items()}
    return Path(value).name if isinstance(value, str) and Path(value).is_absolute() else value


def _build(project: Path, folder: Path) -> None:
    """Build the wheel of a folder with a setup.py; pip prints to the terminal."""
    address = str(project.resolve())  # pip would look up a bare name in the package index
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", str(folder), address]
    status = subprocess.run(command, check=False).returncode
    if status:
        raise BionerError(Errors.E602.format(what=project.name, status=status))


def pack_installed(folder: Path) -> Path:
    """Pack the installed files of this package into a wheel.

    Args:
        folder: folder for the wheel.

    Returns:
        The wheel.
    """
    installed = distribution(NAME)
    files = [file for file in installed.files or [] if ".." not in file.parts and file.suffix != ".pyc"]
    [record] = [file for file in files if file.name == "RECORD"]
    wheel = folder / f"{NAME}-{installed.version}-py3-none-any.whl"
    with ZipFile(wheel, "w", ZIP_DEFLATED) as packed:
        lines = [f"{record.as_posix()},,"]
        for file in files:
            if file.name not in _OF_ONE_INSTALLATION:
                packed.write(str(file.locate()), file.as_posix())
                digest = f"{file.hash.mode}={file.hash.value}" if file.hash else ""
                lines.append(f"{file.as_posix()},{digest},{file.size or ''}")
        packed.writestr(record.as_posix(), "\n".join(lines) + "\n")
    return wheel
