"""Plain text to annotate: a text a line, or in a folder a document a file."""

from collections.abc import Iterator
from pathlib import Path

from ..errors import BionerError, Errors
from ..files import decode, numbered_lines, open_bytes
from .document import OnError, SourceDocument, stop
from .format import Format
from .reading import visible_files


def read(path: Path, *, on_error: OnError = stop) -> Iterator[SourceDocument]:
    """Read a file of texts, one a line, without identifiers; or a folder of .txt files, which are documents called as they.

    Args:
        path: the file or folder.
        on_error: what to do about a file of a folder that cannot be read.

    Yields:
        The texts in the order of the file, or of the paths of files.

    Raises:
        BionerError: the file is missing or not UTF-8, or the folder holds no .txt file.
    """
    if not path.is_dir():
        for line, text in numbered_lines(path):
            yield SourceDocument(f"{path.stem}:{line}", text, (), path, line)
        return
    files = [file for file in visible_files(path) if FORMAT.has_ending(file)]
    if not files:
        raise BionerError(Errors.E172.format(path=path, format="text", endings=", ".join(FORMAT.endings)))
    for file in files:
        name = file.relative_to(path).as_posix().removesuffix(".gz").removesuffix(".txt")
        try:
            with open_bytes(file) as opened:
                text = decode(opened.read(), file).removeprefix("\ufeff")
        except BionerError as error:
            on_error(error)
        else:
            yield SourceDocument(name, text, (), file, 1, doc_id=name)


FORMAT = Format(
    name="text",
    description="plain text without annotation, a text a line, or a folder with a text a file",
    read=read,
    endings=(".txt",),
    is_folder=True,
    is_annotated=False,
)
