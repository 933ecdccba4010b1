"""Fetch corpus files and verify their checksums."""

import http
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Optional, Union

from ..errors import BionerError, Errors, Warnings, reason, warn
from ..files import as_path, checksum, replacing
from ..shipped import shipped_project
from .catalogue import Catalogue, Corpus, CorpusFile, named_corpora

TIMEOUT = 60
"""Timeout of a download in seconds."""


@dataclass(frozen=True)
class Asset:
    """One corpus file, its state ("present" or "fetched"), and the splits it contains."""

    corpus: str
    splits: str
    path: Path
    status: str


def fetch(
    catalogue: Catalogue, names: Iterable[str], *, folder: Union[str, Path], source: Optional[str] = None
) -> list[Asset]:
    """Fetch missing or wrong files of corpora.

    A file is written only if its checksum matches. Files without a known checksum are parsed instead, with a warning.

    Args:
        source: address prefix or local folder that holds `<corpus>/<file>` or `<corpus>-IOB/<file>`, or
            `<folder>/<file>` with the last part of the corpus's folder; None for the public address in the
            catalogue, or what comes with this package.

    Returns:
        All files of the corpora, in order.

    Raises:
        BionerError: a file cannot be fetched, or its checksum is wrong.
    """
    assets = []
    for corpus, file, splits, path in _files(catalogue, names, folder):
        present = path.exists() and _problem(corpus, file, path) is None
        if not present:
            _fetch_file(corpus, file, splits, path, source)
        assets.append(Asset(corpus.name, ", ".join(splits), path, "present" if present else "fetched"))
    return assets


def verify(catalogue: Catalogue, names: Iterable[str], *, folder: Union[str, Path]) -> list[Asset]:
    """Check that all files of corpora are there and have the right checksums.

    Returns:
        All files of the corpora, in order.

    Raises:
        BionerError: files are missing or wrong; the message names all of them.
    """
    assets, problems = [], []
    for corpus, file, splits, path in _files(catalogue, names, folder):
        problem = _problem(corpus, file, path) if path.exists() else "missing"
        if problem:
            problems.append(f"{path} ({problem})")
        assets.append(Asset(corpus.name, ", ".join(splits), path, "present"))
    if problems:
        raise BionerError(Errors.E120.format(count=len(problems), files=", ".join(problems)))
    return assets


def _files(
    catalogue: Catalogue, names: Iterable[str], folder: Union[str, Path]
) -> Iterator[tuple[Corpus, CorpusFile, list[str], Path]]:
    """Every file of some corpora, its splits and its path; after those of a corpus, a warning of unknown checksums."""
    for corpus in named_corpora(catalogue, names):
        for file, splits in corpus.distinct_files:
            yield corpus, file, splits, corpus.file_path(file, as_path("folder", folder))
        if unchecked := [file.name for file, _ in corpus.distinct_files if file.sha256 is None]:
            warn(Warnings.W103.format(corpus=corpus.name, files=", ".join(unchecked)))


def _problem(corpus: Corpus, file: CorpusFile, path: Path) -> Optional[str]:
    """What is wrong with an existing file, or None."""
    if file.sha256 is None:
        try:
            for document in corpus.read(path):
                for mention in document.mentions:
                    if mention.label not in corpus.labels:
                        return f"line {mention.line} has the label {mention.label}, which is not in the catalogue"
        except BionerError as error:
            return str(error)
        return None
    found = checksum(path)
    return None if found == file.sha256 else f"sha256 {found} instead of {file.sha256}"


def _addresses(corpus: Corpus, file: CorpusFile, splits: list[str], path: Path, source: Optional[str]) -> list[str]:
    """Addresses to try for a file, in order."""
    if source is not None:
        folders = dict.fromkeys((corpus.name, f"{corpus.name}-IOB", Path(corpus.folder).name))
        return [f"{source.rstrip('/')}/{folder}/{file.name}" for folder in folders]
    shipped = shipped_project() / corpus.file_path(file, Path("assets"))  # of the sample corpora
    if corpus.url is None and shipped.exists() and shipped.resolve() != path.resolve():
        return [str(shipped)]
    if corpus.url is None:
        raise BionerError(Errors.E121.format(path=path, corpus=corpus.name, description=corpus.description))
    return [corpus.url.replace("{file}", file.name).replace("{split}", splits[0])]


def _fetch_file(corpus: Corpus, file: CorpusFile, splits: list[str], path: Path, source: Optional[str]) -> None:
    addresses = _addresses(corpus, file, splits, path, source)
    with replacing(path, folders=True) as (part,):
        if not any(_copy(address, part) for address in addresses):
            raise BionerError(Errors.E122.format(address=" or ".join(addresses), problem="there is no such file"))
        problem = _problem(corpus, file, part)
        if problem:
            place = {"corpus": corpus.name, "split": ", ".join(splits), "path": path}
            raise BionerError(Errors.E123.format(**place, problem=problem))


def _copy(address: str, destination: Path) -> bool:
    """Copy a local file or folder, or download a file; False if there is none at this address."""
    import pooch

    try:
        if "://" not in address:
            copy = shutil.copytree if Path(address).is_dir() else shutil.copyfile
            copy(address, destination)
        else:
            pooch.HTTPDownloader(timeout=TIMEOUT)(address, str(destination), None)
        return True
    except FileNotFoundError:
        return False
    except (OSError, ValueError) as error:  # those of the downloader are kinds of these
        if getattr(getattr(error, "response", None), "status_code", None) == http.HTTPStatus.NOT_FOUND:
            return False
        raise BionerError(Errors.E122.format(address=address, problem=reason(error))) from None
