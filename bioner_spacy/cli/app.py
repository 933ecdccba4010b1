"""Commands from modules, with their options, and one line for the user instead of a traceback."""

import functools
import inspect
import pkgutil
import sys
import warnings
from collections.abc import Callable
from dataclasses import MISSING, fields, is_dataclass
from importlib import import_module
from typing import Any, Optional, TextIO, TypeVar, get_type_hints

import typer
from click import ClickException  # what spaCy raises
from typer.core import TyperGroup
from wasabi import msg

from ..errors import BionerError, BionerWarning, Errors, reason

Result = TypeVar("Result")
EXTRAS = {"matplotlib": "charts", **dict.fromkeys(("fastapi", "uvicorn", "prometheus_client"), "serve")}
"""Packages that commands need and that only an extra of this package brings; other extras are asked for where they are used."""


def group(name: str, package: str) -> typer.Typer:
    """A group of the commands that the modules of a package are; a module is imported when its command is needed.

    Args:
        name: name of the group.
        package: dotted name of the package. Its docstring is the help of the group; the command of a module has the
            module's name, with hyphens, and is its function `command`; a package in it is a group of its own.

    Returns:
        The group, to be added to another one.
    """
    about = import_module(package).__doc__
    made = type("Commands", (_Commands,), {"package": package})
    added = typer.Typer(name=name, help=about, cls=made, no_args_is_help=True, rich_markup_mode=None)
    added.callback()(lambda: None)  # which typer asks of a group without commands
    return added


class _Commands(TyperGroup):
    """A group that looks its commands up in `package`."""

    package: str

    def list_commands(self, ctx: Any) -> list[str]:
        """Names of the commands, in alphabetical order."""
        names = (module.name for module in pkgutil.iter_modules(import_module(self.package).__path__))
        return sorted(name.replace("_", "-") for name in names)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command of a name; None if there is none."""
        if cmd_name not in self.list_commands(ctx):
            return None
        module = import_module(f"{self.package}.{cmd_name.replace('-', '_')}")
        if hasattr(module, "__path__"):
            return typer.main.get_command(group(cmd_name, module.__name__))
        return make_command(module.command, name=cmd_name)


def make_command(function: Callable[..., Any], *, name: str) -> Any:
    """The command that runs a function.

    Args:
        function: its annotated parameters are the arguments and options. One of a dataclass stands for the fields of that
            class. With a parameter of type `typer.Context`, further arguments, such as --training.dropout 0.2, are left
            to the function (`config_overrides`).
        name: name of the command.
    """
    further = typer.Context in get_type_hints(function).values()
    app = typer.Typer(add_completion=False, rich_markup_mode=None)
    settings = {"allow_extra_args": further, "ignore_unknown_options": further}
    app.command(name, context_settings=settings)(one_line_errors(with_fields(function)))
    return typer.main.get_command(app)


def with_fields(function: Callable[..., Result]) -> Callable[..., Result]:
    """Take the fields of a dataclass as keyword arguments, for every parameter that has a dataclass for its type.

    Args:
        function: the function; it is called with the instances.
    """
    hints = get_type_hints(function, include_extras=True)
    classes: dict[str, Any] = {name: kind for name, kind in hints.items() if is_dataclass(kind)}
    parameters = []
    for parameter in inspect.signature(function).parameters.values():
        kind = classes.get(parameter.name)
        if kind is None:
            annotation = hints[parameter.name]
            parameters.append(parameter.replace(annotation=annotation, kind=inspect.Parameter.KEYWORD_ONLY))
        else:
            inner = get_type_hints(kind, include_extras=True)
            for field in fields(kind):
                default = {} if field.default is MISSING else {"default": field.default}
                annotation = inner[field.name]
                parameters.append(
                    inspect.Parameter(field.name, inspect.Parameter.KEYWORD_ONLY, annotation=annotation, **default)
                )

    @functools.wraps(function)
    def wrapped(**values: Any) -> Result:
        for name, kind in classes.items():
            values[name] = kind(**{field.name: values.pop(field.name) for field in fields(kind)})
        return function(**values)

    wrapped.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    wrapped.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return wrapped


def one_line_errors(command: Callable[..., Result]) -> Callable[..., Result]:
    """Make a command print a mistake of the user in one line and exit with status 1.

    Such mistakes are `BionerError` and operating system errors like a missing file, a full disk or full memory, or an extra
    that is not installed. `BionerWarning` is printed in one line too. Other exceptions are faults of the program and keep their traceback.

    Args:
        command: the function behind a command; its signature is kept for the command line parser.

    Returns:
        The function to register in its place.
    """

    @functools.wraps(command)
    def wrapped(*args: Any, **kwargs: Any) -> Result:
        with warnings.catch_warnings():
            warnings.showwarning = _show_warning
            try:
                return command(*args, **kwargs)
            except (BionerError, OSError) as error:
                msg.fail(" ".join(str(error).split()))
                sys.exit(1)
            except MemoryError as error:
                msg.fail(Errors.E650.format(reason=reason(error)))
                sys.exit(1)
            except ModuleNotFoundError as error:
                package = str(error.name).partition(".")[0]
                if package not in EXTRAS:
                    raise
                msg.fail(Errors.E651.format(package=package, extra=EXTRAS[package]))
                sys.exit(1)

    return wrapped


def config_overrides(context: typer.Context) -> dict[str, Any]:
    """Changes of a config from the further arguments of a command, such as --training.dropout 0.2.

    Raises:
        BionerError: an argument is neither an option of the command nor the name of a setting with its section.
    """
    from spacy.cli._util import parse_config_overrides

    try:
        found: dict[str, Any] = parse_config_overrides(context.args)
    except ClickException as error:
        raise BionerError(Errors.E604.format(reason=error.format_message())) from error
    return found


def _show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: Optional[TextIO] = None,
    line: Optional[str] = None,
) -> None:
    if issubclass(category, BionerWarning):
        msg.warn(str(message))
    else:
        text = warnings.formatwarning(message, category, filename, lineno, line)
        (file or sys.stderr).write(text)
