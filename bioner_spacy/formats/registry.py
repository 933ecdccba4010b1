"""All file formats by name: those of this package, and those of other packages that are installed."""

import importlib
import inspect
import pkgutil
from collections.abc import Mapping
from importlib.metadata import entry_points
from types import MappingProxyType

from ..errors import BionerError, Errors, Warnings, check_setting, reason, warn
from .format import Format

ENTRY_POINTS = "bioner_spacy_formats"
"""Group of the entry points by which other packages declare formats; each leads to a `Format`."""

_formats: dict[str, Format] = {}
_loaded: list[bool] = []


def register(format: Format) -> None:
    """Make a format known to all commands.

    Raises:
        BionerError: there is another format of that name, or one of its readers has no `on_error`.
    """
    if not isinstance(format, Format):
        raise BionerError(Errors.E171.format(found=type(format).__name__))
    for reader in filter(None, (format.read, format.read_texts)):
        if "on_error" not in inspect.signature(reader).parameters:
            raise BionerError(Errors.E182.format(name=format.name, reader=reader.__name__))
    if _formats.setdefault(format.name, format) is not format:
        raise BionerError(Errors.E170.format(name=format.name))


def all_formats() -> Mapping[str, Format]:
    """Name -> format, sorted. Formats of other packages are loaded by the first call; of one that cannot be, a warning
    gives the reason."""
    if not _loaded:
        _loaded.append(True)
        package = importlib.import_module(__package__)
        for module in pkgutil.iter_modules(package.__path__, f"{__package__}."):
            declared = getattr(importlib.import_module(module.name), "FORMAT", None)
            if declared is not None:
                register(declared)
        for entry_point in entry_points(group=ENTRY_POINTS):
            try:
                register(entry_point.load())
            except Exception as error:  # any exception of another package
                warn(Warnings.W108.format(name=entry_point.name, value=entry_point.value, reason=reason(error)))
    return MappingProxyType(dict(sorted(_formats.items())))


def get_format(name: str) -> Format:
    """A format by its name."""
    formats = all_formats()
    check_setting("format", name, formats)
    return formats[name]
