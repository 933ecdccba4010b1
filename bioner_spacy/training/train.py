"""Training on corpora in one call."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Optional, Union

from ..corpora.catalogue import CorpusSet
from ..errors import check_list, check_setting
from ..files import as_path
from .presets import AUTO, choose_preset
from .runs import CHECKPOINT_MINUTES, run_settings, train_run


def train(
    corpora: Union[CorpusSet, Sequence[str]],
    output: Union[str, Path],
    *,
    corpus_folder: Union[str, Path],
    config: Union[str, Path, None] = None,
    preset: str = AUTO,
    each: bool = False,
    epochs: int = 0,
    fraction: float = 1.0,
    encoder: Optional[str] = None,
    seed: int = 0,
    overrides: Mapping[str, object] = {},
    gpu_id: int = -1,
    resume: bool = False,
    checkpoint_minutes: float = CHECKPOINT_MINUTES,
) -> list[Path]:
    """Train one pipeline on corpora, or one pipeline per corpus.

    Args:
        corpora: names of converted corpora, or a set of them with its epochs and batches (`Catalogue.training_set`).
        output: folder to write to; with `each`, the folder of <corpus> folders.
        corpus_folder: folder with `<corpus>/<split>.spacy`.
        config: training config; None for that of the preset.
        preset: small, base, or auto to choose by the size of the encoder, see `choose_preset`; only without `config`.
        each: train a single-task baseline on each corpus.
        epochs: number of epochs; 0 for that of the set or config, with more for small data.
        fraction: share of each training set that is used.
        encoder: name of the encoder; None for that of the config.
        overrides: other values of the config, by dotted names such as `training.dropout`.
        gpu_id: number of the GPU; -1 for the CPU.
        resume: whether to continue interrupted runs and keep finished ones.
        checkpoint_minutes: minutes between two checkpoints.

    Returns:
        The folders of the pipelines.
    """
    check_list("corpora", corpora, "corpora")
    output, corpus_folder = as_path("output", output), as_path("corpus_folder", corpus_folder)
    chosen = corpora if isinstance(corpora, CorpusSet) else CorpusSet("", tuple(corpora), 0, 0)
    check_setting("corpora", corpora, "one corpus or more", bool(chosen.corpora))
    path = choose_preset(preset, encoder)[0] if config is None else as_path("config", config)
    runs = {output / name: (name,) for name in chosen.corpora} if each else {output: chosen.corpora}
    how: dict[str, Any] = {"resume": resume, "checkpoint_minutes": checkpoint_minutes}
    for folder, names in runs.items():
        part = replace(chosen, corpora=names)
        settings = run_settings(
            part, path, corpus_folder, epochs=epochs, fraction=fraction, encoder=encoder, overrides=overrides
        )
        settings.update(corpus_folder=str(corpus_folder), seed=seed)
        train_run(path, folder, names, settings=settings, overrides=overrides, gpu_id=gpu_id, **how)
    return [folder / "model-last" for folder in runs]
