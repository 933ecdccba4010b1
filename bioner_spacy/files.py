"""Files: numbered lines, checksums, and atomic writing."""

import errno
import glob
import gzip
import hashlib
import os
import secrets
import shutil
import sys
import tempfile
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Union, cast

from filelock import FileLock, Timeout

from .errors import BionerError, Errors

BLANK = " \t"
"""Characters of a blank line; some corpora separate sentences by a line with a tab."""
STALE = 24 * 3600
"""Age in seconds after which a partial file counts as abandoned."""

RUN_FOLDER = "_run"
"""Folder with the state of a run of `spacy bioner apply`, next to its output files."""

_GZIP = b"\x1f\x8b"
_open: list[BinaryIO] = []
_closed = [0]  # bytes read of files that are closed again


def as_path(argument: str, value: Union[str, Path]) -> Path:
    """A path that was given as such or as text.

    Args:
        argument: its name, for messages.

    Raises:
        BionerError: the text is empty, which would be the current folder.
    """
    if value == "":
        raise BionerError(Errors.E654.format(argument=argument))
    return Path(value)


def bytes_read() -> int:
    """Number of bytes that `open_bytes` has read in this process, before decompression, for progress."""
    return _closed[0] + sum(file.tell() for file in _open)


def require_readable(path: Path) -> None:
    """Check that there is a file to read.

    Raises:
        BionerError: there is nothing, or a folder, device or pipe.
    """
    if not path.is_file():
        message = Errors.E108 if path.exists() else Errors.E101
        raise BionerError(message.format(path=path, kind=_kind(path), done="read"))


@contextmanager
def open_bytes(path: Path) -> Iterator[BinaryIO]:
    """Open a file for reading, and decompress gzip, whatever its name.

    Raises:
        BionerError: the file is missing, not a regular file, or damaged.
    """
    require_readable(path)
    with path.open("rb") as file:
        _open.append(file)
        try:
            packed = file.read(len(_GZIP)) == _GZIP
            file.seek(0)
            if packed:
                with _damage_named(path), gzip.open(file) as unpacked:
                    yield cast(BinaryIO, unpacked)
            else:
                yield file
        finally:
            _open.remove(file)
            _closed[0] += file.tell()


@contextmanager
def _damage_named(path: Path) -> Iterator[None]:
    try:
        yield
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise BionerError(Errors.E118.format(path=path, kind="gzip", reason=error)) from None


@contextmanager
def stdin_as_file(path: Path) -> Iterator[Path]:
    """The file of a path; for "-", a temporary file with all of standard input.

    Readers need to inspect the beginning of a file first.
    """
    if str(path) != "-":
        yield path
        return
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, "stdin")
        with copy.open("wb") as file:
            shutil.copyfileobj(sys.stdin.buffer, file)
        yield copy


def lines_with_ends(path: Path) -> Iterator[tuple[int, str]]:
    """Like `numbered_lines`, with line ends."""
    with open_bytes(path) as file:
        for number, raw in enumerate(file, start=1):
            text = decode(raw, path, number)
            if number == 1 and text.count("\r") > 1 and not text.endswith("\n"):
                raise BionerError(Errors.E119.format(path=path))
            yield number, text.removeprefix("\ufeff") if number == 1 else text


