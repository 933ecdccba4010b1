"""Transfer and multi-task training, alone and together."""

from pathlib import Path
from typing import Any

import numpy
import pytest
import spacy
from thinc.api import Model

from bioner_spacy.errors import BionerError
from bioner_spacy.experiments.transfer import compare_transfer
from bioner_spacy.scoring.results import Results

CONFIG = Path(__file__).parents[2] / "configs" / "small.cfg"
RATE = "training.optimizer.learn_rate.initial_rate"


def output_weights(pipeline: Path) -> dict[str, Any]:
    """Weights of each task's outputs."""
    pipe: Any = spacy.load(pipeline).get_pipe("multitask_ner")
    model: Model = pipe.model
    columns = model.attrs["make_formulation"](pipe.tasks).columns
    W = numpy.asarray(model.get_ref("output_layer").get_param("W"))
    places = {task.name: [i for i, column in enumerate(columns) if column[0] == task.name] for task in pipe.tasks}
    return {task: W[rows] for task, rows in places.items()}


def test_five_systems_and_one_first_stage(make: Any, trained: list[Any], tmp_path: Path) -> None:
    found = compare_transfer(make(), "drugs", ["diseases", "genes"], [0], best=["genes"], resamples=99)
    assert [(run.output.name, run.corpora, "vars.init_from" in run.overrides) for run in trained] == [
        ("longer-single-task", ("drugs",), False),
        ("single-task", ("drugs",), False),
        ("multi-task", ("drugs", "diseases", "genes"), False),
        ("auxiliaries", ("diseases", "genes"), False),
        ("transfer", ("drugs",), True),
        ("transfer-+-multi-task", ("drugs", "genes"), True),
    ]
    assert [comparison.names[1] for comparison in found.comparisons] == [
        "single task",
        "multi-task",
        "transfer",
        "transfer + multi-task",
    ]
    epochs = [run.overrides.get("vars.epochs", run.settings["epochs"]) for run in trained]
    assert epochs == [3, 1, 1, 1, 1, 1]  # a step for the target alone, three for all corpora
    assert {row.corpus for comparison in found.comparisons for row in comparison.rows} == {"drugs"}
    assert set(Results.from_disk(tmp_path / "out/runs/seed-0/auxiliaries.json").per_corpus) == {"diseases", "genes"}
    assert not list((tmp_path / "out").rglob("meta.json"))  # no pipeline stays
    compare_transfer(make(), "drugs", ["diseases", "genes"], [0], best=["genes"], resamples=99)
    assert len(trained) == 6


def test_training_by_the_config_begins_with_the_weights(make: Any) -> None:
    experiment = make(overrides={RATE: 1e-12})  # so that what training begins with is what it ends with
    experiment.run("first", ["diseases", "genes"], seed=0, overrides={RATE: 0.01}, keep=True)
    start = experiment.pipeline("first")
    experiment.run("second", ["drugs"], seed=1, overrides={"vars.init_from": str(start)}, keep=True)
    experiment.run("fresh", ["drugs"], seed=1, keep=True)
    first, second, fresh = (output_weights(experiment.pipeline(name)) for name in ("first", "second", "fresh"))
    assert numpy.allclose(second["DISEASE"], first["DISEASE"], atol=1e-5)
    assert not numpy.allclose(fresh["DISEASE"], first["DISEASE"], atol=1e-5)
    assert numpy.allclose(second["CHEMICAL"], 0, atol=1e-5)
    assert set(second) == {"CHEMICAL", "DISEASE"}


def test_what_cannot_be_compared(make: Any, tmp_path: Path) -> None:
    with pytest.raises(BionerError, match="must differ from the target drugs"):
        compare_transfer(make(), "drugs", ["drugs", "genes"], [0])
    with pytest.raises(BionerError, match="name diseases, which are not auxiliaries"):
        compare_transfer(make(), "drugs", ["genes"], [0], best=["diseases"])
    with pytest.raises(BionerError, match="vars.init_from itself"):
        compare_transfer(make(overrides={"vars.init_from": "training/x"}), "drugs", ["genes"], [0])
    without = CONFIG.read_text(encoding="utf8").replace("init_from = null\n", "").replace("${vars.init_from}", "null")
    (tmp_path / "old.cfg").write_text(without, encoding="utf8")
    with pytest.raises(BionerError, match="no setting vars.init_from"):
        compare_transfer(make(tmp_path / "old.cfg"), "drugs", ["genes"], [0])
