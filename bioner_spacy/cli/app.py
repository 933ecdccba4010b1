"""What all commands share: one line for the user instead of a traceback."""

import functools
import sys
import warnings
from collections.abc import Callable
from typing import Any, Optional, TextIO, TypeVar

import typer
from click import ClickException  # what spaCy raises
from spacy.cli._util import parse_config_overrides
from wasabi import msg

from ..errors import BionerError, BionerWarning, Errors, reason

Result = TypeVar("Result")


def one_line_errors(command: Callable[..., Result]) -> Callable[..., Result]:
    """Make a command print a mistake of the user in one line and exit with status 1.

    Such mistakes are `BionerError` and operating system errors like a missing file, a full disk or full memory. `BionerWarning`
    is printed in one line too. Other exceptions are faults of the program and keep their traceback.

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

    return wrapped


def run(command: Callable[..., Any], *, overrides: bool = False) -> None:
    """Run a function as a command with the arguments of this process, as a script does.

    Args:
        command: the function; its annotated parameters are the arguments.
        overrides: whether further arguments, such as --training.dropout 0.2, are left to the function (`Context.args`).
    """
    app = typer.Typer(add_completion=False)
    app.command(context_settings={"allow_extra_args": overrides, "ignore_unknown_options": overrides})(
        one_line_errors(command)
    )
    app()


def config_overrides(context: typer.Context) -> dict[str, Any]:
    """Changes of a config from the further arguments of a command, such as --training.dropout 0.2.

    Raises:
        BionerError: an argument is neither an option of the command nor the name of a setting with its section.
    """
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
