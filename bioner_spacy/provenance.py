"""Provenance of results: versions, revision, checksums of input files, seed and command line."""

import functools
import hashlib
import json
import platform
import shlex
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Optional

from .about import __version__
from .files import checksum

PACKAGES = ("spacy", "thinc", "torch", "transformers", "spacy-transformers", "numpy")
"""Packages whose versions are recorded, besides this one and Python."""


def versions() -> dict[str, Optional[str]]:
    """Versions of this package, Python and `PACKAGES`, without importing them; None if not installed."""
    found: dict[str, Optional[str]] = {"bioner_spacy": __version__, "python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = None
    return found


@functools.cache
def revision() -> Optional[str]:
    """Git revision of this package's checkout, with "-dirty" if tracked files are changed; None if installed or
    without git."""
    folder = Path(__file__).parent
    # The file must be tracked: an environment may be inside another checkout.
    for command in (["ls-files", "--error-unmatch", Path(__file__).name], ["describe", *_DESCRIBE]):
        try:
            ended = subprocess.run(["git", *command], cwd=folder, capture_output=True, text=True, timeout=60)
        except (OSError, subprocess.SubprocessError):
            return None
        if ended.returncode:
            return None
    return ended.stdout.strip() or None


_DESCRIBE = ("--always", "--dirty", "--abbrev=40", "--exclude=*")


def checksums(files: Iterable[Path], *, root: Optional[Path] = None) -> dict[str, Optional[str]]:
    """SHA-256 of files or folders, see `bioner_spacy.files.checksum`.

    Args:
        root: folder that names in the result are relative to, so that moved data are recognised; None for the given
            paths.

    Returns:
        Name -> checksum, sorted by name; None for a missing file.
    """
    found: dict[str, Optional[str]] = {}
    for file in files:
        inside = root is not None and file.is_relative_to(root)
        name = file.relative_to(root).as_posix() if inside and root else file.as_posix()
        found[name] = checksum(file) if file.exists() else None
    return dict(sorted(found.items()))


def digest(content: Any) -> str:
    """SHA-256 of content as JSON, such as a catalogue entry; other objects are converted to strings."""
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode("utf8")).hexdigest()


def provenance(
    *,
    files: Iterable[Path] = (),
    root: Optional[Path] = None,
    seed: Optional[int] = None,
    command: Optional[Sequence[str]] = None,
    **details: Any,
) -> dict[str, Any]:
    """The provenance to store with results.

    Args:
        files: input files: corpora, lists of exclusions, the catalogue.
        root: see `checksums`.
        command: the command line; None for that of this process.
        details: further JSON values to keep, such as the config.

    Returns:
        A dictionary for JSON with the keys versions, revision, checksums, seed, command, and those of `details`.
    """
    return {
        "versions": versions(),
        "revision": revision(),
        "checksums": checksums(files, root=root),
        "seed": seed,
        "command": shlex.join(sys.argv if command is None else command),
        **details,
    }


def differences(first: Mapping[str, Any], second: Mapping[str, Any], *, ignore: Iterable[str] = ()) -> list[str]:
    """Dotted names of the values in which two nested dictionaries differ, sorted.

    Args:
        ignore: names that may differ, with everything below them.
    """
    ignored = set(ignore)
    names = []
    for key in sorted({*first, *second} - ignored):
        one, other = first.get(key), second.get(key)
        if isinstance(one, Mapping) and isinstance(other, Mapping):
            below = {name.removeprefix(f"{key}.") for name in ignored if name.startswith(f"{key}.")}
            names += [f"{key}.{name}" for name in differences(one, other, ignore=below)]
        elif one != other or (key in first) != (key in second):
            names.append(key)
    return names
