"""spaCy's console table and progress bar, with the scores of every corpus and entity type below each row.

The weights of the tasks follow, once they are not all 1 (see `bioner_spacy.training.balance`).
"""

import sys
from collections.abc import Callable
from typing import IO, Any, Optional

from spacy.language import Language
from spacy.training.loggers import console_logger_v3

from ..scope import SPANS_KEY
from .balance import TaskBalance


def multitask_logger(progress_bar: Optional[str] = "eval", spans_key: str = SPANS_KEY) -> Callable:
    """Build a logger for `[training.logger]`.

    Args:
        progress_bar: "eval" counts the steps to the next evaluation, "train" those to the setting max_steps, None shows
            no bar.
        spans_key: key of the spans, which begins the names of the scores.

    Returns:
        A function that sets the logger up, as spaCy's training loop calls it.
    """
    set_up_console = console_logger_v3(progress_bar)

    def set_up(nlp: Language, stdout: IO = sys.stdout, stderr: IO = sys.stderr) -> tuple[Callable, Callable]:
        log_to_console, finalize = set_up_console(nlp, stdout, stderr)

        def log_step(info: Optional[dict[str, Any]]) -> None:
            log_to_console(info)
            if info is not None:
                scores = info["other_scores"].get(f"{spans_key}_per_corpus") or {}
                for line in [*task_lines(scores), *weight_lines(nlp)]:
                    stdout.write(f"      {line}\n")
                stdout.flush()

        return log_step, finalize

    return set_up


def task_lines(per_corpus: dict[str, Any]) -> list[str]:
    """One line a corpus: F1 in percent over all of its types, then by type."""
    lines = []
    for corpus, scores in sorted(per_corpus.items()):
        types = sorted(scores["per_type"].items())
        by_type = "  ".join(f"{name} {_percent(values['f'])}" for name, values in types) if len(types) > 1 else ""
        lines.append(f"{corpus or '(no corpus)':<16} F {_percent(scores['f'])}  {by_type}".rstrip())
    return lines


def weight_lines(nlp: Language) -> list[str]:
    """One line for each component whose tasks have other weights than 1, beside those given by hand."""
    lines = []
    for name, pipe in nlp.pipeline:
        balance = getattr(pipe, "task_balance", None)
        if isinstance(balance, TaskBalance) and (balance.weights() != 1).any():
            by_task = "  ".join(f"{task} {weight:.2f}" for task, weight in zip(balance.tasks, balance.weights()))
            lines.append(f"{name}: weights  {by_task}")
    return lines


def _percent(value: Optional[float]) -> str:
    return "-" if value is None else f"{100 * value:.1f}"
