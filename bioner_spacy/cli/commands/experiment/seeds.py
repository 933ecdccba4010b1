"""Repeat the comparison of multi-task with single-task training over several seeds.

Further arguments change the config, as for `spacy train`: --components.multitask_ner.grain corpus

\b
Example:
  python -m spacy bioner experiment seeds reports/seeds --corpora sample --corpus corpus/sample --seeds 0,1,2
"""

from typing import Annotated

import typer

from ... import options
from ...app import config_overrides


def command(
    context: typer.Context,
    output: options.Output,
    training: options.Runs,
    tests: options.Tests,
    seeds: options.Seeds = options.SEEDS,
    split: options.Split = "test",
    equal_steps: Annotated[
        bool,
        typer.Option(
            "--equal-steps",
            help="Train single-task pipelines for more epochs, for as many steps as the multi-task one.",
        ),
    ] = False,
) -> None:
    from ....experiments.seeds import compare_over_seeds
    from ....reports.comparison import comparison_page

    numbers = options.parse_seeds(seeds)
    chosen = training.known.training_set(training.corpora)
    experiment = training.experiment(
        chosen, output, overrides=config_overrides(context), split=split, shared={"corpora": list(chosen.corpora)}
    )
    comparison = compare_over_seeds(experiment, chosen.corpora, numbers, equal_steps=equal_steps, **tests.settings())
    options.show(comparison_page(comparison, "seeds-equal-steps" if equal_steps else "seeds"), output)
