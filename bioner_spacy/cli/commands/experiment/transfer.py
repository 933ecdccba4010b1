"""Compare transfer from other corpora, multi-task training with them, and both, with training on a corpus alone.

The other corpora are those of --corpora, without the target. Further arguments change the config, as for
`spacy train`: --components.multitask_ner.grain corpus

\b
Example:
  python -m spacy bioner experiment transfer reports/transfer --target sample-diseases --corpora sample
"""

from typing import Annotated, Optional

import typer

from ... import options
from ...app import config_overrides


def command(
    context: typer.Context,
    output: options.Output,
    target: Annotated[str, typer.Option(help="The target corpus.")],
    training: options.Runs,
    tests: options.Tests,
    best: Annotated[
        Optional[str], typer.Option(help="Auxiliaries in the last stage of transfer + multi-task; default: all.")
    ] = None,
    seeds: options.Seeds = options.SEEDS,
    split: options.Split = "test",
) -> None:
    from ....experiments.transfer import compare_transfer
    from ....reports.comparison import systems_page

    numbers = options.parse_seeds(seeds)
    known = training.known
    [name, *more] = known.select(target)
    if more:
        raise typer.BadParameter("name one corpus", param_hint="--target")
    others = [other for other in training.names if other != name]
    chosen = None if best is None else known.select(best)
    experiment = training.experiment(
        known.training_set(f"{target},{training.corpora}"),
        output,
        overrides=config_overrides(context),
        split=split,
        shared={"experiment": "transfer", "target": name, "auxiliaries": others, "best": chosen},
    )
    systems = compare_transfer(experiment, name, others, numbers, best=chosen, **tests.settings())
    options.show(systems_page(systems, "transfer"), output)
