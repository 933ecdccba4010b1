"""The search for settings."""

from pathlib import Path
from typing import Any

import pytest
import spacy
import srsly
from command_line import bioner
from spacy.cli.train import train
from toy_corpora import write_corpora

from bioner_spacy.errors import BionerError
from bioner_spacy.experiments import experiment as module
from bioner_spacy.experiments.search_space import Choice, Range, SearchSpace, read_space, resolve_space
from bioner_spacy.experiments.tune import propose, tune
from bioner_spacy.experiments.tuning import Trial, Tuning, read_trials
from bioner_spacy.reports import page as page_module
from bioner_spacy.reports import tuning as report_module
from bioner_spacy.reports.tuning import write_tuning
from bioner_spacy.scoring.evaluate import evaluate
from bioner_spacy.scoring.results import Pipeline, Results

pytest.importorskip("optuna")
ROOT = Path(__file__).parents[2]
CONFIG = ROOT / "configs" / "small.cfg"
CORPORA = ["diseases", "genes"]
WEIGHTS = "components.multitask_ner.task_weights"
SPACE = {
    "training.optimizer.learn_rate.initial_rate": {"low": 1e-4, "high": 1e-2, "log": True},
    "training.batcher.sampling": ["uniform", "proportional"],
    "training.dropout": {"low": 0.0, "high": 0.3},  # a number that not every reader of JSON gives back
}


@pytest.fixture
def settings(tiny_bert: str, tmp_path: Path) -> dict[str, Any]:
    """A tiny encoder and two toy corpora."""
    write_corpora(tmp_path / "corpus", CORPORA)
    return {"encoder": tiny_bert, "epochs": 1, "batch_tokens": 20}


