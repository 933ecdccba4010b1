"""What is shipped with the code: the project file, its configs, the sample corpora and the abstracts."""

import shutil
from pathlib import Path

from .about import PROJECT, __version__
from .errors import BionerError, Errors
from .files import replacing

README = "README.md"
"""File of a new project that says what is in it, made from project.md."""
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
    """Make a project folder with the project file, configs, sample corpora and a README.

    Args:
        folder: the folder; it is made, or is there and empty (but for `.git`).

    Raises:
        BionerError: there is something in the folder, or it is a file.
    """
    if folder.exists() and (not folder.is_dir() or {path.name for path in folder.iterdir()} - {".git"}):
        raise BionerError(Errors.E165.format(path=folder))
    source = shipped_project()
    template = Path(__file__).with_name("project.md").read_text(encoding="utf8")
    with replacing(*(folder / name for name in (*PROJECT, README)), folders=True) as (*parts, readme):
        for name, part in zip(PROJECT, parts):
            copy = shutil.copytree if (source / name).is_dir() else shutil.copy
            copy(source / name, part)
        readme.write_text(template.format(name=folder.resolve().name, version=__version__), encoding="utf8")
