"""A training run and the files that it leaves."""

import re
import warnings
from pathlib import Path
from typing import Any

import pytest
import srsly
from spacy.util import load_config
from toy_corpora import write_corpora

from bioner_spacy.corpora.catalogue import CorpusSet
from bioner_spacy.errors import BionerError
from bioner_spacy.experiments.curves import read_curve
from bioner_spacy.files import checksum
from bioner_spacy.training import runs
from bioner_spacy.training.loop import CURVE_FILE
from bioner_spacy.training.runs import RUN_FILE, enough_epochs, run_settings, train_run

CONFIG = Path(__file__).parents[2] / "configs" / "small.cfg"


@pytest.fixture
def settings(tiny_bert: str, tmp_path: Path) -> dict[str, object]:
    """Of a short run on a toy corpus with a tiny encoder."""
    write_corpora(tmp_path / "corpus", ["genes"])
    return {"encoder": tiny_bert, "epochs": 2, "batch_tokens": 10, "corpus_folder": str(tmp_path / "corpus")}


@pytest.mark.parametrize("setting", ["null", "own", "missing"])
def test_a_run_leaves_its_learning_curve(settings: dict[str, object], tmp_path: Path, setting: str) -> None:
    config = load_config(CONFIG)
    if setting == "own":
        config["training"]["logger"]["output_file"] = str(tmp_path / "own.jsonl")
    elif setting == "missing":
        config["training"]["logger"] = {"@loggers": "spacy.ConsoleLogger.v1"}
    config.to_disk(tmp_path / "config.cfg")
    overrides = {"training.eval_frequency": 1}
    train_run(tmp_path / "config.cfg", tmp_path / "run", ["genes"], settings=settings, overrides=overrides)
    assert (tmp_path / "run" / "model-last" / "meta.json").is_file()
    assert (tmp_path / "own.jsonl").is_file() == (setting == "own")
    for path in [tmp_path / "run" / CURVE_FILE, *([tmp_path / "own.jsonl"] if setting == "own" else [])]:
        curve = read_curve(path)
        assert curve.updates[:2] == [1, 2] and len(curve.updates) == len(curve.loss) == len(curve.score)


@pytest.mark.parametrize("frequency, best", [(1, True), (2, True), (1000, False)])
def test_the_best_pipeline_is_none_of_the_first_step(
    settings: dict[str, object], tmp_path: Path, capsys: pytest.CaptureFixture[str], frequency: int, best: bool
) -> None:
    overrides = {"training.eval_frequency": frequency, "vars.epochs": 4}
    train_run(CONFIG, tmp_path / "run", ["genes"], settings=settings, overrides=overrides)
    assert (tmp_path / "run" / "model-last").is_dir()
    assert (tmp_path / "run" / "model-best").is_dir() == best
    assert ("there is no best pipeline" in capsys.readouterr().out) != best


@pytest.mark.parametrize(
    ("written", "evaluations", "given", "steps"),
    [
        (200, 4, None, 3),
        (2, 4, None, 2),
        (200, None, None, 200),
        (None, None, None, 2),
        ("auto", 4, None, 3),
        (9, 4, 5, 5),
    ],
)
def test_runs_of_any_length_are_evaluated_several_times(
    tmp_path: Path, written: Any, evaluations: Any, given: Any, steps: int
) -> None:
    """Of twelve steps."""
    write_corpora(tmp_path / "corpus", ["genes"])
    config = load_config(CONFIG)
    config["training"]["eval_frequency"] = written
    config.to_disk(tmp_path / "config.cfg")
    values: dict[str, Any] = {"vars.corpus_folder": str(tmp_path / "corpus"), "vars.corpora": "genes"}
    values |= {"vars.epochs": 6, "vars.batch_tokens": 10, "vars.evaluations": evaluations}
    if given:
        values["training.eval_frequency"] = given
    loaded, total = runs._load(tmp_path / "config.cfg", values)
    assert total == 12 and loaded["training"]["eval_frequency"] == steps
    _, total = runs._load(tmp_path / "config.cfg", {**values, "training.max_steps": 4, "training.eval_frequency": 1})
    assert total == 5


