"""Resumable experiments: each pipeline is trained and scored once, with results in a folder."""

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Optional

from ..errors import BionerError, Errors, Warnings, check_setting, warn
from ..files import checksum, locked
from ..old_names import with_new_names
from ..provenance import differences, provenance
from ..scope import SPANS_KEY
from ..scoring.evaluate import evaluate
from ..scoring.results import Results, reading_json, write_json
from ..training.config_errors import config_errors
from ..training.corpora import MultiCorpus
from ..training.runs import epoch_size, train_run
from ..training.settings import check_variables, read_config

SETTINGS_FILE = "settings.json"
START_AGAIN = "name another folder, or remove this one to start again"
RESULTS = "runs"
"""Subfolder of the results."""


EPOCHS, MAX_EPOCHS = "vars.epochs", "training.max_epochs"
"""A variable, and the setting that follows it."""

CORPORA_FILE = "corpora.json"
"""Checksums of the corpora of the results."""

LOCK_FILE = ".lock"
PROVENANCE = "provenance"
"""Key of versions, revision and command in `SETTINGS_FILE`; they may change, which is warned about."""

_SET_BY_RUNS = (
    *("vars.corpora", "vars.corpus_folder", "vars.seed", "system.seed", "training.seed"),
    *(f"corpora.{part}.{setting}" for part in ("train", "dev") for setting in ("path", "corpora", "split")),
)


class Budget(NamedTuple):
    """Training budget of a run: tokens, epochs, and steps."""

    tokens: int
    epochs: int
    steps: int

    def with_steps(self, steps: float) -> "Budget":
        """The budget with the number of epochs (at least one) closest to a number of steps."""
        per_epoch = self.steps / self.epochs
        epochs = max(1, round(steps / per_epoch))
        return Budget(self.tokens, epochs, round(epochs * per_epoch))


