"""Packages of a trained pipeline: a folder that pip installs, or wheels of it and of this package side by side."""

import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import distribution
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Optional
from zipfile import ZIP_DEFLATED, ZipFile

import srsly
from packaging.version import InvalidVersion, Version
from spacy import registry
from spacy.cli.package import package
from spacy.util import split_requirement
from thinc.api import Config

from ..corpora import Catalogue
from ..errors import BionerError, Errors, check_setting
from ..files import replacing
from ..reports.model_card import complete_meta
from ..scoring.evaluate import load_pipeline
from ..scoring.results import Results
from ..shipped import shipped_project

NAME = "bioner_spacy"
_OF_ONE_INSTALLATION = {"RECORD", "INSTALLER", "REQUESTED", "direct_url.json"}


def build_wheels(pipeline: Path, output: Path, **settings: Any) -> list[Path]:
    """Build both wheels; other versions of the same packages in the folder for them are deleted.

    Args:
        pipeline: folder of a trained pipeline.
        output: folder for the wheels.
        settings: those of `packaged`.

    Returns:
        The wheels, the pipeline's first.

    Raises:
        BionerError: there is no pipeline, the results are those of another one, there is no such way to store weights,
            or a wheel cannot be built.
    """
    with packaged(pipeline, **settings) as built:
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


def write_package(pipeline: Path, output: Path, **settings: Any) -> Path:
    """Write a pipeline as a folder that pip installs, OUTPUT/en_<name>, which is replaced if it is there.

    Arguments and errors are those of `build_wheels`.
    """
    with packaged(pipeline, **settings) as built:
        folder = output / built.name.rpartition("-")[0]
        with replacing(folder, folders=True) as [unfinished]:
            shutil.copytree(built, unfinished)
        return folder


@contextmanager
def packaged(
    pipeline: Path,
    *,
    catalogue: Catalogue,
    name: str,
    version: str,
    results: Optional[Results] = None,
    unnamed: Optional[Results] = None,
    notes: str = "",
    weights: str = "float32",
) -> Iterator[Path]:
    """A folder with a setup.py, made by spaCy, which exists within the block.

    Args:
        pipeline: folder of a trained pipeline.
        catalogue: catalogue with sources and licences of the training corpora.
        name: name of the pipeline, without the language: bioner_sample makes en_bioner_sample.
        results: scores of the pipeline for its model card (`README.md` and `meta.json`); None for a card without them.
        unnamed: its scores without a named guideline, for a second table.
        notes: Markdown to add to the card, such as known limits with examples.
        weights: how weights of the encoder are stored, "float32" or "int8" (a quarter of the size).

    Raises:
        BionerError: see `build_wheels`.
    """
    if not (pipeline / "meta.json").is_file():
        raise BionerError(Errors.E601.format(pipeline=pipeline))
    check_setting("name", name, "letters, digits and _, not a digit first", name.isidentifier() and name.isascii())
    check_setting("version", version, "a version such as 0.1.0", _is_version(version))
    prepare = registry.callbacks.get("bioner_spacy.before_saving.v1")(weights=weights)
    with TemporaryDirectory() as folder:
        work = Path(folder)
        prepare(load_pipeline(pipeline)).to_disk(work / "saved")
        config = Config().from_disk(work / "saved" / "config.cfg", interpolate=False)
        if "init_from" in config.get("vars", {}):  # else nlp.initialize, e.g. of an added component, would look for it
            config["vars"]["init_from"] = None
        Config(_without_folders(config)).to_disk(work / "saved" / "config.cfg", interpolate=False)
        card = complete_meta(pipeline, catalogue, results, unnamed=unnamed, notes=notes, name=name, weights=weights)
        # What a package required that is packaged again; spaCy adds the version that is installed.
        required = [text for text in card.get("requirements", []) if _project(text) != NAME]
        srsly.write_json(work / "meta.json", {**card, "requirements": required})
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
        # Its setup.py does so when it is installed, and would change a folder that is under version control.
        for inside in (built / built.name.rpartition("-")[0], next(built.glob("*/*/config.cfg")).parent):
            shutil.copy(built / "meta.json", inside)
        yield built


def _project(requirement: str) -> str:
    return split_requirement(requirement)[0].replace("-", "_")


def _is_version(text: str) -> bool:
    try:
        Version(text)
    except InvalidVersion:
        return False
    return True


def _without_folders(value: Any) -> Any:
    """A config with names in place of absolute paths, which only this machine has."""
    if isinstance(value, Mapping):
        return {name: _without_folders(inner) for name, inner in value.items()}
    return Path(value).name if isinstance(value, str) and Path(value).is_absolute() else value


def _build(project: Path, folder: Path) -> None:
    """Build the wheel of a folder with a setup.py, with what pip says on the terminal."""
    address = str(project.resolve())  # pip would look for a bare name in the package index
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", str(folder), address]
    status = subprocess.run(command, check=False).returncode
    if status:
        raise BionerError(Errors.E602.format(what=project.name, status=status))


def pack_installed(folder: Path) -> Path:
    """Put the files of this package, which was installed from a wheel, into a wheel again.

    Args:
        folder: folder for the wheel.
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
