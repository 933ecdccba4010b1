"""What is shipped with the code: the project file, its configs, the sample corpora and the abstracts."""

import shutil
from pathlib import Path

from .errors import BionerError, Errors
from .files import replacing

PROJECT = ("project.yml", "configs", "assets/sample", "assets/abstracts", "docker")
"""Files and folders of a new project, as setup.py puts them into the wheel."""
CATALOGUE = "configs/catalogue.yml"
TUNING = "configs/tuning.yml"


def shipped_project() -> Path:
    """The folder with `project.yml`, `configs` and `assets/sample`: in an installed package, or the checkout."""
    package = Path(__file__).parent
    inside = package / "project"
    return inside if inside.is_dir() else package.parent


def project_file(name: str) -> Path:
    """A file of the project: that of the current folder if there is one, else the one that comes with the package.

    Args:
        name: path below the project folder, such as `configs/catalogue.yml`.
    """
    own = Path(name)
    return own if own.is_file() else shipped_project() / name


def init_project(folder: Path) -> None:
    """Make a project folder with the project file, configs and sample corpora.

    Args:
        folder: the folder; it is made, or is there and empty.

    Raises:
        BionerError: there is something in the folder, or it is a file.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise BionerError(Errors.E165.format(path=folder))
    source = shipped_project()
    with replacing(folder, folders=True) as (part,):
        part.mkdir()
        for name in PROJECT:
            copy = shutil.copytree if (source / name).is_dir() else shutil.copy
            (part / name).parent.mkdir(parents=True, exist_ok=True)
            copy(source / name, part / name)