class Experiment:
    """Training runs of one config in one folder.

    Results of a run are in `folder`/runs/<name>.json and are not computed again, so an interrupted experiment
    continues, and runs can be added. All runs share the settings in `folder`/settings.json and the corpora with
    checksums in `folder`/corpora.json; differences between runs must be part of their names. The folder is locked
    while the object exists.
    """

    def __init__(
        self,
        config: Path,
        folder: Path,
        *,
        corpus_folder: Path,
        settings: Mapping[str, object],
        overrides: Mapping[str, object] = {},
        split: str = "test",
        spans_key: str = SPANS_KEY,
        predicted_key: Optional[str] = None,
        gpu_id: int = -1,
        shared: Mapping[str, object] = {},
    ) -> None:
        """Open or create the folder of an experiment.

        Args:
            config: training config, see `train_run`.
            settings: values for the section `vars` of the config.
            overrides: other values of the config, by dotted names.
            shared: further settings that all runs of the folder share.

        Raises:
            BionerError: there is no such config, `overrides` set what runs set themselves, `folder` holds results of
                another config, other settings or other exclusions, or another process uses it. A warning is given for
                other package versions.
        """
        if not config.is_file():
            raise BionerError(Errors.E410.format(path=config))
        self.config, self.folder, self.split, self.gpu_id = config, folder, split, gpu_id
        self.corpus_folder = corpus_folder
        self.settings = {**settings, "corpus_folder": str(corpus_folder)}
        self.overrides = dict(overrides)
        self.require_unset(*_SET_BY_RUNS)
        self.variables = self._variables()
        self._lock = locked(self.folder, LOCK_FILE, is_singleton=True)
        self.keys: dict[str, Any] = {"spans_key": spans_key, "predicted_key": predicted_key or spans_key}
        keys = {name: key for name, key in self.keys.items() if key != SPANS_KEY}
        made_with = {
            "config": config.read_text(encoding="utf8"),
            "split": split,
            **shared,
            **settings,
            **overrides,
            **keys,
        }
        self._check({**made_with, "excluded records": self._checksum_of_excluded()})
        self._checksums: dict[Path, str] = {}
        # Score with the context used in training.
        self._context = self.variable("context", "context_tokens")

    def run(
        self,
        name: str,
        corpora: Sequence[str],
        *,
        seed: int,
        score_on: Optional[Sequence[str]] = None,
        corpus_folder: Optional[Path] = None,
        overrides: Mapping[str, object] = {},
        keep: bool = False,
    ) -> Results:
        """Train and score a pipeline, or read existing results.

        Args:
            name: name of the run in this folder; may contain slashes.
            score_on: corpora to score on; None for the training corpora.
            corpus_folder: folder of the training corpora; None for that of the experiment, which is always used for
                scoring.
            overrides: values of the config for this run.
            keep: whether to keep the pipeline, in `pipeline(name)`; it is trained again if missing.

        Raises:
            BionerError: as `train_run` and `evaluate` do; a corpus differs from that of other runs; or its documents
                name another corpus.
        """
        path, pipeline = self.results(name), self.pipeline(name)
        self._check_corpora([*(corpora if corpus_folder is None else ()), *(score_on or corpora)])
        if path.is_file() and (pipeline.is_dir() or not keep):
            return Results.from_disk(path)
        settings = {**self.settings, "seed": seed}
        if corpus_folder is not None:
            settings["corpus_folder"] = str(corpus_folder)
        try:
            train_run(
                self.config,
                pipeline.parent,
                corpora,
                settings=settings,
                overrides={**self.overrides, **overrides},
                gpu_id=self.gpu_id,
                resume=True,
                final_scores=False,
            )
            results = evaluate(
                pipeline,
                self.corpus_folder,
                corpora=list(score_on or corpora),
                split=self.split,
                gpu_id=self.gpu_id,
                **self.keys,
                **self._context,
            )
            if unknown := sorted(set(results.per_corpus) - set(score_on or corpora)):
                folders = ", ".join(str(self.corpus_folder / corpus) for corpus in score_on or corpora)
                raise BionerError(Errors.E613.format(folders=folders, names=", ".join(unknown)))
            results.to_disk(path)
        finally:
            if not (keep and path.is_file()):
                shutil.rmtree(pipeline.parent, ignore_errors=True)
        return Results.from_disk(path)

    def budget(self, corpora: Sequence[str]) -> Budget:
        """The training budget of a run.

        Raises:
            BionerError: a corpus is missing, or there are no epochs.
        """
        values = {**self._values(), "vars.corpora": ",".join(corpora)}
        with config_errors(self.config, values):
            config = read_config(self.config, values, interpolate=True)
            tokens, steps = epoch_size(config)
        epochs = config["training"]["max_epochs"]
        check_setting(MAX_EPOCHS, epochs, "1 and more", isinstance(epochs, int) and epochs > 0)
        return Budget(tokens, epochs, epochs * steps)

    def results(self, name: str) -> Path:
        """File of the results of a run."""
        return self.folder / RESULTS / f"{name}.json"

    def pipeline(self, name: str) -> Path:
        """Folder of the pipeline of a run, if kept."""
        return self.folder / RESULTS / name / "model-last"

    def discard(self, name: str) -> None:
        """Delete the kept pipeline of a run, but not its results."""
        shutil.rmtree(self.pipeline(name).parent, ignore_errors=True)

    def variable(self, *names: str) -> dict[str, Any]:
        """Values of the section `vars`, for names that exist there."""
        return {name: self.variables[name] for name in names if name in self.variables}

    def require_unset(self, *names: str) -> None:
        """Check that overrides do not contain settings that the runs set themselves.

        Raises:
            BionerError: one of them, or a value below one, is among the overrides.
        """
        taken = [value for value in self.overrides if any(f"{value}.".startswith(f"{name}.") for name in names)]
        if taken:
            raise BionerError(Errors.E605.format(names=", ".join(sorted(taken))))

    def _variables(self) -> dict[str, Any]:
        with config_errors(self.config, self._values()):
            check_variables(self.config, read_config(self.config), self._values())
            return with_new_names(read_config(self.config, self._values(), interpolate=True)["vars"])

    def _values(self) -> dict[str, object]:
        return {**{f"vars.{name}": value for name, value in self.settings.items()}, **self.overrides}

    def _check(self, made_with: Mapping[str, object]) -> None:
        path, origin = self.folder / SETTINGS_FILE, provenance()
        # Settings without any results can be replaced.
        if not path.is_file() or not any((self.folder / RESULTS).rglob("*.json")):
            write_json(path, {**made_with, PROVENANCE: origin})
            return
        with reading_json(path, "settings of an experiment", START_AGAIN) as before:
            if not isinstance(before, dict):
                raise TypeError("no settings by name")
            before = with_new_names(before)
        versions = [{"versions": one.get("versions", {})} for one in (before.pop(PROVENANCE, origin), origin)]
        if changed := differences(*versions):
            warn(Warnings.W514.format(folder=self.folder, names=", ".join(changed)))
        # As JSON has them: lists for tuples.
        made_with = json.loads(json.dumps(made_with))
        different = sorted(name for name in {*before, *made_with} if before.get(name) != made_with.get(name))
        if different:
            raise BionerError(Errors.E603.format(path=self.folder, names=", ".join(different)))

    def _check_corpora(self, corpora: Sequence[str]) -> None:
        """Check that corpora are those of earlier runs, and record them."""
        path = self.folder / CORPORA_FILE
        known: dict[str, str] = {}
        if path.is_file() and any((self.folder / RESULTS).rglob("*.json")):
            with reading_json(path, "settings of an experiment", START_AGAIN) as before:
                known = dict(before)
        for corpus in corpora:
            for split in ("train", "devel", self.split):
                file = self.corpus_folder / corpus / f"{split}.spacy"
                if file not in self._checksums and file.is_file():
                    self._checksums[file] = checksum(file)
        found = {f"{file.parent.name}/{file.name}": digest for file, digest in self._checksums.items()}
        if different := sorted(name for name in found if known.get(name, found[name]) != found[name]):
            raise BionerError(Errors.E603.format(path=self.folder, names=", ".join(different)))
        if not found.keys() <= known.keys():
            write_json(path, {**known, **found})

    def _checksum_of_excluded(self) -> Optional[str]:
        """Checksum of the file of excluded records, or None."""
        file = MultiCorpus(self.variables["corpus_folder"], exclude=self.variables.get("exclude")).exclude
        return None if file is None else checksum(file)


def over_seeds(systems: Mapping[str, Callable[[int], Results]], seeds: Sequence[int]) -> dict[str, list[Results]]:
    """Run all systems with one seed before the next seed."""
    results: dict[str, list[Results]] = {system: [] for system in systems}
    for seed in seeds:
        for system, run in systems.items():
            results[system].append(run(seed))
    return results


def run_name(seed: int, system: str) -> str:
    """Name of a run in the folder of the experiment."""
    return f"seed-{seed}/{system.replace(' ', '-')}"
