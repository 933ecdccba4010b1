"""One training run, as `spacy train` does it, that leaves either a complete pipeline or nothing."""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Optional

from spacy.cli.train import train

from ..corpora.catalogue import CorpusSet
from ..errors import BionerError, Errors


def run_settings(chosen: CorpusSet, *, epochs: int, fraction: float, encoder: Optional[str]) -> dict[str, object]:
    """Values for the section `vars` of a training config.

    Args:
        chosen: corpora with the number of epochs and the words in a batch that suit them.
        epochs: number of epochs; 0 for the one that suits the corpora.
        fraction: share of each training set.
        encoder: name of the encoder; None for the one of the config.
    """
    settings: dict[str, object] = {"fraction": fraction, "epochs": epochs or chosen.epochs}
    settings["batch_words"] = chosen.batch_words
    if encoder:
        settings["encoder"] = encoder
    return settings


def train_run(
    config: Path,
    output: Path,
    corpora: Sequence[str],
    *,
    settings: Mapping[str, object],
    overrides: Mapping[str, object] = {},
    gpu_id: int = -1,
) -> None:
    """Train a pipeline and write it to `output`/model-last.

    The same as `spacy train CONFIG --output OUTPUT --vars.corpora ... --vars.NAME VALUE ...`.

    Args:
        config: training config with a section `vars` that has what `settings` names.
        output: folder to write to; an earlier run in it is replaced once this one has ended.
        corpora: names of the corpora to train on.
        settings: values for the section `vars`.
        overrides: other values by their names with dots, which go before `settings`.
        gpu_id: number of the GPU; -1 for the CPU.

    Raises:
        BionerError: the config is not there, or something is wrong with the encoder, the corpora or a setting.
    """
    if not config.is_file():
        raise BionerError(Errors.E410.format(path=config))
    values = {"vars.corpora": ",".join(corpora), **{f"vars.{name}": value for name, value in settings.items()}}
    unfinished = output.with_name(output.name + ".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    try:
        train(config, unfinished, use_gpu=gpu_id, overrides={**values, **overrides})
        if output.exists():
            shutil.rmtree(output)
        unfinished.rename(output)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
