"""Check that the files of a converted corpus come from one conversion, by the checksums in its report."""

import functools
import json
from collections.abc import Mapping
from pathlib import Path

from ..errors import BionerError, Errors
from ..files import checksum

REPORT_FILE = "report.json"
"""File in the folder of a converted corpus."""


def require_one_conversion(file: Path) -> None:
    """Check that a split of a converted corpus matches its report.

    A killed conversion may leave new files next to old ones. Folders without a report or checksums are accepted.

    Args:
        file: the file, or folder of files, of the split.

    Raises:
        BionerError: it does not match.
    """
    wanted = _checksums(file.parent / REPORT_FILE).get(file.name)
    if wanted is None:
        return
    files = sorted(file.rglob("*.spacy")) if file.is_dir() else [file]
    states = tuple((str(path), path.stat().st_mtime_ns, path.stat().st_size) for path in files)
    if _checksum(file, states) != wanted:
        raise BionerError(Errors.E154.format(file=file, report=file.parent / REPORT_FILE))


def _checksums(report: Path) -> Mapping[str, str]:
    try:
        found = json.loads(report.read_text(encoding="utf-8"))["checksums"]
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return found if isinstance(found, dict) else {}


@functools.lru_cache(maxsize=256)
def _checksum(file: Path, states: tuple[tuple[str, int, int], ...]) -> str:
    """Cached for each state of the files."""
    return checksum(file)
