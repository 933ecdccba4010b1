"""Draw a comparison as a chart, and test documents with their mentions as a page.

\b
Example:
  python -m spacy bioner visualize training/multi/model-last reports/comparison.json --corpus corpus/sample
"""

from pathlib import Path
from typing import Annotated

import typer

from .. import options
from ..messages import msg


def command(
    pipeline: options.Pipeline,
    comparison: Annotated[Path, typer.Argument(help="JSON file from `compare`.")],
    data: options.Converted,
    keys: options.Keys,
    split: options.Split = "test",
    per_corpus: Annotated[int, typer.Option(min=1, help="Maximum number of documents per corpus on the page.")] = 5,
    output: options.OutputFolder = Path("reports"),
    gpu_id: options.GpuId = -1,
) -> None:
    from ...reports.comparison import write_chart
    from ...reports.displacy_html import write_page
    from ...scoring.comparison import Comparison

    files = write_chart(Comparison.from_disk(comparison), output / "comparison")
    page = output / "entities.html"
    write_page(
        pipeline,
        data.corpus,
        page,
        corpora=data.names,
        split=split,
        per_corpus=per_corpus,
        gpu_id=gpu_id,
        **keys.settings(),
    )
    msg.good(f"Wrote {', '.join(str(path) for path in (*files, page))}")
