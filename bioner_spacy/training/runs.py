"""One training run, like `spacy train`, that leaves either a complete pipeline or nothing."""

import json
import math
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Optional

import srsly
from spacy.language import Language
from spacy.training.initialize import init_nlp
from spacy.util import dot_to_object, registry
from thinc.api import Config
from thinc.util import gpu_is_available

from ..corpora.catalogue import CorpusSet
from ..device import require_gpu
from ..errors import BionerError, Errors, Warnings, counted, warn
from ..files import replacing
from ..provenance import differences, provenance
from ..scope import score_name
from .checkpoint import CHECKPOINT_FILE
from .config_errors import config_errors
from .loop import CURVE_FILE, MODEL_BEST, MODEL_LAST, train_with_checkpoints
from .settings import check_names, check_numbers, check_sections, check_variables, read_config

ENOUGH_STEPS = 500
"""Minimum number of steps for corpora without epochs in the catalogue: three epochs of a small corpus are too few
(docs/results.md)."""
MOST_EPOCHS = 50
"""Maximum number of epochs to reach that number of steps."""
EVALUATIONS = 10
"""Evaluations in a run, if the config does not set them."""
DEFAULT_FREQUENCY = 200
"""Steps between evaluations, if the number of steps is unknown."""
CHECKPOINT_MINUTES = 10.0
"""Minutes between two checkpoints."""
READERS = ("bioner_spacy.MultiCorpus.v1", "bioner_spacy.MultiCorpus.v2")
"""Registered names of `MultiCorpus`."""
RUN_FILE = "run.json"
"""File in the folder of a run with its provenance and results."""


def epoch_size(config: Mapping[str, Any]) -> tuple[int, int]:
    """Tokens and steps of one epoch.

    Args:
        config: training config with all variables filled in.
    """
    made: dict[str, Any] = registry.resolve(
        {"reader": config["corpora"]["train"], "batcher": config["training"]["batcher"]}
    )
    lengths = made["reader"].lengths()
    tokens = int(sum(of_corpus.sum() for of_corpus in lengths.values()))
    return tokens, int(made["batcher"].batches_per_epoch(lengths))


def enough_epochs(
    config: Path,
    corpora: Sequence[str],
    *,
    settings: Mapping[str, object],
    overrides: Mapping[str, object] = {},
) -> int:
    """Epochs for corpora of unknown size: those of the config, or up to `MOST_EPOCHS` to reach `ENOUGH_STEPS`.

    Args:
        config: training config, as for `train_run`.
        settings: values for the section `vars`.
        overrides: other values, by dotted names.

    Raises:
        BionerError: as `train_run` does, or the reader of the config.
    """
    if not config.is_file():
        raise BionerError(Errors.E410.format(path=config))
    values = {**_values(corpora, settings), **overrides}
    with config_errors(config, values):
        loaded = read_config(config, values, interpolate=True)
        _, steps = epoch_size(loaded)
    return max(int(loaded["training"]["max_epochs"]), min(MOST_EPOCHS, math.ceil(ENOUGH_STEPS / max(1, steps))))


def run_settings(
    chosen: CorpusSet,
    config: Path,
    corpus_folder: Path,
    *,
    epochs: int = 0,
    fraction: float = 1.0,
    encoder: Optional[str] = None,
    overrides: Mapping[str, object] = {},
) -> dict[str, object]:
    """Values for the section `vars` of a training config.

    Args:
        chosen: corpora, with their epochs and tokens per batch; 0 for those of the config.
        config: training config, as for `train_run`.
        epochs: number of epochs; 0 for that of the catalogue or else `enough_epochs`.
        fraction: share of each training set.
        encoder: name of the encoder; None for the one of the config.
        overrides: other values, by dotted names, with precedence.

    Raises:
        BionerError: see `enough_epochs`.
    """
    settings: dict[str, object] = {"fraction": fraction}
    if chosen.batch_tokens:
        settings["batch_tokens"] = chosen.batch_tokens
    if encoder:
        settings["encoder"] = encoder
    read = {**settings, "corpus_folder": str(corpus_folder)}
    epochs = epochs or chosen.epochs or enough_epochs(config, chosen.corpora, settings=read, overrides=overrides)
    return {**settings, "epochs": epochs}


def _values(corpora: Sequence[str], settings: Mapping[str, object]) -> dict[str, object]:
    return {"vars.corpora": ",".join(corpora), **{f"vars.{name}": value for name, value in settings.items()}}


