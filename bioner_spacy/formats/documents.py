"""Formats of input and output files, and their options as text."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Any, Optional, TypeVar, Union

from spacy.language import Language
from spacy.tokens import Doc

from ..errors import BionerError, Errors, check_setting
from .format import Format, plain_name
from .reading import head_of, looks_like, source_files
from .registry import all_formats, get_format

Item = TypeVar("Item")

_COMMA, _SIGN = re.compile(r"(?<!\\),"), re.compile(r"(?<!\\)=")

ZONE_DOCUMENTS = 1000
"""Documents per memory zone."""


def input_formats() -> list[str]:
    """Names of the formats that hold annotated documents."""
    return [name for name, format in all_formats().items() if format.is_annotated]


def text_formats() -> list[str]:
    """Names of the formats that hold texts: all of them."""
    return list(all_formats())


def output_formats() -> list[str]:
    """Names of the formats that can be written."""
    return [name for name, format in all_formats().items() if format.write]


def known_endings(allowed: Iterable[str]) -> dict[str, str]:
    """File endings that identify one of some formats: its own, and usual ones that no other of them has."""
    formats = [get_format(name) for name in allowed]
    found: dict[str, str] = {}
    for endings in ("endings", "usual_endings"):
        claims = [(ending, format.name) for format in formats for ending in getattr(format, endings)]
        counts = Counter(ending for ending, _ in claims)
        found |= {ending: name for ending, name in claims if counts[ending] == 1 and ending not in found}
    return found


def choose_format(setting: str, value: Optional[str], path: Path, *, allowed: Iterable[str]) -> Format:
    """The requested format of a file, or else the one of its ending, apart from `.gz`.

    Args:
        setting: name of the setting, for messages.
        value: name of the format that was asked for; None if none was.

    Raises:
        BionerError: there is no such format, or none was asked for and the name does not show it.
    """
    allowed = list(allowed)
    chosen = value or _guess_by_name(path, allowed)
    if chosen is None:
        raise BionerError(Errors.E166.format(path=path, setting=setting, allowed=", ".join(allowed)))
    check_setting(setting, chosen, allowed)
    return get_format(chosen)


def choose_input(setting: str, value: Optional[str], path: Path, *, allowed: Iterable[str]) -> Format:
    """The requested format of an input, or else the one by its name or by those of its files. If several
    formats have the ending of a file, its beginning decides.

    Args:
        setting: name of the setting, for messages.
        value: name of the format that was asked for; None if none was.

    Raises:
        BionerError: there is no such file, or its format is not known, as it is empty or damaged or another one.
    """
    allowed, files = list(allowed), source_files(path)
    value = value or (_guess_folder(files, allowed) if path.is_dir() else None) or _guess_format(files, allowed)
    if value is None:
        if path.is_file():
            head_of(path)  # an empty or damaged file is worse than a name that says little
        if (other := _guess_format(files, text_formats())) is not None and other not in allowed:
            raise BionerError(Errors.E181.format(path=path, format=other))
    return choose_format(setting, value, path, allowed=allowed)


def _guess_folder(files: Sequence[Path], allowed: Sequence[str]) -> Optional[str]:
    """The format of a folder by files that only folders of this format have."""
    ends = {name: get_format(name).folder_endings for name in allowed}
    return next((name for name in allowed if any(plain_name(file).endswith(ends[name]) for file in files)), None)


def _guess_format(files: Sequence[Path], allowed: Sequence[str]) -> Optional[str]:
    """The format by the names of some files, or by the beginning of the first whose ending is that of a format."""
    named = {name for file in files if (name := _guess_by_name(file, allowed))}
    claims = ((file, {name for name in allowed if get_format(name).has_ending(file)}) for file in files)
    first = next(((file, names) for file, names in claims if names), None)
    seen = first[1].intersection(looks_like(first[0])) if first else set()
    if len(named) < 2 and not named & seen and len(seen) == 1:
        return seen.pop()
    return named.pop() if len(named) == 1 else None


def _guess_by_name(path: Path, allowed: Iterable[str]) -> Optional[str]:
    name = plain_name(path)
    return next((format for end, format in known_endings(allowed).items() if name.endswith(end)), None)


def parse_pairs(setting: str, text: Union[str, Mapping[str, Any]]) -> dict[str, str]:
    """The value of a setting such as `A=x,B=y`; a comma or a sign that is part of a name or value has a backslash
    before it. Or a dictionary, where None is an empty value.

    Raises:
        BionerError: it is not of that form, or has a name twice.
    """
    if isinstance(text, Mapping):
        return {str(name): "" if value is None else str(value) for name, value in text.items()}
    parts = [_SIGN.split(part) for part in _COMMA.split(text) if part.strip()]
    pairs = [[re.sub(r"\\([,=])", r"\1", side).strip() for side in part] for part in parts]
    found = {pair[0]: pair[1] for pair in pairs if len(pair) == 2 and pair[0]}
    check_setting(setting, text, "NAME=VALUE,NAME=VALUE with each name once", len(found) == len(pairs))
    return found


def parse_options(text: Union[str, Mapping[str, Any]], format: Format) -> dict[str, Any]:
    """Options of the reader of a format, such as `mismatch=offsets`; several values have spaces between them.

    Raises:
        BionerError: the text is not of that form, the reader has no such option, or a value is of another type.
    """
    found, options = {}, format.reader_options
    for name, value in parse_pairs("options", text).items():
        if name not in options:
            known = ", ".join(options) or "none"
            raise BionerError(Errors.E173.format(setting="options", value=name, format=format.name, known=known))
        try:
            found[name] = options[name].parse(value)
        except ValueError:
            wanted = options[name].wanted + (" with blanks between them" if options[name].many else "")
            place = {"option": name, "format": format.name}
            raise BionerError(Errors.E174.format(**place, value=value, wanted=wanted)) from None
    return found


def check_output(output: Path, source: Path, format: Format, options: Mapping[str, Any]) -> None:
    """Check that a file can be written, before the work that leads to it.

    Args:
        output: the file or folder to write.

    Raises:
        BionerError: it is the input, or a folder that holds something else, or the writer has no such option.
    """
    for name, value in options.items():
        if name not in format.writer_options:
            others = [other for other, known in all_formats().items() if name in known.writer_options]
            check_setting(name, value, f"only with the format {', '.join(others)}", False)
    if output.exists() and any(output.samefile(file) for file in {source, *source_files(source)} if file.exists()):
        raise BionerError(Errors.E168.format(path=output))
    format.check_output(output)


def in_zones(
    nlp: Language, items: Iterable[Item], make: Callable[[Iterable[Item]], Iterable[Doc]], size: int = ZONE_DOCUMENTS
) -> Iterator[Doc]:
    """Make documents in memory zones, so memory does not grow with their number.

    Args:
        items: what they are made of.
        make: makes documents of some of the items.
        size: number of items after which a memory zone of spaCy ends.

    Yields:
        The documents; each is valid until the next one is requested.
    """
    rest = iter(items)
    for first in rest:
        with nlp.memory_zone():
            yield from make(chain([first], islice(rest, size - 1)))
