"""Measure what annotation scopes are worth, over several seeds.

`scope` compares scope masking, a naive merge, and one head per corpus, on the same corpora with the same number of
steps. `split` compares one fully annotated corpus with the same corpus split into parts annotated for one type
each.

Further arguments change the config, as for `spacy train`: --training.dropout 0.2

\b
Example:
  python -m spacy bioner experiment ablations scope reports/ablations --corpora sample --corpus corpus/sample
  python -m spacy bioner experiment ablations split reports/split --corpora sample-cdr --corpus corpus/sample
"""

from enum import Enum
from typing import Annotated

import typer

from ... import options
from ...app import config_overrides


class Kind(str, Enum):
    """The ablation, see the help of the command."""

    SCOPE = "scope"
    SPLIT = "split"


def command(
    context: typer.Context,
    kind: Annotated[Kind, typer.Argument(help="What to compare; see above.")],
    output: options.Output,
    training: options.Runs,
    tests: options.Tests,
    seeds: options.Seeds = options.SEEDS,
    split: options.Split = "test",
) -> None:
    from ....experiments.ablations import ablate_annotation, ablate_scope
    from ....reports.comparison import systems_page

    numbers = options.parse_seeds(seeds)
    chosen = training.known.training_set(training.corpora)
    experiment = training.experiment(
        chosen,
        output,
        overrides=config_overrides(context),
        split=split,
        shared={"experiment": kind.value, "corpora": list(chosen.corpora)},
    )
    ablate = {Kind.SCOPE: ablate_scope, Kind.SPLIT: ablate_annotation}[kind]
    systems = ablate(experiment, chosen.corpora, numbers, **tests.settings())
    options.show(systems_page(systems, kind.value), output)
