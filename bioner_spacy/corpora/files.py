"""Files: lines of text with their numbers, checksums, and writing that never leaves half a file."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import BionerError, Errors

BLANK = " \t"
"""Characters that a blank line may hold; some conversions break sentences with a line of one tab."""


def numbered_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Read the lines of a UTF-8 file, LF or CRLF, without their line ends.

    Lines end at line feeds only: characters that Python's `str.splitlines` also takes for line ends may stand in
    the text of an abstract.

    Args:
        path: the file.

    Yields:
        The number of the line, from 1, and the line.

    Raises:
        BionerError: if the file is not there or a line is not valid UTF-8.
    """
    if not path.is_file():
        raise BionerError(Errors.E101.format(path=path))
    with path.open("rb") as file:
        for number, raw in enumerate(file, start=1):
            try:
                line = raw.decode("utf-8-sig" if number == 1 else "utf-8")
            except UnicodeDecodeError as error:
                raise BionerError(Errors.E103.format(path=path, line=number, byte=error.start + 1)) from None
            yield number, line.removesuffix("\n").removesuffix("\r")


def checksum(path: Path, algorithm: str = "sha256") -> str:
    """Checksum of a file.

    Args:
        path: the file.
        algorithm: a name known to `hashlib`.

    Returns:
        Hexadecimal digest.
    """
    digest = hashlib.new(algorithm)
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


@contextmanager
def replacing(*paths: Path) -> Iterator[list[Path]]:
    """Write files beside their destinations and move all of them there at the end, or none.

    Args:
        paths: the destinations; missing folders are made.

    Yields:
        For every destination the path to write to.
    """
    parts = [path.with_name(f".{path.name}.{os.getpid()}.part") for path in paths]
    try:
        for path in paths:
            path.parent.mkdir(parents=True, exist_ok=True)
        yield parts
        for part, path in zip(parts, paths):
            os.replace(part, path)
    finally:
        for part in parts:
            part.unlink(missing_ok=True)
