"""Check that converted corpora come from one conversion.

The report of a corpus has the checksums of its files; a list in the folder of the corpora names those that an interrupted
conversion has not replaced yet.
"""

import functools
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from spacy.tokens import Doc
from spacy.vocab import Vocab

from ..docbin import iter_docs
from ..errors import BionerError, Errors
from ..files import checksum, replacing

REPORT_FILE = "report.json"
"""File in the folder of a converted corpus."""

UNFINISHED_FILE = ".unfinished.json"
"""File in the folder of the corpora; hidden, because checksums of folders leave such files out."""


def converted_docs(file: Path, vocab: Vocab) -> Iterator[Doc]:
    """Documents of a split of a converted corpus; see `docbin.iter_docs`.

    Raises:
        BionerError: the split is not of the last conversion into its folder, or cannot be read.
    """
    require_one_conversion(file)
    return iter_docs(file, vocab)


def require_one_conversion(file: Path) -> None:
    """Check that a split of a converted corpus is of the last conversion into its folder.

    A killed conversion may leave new files next to old ones, and new corpora next to old ones. Folders without a report
    or checksums are accepted.

    Args:
        file: the file, or folder of files, of the split.

    Raises:
        BionerError: it is not.
    """
    folder = file.parent.parent
    if file.parent.name in (names := unfinished(folder)):
        raise BionerError(Errors.E155.format(folder=folder, corpora=", ".join(names), file=folder / UNFINISHED_FILE))
    wanted = _checksums(file.parent / REPORT_FILE).get(file.name)
    if wanted is None:
        return
    files = sorted(file.rglob("*.spacy")) if file.is_dir() else [file]
    states = tuple((str(path), path.stat().st_mtime_ns, path.stat().st_size) for path in files)
    if _checksum(file, states) != wanted:
        raise BionerError(Errors.E154.format(file=file, report=file.parent / REPORT_FILE))


def unfinished(folder: Path) -> list[str]:
    """Corpora that an interrupted conversion into a folder has not replaced."""
    try:
        found = json.loads((folder / UNFINISHED_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    return [name for name in found if isinstance(name, str)] if isinstance(found, list) else []


def set_unfinished(folder: Path, names: Iterable[str], *, done: Iterable[str] = ()) -> None:
    """List corpora that a conversion into a folder has still to replace, without those that it has `done`."""
    wanted = sorted({*unfinished(folder), *names}.difference(done))
    file = folder / UNFINISHED_FILE
    if not wanted:
        file.unlink(missing_ok=True)
    elif wanted != unfinished(folder):
        with replacing(file) as (part,):
            part.write_text(json.dumps(wanted) + "\n", encoding="utf-8")


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
