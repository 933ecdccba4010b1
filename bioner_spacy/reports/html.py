"""HTML pages from templates; every text is escaped."""

import functools
import re
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

_WRAPPED, _LONG = 24, 60
"""Cells with more letters may be wrapped, or get a wide column."""


@functools.cache
def environment() -> Environment:
    """The Jinja environment."""
    found = Environment(
        loader=PackageLoader("bioner_spacy.reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    found.filters.update(code=_code, marked=_marked, width=_width)
    return found


def render(template: str, **values: Any) -> str:
    """Render a template.

    Args:
        template: name of the template without `.html`.
        values: values; texts are escaped unless they are `markupsafe.Markup`.
    """
    return environment().get_template(f"{template}.html").render(values)


def _code(text: str) -> Markup:
    """A text with backticks as code."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))


def _marked(text: str) -> Markup:
    """The text of a cell, with mentions between ⟦ and ⟧ marked."""
    return Markup(re.sub(r"⟦([^⟦⟧]*)⟧", r"<mark>\1</mark>", str(escape(text))))


def _width(text: str) -> str:
    return "long" if len(text) > _LONG else "wrap" if len(text) > _WRAPPED else ""
