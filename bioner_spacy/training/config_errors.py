"""Report in one sentence what spaCy and its config system find wrong in a training config."""

import configparser
import difflib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from spacy.util import dict_to_dot
from thinc.config import ConfigValidationError

from ..errors import BionerError, Errors, reason
from .settings import read_config


@contextmanager
def config_errors(config: Path, values: Mapping[str, Any]) -> Iterator[None]:
    """Within the block, convert exceptions of spaCy, confection and Python's parser for a wrong config."""
    try:
        yield
    except (BionerError, ModuleNotFoundError):
        raise
    except ConfigValidationError as error:
        problems = _problems(error, config, values) or reason(error)
        raise BionerError(Errors.E417.format(config=config, problems=problems)) from error
    except (ValueError, KeyError, TypeError, ImportError, configparser.Error) as error:
        found = f"{_unknown_functions(error, config, values)}{reason(error)}"
        raise BionerError(Errors.E414.format(config=config, kind=type(error).__name__, reason=found)) from error


def _problems(error: ConfigValidationError, config: Path, values: Mapping[str, Any]) -> str:
    """Each refused setting, with its section, its value, and what is wrong with it."""
    written, filled = _written(config, values)
    problems = []
    for one in error.errors or ():
        place = list(map(str, one.get("loc", ())))
        name = _setting(".".join(place), written, values)
        if name and one["msg"].startswith("unexpected argument"):
            section, _, key = name.rpartition(".")
            close = difflib.get_close_matches(key, set(error.config or ()) - {key}, n=1)
            problems.append(f"setting {name} is not known{f' (did you mean {section}.{close[0]}?)' if close else ''}")
        else:
            subject = f"setting {name}{f' is {filled[name]!r}' if name in filled else ''}: " if name else ""
            problems.append(subject + one["msg"].removeprefix("at root: "))
    return " ".join("; ".join(dict.fromkeys(problems)).split()) or " ".join((error.desc or "").split())


def _unknown_functions(error: Exception, config: Path, values: Mapping[str, Any]) -> str:
    """Settings that name the registered function that an error reports as missing."""
    _, filled = _written(config, values)
    names = [name for name, value in filled.items() if ".@" in name and repr(value) in str(error)]
    return f"setting {', '.join(names)}: " if names else ""


def _written(config: Path, values: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Settings by dotted names: as they are written, and with the values of variables, and so with copies of sections."""
    with suppress(ValueError, configparser.Error):
        loaded = read_config(config, values)
        return dict_to_dot(loaded), dict_to_dot(loaded.interpolate())
    return {}, {}


def _setting(place: str, written: Mapping[str, Any], values: Mapping[str, Any]) -> str:
    """The full name of a setting that an error names by its end or its last part; the name in the error if it is
    unknown."""
    for end in (place, place.rpartition(".")[2]):
        fitting = [name for name in written if end and f".{name}".endswith(f".{end}")]
        if fitting:
            return min(fitting, key=lambda name: (name not in values, name.count(".")))
    return place
