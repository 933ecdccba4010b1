"""Score pipelines on corpora, including those that they were not trained on: a matrix and a heat map.

\b
Example:
  python -m spacy bioner experiment cross-corpus training/multi/model-last --each training/single --corpora sample
"""

from pathlib import Path
from typing import Annotated, Optional

import typer

from ....scoring.metrics import STRICT
from ... import options


def command(
    data: options.Converted,
    reading: options.Reading,
    pipelines: Annotated[Optional[list[str]], typer.Argument(help="Folders or names of pipelines.")] = None,
    each: Annotated[
        Optional[Path],
        typer.Option(help="Folder with <name>/model-last, as `train --each` writes it; these are added."),
    ] = None,
    names: Annotated[
        str, typer.Option(help="Names of the pipelines, separated by commas; default: their training corpora.")
    ] = "",
    split: options.Split = "test",
    map_: Annotated[str, typer.Option("--map", help="Types to treat as others, such as PROTEIN=GENE,DNA=GENE.")] = "",
    output: options.OutputFolder = Path("reports/cross-corpus"),
    metric: options.MetricName = STRICT.name,
    tables: options.Tables = "",
) -> None:
    from ....analysis.cross_corpus import cross_corpus
    from ....corpora.catalogue import type_pairs
    from ....reports.cross_corpus import cross_corpus_page

    chosen = data.names
    of_each = [] if each is None else sorted(map(str, each.glob("*/model-last")))
    if not (pipelines or of_each):
        raise typer.BadParameter("name one, or a folder of them with --each", param_hint="PIPELINES")
    every, settings = [*(pipelines or ()), *of_each], reading.settings()
    keys = (settings.pop("predicted_key") or reading.spans_key).split(",")
    scores = cross_corpus(
        every,
        data.corpus,
        names=[name.strip() for name in names.split(",")] if names else None,
        corpora=chosen,
        split=split,
        mapped=type_pairs(map_, "map"),
        metric=metric,
        predicted_keys=keys * len(every) if len(keys) == 1 else keys,
        **settings,
    )
    options.show(cross_corpus_page(scores), output, tables=tables)
