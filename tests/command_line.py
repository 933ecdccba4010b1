"""The command line in tests."""

import pytest
import typer


def bioner(*arguments: object) -> int:
    """Run `spacy bioner` with arguments in this process; its exit status."""
    from bioner_spacy.cli.commands import app

    with pytest.raises(SystemExit) as ended:
        typer.main.get_command(app)([*map(str, arguments)], prog_name="bioner")
    return int(ended.value.code or 0)
