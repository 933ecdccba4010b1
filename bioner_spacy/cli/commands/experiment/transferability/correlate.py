"""Correlate each measure with the gains.

\b
Example:
  python -m spacy bioner experiment transferability correlate reports/gains
"""

from pathlib import Path
from typing import Annotated

import typer

from .... import options


def command(
    output: Annotated[Path, typer.Argument(help="Folder with gains and measures; results are written there.")],
) -> None:
    from .....experiments.transferability.correlation import correlate
    from .....experiments.transferability.gains import Gains
    from .....experiments.transferability.measures import Measures
    from .....reports.transferability import correlations_page

    found = correlate(Gains.from_disk(output), Measures.from_disk(output))
    options.show(correlations_page(found), output)