def train_run(
    config: Path,
    output: Path,
    corpora: Sequence[str],
    *,
    settings: Mapping[str, object],
    overrides: Mapping[str, object] = {},
    gpu_id: int = -1,
    resume: bool = False,
    checkpoint_minutes: float = CHECKPOINT_MINUTES,
    final_scores: bool = True,
) -> None:
    """Train a pipeline and write it to `output`/model-last, its learning curve to `output`/curve.jsonl, and its
    provenance to `output`/run.json.

    If steps after the first were evaluated, the best pipeline is in `output`/model-best. Like `spacy train CONFIG
    --output OUTPUT --vars.corpora ... --vars.NAME VALUE ...`, but resumable: an unfinished run is in
    `output`.unfinished, with a checkpoint.

    Args:
        config: training config with a section `vars`. If training.eval_frequency is null or "auto", there are
            `EVALUATIONS` evaluations; if it is a number, at least vars.evaluations.
        output: folder to write to; an earlier run in it is replaced at the end.
        settings: values for the section `vars`.
        overrides: other values, by dotted names, with precedence over `settings`.
        resume: whether to continue an interrupted run, with the same result (on a GPU, except for dropout in Thinc's
            layers); a finished run with the same config, corpora and versions is kept.
        checkpoint_minutes: minutes between two checkpoints.
        final_scores: whether to score the pipeline on all development data at the end.

    Raises:
        BionerError: the config is missing, `output` holds anything but an earlier run, or encoder, corpora, GPU or a
            setting are invalid; the run was interrupted (Ctrl-C, SIGTERM, SIGHUP); there is an interrupted run, and
            `resume` is False or its config or corpora differ.
    """
    if not config.is_file():
        raise BionerError(Errors.E410.format(path=config))
    earlier = any((output / name).is_dir() for name in (MODEL_LAST, MODEL_BEST))
    if not output.name or (output.exists() and not earlier and (output.is_file() or any(output.iterdir()))):
        raise BionerError(Errors.E413.format(output=output))
    unfinished = output.with_name(output.name + ".unfinished")
    interrupted = (unfinished / CHECKPOINT_FILE).is_file()
    if interrupted and not resume:
        raise BionerError(Errors.E432.format(path=unfinished))
    values = {**_values(corpora, settings), **overrides}
    try:
        with config_errors(config, values):
            if gpu_id >= 0:
                require_gpu(gpu_id)  # which says what is missing
            sys.stdout.write(_device(gpu_id))
            loaded, total = _load(config, values)
            filled = loaded.interpolate()
            made_with = provenance(files=_files_read(filled), seed=filled["training"].get("seed"), config=filled)
            if interrupted:
                _check_same(unfinished, made_with)
            elif resume and (output / MODEL_LAST).is_dir() and not _different(output, made_with):
                sys.stdout.write(f"{output} holds the finished run.\n")
                return
            nlp = init_nlp(loaded, use_gpu=gpu_id)
        if not interrupted:
            shutil.rmtree(unfinished, ignore_errors=True)
            unfinished.mkdir(parents=True)
            _write_json(unfinished / RUN_FILE, made_with)
        progress, best_step = train_with_checkpoints(
            nlp,
            unfinished,
            resume=interrupted,
            checkpoint_minutes=checkpoint_minutes,
            total=total,
            use_gpu=gpu_id,
            stdout=sys.stdout,
            stderr=sys.stderr,
        )
        results = {
            "steps": progress.step,
            "epochs": progress.epoch + 1,
            "tokens": progress.tokens,
            "seconds": round(progress.seconds, 1),
            "best_step": best_step,
            "evaluations": len(progress.results),
        }
        _write_json(unfinished / RUN_FILE, {**made_with, "results": results})
        (unfinished / CHECKPOINT_FILE).unlink(missing_ok=True)
        if output.exists():
            shutil.rmtree(output)
        unfinished.rename(output)
    finally:
        if not (unfinished / CHECKPOINT_FILE).is_file():
            shutil.rmtree(unfinished, ignore_errors=True)
    if final_scores:  # an interruption here loses nothing
        results.update(_final_scores(nlp))
        _write_json(output / RUN_FILE, {**made_with, "results": results})
    sys.stdout.write(_last_lines(output, results))


def _load(config: Path, values: Mapping[str, object]) -> tuple[Config, Optional[int]]:
    """The checked config of a run, and its number of steps if known."""
    check_variables(config, read_config(config), values)
    loaded = read_config(config, values)
    check_names(loaded)
    interpolated = loaded.interpolate()
    check_sections(interpolated)
    check_numbers(interpolated)
    total = _total_steps(interpolated)
    frequency = interpolated["training"].get("eval_frequency")
    evaluations = interpolated.get("vars", {}).get("evaluations")
    if frequency in (None, "auto") or (evaluations and "training.eval_frequency" not in values):
        often = math.ceil(total / (evaluations or EVALUATIONS)) if total else DEFAULT_FREQUENCY
        loaded["training"]["eval_frequency"] = min(often, frequency) if isinstance(frequency, int) else often
    return loaded, total


