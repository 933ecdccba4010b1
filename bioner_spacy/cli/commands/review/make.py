"""Sample predictions of types that the corpora do not annotate, and write a sheet for judges and its key.

\b
Example:
  python -m spacy bioner review make training/multi/model-last --corpora sample --corpus corpus/sample
"""

from pathlib import Path
from typing import Annotated

import typer

from ....analysis.review import NUMBER
from ... import options
from ...messages import msg


def command(
    pipeline: options.Pipeline,
    data: options.Converted,
    reading: options.Reading,
    split: options.Split = "test",
    number: Annotated[int, typer.Option(min=1, help="Number of predictions to sample.")] = NUMBER,
    seed: options.Seed = 0,
    output: options.OutputFolder = Path("reports/review"),
) -> None:
    from ....analysis.review import make_review
    from ....reports.review import write_review

    review = make_review(
        pipeline,
        data.corpus,
        corpora=data.names,
        split=split,
        number=number,
        seed=seed,
        definitions=data.known.types,
        **reading.settings(),
    )
    files = write_review(review, output)
    population = sum(stratum.population for stratum in review.key.strata)
    msg.info(f"Drew {len(review.rows)} of {population} predictions; give judges the sheet or the page, not the key")
    msg.good(f"Wrote {', '.join(map(str, files))}")
