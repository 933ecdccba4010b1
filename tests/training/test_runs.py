"""A training run and the files that it leaves."""

import re
import warnings
from pathlib import Path

import pytest
from spacy.util import load_config
from toy_corpora import write_corpora

from bioner_spacy.corpora.catalogue import CorpusSet
from bioner_spacy.errors import BionerError
from bioner_spacy.reports.learning_curves import read_curve
from bioner_spacy.training import runs
from bioner_spacy.training.runs import CURVE_FILE, enough_epochs, run_settings, train_run

CONFIG = Path(__file__).parents[2] / "configs" / "small.cfg"


@pytest.mark.parametrize("setting", ["null", "own", "missing"])
def test_a_run_leaves_its_learning_curve(tiny_bert: str, tmp_path: Path, setting: str) -> None:
    write_corpora(tmp_path / "corpus", ["genes"])
    config = load_config(CONFIG)
    if setting == "own":
        config["training"]["logger"]["output_file"] = str(tmp_path / "own.jsonl")
    elif setting == "missing":
        config["training"]["logger"] = {"@loggers": "spacy.ConsoleLogger.v1"}
    config.to_disk(tmp_path / "config.cfg")
    settings = {"encoder": tiny_bert, "epochs": 2, "batch_words": 10, "corpus_folder": str(tmp_path / "corpus")}
    overrides = {"training.eval_frequency": 1}
    train_run(tmp_path / "config.cfg", tmp_path / "run", ["genes"], settings=settings, overrides=overrides)
    assert (tmp_path / "run" / "model-last" / "meta.json").is_file()
    places = {"null": tmp_path / "run" / CURVE_FILE, "own": tmp_path / "own.jsonl"}
    written = {name for name, path in places.items() if path.is_file()}
    assert written == {setting} & places.keys()
    if written:
        curve = read_curve(places[setting])
        assert curve.updates[:2] == [1, 2] and len(curve.updates) == len(curve.loss) == len(curve.score)


@pytest.mark.parametrize("frequency, best", [(1, True), (2, True), (1000, False)])
def test_the_best_pipeline_is_none_of_the_first_step(
    tiny_bert: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], frequency: int, best: bool
) -> None:
    write_corpora(tmp_path / "corpus", ["genes"])
    settings = {"encoder": tiny_bert, "epochs": 4, "batch_words": 10, "corpus_folder": str(tmp_path / "corpus")}
    overrides = {"training.eval_frequency": frequency}
    train_run(CONFIG, tmp_path / "run", ["genes"], settings=settings, overrides=overrides)
    assert (tmp_path / "run" / "model-last").is_dir()
    assert (tmp_path / "run" / "model-best").is_dir() == best
    assert ("there is no best pipeline" in capsys.readouterr().out) != best


@pytest.mark.parametrize("enough, most, epochs", [(1, 50, 3), (20, 50, 10), (21, 50, 11), (1000, 50, 50), (1, 2, 3)])
def test_small_corpora_are_read_more_often(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, enough: int, most: int, epochs: int
) -> None:
    write_corpora(tmp_path / "corpus", ["genes", "diseases"])
    monkeypatch.setattr(runs, "ENOUGH_STEPS", enough)
    monkeypatch.setattr(runs, "MOST_EPOCHS", most)
    settings = {"epochs": 3, "batch_words": 20, "corpus_folder": str(tmp_path / "corpus")}
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # that nothing is excluded is told by the training itself
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
    assert settings == {"fraction": 1.0, "batch_words": 600, "epochs": epochs}


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
        ("TagHeads.v1", "TagHeadz.v1", "RegistryError: .E893. Could not find function 'bioner_spacy.TagHeadz.v1'"),
        ('factory = "multitask_ner"', 'factory = "ner2"', "Can't find factory for 'ner2'"),
        ("[nlp]", "[nlp]\n[nlp]", "section 'nlp' already exists"),
        ("[training]", "[trainings]", "Section 'training' is not defined"),
        ("[nlp]", "[nlp]\n\udcff", "UnicodeDecodeError"),
        (
            "initial_rate = 0.0002",
            "initial_rate = NaN",
            "Setting training.optimizer.learn_rate.initial_rate is nan; allowed: numbers of 64 bits",
        ),
        ("learn_rate_factor = 10.0", "learn_rate_factor = -1", "Setting learn_rate_factor is -1; allowed"),
        ("eval_frequency = 200", "eval_frequency = 0", "Setting training.eval_frequency is 0; allowed: 1 or more"),
        ("nt = 1\ndropout = 0.1", "nt = 1\ndropout = 2", "Setting training.dropout is 2; allowed: 0 to 1, without 1"),
        ("batch_words = 600", 'batch_words = "x"', "Config error for 'bioner_spacy.MultiCorpusBatcher.v1'"),
        (
            "encoder = ",
            "encode = ",
            "config.cfg has no variable encoder in its section vars, which has corpus_folder, ",
        ),
        ("threshold = 0.0", "threshold = 60", "Setting threshold is 60; allowed: a number from 0 to 1"),
    ],
)
def test_a_wrong_config_is_told_and_leaves_nothing(
    tiny_bert: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], old: str, new: str, message: str
) -> None:
    text = CONFIG.read_text("utf8")
    assert old in text
    (tmp_path / "config.cfg").write_bytes(text.replace(old, new, 1).encode("utf8", "surrogateescape"))
    write_corpora(tmp_path / "corpus", ["genes"])
    settings = {"encoder": tiny_bert, "corpus_folder": str(tmp_path / "corpus")}
    try:
        train_run(tmp_path / "config.cfg", tmp_path / "run", ["genes"], settings=settings)
    except BionerError as error:
        assert re.search(message, str(error)), error
    except SystemExit as end:  # what spaCy tells itself
        assert end.code == 1 and message in capsys.readouterr().out
    else:
        pytest.fail("nothing was told")
    assert {path.name for path in tmp_path.iterdir()} == {"config.cfg", "corpus"}


def test_missing_gpu_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(BionerError, match="GPU 99 cannot be used.*--gpu-id -1"):
        train_run(CONFIG, tmp_path / "run", ["genes"], settings={"corpus_folder": str(tmp_path)}, gpu_id=99)
    assert not list(tmp_path.iterdir())
