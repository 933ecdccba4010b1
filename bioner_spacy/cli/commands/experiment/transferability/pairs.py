"""Measure the gain in F1 on each corpus from training with each other one.

A run on a pair is scored on both corpora and gives the gains in both directions. Without --epochs, there are twelve.
Further arguments change the config, as for `spacy train`: --components.multitask_ner.grain guideline

\b
Example:
  python -m spacy bioner experiment transferability pairs reports/gains --corpora sample --corpus corpus/sample
"""

from typing import Annotated

import typer

from .... import options
from ....app import config_overrides

EPOCHS = 12
"""More epochs than for whole corpora, because runs read few tokens."""


def command(
    context: typer.Context,
    output: options.Output,
    training: options.Runs,
    tests: options.Tests,
    seeds: options.Seeds = options.SEEDS,
    tokens: options.Tokens = options.TOKENS,
    split: options.Split = "devel",
    equal_steps: Annotated[
        bool,
        typer.Option(
            "--equal-steps/--equal-epochs",
            help="Train on one corpus for as many steps, or epochs, as on two.",
        ),
    ] = True,
) -> None:
    from dataclasses import replace

    from .....experiments.transferability.runs import EQUAL_EPOCHS, measure_gains
    from .....reports.transferability import gains_page

    numbers = options.parse_seeds(seeds)
    training = replace(training, epochs=training.epochs or EPOCHS)
    chosen = training.known.training_set(training.corpora)
    experiment = training.experiment(
        chosen, output, overrides=config_overrides(context), split=split, settings={"tokens": tokens}
    )
    gains = measure_gains(experiment, chosen.corpora, numbers, equal_steps=equal_steps, **tests.settings())
    options.show(gains_page(gains), output if equal_steps else output / EQUAL_EPOCHS)
