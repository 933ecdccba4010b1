"""Messages of commands, like spaCy's, but each in one line, so that paths can be copied and logs searched."""

import os
import sys
from typing import Any

import wasabi
from wasabi.util import locale_escape


class Messages(wasabi.Printer):
    """wasabi's printer without line breaks, and without colours in files or where NO_COLOR is set."""

    def text(self, title: Any = "", text: Any = "", color: str = "", **settings: Any) -> None:  # type: ignore[override]
        """Print a message, at once.

        Args:
            color: name of its colour and icon, such as "good".
        """
        line = locale_escape(f"{self.icons.get(color, '')} {title}".strip())
        if self.show_color and sys.stdout.isatty() and not os.environ.get("NO_COLOR"):
            line = wasabi.color(line, fg=self.colors.get(color))
        print(line, flush=True)  # noqa: T201


msg = Messages()
