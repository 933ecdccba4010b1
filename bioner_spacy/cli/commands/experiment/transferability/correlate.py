"""How far each measure goes along with the gains."""

from pathlib import Path
from typing import Annotated

import typer
from wasabi import msg


def command(
    output: Annotated[Path, typer.Argument(help="Folder with the gains and the measures, to write to.")],
) -> None:
    """How far each measure goes along with the gains.

    \b
    Example:
      python -m spacy bioner experiment transferability correlate reports/gains
    """
    from .....experiments.transferability.correlation import correlate
    from .....experiments.transferability.gains import Gains
    from .....experiments.transferability.measures import Measures

    found = correlate(Gains.from_disk(output), Measures.from_disk(output))
    files = found.to_disk(output)
    for section in found.sections():
        typer.echo(f"{section.title}\n{section.table.to_text()}")
    msg.good(f"Wrote {', '.join(map(str, files))}")
