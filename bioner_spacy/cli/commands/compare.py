"""Compare the results of two systems on the same documents, such as multi-task with single-task pipelines.

Several results on one corpus are runs with different seeds.

\b
Example:
  python -m spacy bioner compare slots.json tags.json --names slots,tags
"""

from pathlib import Path
from typing import Annotated

import typer

from ...scoring.compare import NAMES
from .. import options

DEFAULT_NAMES = ",".join(NAMES[::-1])
RESULTS = "from `evaluate`: a file, a folder of files, or a pattern in quotes, such as 'reports/seed-*/multi.json'."


def command(
    system: Annotated[str, typer.Argument(help=f"Results of the system, {RESULTS}")],
    baseline: Annotated[list[str], typer.Argument(help=f"Results of the baseline, {RESULTS}")],
    tests: options.Tests,
    names: Annotated[str, typer.Option(help="Names of system and baseline, separated by a comma.")] = DEFAULT_NAMES,
    output: Annotated[Path, typer.Option(help="JSON file to write; a Markdown page is written beside it.")] = Path(
        "reports/comparison.json"
    ),
    insist: Annotated[
        bool, typer.Option("--insist", help="Compare results on files with different checksums too.")
    ] = False,
    tables: options.Tables = "",
) -> None:
    from ...reports.comparison import comparison_page
    from ...scoring.compare import compare
    from ...scoring.results import read_results

    sides = names.split(",")
    if len(sides) != 2:
        raise typer.BadParameter("give two names separated by a comma", param_hint="--names")
    settings = tests.settings()
    results = [read_results(patterns) for patterns in ([system], baseline)]
    most = [max(len(result.per_corpus) for result in side) for side in results]
    if names == DEFAULT_NAMES and most[0] < most[1]:
        message = f"the baseline has results on {most[1]} corpora at once, so it is not {sides[1]}: give it first, or --names"
        raise typer.BadParameter(message, param_hint="BASELINE")
    comparison = compare(*results, names=(sides[1], sides[0]), insist=insist, **settings)
    options.show(comparison_page(comparison, output.stem), output.parent, tables=tables)
