"""Report the agreement of two judges and the precision of the predictions.

\b
Example:
  python -m spacy bioner review score ann.tsv ben.tsv --key reports/review/key.json
"""

from pathlib import Path
from typing import Annotated

import typer

from ... import options


def command(
    sheets: Annotated[list[Path], typer.Argument(help="The filled-in sheet of one judge, or those of two.")],
    key: Annotated[Path, typer.Option(help="The key that was written with the sheet.")] = Path(
        "reports/review/key.json"
    ),
    output: options.OutputFolder = Path("reports/review"),
) -> None:
    from ....analysis.review_scores import score_review
    from ....reports.review import scores_page

    scores = score_review(sheets, key)
    options.show(scores_page(scores), output, brief=scores_page(scores, brief=True))
