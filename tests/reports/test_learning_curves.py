"""F1 and loss against updates, from the files of the logger."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from spacy.training.loggers import console_logger_v3
from toy_corpora import make_nlp

from bioner_spacy.errors import BionerError
from bioner_spacy.experiments.curves import Curve, read_curve
from bioner_spacy.reports.learning_curves import MULTI, SINGLE, draw_curves


def write(path: Path, *lines: dict[str, Any]) -> Path:
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines), encoding="utf8")
    return path


def line(step: int, loss: float, score: float, **more: Any) -> dict[str, Any]:
    losses = {"transformer": 100.0, "multitask_ner": loss}
    return {"epoch": 0, "step": step, "losses": losses, "scores": {}, "score": score, **more}


def test_losses_are_means_of_the_updates_since_the_evaluation_before(tmp_path: Path) -> None:
    curve = read_curve(write(tmp_path / "c", line(0, 3.0, 0.0), line(10, 20.0, 0.5), line(15, 5.0, 0.75)))
    assert curve == Curve([1, 11, 16], [3.0, 2.0, 1.0], [0.0, 0.5, 0.75], {})


def test_scores_of_corpora_may_be_missing_now_and_then(tmp_path: Path) -> None:
    first, second = {"genes": 50.0}, {"genes": None, "drugs": 25.0}
    lines = (line(0, 1, 0), line(1, 1, 0, per_corpus=first), line(2, 1, 0, per_corpus=second), line(3, 1, 0))
    assert read_curve(write(tmp_path / "c", *lines)).per_corpus == {
        "genes": [None, 0.5, None, None],
        "drugs": [None, None, 0.25, None],
    }


def test_files_of_spacy_are_read(tmp_path: Path) -> None:
    nlp = make_nlp()
    nlp.config["training"].update({"max_steps": 0, "eval_frequency": 10})
    stdout = io.StringIO()
    log_step, finalize = console_logger_v3(None, output_file=tmp_path / "curve.jsonl")(nlp, stdout, stdout)
    for step in (0, 10):
        log_step({"epoch": 0, "step": step, "losses": {"multitask_ner": 1.5}, "score": 0.75, "other_scores": {}})
    finalize()
    assert read_curve(tmp_path / "curve.jsonl") == Curve([1, 11], [1.5, 0.15], [0.75, 0.75], {})


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{}", "line 1"),
        ("[]", "line 1"),
        ("not JSON", "line 1"),
        (json.dumps(line(3, 1, 0)) + "\n" + json.dumps(line(3, 1, 0)), "line 2.*does not come after"),
        (json.dumps(line(0, 1, 0, per_corpus={"a": "b"})), "line 1"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "c").write_text(text, encoding="utf8")
    with pytest.raises(BionerError, match=f"holds no learning curve.*{told}"):
        read_curve(tmp_path / "c")
    with pytest.raises(BionerError, match="holds no learning curve.*No such file"):
        read_curve(tmp_path / "none")


def test_a_line_for_each_corpus_and_side() -> None:
    per_corpus: dict[str, list[Any]] = {"genes": [0.1, None, 0.5], "drugs": [0.2, 0.3, 0.4]}
    runs = {
        MULTI: {MULTI: Curve([1, 2, 3], [3, 2, 1], [0, 0, 0], per_corpus)},
        SINGLE: {"genes": Curve([1, 2], [3, 2], [0.25, 0.5], {})},
    }
    upper, lower = draw_curves(runs).axes
    found = {str(drawn.get_label()): drawn for drawn in upper.get_lines()}
    assert list(found) == ["genes, multi-task", "drugs, multi-task", "genes, single-task"]
    assert list(found["genes, single-task"].get_ydata()) == [25, 50]
    assert found["genes, single-task"].get_color() == found["genes, multi-task"].get_color()
    assert found["genes, single-task"].get_color() != found["drugs, multi-task"].get_color()
    assert [str(drawn.get_label()) for drawn in lower.get_lines()] == ["multi-task", "genes, single-task"]
    assert lower.get_yscale() == "log"


def test_losses_below_zero_are_drawn() -> None:
    runs = {MULTI: {MULTI: Curve([1, 2], [1, -0.5], [0.1, 0.2], {})}}
    upper, lower = draw_curves(runs).axes
    assert [str(drawn.get_label()) for drawn in upper.get_lines()] == ["multi-task"]
    assert lower.get_yscale() == "linear"
