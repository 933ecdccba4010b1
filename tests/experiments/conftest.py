"""Experiments on the toy corpora with a tiny encoder, and the training runs that they start."""

from pathlib import Path
from typing import Any, NamedTuple

import pytest
from toy_corpora import write_corpora

from bioner_spacy.experiments import experiment as module
from bioner_spacy.experiments.experiment import Experiment

CONFIG = Path(__file__).parents[2] / "configs" / "small.cfg"


class Run(NamedTuple):
    """What a training run was asked for."""

    output: Path
    corpora: tuple[str, ...]
    settings: dict[str, Any]
    overrides: dict[str, Any]


@pytest.fixture
def make(tiny_bert: str, tmp_path: Path) -> Any:
    """Opens an experiment; it takes other settings, and what `Experiment` takes."""
    write_corpora(tmp_path / "corpus")

    def open_experiment(config: Path = CONFIG, *, settings: dict[str, Any] = {}, **how: Any) -> Experiment:
        settings = {"encoder": tiny_bert, "epochs": 1, "batch_tokens": 20, **settings}
        how = {"corpus_folder": tmp_path / "corpus", "split": "devel", **how}
        return Experiment(config, tmp_path / "out", settings=settings, **how)

    return open_experiment


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> list[Run]:
    """The training runs of a test so far."""
    runs: list[Run] = []
    train_run = module.train_run

    def noting(config: Path, output: Path, corpora: Any, **how: Any) -> None:
        runs.append(Run(output, tuple(corpora), how["settings"], how["overrides"]))
        train_run(config, output, corpora, **how)

    monkeypatch.setattr(module, "train_run", noting)
    return runs