def test_a_run_says_what_it_was_made_with(
    settings: dict[str, object], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train_run(CONFIG, tmp_path / "run", ["genes"], settings=settings)
    run = srsly.read_json(tmp_path / "run" / RUN_FILE)
    names = ["exclude.json", "genes/devel.spacy", "genes/train.spacy"]
    digests = {(tmp_path / "corpus" / name).as_posix(): checksum(tmp_path / "corpus" / name) for name in names}
    assert run["checksums"] == digests and run["versions"]["thinc"] and run["seed"] == 0
    assert run["config"]["training"]["max_epochs"] == 2 and run["command"]
    results = run["results"]
    assert results["steps"] > 1 and results["evaluations"] > 1 and results["development_documents"] == 2
    out = capsys.readouterr().out
    assert "left\n" in out and "Scores of model-last on all development data (2 documents): macro_f " in out
    assert out.startswith("Using CPU") and "\x1b" not in out
    assert f"Trained {results['steps']} steps; in {tmp_path / 'run'}: model-last, model-best (step " in out
    config = load_config(tmp_path / "run" / "model-last" / "config.cfg")
    assert "unfinished" not in config.to_str()
    train_run(tmp_path / "run" / "model-last" / "config.cfg", tmp_path / "again", ["genes"], settings={})
    again = srsly.read_json(tmp_path / "again" / RUN_FILE)["results"]
    assert again["scores"]["spans_bioner_f"] == results["scores"]["spans_bioner_f"]


@pytest.mark.parametrize("enough, most, epochs", [(1, 50, 3), (20, 50, 10), (21, 50, 11), (1000, 50, 50), (1, 2, 3)])
def test_small_corpora_are_read_more_often(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, enough: int, most: int, epochs: int
) -> None:
    write_corpora(tmp_path / "corpus", ["genes", "diseases"])
    monkeypatch.setattr(runs, "ENOUGH_STEPS", enough)
    monkeypatch.setattr(runs, "MOST_EPOCHS", most)
    settings = {"epochs": 3, "batch_tokens": 20, "corpus_folder": str(tmp_path / "corpus")}
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # training itself warns that nothing is excluded
        assert enough_epochs(CONFIG, ["genes", "diseases"], settings=settings) == epochs  # two batches an epoch
    with pytest.raises(BionerError, match="none.cfg"):
        enough_epochs(tmp_path / "none.cfg", ["genes"], settings=settings)
    with pytest.raises(BionerError, match="genez"):
        enough_epochs(CONFIG, ["genez"], settings=settings)


@pytest.mark.parametrize("asked, of_catalogue, epochs", [(7, 5, 7), (0, 5, 5), (0, 0, 50)])
def test_epochs_are_those_asked_for_or_of_the_catalogue_or_enough(
    tmp_path: Path, asked: int, of_catalogue: int, epochs: int
) -> None:
    write_corpora(tmp_path, ["genes"])
    chosen = CorpusSet("mine", ("genes",), of_catalogue, 600)
    settings = run_settings(chosen, CONFIG, tmp_path, epochs=asked, overrides={"vars.exclude": None})
    assert settings == {"fraction": 1.0, "batch_tokens": 600, "epochs": epochs}


@pytest.mark.parametrize("name", ["notes", "notes/a.txt", "."])
def test_what_is_no_earlier_run_is_not_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "a.txt").write_text("kept")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BionerError, match="is there and holds no pipeline of an earlier run"):
        train_run(CONFIG, Path(name), ["genes"], settings={"corpus_folder": "nowhere"})
    assert (tmp_path / "notes" / "a.txt").read_text() == "kept"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "TagHeads.v1",
            "TagHeadz.v1",
            "setting components.multitask_ner.model.@architectures: .E893. Could not find function 'bioner_spacy.TagHeadz",
        ),
        ('factory = "multitask_ner"', 'factory = "ner2"', "Can't find factory for 'ner2'"),
        ("[nlp]", "[nlp]\n[nlp]", "section 'nlp' already exists"),
        ("[training]", "[trainings]", "Section 'training' is not defined"),
        ("[nlp]", "[nlp]\n\udcff", "UnicodeDecodeError"),
        (
            "initial_rate = 0.0002",
            "initial_rate = NaN",
            "training.optimizer.learn_rate.initial_rate is nan; allowed: numbers of 64 bits",
        ),
        ("learn_rate_factor = 10.0", "learn_rate_factor = -1", "Setting learn_rate_factor is -1; allowed"),
        (
            "[training]",
            "[training]\ndroput = 0.5",
            "training.droput is not known, and would be ignored: did you mean training.dropout?",
        ),
        ("[nlp]", "[nlp]\nbtach_size = 5", "did you mean nlp.batch_size?"),
        ("[system]", "[system]\nsed = 5", "did you mean system.seed?"),
        ("[nlp]", "[trainng]\ndropout = 0.5\n\n[nlp]", "did you mean training?"),
        ("[initialize]", "[initialize]\nxyz = 5", "known are after_init, before_init, components, "),
        (
            "accumulate_gradient = 1",
            "accumulate_gradient = 0",
            "training.accumulate_gradient is 0; allowed: 1 or more",
        ),
        ("patience = 0", "patience = -1", "training.patience is -1; allowed: 0 or more"),
        ("beta1 = 0.9", "beta1 = 1.0", "training.optimizer.beta1 is 1.0; allowed: 0 to 1, without 1"),
        ("eval_frequency = 200", "eval_frequency = 0", "training.eval_frequency is 0; allowed: 1 or more"),
        ("nt = 1\ndropout = 0.1", "nt = 1\ndropout = 2", "training.dropout is 2; allowed: 0 to 1, without 1"),
        ("batch_tokens = 600", 'batch_tokens = "x"', "training.batcher.size is 'x'; allowed: a number, 1"),
        ("nt = 1\ndropout = 0.1", "nt = 1\ndropout = abc", "training.dropout is 'abc'; allowed: a number, 0 to"),
        ("nt = 1\ndropout = 0.1", "nt = 1\ndropout = {}", "training.dropout is {}; allowed: 0 to 1"),
        ("max_steps = 0", 'max_steps = "x"', "training.max_steps is 'x'; allowed: a number"),
        (
            '"corpora.train"',
            '"corpora.trian"',
            "training.train_corpus is 'corpora.trian'; allowed: corpora.train, corp",
        ),
        (
            'trf_data_cleaner"]',
            'cleaner"]',
            "Setting nlp.pipeline is 'cleaner'; allowed: transformer, multitask_ner, trf",
        ),
        ("spans_bioner_f = 0.0", "spans_bioner_f = x", "training.score_weights.spans_bioner_f is 'x'; allowed"),
        ("spans_bioner_f = 0.0", "spans_bioner = 1.0", "training.score_weights is 'spans_bioner'; allowed: ents_f, "),
        (
            "grad_clip = ",
            "grad_clp = ",
            r"optimizer.grad_clp is not known \(did you mean training.optimizer.grad_clip",
        ),
        ("[corpora.train]", "[corpora.train]\nzzz = 1", "config.cfg: setting corpora.train.zzz is not known; correct"),
        ("[nlp]", "[nlp", "Make sure the sections and values are formatted correctly"),
        ("learn_rate_factor = 10.0", "zzz = 1", "setting components.multitask_ner.zzz is not known; correct it"),
        (
            "learn_rate_factor = 10.0",
            "thresholds = 1",
            "setting components.multitask_ner.thresholds: found conflicting",
        ),
        ('lang = "en"', 'lang = "zz"', "zz"),
        (
            "encoder = ",
            "encode = ",
            "config.cfg has no variable encoder in its section vars, which has corpus_folder, ",
        ),
        ("threshold = 0.0", "threshold = 60", "Setting threshold is 60; allowed: a number from 0 to 1"),
    ],
)
def test_a_wrong_config_is_reported_and_leaves_nothing(
    settings: dict[str, object], tmp_path: Path, old: str, new: str, message: str
) -> None:
    text = CONFIG.read_text("utf8")
    assert old in text
    del settings["batch_tokens"]  # which one of the configs changes
    (tmp_path / "config.cfg").write_bytes(text.replace(old, new, 1).encode("utf8", "surrogateescape"))
    with pytest.raises(BionerError, match=message) as raised:
        train_run(tmp_path / "config.cfg", tmp_path / "run", ["genes"], settings=settings)
    assert "\n" not in str(raised.value)
    assert {path.name for path in tmp_path.iterdir()} == {"config.cfg", "corpus"}


@pytest.mark.parametrize(
    "name",
    ["training.score_weights", "training.batcher", "training.optimizer", "corpora.train", "components.multitask_ner"],
)
@pytest.mark.parametrize("value", [5, "x", [1], None])
def test_a_value_in_the_place_of_a_section_is_named(
    settings: dict[str, object], tmp_path: Path, name: str, value: Any
) -> None:
    with pytest.raises(BionerError, match=re.escape(f"Setting {name} is {value!r}; allowed: a section")):
        train_run(CONFIG, tmp_path / "run", ["genes"], settings=settings, overrides={name: value})


def test_missing_gpu_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(BionerError, match="GPU 99 cannot be used.*--gpu-id -1"):
        train_run(CONFIG, tmp_path / "run", ["genes"], settings={"corpus_folder": str(tmp_path)}, gpu_id=99)
    assert not list(tmp_path.iterdir())
