"""Logger: spaCy's console table and progress bar, with scores of every corpus and entity type below each row.

Learnt task weights follow (see `bioner_spacy.training.balance`). Losses and scores go to a file with one JSON line per
evaluation, for learning curves.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import IO, Any, Optional, Union

import srsly
from spacy.language import Language
from spacy.training.loggers import console_logger_v3

from ..scope import SPANS_KEY, score_name
from .balance import TaskBalance
from .settings import check_numbers

_UNTRAINED_BEST = (
    "Scores were computed after the first of {n_steps} steps alone, so that there is no best pipeline: take model-last, or "
    "set training.eval_frequency, which is {frequency}, to fewer steps.\n"
)


def multitask_logger(
    progress_bar: Optional[str] = "eval",
    spans_key: str = SPANS_KEY,
    output_file: Optional[Union[str, Path]] = None,
) -> Callable:
    """Build a logger for `[training.logger]`.

    Args:
        progress_bar: "eval" counts the steps to the next evaluation, "train" those to the setting max_steps, None
            shows no bar.
        output_file: file to write one JSON line to at each evaluation: what spaCy's `ConsoleLogger.v3` writes,
            `epoch`, `step`, `losses` since the evaluation before, `scores` (in percent) and `score`, and `per_corpus`,
            the F1 of each corpus in percent. An existing file is not changed, with a message. None for no file.

    Returns:
        A function that sets the logger up, as spaCy's training loop calls it.
    """
    set_up_console = console_logger_v3(progress_bar)
    file = None if output_file is None else Path(output_file)
    prefix = score_name("", spans_key)

    def set_up(nlp: Language, stdout: IO = sys.stdout, stderr: IO = sys.stderr) -> tuple[Callable, Callable]:
        check_numbers(nlp.config["training"], "training")  # for `spacy train`, which fails on some of them
        # The table truncates headings, so all names of scores would look alike.
        weights = _without_prefix(nlp.config["training"]["score_weights"], prefix)
        training = {**nlp.config["training"], "score_weights": weights}
        shown: Any = SimpleNamespace(pipeline=nlp.pipeline, config={"training": training})
        log_to_console, finalize = set_up_console(shown, stdout, stderr)
        writes = file is not None and not file.exists()
        if file is not None and not writes:
            stdout.write(f"Losses and scores are not written: {file} is there already.\n")

        n_steps, evaluated = 0, 0

        def log_step(info: Optional[dict[str, Any]]) -> None:
            nonlocal n_steps, evaluated
            n_steps += 1
            if info is None:
                log_to_console(None)
            else:
                evaluated = info["step"] + 1
                log_to_console({**info, "other_scores": _without_prefix(info["other_scores"], prefix)})
                scores = info["other_scores"].get(f"{prefix}per_corpus") or {}
                for line in [*task_lines(scores), *weight_lines(nlp)]:
                    stdout.write(f"      {line}\n")
                stdout.flush()
                if file is not None and writes:
                    write_line(file, info, scores)

        def finish() -> None:
            finalize()
            if evaluated == 1 < n_steps:
                frequency = nlp.config["training"]["eval_frequency"]
                stdout.write(_UNTRAINED_BEST.format(n_steps=n_steps, frequency=frequency))

        return log_step, finish

    return set_up


def task_lines(per_corpus: dict[str, Any]) -> list[str]:
    """One line per corpus: F1 in percent over all types, then by type."""
    lines = []
    for corpus, scores in sorted(per_corpus.items()):
        types = sorted(scores["per_type"].items())
        by_type = "  ".join(f"{name} {_percent(values['f'])}" for name, values in types) if len(types) > 1 else ""
        lines.append(f"{corpus or '(no corpus)':<16} F {_percent(scores['f'])}  {by_type}".rstrip())
    return lines


def weight_lines(nlp: Language) -> list[str]:
    """One line per component with learnt task weights."""
    lines = []
    for name, pipe in nlp.pipeline:
        balance = getattr(pipe, "task_balance", None)
        if isinstance(balance, TaskBalance) and (balance.weights() != 1).any():
            by_task = "  ".join(f"{task} {weight:.2f}" for task, weight in zip(balance.tasks, balance.weights()))
            lines.append(f"{name}: weights  {by_task}")
    return lines


def _without_prefix(scores: dict[str, Any], prefix: str) -> dict[str, Any]:
    return {name.removeprefix(prefix): score for name, score in scores.items()}


def write_line(file: Path, info: dict[str, Any], per_corpus: Optional[dict[str, Any]] = None) -> None:
    """Append an evaluation to a file at once, so interrupted runs keep their curve.

    Args:
        per_corpus: scores of the corpora; None for those under the first name that ends in per_corpus.
    """
    if per_corpus is None:
        found = (score for name, score in info["other_scores"].items() if name.endswith("_per_corpus") and score)
        per_corpus = next(found, {})
    scores = {name: value for name, value in info["other_scores"].items() if isinstance(value, (int, float))}
    line = {
        "epoch": info["epoch"],
        "step": info["step"],
        "losses": {name: float(loss) for name, loss in info["losses"].items()},
        "scores": {name: float(value) if name == "speed" else 100 * float(value) for name, value in scores.items()},
        "score": float(info["score"]),
        "per_corpus": {name: None if of["f"] is None else 100 * of["f"] for name, of in per_corpus.items()},
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a", encoding="utf8") as stream:
        stream.write(srsly.json_dumps(line) + "\n")


def _percent(value: Optional[float]) -> str:
    return "-" if value is None else f"{100 * value:.1f}"
