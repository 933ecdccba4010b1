"""spaCy's training loop with checkpoints, from which an interrupted run continues with the same result.

Batches, updates, evaluations and files are those of `spacy.training.loop.train`; but `model-last` is written only at
the end, and until then the best pipeline is in a folder named after its step.
"""

import random
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Optional

from spacy.errors import Errors as SpacyErrors
from spacy.language import Language
from spacy.schemas import ConfigSchemaTraining
from spacy.training import Example
from spacy.training.loop import (
    create_before_to_disk_callback,
    create_evaluation_callback,
    subdivide_batch,
    update_meta,
)
from spacy.util import registry, resolve_dot_names
from thinc.api import constant, fix_random_seed, set_gpu_allocator

from ..errors import BionerError, Errors, check_setting
from ..files import remove, replacing
from .checkpoint import (
    CHECKPOINT_FILE,
    Progress,
    load_checkpoint,
    save_checkpoint,
    set_python_state,
    set_random_states,
)
from .logger import write_line

MODEL_LAST = "model-last"
MODEL_BEST = "model-best"
CURVE_FILE = "curve.jsonl"
"""File in the folder of a run with losses and scores, a JSON line for each evaluation."""
_BEST = "best-"
_SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


def train_with_checkpoints(
    nlp: Language,
    folder: Path,
    *,
    resume: bool,
    checkpoint_minutes: float,
    total: Optional[int],
    use_gpu: int,
    stdout: IO,
    stderr: IO,
) -> tuple[Progress, Optional[int]]:
    """Train an initialised pipeline, and write it to `folder`.

    Args:
        resume: whether to continue from the checkpoint in it.
        total: steps of the whole run, if known, to estimate the remaining time.
        stdout: where the table of the logger goes.
        stderr: where its progress bar goes.

    Returns:
        The final state, and the step of the best pipeline; None if only the first step was evaluated.

    Raises:
        BionerError: the run was interrupted by a signal, after a checkpoint; or the checkpoint is broken.
    """
    config = nlp.config.interpolate()
    if config["training"]["seed"] is not None:
        fix_random_seed(config["training"]["seed"])
    if use_gpu >= 0 and config["training"]["gpu_allocator"]:
        set_gpu_allocator(config["training"]["gpu_allocator"])
    T: dict[str, Any] = registry.resolve(config["training"], schema=ConfigSchemaTraining)
    train_corpus, dev_corpus = resolve_dot_names(config, [T["train_corpus"], T["dev_corpus"]])
    optimizer, checkpoint = T["optimizer"], folder / CHECKPOINT_FILE
    progress, states = load_checkpoint(checkpoint, nlp, optimizer) if resume else (Progress(), None)
    dropouts: Any = constant(T["dropout"]) if isinstance(T["dropout"], float) else T["dropout"]
    for _ in range(progress.step):
        next(dropouts)
    _clean(folder, progress)
    evaluate = create_evaluation_callback(nlp, dev_corpus, T["score_weights"])
    before_to_disk = create_before_to_disk_callback(T["before_to_disk"])
    with nlp.select_pipes(disable=T["frozen_components"]):
        log_step, finalize = T["logger"](nlp, stdout, stderr)
    batches = _batches(nlp, train_corpus, T["batcher"], T["max_epochs"], progress, states)
    last_saved, best_at_checkpoint = time.monotonic(), progress.best
    began = last_saved - progress.seconds
    with _stopped_by_signals(stderr) as stopped:
        try:
            for batch in batches:
                _update(nlp, T, optimizer, batch, next(dropouts), progress)
                info, is_best = _evaluated(nlp, T, optimizer, batch, progress, evaluate)
                progress.step += 1
                progress.batches += 1
                progress.seconds = time.monotonic() - began
                if is_best is not None:
                    with nlp.select_pipes(disable=T["frozen_components"]):
                        update_meta(T, nlp, info)
                    write_line(folder / CURVE_FILE, info)
                    if is_best:
                        progress.best = f"{_BEST}{progress.step - 1}"
                        with replacing(folder / progress.best, folders=True) as (part,):
                            with nlp.use_params(optimizer.averages):
                                before_to_disk(nlp).to_disk(part)
                        _keep_best(folder, progress.best, best_at_checkpoint)
                    progress.losses = {}
                log_step(info if is_best is not None else None)
                if is_best is not None:
                    stdout.write(_time_left(progress, total))
                    stdout.flush()
                if stopped() or time.monotonic() - last_saved >= 60 * checkpoint_minutes:
                    save_checkpoint(checkpoint, nlp, optimizer, progress)
                    last_saved, best_at_checkpoint = time.monotonic(), progress.best
                    _clean(folder, progress)
                if stopped():
                    raise BionerError(Errors.E430.format(step=progress.step, folder=folder))
                if _is_over(T, progress):
                    break
        finally:
            finalize()
        with nlp.use_params(optimizer.averages), replacing(folder / MODEL_LAST, folders=True) as (part,):
            before_to_disk(nlp).to_disk(part)
    if optimizer.averages:
        nlp.use_params(optimizer.averages)
    return progress, _name_best(folder, progress)


