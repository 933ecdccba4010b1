"""Compare the results of two systems on the same documents, such as multi-task with single-task pipelines."""

from pathlib import Path
from typing import Annotated

import typer
from wasabi import msg

from ...scoring.compare import NAMES
from .. import options

RESULTS = "from `evaluate`: a file, a folder of files, or a pattern in quotes, such as 'reports/seed-*/multi.json'."


def command(
    system: Annotated[str, typer.Argument(help=f"Results of the system, {RESULTS}")],
    baseline: Annotated[list[str], typer.Argument(help=f"Results of the baseline, {RESULTS}")],
    tests: options.Tests,
    names: Annotated[str, typer.Option(help="Names of system and baseline, with a comma.")] = ",".join(NAMES[::-1]),
    output_json: Annotated[Path, typer.Option(help="JSON file to write.")] = Path("reports/comparison.json"),
    output_md: Annotated[Path, typer.Option(help="Markdown file to write.")] = Path("reports/comparison.md"),
) -> None:
    """Compare the results of two systems on the same documents, such as multi-task with single-task pipelines.

    Several results on one corpus are runs of different seeds.

    \b
    Example:
      python -m spacy bioner compare slots.json tags.json --names slots,tags
    """
    from ...scoring.compare import compare
    from ...scoring.results import read_results

    sides = names.split(",")
    if len(sides) != 2:
        raise typer.BadParameter("give two names separated by a comma", param_hint="--names")
    results = [read_results(patterns) for patterns in ([system], baseline)]
    comparison = compare(*results, names=(sides[1], sides[0]), **tests.settings())
    comparison.to_disk(output_json, output_md)
    typer.echo(comparison.to_table().to_text())
    for sentence in (*comparison.verdict(), *comparison.method()):
        msg.info(sentence)
    msg.good(f"Wrote {output_json} and {output_md}")
