"""Training that is interrupted, and goes on as if it had not been."""

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy
import pytest
import spacy
import srsly
from spacy.util import load_config
from thinc.api import Model
from toy_corpora import write_corpora

from bioner_spacy.errors import BionerError, BionerWarning
from bioner_spacy.training import loop
from bioner_spacy.training.checkpoint import CHECKPOINT_FILE
from bioner_spacy.training.loop import CURVE_FILE
from bioner_spacy.training.runs import RUN_FILE, train_run

CONFIG = Path(__file__).parents[2] / "configs" / "small.cfg"
BALANCES = ["FixedBalance", "UncertaintyBalance", "DynamicWeightAverage"]

# A run of its own process: the third argument is the step after which it is killed or signalled.
SCRIPT = """
import json, os, signal, sys
from pathlib import Path
from bioner_spacy.training import loop
from bioner_spacy.training.runs import train_run
config, output, how, settings, overrides = sys.argv[1:]
update, steps = loop._update, 0
def counted(*arguments):
    global steps
    update(*arguments)
    steps += 1
    if how != "none" and steps == 4:
        os.kill(os.getpid(), getattr(signal, how))
loop._update = counted
train_run(Path(config), Path(output), ["genes", "drugs"], settings=json.loads(settings), overrides=json.loads(overrides),
          resume=how == "none", checkpoint_minutes=0)
"""


@pytest.fixture(scope="module", params=BALANCES)
def plan(request: pytest.FixtureRequest, tiny_bert: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Settings of a run of nine steps in three epochs."""
    folder = tmp_path_factory.mktemp("run")
    write_corpora(folder / "corpus", ["genes", "drugs"])
    config = load_config(CONFIG)
    config["components"]["multitask_ner"]["task_balance"] = {"@misc": f"bioner_spacy.{request.param}.v1"}
    config.to_disk(folder / "config.cfg")
    settings = {"encoder": tiny_bert, "epochs": 3, "batch_tokens": 15, "corpus_folder": str(folder / "corpus")}
    return {"folder": folder, "config": folder / "config.cfg", "settings": settings}


OVERRIDES = {"training.eval_frequency": 2}


def start(plan: dict[str, Any], output: Path, how: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", SCRIPT, str(plan["config"]), str(output), how]
    command += [json.dumps(plan["settings"]), json.dumps(OVERRIDES)]
    return subprocess.run(command, capture_output=True, text=True)


def weights(pipeline: Path) -> list[numpy.ndarray]:
    found = []
    for _, pipe in spacy.load(pipeline).pipeline:
        if isinstance(model := getattr(pipe, "model", None), Model):
            for node in model.walk():
                found += [node.get_param(name) for name in node.param_names if node.has_param(name)]
                found += [w.detach().numpy() for shim in node.shims for w in shim._model.state_dict().values()]
    return found


@pytest.mark.slow
def test_a_run_that_was_killed_goes_on_as_if_it_had_not_been(plan: dict[str, Any], tmp_path: Path) -> None:
    whole = tmp_path / "whole"
    train_run(plan["config"], whole, ["genes", "drugs"], settings=plan["settings"], overrides=OVERRIDES)
    ended = start(plan, tmp_path / "killed", "SIGKILL")
    assert ended.returncode == -signal.SIGKILL
    unfinished = tmp_path / "killed.unfinished"
    assert (unfinished / CHECKPOINT_FILE).is_file() and not (tmp_path / "killed").exists()
    ended = start(plan, tmp_path / "killed", "none")
    assert ended.returncode == 0, ended.stderr
    assert not unfinished.exists()
    curves = [list(srsly.read_jsonl(folder / CURVE_FILE)) for folder in (whole, tmp_path / "killed")]
    for lines in curves:
        for line in lines:
            line["scores"].pop("speed", None)
    assert curves[0] == curves[1] and [line["step"] for line in curves[0]] == [0, 2, 4, 6, 8]
    pairs = list(zip(weights(whole / "model-last"), weights(tmp_path / "killed" / "model-last"), strict=True))
    assert len(pairs) > 10 and all(numpy.array_equal(*pair) for pair in pairs)
    runs = [srsly.read_json(folder / RUN_FILE)["results"] for folder in (whole, tmp_path / "killed")]
    assert runs[0]["steps"] == runs[1]["steps"] == 9 and runs[0]["best_step"] == runs[1]["best_step"]
    assert (whole / "model-best").is_dir() == (tmp_path / "killed" / "model-best").is_dir()


@pytest.fixture
def interrupted(tiny_bert: str, tmp_path: Path) -> dict[str, Any]:
    """A run that was interrupted after its first step."""
    write_corpora(tmp_path / "corpus", ["genes"])
    settings = {"encoder": tiny_bert, "epochs": 2, "batch_tokens": 10, "corpus_folder": str(tmp_path / "corpus")}
    run: dict[str, Any] = {"settings": settings, "output": tmp_path / "run", "corpora": ["genes"], "config": CONFIG}
    update = loop._update

    def interrupt(*arguments: Any) -> None:
        update(*arguments)
        signal.raise_signal(signal.SIGTERM)

    handlers = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with pytest.MonkeyPatch.context() as patch, pytest.raises(BionerError, match="after step 1; .* --resume"):
        patch.setattr(loop, "_update", interrupt)
        train_run(**run)
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == handlers
    assert sorted(path.name for path in tmp_path.iterdir()) == ["corpus", "run.unfinished"]
    assert (tmp_path / "run.unfinished" / CHECKPOINT_FILE).is_file()
    return run


def test_an_interrupted_run_is_not_begun_again_in_silence(interrupted: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(BionerError, match="run.unfinished holds a run that was interrupted: continue with --resume"):
        train_run(**interrupted)
    train_run(**interrupted, resume=True)
    assert (tmp_path / "run/model-last").is_dir() and not (tmp_path / "run.unfinished").exists()
    written = (tmp_path / "run/model-last/meta.json").stat().st_mtime_ns
    train_run(**interrupted, resume=True)  # is finished
    assert (tmp_path / "run/model-last/meta.json").stat().st_mtime_ns == written


def test_an_interrupted_run_goes_on_with_the_same_config_and_corpora_only(
    interrupted: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(
        BionerError, match="was made with other values of these: config.training.dropout; use the same"
    ):
        train_run(**interrupted, resume=True, overrides={"training.dropout": 0.2})
    run = srsly.read_json(tmp_path / "run.unfinished" / RUN_FILE)
    srsly.write_json(tmp_path / "run.unfinished" / RUN_FILE, {**run, "versions": {"bioner_spacy": "0"}})
    checkpoint = tmp_path / "run.unfinished" / CHECKPOINT_FILE
    content = checkpoint.read_bytes()
    checkpoint.write_bytes(content[:-100])
    with pytest.warns(
        BionerWarning, match="was started with other values of these: versions.bioner_spacy, versions.numpy"
    ):
        with pytest.raises(BionerError, match="checkpoint.safetensors cannot be resumed"):
            train_run(**interrupted, resume=True)
    checkpoint.write_bytes(content)
    train = tmp_path / "corpus/genes/train.spacy"
    train.write_bytes((tmp_path / "corpus/genes/devel.spacy").read_bytes() + b" ")
    with pytest.raises(BionerError, match="was made with other values of these: checksums.*train.spacy"):
        train_run(**interrupted, resume=True)