def _total_steps(config: Mapping[str, Any]) -> Optional[int]:
    """Number of steps of a run; None if unknown."""
    training = config["training"]
    limits = [training["max_steps"] + 1] if training.get("max_steps") else []  # spaCy makes one more
    corpus, batcher = config["corpora"].get("train", {}), training.get("batcher", {})
    ours = corpus.get("@readers") in READERS and str(batcher.get("@batchers")).startswith("bioner")
    if ours and training.get("train_corpus") == "corpora.train" and training.get("max_epochs", 0) > 0:
        limits.append(training["max_epochs"] * epoch_size(config)[1])
    return min(limits, default=None)


def _files_read(config: Mapping[str, Any]) -> list[Path]:
    """Files that the readers of a config read: converted corpora and their lists of excluded records."""
    files: list[Path] = []
    for reader in config["corpora"].values():
        if reader.get("@readers") in READERS:
            files += registry.resolve({"reader": reader})["reader"].files()
        elif isinstance(path := reader.get("path"), str):
            files.append(Path(path))
    return list(dict.fromkeys(files))


def _check_same(unfinished: Path, made_with: Mapping[str, Any]) -> None:
    """Check that an interrupted run was started with the same config and corpora."""
    different = _different(unfinished, made_with)
    other_code = [name for name in different if name == "revision" or name.startswith("versions.")]
    if refused := [name for name in different if name not in other_code]:
        raise BionerError(Errors.E603.format(path=unfinished, names=", ".join(refused)))
    if other_code:
        warn(Warnings.W411.format(folder=unfinished, names=", ".join(other_code)))


def _different(folder: Path, made_with: Mapping[str, Any]) -> list[str]:
    """Names of the provenance that differs from that of a run in a folder."""
    try:
        begun: dict[str, Any] = srsly.read_json(folder / RUN_FILE)
    except (OSError, ValueError):
        return [RUN_FILE]
    now = srsly.json_loads(srsly.json_dumps(dict(made_with)))
    return differences(begun, now, ignore=["command", "results"])


def _final_scores(nlp: Language) -> dict[str, Any]:
    """Scores on all development data, whatever the limit while training."""
    config = nlp.config.interpolate()
    dev = {**dot_to_object(config, config["training"]["dev_corpus"])}
    reader = registry.resolve({"reader": {**dev, **({"limit": 0} if "limit" in dev else {})}})["reader"]
    examples = list(reader(nlp))
    scores = nlp.evaluate(examples)
    per_corpus: Any = next((found for name, found in scores.items() if name.endswith("_per_corpus")), None)
    return {
        "development_documents": len(examples),
        "scores": {name: score for name, score in scores.items() if not isinstance(score, Mapping)},
        "per_corpus": {corpus: found["f"] for corpus, found in (per_corpus or {}).items()},
    }


def _device(gpu_id: int) -> str:
    """What a run uses, for the console."""
    if gpu_id >= 0:
        return f"Using GPU {gpu_id}\n"
    return f"Using CPU{'; for GPU 0, use the option --gpu-id 0' if gpu_is_available() else ''}\n"


def _last_lines(output: Path, results: Mapping[str, Any]) -> str:
    """Final message of a run."""
    lines = []
    if "scores" in results:
        parts = [
            f"{name} {100 * score:.2f}"
            for name in ("macro_f", "f", "p", "r")
            if isinstance(score := results["scores"].get(score_name(name)), float)
        ]
        n = results["development_documents"]
        lines.append(f"Scores of {MODEL_LAST} on all development data ({counted(n, 'document')}): {'  '.join(parts)}")
        f_scores = (
            f"{corpus or '(no corpus)'} {100 * f:.2f}" for corpus, f in results["per_corpus"].items() if f is not None
        )
        if by_corpus := "  ".join(f_scores):
            lines.append(f"F1 by corpus: {by_corpus}")
    best = f", {MODEL_BEST} (step {results['best_step']})" if results["best_step"] is not None else ""
    lines.append(
        f"Trained {counted(results['steps'], 'step')}; in {output}: {MODEL_LAST}{best}, {CURVE_FILE}, {RUN_FILE}"
    )
    return "".join(f"{line}\n" for line in lines)


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    with replacing(path) as (part,):
        part.write_text(json.dumps(content, indent=2, sort_keys=True, default=str) + "\n", encoding="utf-8")
