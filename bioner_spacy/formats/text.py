"""Plain text to annotate: one text per line, or in a folder one per file."""

from collections.abc import Iterator
from pathlib import Path
from typing import Optional

from ..errors import BionerError
from ..files import numbered_lines, whole_text
from .document import OnError, SourceDocument, stop
from .format import Format
from .reading import files_of, is_pattern, name_in


def read(path: Path, *, lines: Optional[bool] = None, on_error: OnError = stop) -> Iterator[SourceDocument]:
    """Read a file with one text per line, without identifiers; or files with one text each, which are documents named
    after them. All else is as for `Format.read`.

    Args:
        lines: whether a text is a line of a file, and not all of it; None: of a single file it is.

    Yields:
        The texts in the order of the file, or of the paths of files.

    Raises:
        BionerError: the file is missing or not UTF-8, or the folder holds no .txt file.
    """
    single = not path.is_dir() and not is_pattern(path)
    for file in [path] if single else files_of(FORMAT, path):
        try:
            if lines or (lines is None and single):
                yield from (SourceDocument(f"{file.stem}:{n}", text, (), file, n) for n, text in numbered_lines(file))
            else:
                text = whole_text(file).removeprefix("\ufeff")
                name = file.stem if single else name_in(path, file)
                yield SourceDocument(name, text, (), file, 1, doc_id=name)
        except BionerError as error:
            if single:
                raise
            on_error(error)


FORMAT = Format(
    name="text",
    description="plain text to annotate, one text per line, or a folder with one per file",
    read=read,
    endings=(".txt",),
    is_folder=True,
    is_annotated=False,
)
