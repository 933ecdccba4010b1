"""Training repeated with several seeds."""

from pathlib import Path
from typing import Any

import pytest
import srsly
from toy_corpora import excluding

from bioner_spacy.errors import BionerError
from bioner_spacy.experiments.experiment import Experiment
from bioner_spacy.experiments.seeds import compare_over_seeds
from bioner_spacy.scoring.comparison import Comparison
from bioner_spacy.scoring.results import Results

CONFIG = Path(__file__).parents[2] / "configs" / "small.cfg"
CORPORA = ["diseases", "genes"]


@pytest.fixture
def repeat(make: Any) -> Any:
    """Runs the comparison on two toy corpora."""

    def run(seeds: list[int], overrides: dict[str, Any] = {}, equal_steps: bool = False, **changes: Any) -> Comparison:
        experiment = make(settings=changes, overrides=overrides)
        return compare_over_seeds(experiment, CORPORA, seeds, equal_steps=equal_steps, resamples=99)

    return run


def test_each_seed_is_trained_once_and_leaves_its_results(repeat: Any, trained: list[Any], tmp_path: Path) -> None:
    first = repeat([1])
    assert Results.from_disk(tmp_path / "out/runs/seed-1/multi.json").context == "source"
    runs = [(run.settings["seed"], run.corpora) for run in trained]
    assert runs == [(1, ("diseases", "genes")), (1, ("diseases",)), (1, ("genes",))]
    assert [pipeline.seed for pipeline in first.system["genes"]] == [1]
    assert first.mean.significance is not None
    assert {row.corpus for row in first.corpus_rows} == set(CORPORA)
    both = repeat([1, 2])
    assert [[pipeline.seed for pipeline in side["genes"]] for side in (both.baseline, both.system)] == [[1, 2], [1, 2]]
    assert [(row.system_runs or ())[:1] for row in both.rows] == [row.system_runs or () for row in first.rows]
    assert [run.settings["seed"] for run in trained[3:]] == [2, 2, 2]
    made = {str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*") if path.is_file()}
    results = {
        f"runs/seed-{seed}/{name}.json" for seed in (1, 2) for name in ("multi", "single/diseases", "single/genes")
    }
    assert made == {".lock", "settings.json", "corpora.json"} | results


def test_equal_steps(repeat: Any, trained: list[Any], tmp_path: Path) -> None:
    """Both sides take two steps, and the pipelines that take fewer stay beside them."""
    repeat([1])
    longer = repeat([1], equal_steps=True)
    assert (longer.runs, longer.names) == (1, ("longer single-task", "multi-task"))
    assert {run.corpora: run.overrides["vars.epochs"] for run in trained[3:]} == {("diseases",): 2, ("genes",): 2}
    folders = {path.name for path in (tmp_path / "out/runs/seed-1").iterdir()}
    assert folders == {"multi.json", "single", "single-equal-steps"}


def test_epochs_that_steps_would_change(repeat: Any) -> None:
    with pytest.raises(BionerError, match=r"sets training\.max_epochs itself"):
        repeat([2], {"training.max_epochs": 3}, equal_steps=True)


def test_pipelines_are_scored_on_what_they_were_trained_on(repeat: Any, tmp_path: Path) -> None:
    repeat([1], {"vars.context": "group", "vars.context_tokens": 7})
    for file in ("multi", "single/genes"):
        results = Results.from_disk(tmp_path / f"out/runs/seed-1/{file}.json")
        assert (results.context, results.context_tokens) == ("group", 7)


def test_results_of_other_settings_are_not_mixed(repeat: Any, tmp_path: Path) -> None:
    repeat([1])
    with pytest.raises(BionerError, match=r"other values of these: epochs;"):
        repeat([1, 2], epochs=2)
    with pytest.raises(BionerError, match=r"other values of these: components.multitask_ner.grain;"):
        repeat([1, 2], {"components.multitask_ner.grain": "corpus"})
    exclude = tmp_path / "corpus/exclude.json"
    content = srsly.read_json(exclude)
    srsly.write_json(exclude, {**content, "genes": excluding(tmp_path / "corpus", "genes", [0])})
    with pytest.raises(BionerError, match=r"other values of these: excluded records;"):
        repeat([1, 2])
    srsly.write_json(exclude, content)
    assert repeat([1]).runs == 1


def test_a_run_that_failed_binds_nobody(repeat: Any) -> None:
    with pytest.raises(BionerError, match="nowhere"):
        repeat([1], encoder="nowhere")
    assert repeat([1]).runs == 1


def test_config_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(BionerError, match=r"nothing\.cfg is not there"):
        Experiment(tmp_path / "nothing.cfg", tmp_path / "out", corpus_folder=tmp_path, settings={})
    assert not (tmp_path / "out").exists()