def _batches(
    nlp: Language,
    corpus: Callable[[Language], Iterator[Example]],
    batcher: Callable[[Any], Iterator[list[Example]]],
    max_epochs: int,
    progress: Progress,
    states: Any,
) -> Iterator[list[Example]]:
    """Batches of all epochs, as in spaCy, without finished ones.

    Finished epochs are redrawn from their random states, because each epoch shuffles the order of the one before.
    """
    examples: Any = list(corpus(nlp)) if max_epochs >= 0 else None
    if examples == []:
        raise ValueError(SpacyErrors.E986)
    reached, done = progress.epoch, progress.batches
    epoch = 0
    while max_epochs < 1 or epoch != max_epochs:
        if epoch < len(progress.epoch_states):
            set_python_state(progress.epoch_states[epoch])
        else:
            progress.epoch_states.append(random.getstate())
        if max_epochs >= 0:
            random.shuffle(examples)
        else:
            examples = corpus(nlp)
        drawn = iter(batcher(examples))
        if epoch < reached:
            for _ in drawn:
                pass
        else:
            if epoch == reached and states is not None:
                for _ in range(done):
                    next(drawn)
                set_random_states(states)
            else:
                progress.epoch, progress.batches = epoch, 0
            yield from drawn
        epoch += 1


def _update(nlp: Language, T: dict[str, Any], optimizer: Any, batch: list[Example], drop: float, at: Progress) -> None:
    """One step."""
    if T["before_update"]:
        T["before_update"](nlp, {"step": at.step, "epoch": at.epoch})
    frozen = T["frozen_components"]
    for part in subdivide_batch(batch, T["accumulate_gradient"]):
        nlp.update(
            part,
            drop=drop,
            losses=at.losses,
            sgd=False,  # type: ignore[arg-type]
            exclude=frozen,
            annotates=T["annotating_components"],
        )
    for name, pipe in nlp.pipeline:
        trainable = getattr(pipe, "is_trainable", False) and getattr(pipe, "model", None) not in (True, False, None)
        if name not in frozen and trainable:
            pipe.finish_update(optimizer)  # type: ignore[attr-defined]
    optimizer.step_schedules()
    at.tokens += sum(len(example) for example in batch)


def _evaluated(
    nlp: Language, T: dict[str, Any], optimizer: Any, batch: list[Example], at: Progress, evaluate: Callable
) -> tuple[dict[str, Any], Optional[bool]]:
    """Logger information, and whether this is the best evaluation so far; None without an evaluation."""
    score, other_scores, is_best = None, None, None
    if at.step % T["eval_frequency"] == 0:
        with nlp.use_params(optimizer.averages):
            score, other_scores = evaluate()
        _check_weights(nlp, T["score_weights"], other_scores)
        at.results.append((score, at.step))
        is_best = score == max(at.results)[0]
    info = {
        "epoch": at.epoch,
        "step": at.step,
        "score": score,
        "other_scores": other_scores,
        "losses": at.losses,
        "checkpoints": at.results,
        "seconds": int(at.seconds),
        "tokens": at.tokens,
    }
    return info, is_best


def _check_weights(nlp: Language, weights: Mapping[str, Optional[float]], scores: Mapping[str, Any]) -> None:
    """Refuse weights of scores that do not exist, which would count as 0, unless spaCy adds them for a component."""
    added = {score for name in nlp.pipe_names for score in nlp.get_pipe_meta(name).default_score_weights or ()}
    known = ", ".join(sorted(name for name, score in scores.items() if not isinstance(score, Mapping)))
    for name, weight in weights.items():
        check_setting("training.score_weights", name, known, not weight or name in {*scores, *added})


def _is_over(T: dict[str, Any], at: Progress) -> bool:
    step = at.step - 1
    _, negative_step = max((score, -step) for score, step in at.results)
    return bool(T["patience"] and step + negative_step >= T["patience"]) or bool(
        T["max_steps"] and step >= T["max_steps"]
    )


def _time_left(at: Progress, total: Optional[int]) -> str:
    """A line for the console."""
    if total is None or at.step >= total:
        return ""
    left = round(at.seconds / at.step * (total - at.step))
    hours, minutes = divmod(left // 60, 60)
    text = f"{hours} h {minutes} min" if hours else f"{minutes} min" if minutes else f"{left} s"
    return f"      step {at.step} of {total}, about {text} left\n"


def _clean(folder: Path, progress: Progress) -> None:
    """Remove files of steps after the checkpoint, outdated best pipelines, and partial files."""
    for path in folder.glob(".*"):  # including temporary files of safetensors
        remove(path)
    _keep_best(folder, progress.best)
    curve = folder / CURVE_FILE
    if curve.is_file():
        lines = curve.read_text(encoding="utf8").splitlines(keepends=True)[: len(progress.results)]
        with replacing(curve) as (part,):
            part.write_text("".join(lines), encoding="utf8")


def _keep_best(folder: Path, *names: Optional[str]) -> None:
    """Remove best pipelines except some."""
    for path in folder.glob(f"{_BEST}*"):
        if path.name not in names:
            shutil.rmtree(path)


def _name_best(folder: Path, progress: Progress) -> Optional[int]:
    """Rename the best pipeline; none is kept if only the first step was evaluated."""
    if progress.best is None:
        return None
    best = folder / progress.best
    if len(progress.results) == 1 and progress.step > 1:
        shutil.rmtree(best)
        return None
    best.rename(folder / MODEL_BEST)
    return int(progress.best.removeprefix(_BEST))


@contextmanager
def _stopped_by_signals(stderr: IO) -> Iterator[Callable[[], bool]]:
    """Within the block, record Ctrl-C, SIGTERM and SIGHUP; a second one stops at once, without a checkpoint.

    Yields:
        A function that returns whether there was one.
    """
    received: list[int] = []

    def note(number: int, frame: Any) -> None:
        received.append(number)
        if len(received) > 1:
            raise KeyboardInterrupt
        stderr.write("\nStopping after this step, with a checkpoint; once more to stop at once.\n")

    before = {}
    if threading.current_thread() is threading.main_thread():  # signals are only handled there
        before = {
            number: signal.signal(number, note) for number in _SIGNALS if signal.getsignal(number) != signal.SIG_IGN
        }
    try:
        yield lambda: bool(received)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
