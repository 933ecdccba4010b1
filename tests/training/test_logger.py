"""What training prints."""

import io
from pathlib import Path
from typing import Any

import pytest
import srsly
from spacy.language import Language
from toy_corpora import make_nlp

from bioner_spacy.errors import BionerError
from bioner_spacy.training.logger import multitask_logger, task_lines

PER_CORPUS = {
    "drugs": {"f": 0.5, "per_type": {"DISEASE": {"f": None}, "CHEMICAL": {"f": 0.25}}},
    "": {"f": None, "per_type": {}},
    "diseases": {"f": 1.0, "per_type": {"DISEASE": {"f": 1.0}}},
}


@pytest.fixture
def nlp() -> Language:
    nlp = make_nlp()
    nlp.config["training"].update({"max_steps": 0, "eval_frequency": 10})
    return nlp


def info(step: int, other_scores: dict[str, Any]) -> dict[str, Any]:
    return {"epoch": 0, "step": step, "losses": {"multitask_ner": 1.5}, "score": 0.75, "other_scores": other_scores}


def test_one_line_a_corpus_with_its_types() -> None:
    assert task_lines(PER_CORPUS) == [
        "(no corpus)      F -",
        "diseases         F 100.0",
        "drugs            F 50.0  CHEMICAL 25.0  DISEASE -",
    ]
    assert task_lines({}) == []


@pytest.mark.parametrize("progress_bar", ["train", "eval", None])
def test_lines_stand_below_each_row_of_the_table(nlp: Language, progress_bar: Any) -> None:
    stdout, stderr = io.StringIO(), io.StringIO()
    log_step, finalize = multitask_logger(progress_bar)(nlp, stdout, stderr)
    log_step(info(0, {"spans_bioner_macro_f": 0.75, "spans_bioner_per_corpus": PER_CORPUS}))
    log_step(None)
    log_step(info(10, {"spans_bioner_macro_f": 0.75}))
    finalize()
    header, _, first, *lines, last = stdout.getvalue().splitlines()
    assert header.split() == ["E", "#", "LOSS", "MULTI...", "MACRO_F", "F", "P", "R", "SCORE"]
    assert first.split()[:3] == ["0", "0", "1.50"] and "75.00" in first.split()
    assert [line.strip() for line in lines] == task_lines(PER_CORPUS)
    assert last.split()[:2] == ["0", "10"]


def test_impossible_values_are_named_before_training(nlp: Language) -> None:
    nlp.config["training"]["accumulate_gradient"] = 0
    with pytest.raises(BionerError, match="Setting training.accumulate_gradient is 0; allowed: 1 or more"):
        multitask_logger(None)(nlp, io.StringIO(), io.StringIO())


@pytest.mark.parametrize("evaluated", [[0], [0, 2], []])
def test_that_there_is_no_best_pipeline_is_reported(nlp: Language, evaluated: list[int]) -> None:
    stdout = io.StringIO()
    log_step, finalize = multitask_logger(None)(nlp, stdout, stdout)
    for step in range(5):
        log_step(info(step, {}) if step in evaluated else None)
    assert "model-last" not in stdout.getvalue()
    finalize()
    told = "after the first of 5 steps alone" in stdout.getvalue()
    assert told == (evaluated == [0])


def test_the_spans_key_is_a_setting(nlp: Language) -> None:
    stdout = io.StringIO()
    log_step, _ = multitask_logger(None, spans_key="other")(nlp, stdout, stdout)
    log_step(
        info(0, {"spans_other_per_corpus": PER_CORPUS, "spans_bioner_per_corpus": {"planets": PER_CORPUS["drugs"]}})
    )
    assert "diseases         F 100.0" in stdout.getvalue()
    assert "planets" not in stdout.getvalue()


def test_a_line_of_json_for_each_evaluation(nlp: Language, tmp_path: Path) -> None:
    stdout, file = io.StringIO(), tmp_path / "logs" / "losses.jsonl"
    log_step, finalize = multitask_logger(None, output_file=str(file))(nlp, stdout, stdout)
    log_step(info(0, {"spans_bioner_macro_f": 0.75, "spans_bioner_per_corpus": PER_CORPUS}))
    log_step(None)
    log_step(info(10, {"spans_bioner_macro_f": 0.75}))
    finalize()
    first, last = srsly.read_jsonl(file)
    assert (first["epoch"], first["step"], last["step"]) == (0, 0, 10)
    assert first["losses"] == {"multitask_ner": 1.5} and first["scores"]["spans_bioner_macro_f"] == 75
    assert first["per_corpus"] == {"": None, "diseases": 100, "drugs": 50} and last["per_corpus"] == {}
    printed = [line.strip() for line in stdout.getvalue().splitlines()]
    assert [line for line in printed if line in task_lines(PER_CORPUS)] == task_lines(PER_CORPUS)