@pytest.fixture
def search(settings: dict[str, Any], tmp_path: Path) -> Any:
    """Runs a search."""

    def run(trials: int, space: Any = SPACE, output: str = "out", **changes: Any) -> Tuning:
        srsly.write_yaml(tmp_path / "space.yml", space)
        arguments = {"seeds": [0], "settings": settings, **changes}
        folders = {"corpus_folder": tmp_path / "corpus", "space": tmp_path / "space.yml"}
        return tune(
            CONFIG, tmp_path / output, report=write_tuning, trials=trials, corpora=CORPORA, **folders, **arguments
        )

    return run


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Changes of the config of each training run, which is left out: the score is the learning rate."""
    runs: list[dict[str, Any]] = []
    pipeline = Pipeline("en_x", "0", None, 0, [])

    def noting(config: Path, output: Path, corpora: Any, **how: Any) -> None:
        runs.append(how["overrides"])

    def scoring(path: Path, folder: Path, *, split: str, **how: Any) -> Results:
        assert split == "devel"
        score = 50 * runs[-1].get("training.optimizer.learn_rate.initial_rate", 0.01)
        scores = {"p": score, "r": score, "f": score, "gold": 1, "predicted": 1}
        per_corpus = {corpus: {**scores, "nested": scores, "flat": scores, "per_type": {}} for corpus in CORPORA}
        return Results(pipeline, split, None, {**scores, "macro_f": score, "per_corpus": per_corpus}, 1, 1.0)

    monkeypatch.setattr(module, "train_run", noting)
    monkeypatch.setattr(module, "evaluate", scoring)
    # A picture for each trial takes longer than all the rest.
    monkeypatch.setattr(page_module, "save_figure", lambda figure, *paths: [path.touch() for path in paths])
    monkeypatch.setattr(report_module, "draw_tuning", lambda tuning: None)
    return runs


def test_a_search_leaves_its_files_and_a_config_that_trains(search: Any, tmp_path: Path) -> None:
    found = search(2, {**SPACE, "task_weights": {"low": 0.5, "high": 2}})
    out = tmp_path / "out"
    # The first trial is the config as it is.
    weights = {f"{WEIGHTS}.DISEASE": 1.0, f"{WEIGHTS}.GENE": 1.0}
    assert found.trials[0].values == {
        "training.optimizer.learn_rate.initial_rate": 0.0002,
        "training.batcher.sampling": "proportional",
        "training.dropout": 0.1,
        **weights,
    }
    assert found.trials[1].values != found.trials[0].values
    names = {".lock", "best.cfg", "corpora.json", "settings.json"} | {
        f"tuning.{s}" for s in ("json", "md", "png", "svg")
    }
    assert {path.name for path in out.iterdir() if path.is_file()} == names
    runs = [Results.from_disk(path) for path in (out / "runs").rglob("*.json")]
    assert sorted(run.scores["macro_f"] for run in runs) == sorted(trial.score for trial in found.trials)
    assert {run.split for run in runs} == {"devel"}
    best = found.trials[found.best]
    assert f"F1 {100 * best.score:.2f}" in (out / "best.cfg").read_text("utf8").splitlines()[0]
    # As `spacy train` does, with nothing but the config, to the same score.
    train(out / "best.cfg", tmp_path / "trained")
    nlp = spacy.load(tmp_path / "trained" / "model-last")
    trained_with = nlp.config.interpolate()
    assert trained_with["training"]["batcher"]["sampling"] == best.values["training.batcher.sampling"]
    assert (
        trained_with["training"]["optimizer"]["learn_rate"]["initial_rate"]
        == best.values["training.optimizer.learn_rate.initial_rate"]
    )
    assert trained_with["components"]["multitask_ner"]["task_weights"] == {
        name: best.values[f"{WEIGHTS}.{name}"] for name in ("DISEASE", "GENE")
    }
    again = evaluate(tmp_path / "trained" / "model-last", tmp_path / "corpus", corpora=CORPORA, split="devel")
    assert again.scores["macro_f"] == pytest.approx(best.score)


def test_an_interrupted_search_goes_on_as_it_would_have_without(
    search: Any, trained: list[dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = search(13)
    assert len(trained) == 13
    scoring = module.evaluate

    def interrupted(*arguments: Any, **settings: Any) -> Results:
        if len(trained) == 13 + 12:
            raise KeyboardInterrupt
        return scoring(*arguments, **settings)

    monkeypatch.setattr(module, "evaluate", interrupted)
    with pytest.raises(KeyboardInterrupt):
        search(13, output="again")
    assert len(read_trials(tmp_path / "again/tuning.json")) == 11
    monkeypatch.setattr(module, "evaluate", scoring)
    assert search(13, output="again").trials == whole.trials
    assert len(trained) == 13 + 14
    for name in ("tuning.json", "tuning.md", "best.cfg"):
        assert (tmp_path / "again" / name).read_bytes() == (tmp_path / "out" / name).read_bytes()
    # More trials, and none of them again.
    assert search(14, output="again").trials[:13] == whole.trials
    assert len(trained) == 13 + 15
    assert search(13, output="other", seeds=[1]).trials[1:] != whole.trials[1:]


def test_the_best_is_looked_for_where_trials_were_good() -> None:
    space = SearchSpace({"x": Range(1e-4, 1e-2, log=True), "y": Choice(("a", "b"))}, {"x": 2e-4, "y": "b"})
    trials: list[Trial] = []
    for _ in range(30):
        values = propose(space, trials, seed=0)
        trials.append(Trial(values, (50 * values["x"] * (1 + (values["y"] == "a")),)))
    assert trials[0].values == {"x": 2e-4, "y": "b"}
    good = [trial for trial in trials[15:] if trial.values["x"] > 1e-3 and trial.values["y"] == "a"]
    assert len(good) > 10  # a quarter of them by chance


def test_seeds_are_averaged_and_equal_values_trained_once(search: Any, trained: list[dict[str, Any]]) -> None:
    found = search(6, {"training.dropout": [0.1, 0.2]}, seeds=[3, 4])
    assert all(len(trial.scores) == 2 for trial in found.trials)
    assert len(trained) == 4  # two values, two seeds


def test_results_of_another_search_are_not_mixed(search: Any, trained: Any, tmp_path: Path) -> None:
    search(2)
    with pytest.raises(BionerError, match=r"other values of these: search space;"):
        search(2, {"training.dropout": [0.1]})
    with pytest.raises(BionerError, match=r"other values of these: seeds;"):
        search(2, seeds=[0, 1])
    with pytest.raises(BionerError, match="initial_rate itself"):
        search(2, output="other", overrides={"training.optimizer.learn_rate.initial_rate": 0.1})
    # Without its runs a trial counts for nothing.
    for path in list((tmp_path / "out/runs").rglob("*.json")):
        path.unlink()
    assert list(search(1, {"training.dropout": [0.1]}).trials[0].values) == ["training.dropout"]
    (tmp_path / "out/tuning.json").write_text("{}")
    with pytest.raises(BionerError, match=r"tuning.json holds no trials"):
        search(1, {"training.dropout": [0.1]})


@pytest.mark.parametrize(
    "content, message",
    [
        ("", "names no setting"),
        ("a: [1\n", "is not a search space"),
        ("training.dropout: 0.1", "key training.dropout: it needs"),
        ("training.dropout: {low: 0.1}", "key training.dropout: it needs"),
        ("training.dropout: {low: 0.1, high: 0.2, step: 0.1}", "key training.dropout: it needs"),
        ("training.dropout: {low: a, high: 0.2}", "low and high are numbers"),
        ("training.dropout: {low: 0.2, high: 0.1}", "low .0.2. is above high .0.1."),
        ("training.dropout: {low: 0.1, high: .inf}", "no finite number"),
        ("training.dropout: {low: 0, high: 0.1, log: true}", "with log, low is above 0"),
        ("training.dropout: []", "a choice is a list"),
        ("training.dropout: [0.1, 0.1]", "a choice is a list"),
        ("training.dropout: [[0.1]]", "a choice is a list"),
    ],
)
def test_mistakes_in_the_file(content: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "space.yml").write_text(content, encoding="utf8")
    with pytest.raises(BionerError, match=f"space.yml.*{message}"):
        read_space(tmp_path / "space.yml")
    with pytest.raises(BionerError, match="nothing.yml is not a search space"):
        read_space(tmp_path / "nothing.yml")


@pytest.mark.parametrize(
    "space, message",
    [
        ({"training.nothing": [1]}, "training.nothing: the config has no such setting"),
        ({"learn_rate": [1]}, "learn_rate: the config has no such setting"),
        ({"training.batcher": [1]}, "training.batcher: it is a section"),
        ({"training.batcher.sampling": {"low": 0, "high": 1}}, "sampling: it is no number"),
        ({"training.batcher.size": {"low": 10.5, "high": 20}}, "size: it is a whole number"),
        (
            {"training.batcher.sampling": ["uniform", "fair"]},
            "sampling: training does not take 'fair': .*Setting sampling",
        ),
        (
            {"components.multitask_ner.model.dropout": ["much"]},
            "does not take 'much': .*'much' is not <class 'float'>",
        ),
        ({"training.batcher.size": {"low": 0, "high": 20}}, "size: training does not take 0"),
        ({"vars.epochs": {"low": 1, "high": 2}}, "vars.epochs: all trials share it"),
        ({"vars.seed": [1, 2]}, "vars.seed: all trials share it"),
        ({"vars.context": ["group"]}, "vars.context: all trials share it"),
        ({"corpora.train.limit": [1, 2]}, "corpora.train.limit: all trials share it"),
        ({f"{WEIGHTS}.PLANET": [1]}, "PLANET: there is no such task; the tasks of these corpora: DISEASE, GENE"),
        ({"task_weights": [1], "components.multitask_ner.grain": ["type"]}, "grain: the tasks depend on it"),
    ],
)
def test_settings_that_the_config_does_not_take(
    space: Any, message: str, search: Any, trained: Any, tmp_path: Path
) -> None:
    with pytest.raises(BionerError, match=f"space.yml, key .*{message}"):
        search(1, space)
    assert trained == [] and not (tmp_path / "out").exists()


def test_numbers_are_whole_where_the_config_has_whole_ones(settings: dict[str, Any], tmp_path: Path) -> None:
    ranges = {
        "training.batcher.size": {"low": 20, "high": 60, "log": True},
        "components.multitask_ner.learn_rate_factor": {"low": 1, "high": 30},
        "task_weights": {"low": 1, "high": 4},
        f"{WEIGHTS}.genes": [1, 2],
    }
    srsly.write_yaml(tmp_path / "space.yml", ranges)
    found = resolve_space(
        tmp_path / "space.yml",
        CONFIG,
        corpora=CORPORA,
        corpus_folder=tmp_path / "corpus",
        settings=settings,
        overrides={"components.multitask_ner.grain": "corpus"},
    )
    assert found.settings == {
        "training.batcher.size": Range(20, 60, log=True, whole=True),
        "components.multitask_ner.learn_rate_factor": Range(1.0, 30.0),
        f"{WEIGHTS}.genes": Choice((1, 2)),
        f"{WEIGHTS}.diseases": Range(1.0, 4.0),
    }
    trials: list[Trial] = []
    for number in range(12):
        trials.append(Trial(propose(found, trials, seed=0), (number / 12,)))
        for name, value in trials[-1].values.items():
            assert value in found.settings[name]
            assert isinstance(value, float) == (name.endswith("factor") or name.endswith("diseases"))
    assert len({str(trial.values) for trial in trials}) == 12


def test_true_is_not_one() -> None:
    space = SearchSpace({"x": Choice((1, True, None, "1"))}, {"x": True})
    trials = [Trial(propose(space, [], seed=0), (0.0,))]
    assert trials[0].values["x"] is True
    for _ in range(14):
        trials.append(Trial(propose(space, trials, seed=0), (0.0,)))
    assert {repr(trial.values["x"]) for trial in trials} == {"1", "True", "None", "'1'"}


def test_the_shipped_search_space_is_one_of_the_shipped_config(settings: dict[str, Any], tmp_path: Path) -> None:
    found = resolve_space(
        ROOT / "configs" / "tuning.yml", CONFIG, corpora=CORPORA, corpus_folder=tmp_path / "corpus", settings=settings
    )
    assert f"{WEIGHTS}.GENE" in found.settings
    assert all(found.start[name] in setting for name, setting in found.settings.items())


def test_command(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "space.yml").write_text("training.dropout: 0.1", encoding="utf8")
    folders = ["--corpus", str(tmp_path), "--space", str(tmp_path / "space.yml")]
    catalogue = ["--config", str(CONFIG), "--catalogue", str(ROOT / "configs" / "catalogue.yml")]
    assert bioner("experiment", "tune", tmp_path / "out", *folders, *catalogue) == 1
    captured = capsys.readouterr()
    assert "training.dropout: it needs" in " ".join((captured.out + captured.err).split())
