"""Make commands from modules: options, and one-line errors instead of tracebacks."""

import copy
import errno
import functools
import inspect
import os
import pkgutil
import re
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import MISSING, fields, is_dataclass
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, NoReturn, Optional, TypeVar, get_args, get_type_hints

import typer
from click import ClickException  # raised by spaCy
from typer.core import TyperGroup
from typer.models import ArgumentInfo, ParameterInfo

from ..errors import BionerError, BionerWarning, Errors, is_out_of_memory, reason
from .messages import msg

Result = TypeVar("Result")
EXTRAS = dict.fromkeys(("fastapi", "uvicorn", "prometheus_client"), "serve")
"""Packages of extras that whole commands need; other extras are checked where they are used."""


def group(name: str, package: str) -> typer.Typer:
    """A group of the commands in a package; modules are imported when needed.

    Args:
        package: dotted name of the package. Its docstring is the help of the group; the command of a module has the
            module's name, with hyphens, and its docstring as help, and is its function `command`; a package in it is a
            group of its own.

    Returns:
        The group, to add to another one.
    """
    about = import_module(package).__doc__
    made = type("Commands", (_Commands,), {"package": package})
    settings: dict[str, Any] = {"no_args_is_help": True, "rich_markup_mode": None, "add_completion": False}
    added = typer.Typer(name=name, help=about, cls=made, **settings)
    added.callback()(lambda: None)  # required by typer for a group without commands
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
        return make_command(module.command, name=cmd_name, about=module.__doc__)

    def make_context(self, *args: Any, **kwargs: Any) -> Any:
        """As in any group, with a one-line error if help cannot be written."""
        with _one_line_os_errors():
            return super().make_context(*args, **kwargs)

    def invoke(self, ctx: Any) -> Any:
        """As in any group, with a one-line error if the help of a command cannot be written."""
        with _one_line_os_errors():
            return super().invoke(ctx)


def make_command(function: Callable[..., Any], *, name: str, about: Optional[str] = None) -> Any:
    """The command that runs a function.

    Args:
        function: its annotated parameters are the arguments and options; a dataclass parameter is replaced by its
            fields. With a parameter of type `typer.Context`, further arguments, such as --training.dropout 0.2, are
            passed to the function (`config_overrides`).
    """
    further = typer.Context in get_type_hints(function).values()
    app = typer.Typer(add_completion=False, rich_markup_mode=None)
    settings = {"allow_extra_args": further, "ignore_unknown_options": further}
    app.command(name, help=about, context_settings=settings)(one_line_errors(with_fields(function)))
    return typer.main.get_command(app)


def with_fields(function: Callable[..., Result]) -> Callable[..., Result]:
    """Replace every dataclass parameter by keyword arguments for its fields."""
    hints = get_type_hints(function, include_extras=True)
    classes: dict[str, Any] = {name: kind for name, kind in hints.items() if is_dataclass(kind)}
    parameters = []
    for parameter in inspect.signature(function).parameters.values():
        kind = classes.get(parameter.name)
        if kind is None:
            annotation = _with_checks(hints[parameter.name], parameter.default)
            parameters.append(parameter.replace(annotation=annotation, kind=inspect.Parameter.KEYWORD_ONLY))
        else:
            inner = get_type_hints(kind, include_extras=True)
            for field in fields(kind):
                default = {} if field.default is MISSING else {"default": field.default}
                annotation = _with_checks(inner[field.name], field.default)
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


def _with_checks(annotation: Any, default: Any) -> Any:
    """The annotation of a parameter, with checks of its value: a text or path must not be empty, as `Path("")` is the
    current folder, unless that is the default; a file that must exist is there.
    """
    infos = [info for info in getattr(annotation, "__metadata__", ()) if isinstance(info, ParameterInfo)]
    kinds = {Path, str}.intersection(_types_in(annotation))
    if not infos or not kinds or default == "":
        return annotation
    kind: Any = kinds.pop()

    def parse(value: Any) -> Any:
        if value == "":
            raise typer.BadParameter(f"it is empty: {'name a file or folder' if kind is Path else 'give a value'}")
        if info.exists and not Path(value).is_file():
            raise typer.BadParameter(f"there is no file {value}")
        return kind(value)

    parse.__name__ = "path" if kind is Path else "text"  # shown in the help of older versions of typer
    info = copy.copy(infos[0])
    info.parser = parse
    return Annotated[annotation.__origin__, info]


def _types_in(annotation: Any) -> Iterator[Any]:
    """A type and its arguments, theirs, and so on."""
    yield annotation
    for inner in get_args(annotation):
        yield from _types_in(inner)


