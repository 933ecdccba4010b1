"""Search for the training settings that score best on development data.

The score of a trial is the mean over corpora of micro F1 on the devel split, and over the seeds. Further arguments
change the config for all trials, as for `spacy train`: --components.multitask_ner.grain corpus

\b
Example:
  python -m spacy bioner experiment tune reports/tuning --corpora sample --corpus corpus/sample --trials 20
"""

from pathlib import Path
from typing import Annotated, Optional

import typer

from ....shipped import TUNING, project_file
from ... import options
from ...app import config_overrides
from ...messages import msg


def command(
    context: typer.Context,
    output: options.Output,
    training: options.Runs,
    space: Annotated[
        Optional[Path],
        typer.Option(help="The search space. Default: configs/tuning.yml here, else the one of the package."),
    ] = None,
    trials: Annotated[int, typer.Option(min=1, help="Total number of trials in the folder.")] = 20,
    seeds: options.Seeds = "0",
) -> None:
    from ....experiments.tune import tune
    from ....reports.tuning import tuning_page, write_tuning

    chosen, overrides = training.known.training_set(training.corpora), config_overrides(context)
    tuning = tune(
        training.config_path,
        output,
        space=space or project_file(TUNING),
        trials=trials,
        corpora=chosen.corpora,
        corpus_folder=training.corpus,
        spans_key=training.spans_key,
        predicted_key=training.predicted_key,
        seeds=options.parse_seeds(seeds),
        settings=training.run_settings(chosen, overrides),
        overrides=overrides,
        gpu_id=training.gpu_id,
        report=write_tuning,
    )
    options.show(tuning_page(tuning), output)
    msg.good(f"Wrote {output / 'best.cfg'}, the config of the best trial")
