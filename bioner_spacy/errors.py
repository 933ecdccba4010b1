"""Every error and warning of the package, numbered, in one table.

Numbers: 1xx corpora, 2xx tokenization, 3xx formulations, layers and models, 4xx pipeline and training,
5xx evaluation, 6xx commands. A message says what is wrong, where (file, line, corpus or setting) and what to do.
"""

import warnings


class BionerError(ValueError):
    """A mistake in input or settings, told in one sentence; commands print it and exit with status 1."""


class BionerWarning(UserWarning):
    """Something that the user should know about and that does not stop the work."""


def warn(message: str) -> None:
    """Issue a `BionerWarning` at the caller of the calling function.

    Args:
        message: a formatted entry of `Warnings`.
    """
    warnings.warn(message, BionerWarning, stacklevel=3)


class Errors:
    """Messages of `BionerError`, filled with `str.format`."""


class Warnings:
    """Messages of `BionerWarning`, filled with `str.format`."""
