"""Runs in a folder that remembers what was done."""

from pathlib import Path
from typing import Any

import pytest
from toy_corpora import write_corpora

from bioner_spacy.cli import experiment as module
from bioner_spacy.cli.experiment import Experiment

CONFIG = Path(__file__).parents[2] / "configs" / "multitask.cfg"
CORPORA = ["diseases", "genes"]


@pytest.fixture
def experiment(tiny_bert: str, tmp_path: Path) -> Experiment:
    """An experiment on two toy corpora with a tiny encoder."""
    write_corpora(tmp_path / "corpus", CORPORA)
    settings = {"encoder": tiny_bert, "epochs": 1, "batch_words": 20}
    return Experiment(CONFIG, tmp_path / "out", corpus_folder=tmp_path / "corpus", settings=settings, split="devel")


def test_a_pipeline_is_kept_on_demand_and_trained_again_where_it_is_not(
    experiment: Experiment, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained = []
    train_run = module.train_run

    def counting(config: Path, output: Path, corpora: Any, **settings: Any) -> None:
        trained.append(settings["settings"]["seed"])
        train_run(config, output, corpora, **settings)

    monkeypatch.setattr(module, "train_run", counting)
    first = experiment.run("a/genes-1", ["genes"], seed=1)
    assert not experiment.pipeline("a/genes-1").exists()
    kept = experiment.run("a/genes-1", ["genes"], seed=1, keep=True)
    assert kept.scores == first.scores  # the same seed
    assert (experiment.pipeline("a/genes-1") / "meta.json").is_file()
    experiment.run("a/genes-1", ["genes"], seed=1, keep=True)
    experiment.run("a/genes-1", ["genes"], seed=1)
    assert trained == [1, 1]


def test_a_run_may_be_scored_on_other_corpora_and_trained_in_another_folder(
    experiment: Experiment, tmp_path: Path
) -> None:
    write_corpora(tmp_path / "elsewhere", ["genes"])
    found = experiment.run("x", ["genes"], seed=0, score_on=CORPORA, corpus_folder=tmp_path / "elsewhere")
    assert set(found.documents) == set(CORPORA)


def test_values_of_one_run_go_before_those_of_all(experiment: Experiment) -> None:
    found = experiment.run("x", CORPORA, seed=0, overrides={"components.multitask_ner.grain": "corpus"}, keep=True)
    text = (experiment.pipeline("x") / "config.cfg").read_text(encoding="utf8")
    assert 'grain = "corpus"' in text
    assert found.split == "devel"