def numbered_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Read the lines of a UTF-8 file (LF or CRLF, optionally gzipped), without line ends.

    Lines end at line feeds only, unlike with `str.splitlines`, because other line separators occur in abstracts.

    Yields:
        The number of the line, from 1, and the line.

    Raises:
        BionerError: the file is not there, is damaged, its lines end in carriage returns alone, or one is not valid
            UTF-8.
    """
    for number, text in lines_with_ends(path):
        yield number, text.removesuffix("\n").removesuffix("\r")


def whole_text(path: Path) -> str:
    """All of a UTF-8 file, unchanged; see `open_bytes` and `decode`."""
    with open_bytes(path) as file:
        return decode(file.read(), path)


def decode(content: bytes, path: Path, line: int = 1) -> str:
    """Decode a file or a part of it, unchanged, because offsets count all characters.

    Args:
        content: bytes in UTF-8.
        line: number of the first line of the content.
    """
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        if line == 1 and content.startswith((b"\xff\xfe", b"\xfe\xff")):
            raise BionerError(Errors.E117.format(path=path)) from None
        if line == 1 and content.startswith(b"PK\x03\x04"):
            raise BionerError(Errors.E116.format(path=path)) from None
        line += content.count(b"\n", 0, error.start)
        byte = error.start - content.rfind(b"\n", 0, error.start)
        raise BionerError(Errors.E103.format(path=path, line=line, byte=byte)) from None


def checksum(path: Path, algorithm: str = "sha256") -> str:
    """Checksum of a file, or of a folder.

    Args:
        algorithm: a name known to `hashlib`.

    Returns:
        Hexadecimal digest; that of a folder is the digest of the list of its files, each as a line with the digest,
        two spaces and the path, in the order of the paths, without hidden files (as printed by `sha256sum`).
    """
    digest = hashlib.new(algorithm)
    if path.is_dir():
        names = sorted(file.relative_to(path).as_posix() for file in path.rglob("*") if file.is_file())
        for name in names:
            if not any(part.startswith(".") for part in name.split("/")):
                digest.update(f"{checksum(path / name, algorithm)}  {name}\n".encode())
        return digest.hexdigest()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def locked(folder: Path, name: str, *, is_singleton: bool = False) -> FileLock:
    """Lock a folder, which is made if it is not there, for this process alone.

    Args:
        name: path of the lock in it.
        is_singleton: whether objects of one process share the lock.
    """
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path, is_singleton=is_singleton)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise BionerError(Errors.E615.format(folder=folder)) from None
    return lock


def remove(path: Path) -> None:
    """Remove a file, or a folder with all that is in it, if it is there."""
    if path.is_dir():
        shutil.rmtree(path)
    path.unlink(missing_ok=True)


def _kind(path: Path) -> str:
    return "folder" if path.is_dir() else "device or pipe"


def require_file(path: Path) -> None:
    """Check early that a file can be written.

    Raises:
        BionerError: it is a folder, or a device or pipe.
        NotADirectoryError: it lies in a file.
    """
    if path.exists() and not path.is_file():
        raise BionerError(Errors.E108.format(path=path, kind=_kind(path), done="written"))
    above = next((parent for parent in path.parents if parent.exists()), path)
    if above.is_file():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(above))


def temporary_name(path: Path) -> Path:
    """A unique temporary name next to a path; old leftovers of killed runs are removed.

    The name is random, because process ids repeat in containers.
    """
    for left in path.parent.glob(f".{glob.escape(path.name)}.*.part"):
        with suppress(OSError):  # another process removed it
            newest = max(file.stat().st_mtime for file in [left, *left.rglob("*")])
            if time.time() - newest > STALE:
                remove(left)
    return path.with_name(f".{path.name}.{secrets.token_hex(8)}.part")


@contextmanager
def replacing(*paths: Path, folders: bool = False) -> Iterator[list[Path]]:
    """Write files or folders to temporary paths and move all of them to their destinations at the end, or none.

    Args:
        paths: the destinations; parent folders are made, and removed again if they stay empty.
        folders: whether folders may be replaced, with their contents.

    Yields:
        For every destination the path to write to.

    Raises:
        BionerError: a destination is a device, pipe, or folder that may not be replaced.
    """
    for path in paths:
        if path.exists() and not (path.is_file() or folders and path.is_dir()):
            raise BionerError(Errors.E108.format(path=path, kind=_kind(path), done="written"))
    parts = [temporary_name(path) for path in paths]
    made = [folder for path in paths for folder in path.parents if not folder.exists()]
    try:
        for path in paths:
            path.parent.mkdir(parents=True, exist_ok=True)
        yield parts
        for part, path in zip(parts, paths):
            if path.is_dir() or part.is_dir():  # the system call does not replace folders
                remove(path)
            os.replace(part, path)
    except OSError as error:
        if error.errno is not None and error.filename is None:  # on a full disk, there is no file name
            error.filename = str(paths[0])
        raise
    finally:
        for part in parts:
            remove(part)
        for folder in made:
            with suppress(OSError):  # where there is something in it
                folder.rmdir()
