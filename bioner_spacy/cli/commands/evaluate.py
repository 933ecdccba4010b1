"""Score a pipeline on converted corpora, by corpus and entity type.

\b
Example:
  python -m spacy bioner evaluate training/multi/model-last --corpora sample --corpus corpus/sample
"""

from pathlib import Path
from typing import Annotated, Optional

import typer

from .. import options
from ..messages import msg


def command(
    pipeline: Annotated[str, typer.Argument(help="Folder or name of a pipeline; with --each, a folder of them.")],
    data: options.Converted,
    reading: options.Reading,
    each: Annotated[bool, typer.Option(help="Score PIPELINE/<corpus>/model-last on its own corpus.")] = False,
    split: options.Split = "test",
    output: Annotated[
        Optional[Path],
        typer.Option(
            help="JSON file to write, new or with earlier results; with --each, a folder. Default: reports/multi.json or "
            "reports/single, unless these are results of another pipeline."
        ),
    ] = None,
    guideline: Annotated[
        bool, typer.Option(help="Follow the guideline of each corpus, if the pipeline has it.")
    ] = True,
    overlap: Annotated[
        bool,
        typer.Option(help="Count all overlapping predictions, or only the one with the highest score."),
    ] = True,
    batch_size: Annotated[Optional[int], typer.Option(min=1, max=1_000_000, help="Documents per batch.")] = None,
) -> None:
    from ...files import require_file
    from ...reports.table import results_table
    from ...scoring.evaluate import evaluate
    from ...scoring.results import require_replaceable

    names = data.names
    if each:
        folder = output or Path("reports/single")
        runs = {folder / f"{name}.json": (f"{pipeline}/{name}/model-last", [name]) for name in names}
    else:
        runs = {output or Path("reports/multi.json"): (pipeline, names)}
    made_with = {**reading.settings(), "split": split, "guideline": guideline, "overlap": overlap}
    made_with["predicted_key"] = reading.predicted_key or reading.spans_key
    made_with["context_tokens"] = reading.context_tokens if reading.context == "group" else None
    for path, (model, chosen) in runs.items():
        require_file(path)
        require_replaceable(path, model, {**made_with, "corpora": sorted(chosen)}, named=output is not None)
    for path, (model, chosen) in runs.items():
        results = evaluate(
            model,
            data.corpus,
            corpora=chosen,
            split=split,
            guideline=guideline,
            allow_overlap=overlap,
            batch_size=batch_size,
            origin={**data.entries(chosen), "pipeline": model},
            **reading.settings(),
        )
        results.to_disk(path)
        typer.echo(results_table(results).to_text())
        msg.good(f"Wrote {path}; {results.tokens_per_second:.0f} tokens per second")