def one_line_errors(command: Callable[..., Result]) -> Callable[..., Result]:
    """Make a command print user errors in one line and exit with status 1.

    User errors are `BionerError`, operating system errors (missing file, full disk, out of memory) and missing extras.
    `BionerWarning` is also printed in one line. Ctrl-C, SIGTERM and SIGHUP exit with status 128 plus their number.
    Other exceptions are bugs and keep their traceback.

    Args:
        command: the function behind a command; its signature is kept for the command line parser.
    """
    options = _option_names(command)

    @functools.wraps(command)
    def wrapped(*args: Any, **kwargs: Any) -> Result:
        received: list[int] = []
        _open_streams()
        with warnings.catch_warnings(), _interrupted_by_signals(received), _one_line_os_errors():
            warnings.showwarning = _one_line_warnings(warnings.showwarning, options)
            try:
                for name, value in kwargs.items():
                    if value == Path("-") and name != "source":  # which can be standard input
                        raise BionerError(Errors.E653.format(option=options[name]))
                return command(*args, **kwargs)
            except BionerError as error:
                _fail(_with_options(str(error), options))
            except (MemoryError, RuntimeError) as error:
                if not is_out_of_memory(error):
                    raise
                _fail(Errors.E650.format(reason=reason(error)))
            except KeyboardInterrupt:
                number = received[-1] if received else signal.SIGINT
                _fail(Errors.E652.format(signal=signal.Signals(number).name), status=128 + number)
            except ModuleNotFoundError as error:
                package = str(error.name).partition(".")[0]
                if package not in EXTRAS:
                    raise
                _fail(Errors.E651.format(package=package, extra=EXTRAS[package]))

    return wrapped


def _open_streams() -> None:
    """Put the null device in the place of standard streams that are closed: output files would take their numbers."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode))  # for the rest of the process


@contextmanager
def _one_line_os_errors() -> Iterator[None]:
    """Within the block, print operating system errors in one line and exit."""
    try:
        yield
    except OSError as error:
        if error.errno == errno.EPIPE:  # the reader of standard output has ended, which is not an error
            raise
        _fail(str(error))


def _fail(message: str, *, status: int = 1) -> NoReturn:
    """Print an error in one line (to standard error if standard output fails) and exit."""
    line = " ".join(message.split())
    try:
        msg.fail(line)
    except OSError:
        typer.echo(line, err=True)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # because flushing at exit would fail again
    sys.exit(status)


@contextmanager
def _interrupted_by_signals(received: list[int]) -> Iterator[None]:
    """Within the block, SIGTERM and SIGHUP interrupt like Ctrl-C, so that partial files are removed.

    Args:
        received: the number of a received signal is appended.
    """
    process = os.getpid()

    def interrupt(number: int, frame: Any) -> None:
        if os.getpid() != process:  # a worker has no files to clean up
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
        received.append(number)
        raise KeyboardInterrupt

    names = ("SIGTERM", "SIGHUP") if threading.current_thread() is threading.main_thread() else ()
    numbers = [getattr(signal, name) for name in names if hasattr(signal, name)]
    before = {number: signal.getsignal(number) for number in numbers}
    before = {number: handler for number, handler in before.items() if handler is signal.SIG_DFL}  # nohup ignores them
    for number in before:
        signal.signal(number, interrupt)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _option_names(command: Callable[..., Any]) -> dict[str, str]:
    """Parameter of a command -> option or argument on the command line."""
    found = {}
    for name, parameter in inspect.signature(command).parameters.items():
        infos = [info for info in getattr(parameter.annotation, "__metadata__", ()) if isinstance(info, ParameterInfo)]
        info = infos[0] if infos else None
        if isinstance(info, ArgumentInfo) or info is None and parameter.default is parameter.empty:
            found[name] = (info.metavar if info else None) or name.upper()
            continue
        named = [info.default, *(info.param_decls or ())] if info else []  # typer takes the first one as the default
        typed = (one.partition("/")[0] for one in named if isinstance(one, str) and one.startswith("-"))
        found[name] = next(typed, f"--{name.replace('_', '-')}")
    return found


def _with_options(message: str, options: dict[str, str]) -> str:
    """A message with names of settings, and of options as in Python, replaced by options."""
    typed = {name.removeprefix("--").replace("-", "_"): name for name in options.values() if name.startswith("--")}
    pattern = rf"\b([Ss]etting|[Oo]ption|set) ({'|'.join(map(re.escape, typed)) or '(?!)'})(?!\.?\w)"
    kinds = {"Setting": "Option", "setting": "option"}

    def option(match: re.Match[str]) -> str:
        return f"{kinds.get(match[1], match[1])} {typed[match[2]]}"

    return re.sub(pattern, option, message)


def config_overrides(context: typer.Context) -> dict[str, Any]:
    """Config overrides from further arguments of a command, such as --training.dropout 0.2.

    Raises:
        BionerError: an argument is neither an option nor a dotted setting.
    """
    from spacy.cli._util import parse_config_overrides

    try:
        found: dict[str, Any] = parse_config_overrides(context.args)
    except ClickException as error:
        raise BionerError(Errors.E604.format(reason=error.format_message())) from error
    return found


def _one_line_warnings(show: Callable[..., None], options: dict[str, str]) -> Callable[..., None]:
    """A function that shows warnings, ours in one line with the names of options, and others by `show`."""

    def show_warning(message: Warning | str, category: type[Warning], *place: Any, **settings: Any) -> None:
        if issubclass(category, BionerWarning):
            msg.warn(_with_options(str(message), options))
        else:
            show(message, category, *place, **settings)

    return show_warning
