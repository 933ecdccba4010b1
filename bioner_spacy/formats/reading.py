"""Read files in any format: folders and patterns file by file, and texts without annotations."""

import glob
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Optional, Union

from ..errors import BionerError, Errors, Warnings, warn
from ..files import RUN_FOLDER, open_bytes
from .document import OnError, SourceDocument, stop
from .format import Format
from .registry import all_formats, get_format

_HEAD = 1 << 14
"""Number of bytes inspected to recognise a format."""


def read_documents(
    format: Union[str, Format], path: Path, *, on_error: OnError = stop, **options: Any
) -> Iterator[SourceDocument]:
    """Read a file, a folder, or the files of a pattern such as `texts/*.xml.gz`.

    A folder of a format whose documents are in files is read file by file, in the order of their paths; files are
    those whose names end as those of the format do. Sentences of a file that names no document belong to one document,
    which is called as the file.

    Args:
        format: the format or its name.
        path: the file, a folder of files, or a pattern, all of whose files are read.
        on_error: what to do about a part of a file that cannot be read.
        options: options of the reader of the format.

    Raises:
        BionerError: there is no such format, the folder holds no file of it, or as the reader of the format does.
    """
    declared = get_format(format) if isinstance(format, str) else format
    return _read(declared, partial(declared.read, on_error=on_error, **options), path)


def read_texts(
    format: Union[str, Format], path: Path, *, on_error: Optional[OnError] = None, **options: Any
) -> Iterator[SourceDocument]:
    """Read the texts of a file, folder or pattern, with identifiers and passages, ignoring annotation.

    Args:
        format: the format or its name.
        on_error: what to do about a document that cannot be read; it is left out if no error is raised. None: raise
            the error; but formats that read texts with their mentions only leave out both, with a warning.
        options: options of the reader of the format; those that are about annotation are left alone.

    Yields:
        The documents, without mentions where the format has a way to read texts alone.

    Raises:
        BionerError: as `read_documents` does, but for annotations.
    """
    declared = get_format(format) if isinstance(format, str) else format
    given = {name: value for name, value in options.items() if name in declared.text_options}
    read = declared.read_texts or declared.read
    if on_error:
        read = partial(read, on_error=on_error)
    elif declared.is_annotated and not declared.read_texts:
        read = partial(_read_leniently, declared)
    return _read(declared, partial(read, **given), path)


def _read_leniently(declared: Format, path: Path, **options: Any) -> Iterator[SourceDocument]:
    errors: list[BionerError] = []
    yield from declared.read(path, on_error=errors.append, **options)
    if errors:
        warn(Warnings.W110.format(path=path, count=len(errors), first=errors[0]))


def _read(declared: Format, read: Any, path: Path) -> Iterator[SourceDocument]:
    if declared.is_folder or not (path.is_dir() or is_pattern(path)):
        yield from _explaining_errors(declared, read, path)
        return
    for file in files_of(declared, path):
        for document in _explaining_errors(declared, read, file):
            if declared.keeps_sentences and not document.doc_id:
                document = replace(document, doc_id=name_in(path, file))
            yield document


def is_pattern(path: Path) -> bool:
    """Whether a path is a pattern of names, such as `texts/*.xml`, and does not exist itself."""
    return glob.has_magic(str(path)) and not path.exists()


def name_in(source: Path, file: Path) -> str:
    """Name of a file of a folder or pattern: its path below the folder, or below the last folder without a wildcard,
    without its ending."""
    base = next(parent for parent in (source, *source.parents) if not is_pattern(parent))
    name = file.relative_to(base).as_posix().removesuffix(".gz")
    return name.removesuffix(Path(name).suffix)


def _explaining_errors(declared: Format, read: Any, path: Path) -> Iterator[SourceDocument]:
    """The documents of a file; an error before the first of them says which other formats the file looks like."""
    first = True
    try:
        for document in read(path):
            first = False
            yield document
    except BionerError as error:
        names = looks_like(path) if first else []
        if not names or declared.name in names:
            raise
        raise BionerError(Errors.E176.format(error=error, formats=" or ".join(names), format=declared.name)) from None


def looks_like(path: Path) -> list[str]:
    """Names of the formats that a file looks like."""
    try:
        head = head_of(path)
    except (BionerError, OSError):
        return []
    return [name for name, format in all_formats().items() if format.recognises and format.recognises(head)]


def head_of(path: Path) -> str:
    """The beginning of a file.

    Raises:
        BionerError: it is missing, damaged or empty.
    """
    with open_bytes(path) as file:
        head = file.read(_HEAD)
    if not head.strip():
        raise BionerError(Errors.E102.format(path=path))
    return head.decode("utf-8", errors="ignore").removeprefix("\ufeff")


def files_of(declared: Format, folder: Path) -> list[Path]:
    """The files of a format in a folder and its subfolders, or all files of a pattern, sorted by path, without hidden
    ones.
    """
    if is_pattern(folder):
        return source_files(folder)
    files = visible_files(folder)
    chosen = [file for file in files if declared.has_ending(file)]
    if not chosen:
        endings = ", ".join((*declared.endings, *declared.usual_endings))
        raise BionerError(Errors.E172.format(path=folder, format=declared.name, endings=endings))
    if len(chosen) < len(files):
        others = [file for file in files if file not in set(chosen)]
        names = ", ".join(file.relative_to(folder).as_posix() for file in others[:3])
        warn(Warnings.W109.format(path=folder, count=len(others), format=declared.name, first=names))
    return chosen


def visible_files(folder: Path) -> list[Path]:
    """All files in a folder and its subfolders, sorted by path, without hidden ones and the state of a run."""
    found = []
    for file in folder.rglob("*"):
        parts = file.relative_to(folder).parts
        if not any(part.startswith(".") or part == RUN_FOLDER for part in parts) and file.is_file():
            found.append(file)
    return sorted(found, key=lambda file: file.relative_to(folder).parts)


def source_files(path: Path) -> list[Path]:
    """The files to read: those of a pattern or folder, sorted by path, or the file itself."""
    if is_pattern(path):
        found = sorted(map(Path, glob.glob(str(path), recursive=True)), key=lambda file: file.parts)
        found = [file for file in found if file.is_file()]
        if not found:
            raise BionerError(Errors.E179.format(path=path))
        return found
    if not path.exists():
        raise BionerError(Errors.E101.format(path=path))
    return visible_files(path) if path.is_dir() else [path]
