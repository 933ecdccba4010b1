"""One training run, as `spacy train` does it, that leaves either a complete pipeline or nothing."""

import configparser
import math
import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Optional

from spacy.cli._util import setup_gpu, show_validation_error
from spacy.training.initialize import init_nlp
from spacy.training.loop import train
from spacy.util import load_config, registry

from ..corpora.catalogue import CorpusSet
from ..device import require_gpu
from ..errors import BionerError, Errors, reason

ENOUGH_STEPS = 500
"""Steps that training on corpora takes at least for which the catalogue gives no epochs: three epochs of a small corpus
are too few (docs/results.md)."""
MOST_EPOCHS = 50
"""Epochs that a corpus is read at most to come to as many steps."""
CURVE_FILE = "curve.jsonl"
"""File in the folder of a run with losses and scores, a JSON line for each evaluation."""


def epoch_size(config: Mapping[str, Any]) -> tuple[int, int]:
    """Words and steps of one epoch.

    Args:
        config: training config without variables that are still to be put in.

    Raises:
        BionerError: as the reader of the config does.
    """
    made: dict[str, Any] = registry.resolve(
        {"reader": config["corpora"]["train"], "batcher": config["training"]["batcher"]}
    )
    lengths = made["reader"].lengths()
    words = int(sum(of_corpus.sum() for of_corpus in lengths.values()))
    return words, int(made["batcher"].batches_per_epoch(lengths))


def enough_epochs(
    config: Path,
    corpora: Sequence[str],
    *,
    settings: Mapping[str, object],
    overrides: Mapping[str, object] = {},
) -> int:
    """Epochs for corpora of unknown size: those of the config, or more of them, up to `MOST_EPOCHS`, for `ENOUGH_STEPS`.

    Args:
        config: training config, as for `train_run`.
        corpora: names of the corpora to train on.
        settings: values for the section `vars`.
        overrides: other values by their names with dots.

    Raises:
        BionerError: as `train_run` does, or the reader of the config.
    """
    if not config.is_file():
        raise BionerError(Errors.E410.format(path=config))
    with _told_if_wrong(config):
        loaded = load_config(config, overrides={**_values(corpora, settings), **overrides}, interpolate=True)
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
    """Values for the section `vars` of a training config, but for the folder of the corpora.

    Args:
        chosen: corpora with the number of epochs and the tokens in a batch that suit them; 0 for those of the config.
        config: training config, as for `train_run`.
        corpus_folder: folder with `<corpus>/<split>.spacy`.
        epochs: number of epochs; 0 for the one of the catalogue, and where it has none for `enough_epochs`.
        fraction: share of each training set.
        encoder: name of the encoder; None for the one of the config.
        overrides: other values by their names with dots, which are to go before these.

    Raises:
        BionerError: as `enough_epochs` does.
    """
    settings: dict[str, object] = {"fraction": fraction}
    if chosen.batch_words:
        settings["batch_words"] = chosen.batch_words
    if encoder:
        settings["encoder"] = encoder
    read = {**settings, "corpus_folder": str(corpus_folder)}
    settings["epochs"] = (
        epochs or chosen.epochs or enough_epochs(config, chosen.corpora, settings=read, overrides=overrides)
    )
    return settings


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
) -> None:
    """Train a pipeline and write it to `output`/model-last, and its learning curve to `output`/curve.jsonl.

    Where later steps than the first one were evaluated, the best pipeline is in `output`/model-best. The same as
    `spacy train CONFIG --output OUTPUT --vars.corpora ... --vars.NAME VALUE ...`.

    Args:
        config: training config with a section `vars` that has what `settings` names.
        output: folder to write to; an earlier run in it is replaced once this one has ended.
        corpora: names of the corpora to train on.
        settings: values for the section `vars`.
        overrides: other values by their names with dots, which go before `settings`.
        gpu_id: number of the GPU; -1 for the CPU.

    Raises:
        BionerError: the config is not there, `output` holds anything but an earlier run, or something is wrong with the
            encoder, the corpora, the GPU or a setting.
    """
    if not config.is_file():
        raise BionerError(Errors.E410.format(path=config))
    earlier = any((output / name).is_dir() for name in ("model-last", "model-best"))
    if not output.name or (output.exists() and not earlier and (output.is_file() or any(output.iterdir()))):
        raise BionerError(Errors.E413.format(output=output))
    values = _values(corpora, settings)
    unfinished = output.with_name(output.name + ".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    try:
        with _told_if_wrong(config):
            written = load_config(config)
            _check_variables(config, written, [*values, *overrides])
            if _logger_takes_file(written):
                values["training.logger.output_file"] = str(unfinished / CURVE_FILE)
            if gpu_id >= 0:
                require_gpu(gpu_id)  # which tells what is missing
            setup_gpu(gpu_id)
            loaded = load_config(config, overrides={**values, **overrides})
            _check_numbers("", loaded.interpolate())
            nlp = init_nlp(loaded, use_gpu=gpu_id)
        unfinished.mkdir(parents=True)
        train(nlp, unfinished, use_gpu=gpu_id, stdout=sys.stdout, stderr=sys.stderr)
        if _evaluations(unfinished / CURVE_FILE) == 1:
            # Of the first step: the logger tells so, and nobody is to take what it left for the best pipeline.
            shutil.rmtree(unfinished / "model-best", ignore_errors=True)
        if output.exists():
            shutil.rmtree(output)
        unfinished.rename(output)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _evaluations(curve: Path) -> int:
    """Number of evaluations in a learning curve; 0 if there is none."""
    return len(curve.read_text(encoding="utf8").splitlines()) if curve.is_file() else 0


@contextmanager
def _told_if_wrong(config: Path) -> Iterator[None]:
    """Tell what is wrong with a config; spaCy, confection and the parser of Python each have exceptions of their own."""
    try:
        with show_validation_error(config, hint_fill=False):
            yield
    except BionerError:
        raise
    except (ValueError, KeyError, TypeError, configparser.Error) as error:
        raise BionerError(
            Errors.E414.format(config=config, kind=type(error).__name__, reason=reason(error))
        ) from error


def _check_numbers(name: str, value: Any) -> None:
    """See that a config holds no number that spaCy cannot write to one, and no setting that spaCy trips over."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            _check_numbers(f"{name}.{key}".lstrip("."), inner)
    elif isinstance(value, int | float) and not abs(value) < 2**63:
        raise BionerError(
            Errors.E301.format(setting=name, value=value, allowed="numbers of 64 bits, not NaN or infinity")
        )
    elif name == "training.eval_frequency" and not value >= 1:
        raise BionerError(Errors.E301.format(setting=name, value=value, allowed="1 or more"))
    elif name == "training.dropout" and not 0 <= value < 1:
        raise BionerError(Errors.E301.format(setting=name, value=value, allowed="0 to 1, without 1"))


def _check_variables(config: Path, written: Mapping[str, Any], names: Iterable[str]) -> None:
    """See that a config has the variables that are set; one that it has not would change nothing."""
    known = written.get("vars", {})
    sections = (name.partition(".") for name in names)
    unknown = [name for section, _, name in sections if section == "vars" and name not in known]
    if unknown:
        raise BionerError(
            Errors.E415.format(config=config, names=", ".join(unknown), known=", ".join(known) or "none")
        )


def _logger_takes_file(written: Mapping[str, Any]) -> bool:
    """Whether the logger of a config has a setting `output_file`, and no file in it that is to be kept."""
    logger = written.get("training", {}).get("logger", {})
    return "output_file" in logger and logger["output_file"] is None
