"""Options shared by commands; a parameter of one of these classes is replaced by its fields."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from ..corpora.context import CONTEXT_TOKENS
from ..errors import BionerError, Errors
from ..files import stdin_as_file
from ..formats.documents import known_endings, output_formats, text_formats
from ..provenance import digest
from ..scope import SPANS_KEY
from ..scoring.metrics import METRICS, STRICT, get_metric
from ..scoring.significance import ALPHA, RESAMPLES

if TYPE_CHECKING:  # imported when needed, see bioner_spacy/cli/__init__.py
    from ..corpora import Catalogue, CorpusSet
    from ..experiments.experiment import Experiment
    from ..reports.page import Page


def format_help(names: list[str]) -> str:
    """Help of a format option: names of formats, and their file endings."""
    endings = known_endings(names)
    defaults = {name: [ending for ending in endings if endings[ending] == name] for name in endings.values()}
    by_ending = ", ".join(f"{name} for {' and '.join(several)}" for name, several in defaults.items())
    return f"One of {', '.join(names)}. Default: {by_ending}."


@contextmanager
def source_file(source: Path, input_format: Optional[str], known: list[str]) -> Iterator[Path]:
    """The file of an input; standard input needs a format."""
    if str(source) == "-" and input_format is None:
        where = {"path": "the standard input", "setting": "input_format"}
        raise BionerError(Errors.E166.format(**where, allowed=", ".join(known)))
    with stdin_as_file(source) as file:
        try:
            yield file
        except BionerError as error:
            if file == source:
                raise
            raise BionerError(str(error).replace(str(file), "standard input")) from error


CatalogueFile = Annotated[
    Optional[Path],
    typer.Option(help="The corpus catalogue. Default: configs/catalogue.yml here, else the one of the package."),
]
Assets = Annotated[Path, typer.Option(help="Folder of the corpus files.")]
Columns = Annotated[
    Optional[int], typer.Option(help="Number of tag columns for overlapping spans, in column formats.")
]
Format = Annotated[Optional[str], typer.Option(help=format_help(output_formats()))]
GpuId = Annotated[int, typer.Option(help="Number of the GPU; -1 for the CPU.")]
Guideline = Annotated[Optional[str], typer.Option(help="Corpus whose guideline to follow; default: none.")]
Limit = Annotated[Optional[int], typer.Option(min=1, help="Maximum number of documents per corpus; default: all.")]
MergeTypes = Annotated[str, typer.Option(help="Types to merge, such as PROTEIN=GENE,DNA=GENE.")]
MetricName = Annotated[str, typer.Option(help=f"What counts as a match: {', '.join(METRICS)}.")]
Output = Annotated[Path, typer.Argument(help="Folder for the results; existing results are not computed again.")]
OutputFile = Annotated[
    Path, typer.Argument(help="File to write, or a new folder for formats with one file per document.")
]
OutputFolder = Annotated[Path, typer.Option(help="Folder to write to.")]
Pipeline = Annotated[str, typer.Argument(help="Folder or package name of a pipeline.")]
ReaderOptions = Annotated[
    str,
    typer.Option(
        "--options",
        help="Options of the input's reader, such as mismatch=offsets; see File formats in the documentation.",
    ),
]
Seed = Annotated[int, typer.Option(min=0, help="Random seed.")]
Seeds = Annotated[str, typer.Option(help="Random seeds, separated by commas.")]
Source = Annotated[
    Path,
    typer.Argument(
        metavar="INPUT", help="File of documents, a folder of them, a pattern in quotes, or - for the standard input."
    ),
]
SpansKey = Annotated[str, typer.Option(help="Key of the spans in doc.spans; ents: those in doc.ents.")]
Split = Annotated[str, typer.Option(help="The split to score on.")]
Tables = Annotated[str, typer.Option(help="Also write each table as a file: csv, tex, or both.")]
TextFormat = Annotated[Optional[str], typer.Option(help=format_help(text_formats()))]
Tokens = Annotated[int, typer.Option(min=0, help="Approximate number of training tokens per corpus; 0: all.")]

ASSETS = Path("assets")
SEEDS = "0,1,2"
TOKENS = 20_000


def show(page: "Page", folder: Path, *, brief: Optional["Page"] = None, tables: str = "") -> None:
    """Write a page of results and print its tables.

    Args:
        brief: a shorter page to print.
        tables: file endings of tables, separated by commas.
    """
    from .messages import msg

    files = page.to_disk(folder, tables=[ending.strip() for ending in tables.split(",") if ending])
    typer.echo((brief or page).to_text())
    msg.good(f"Wrote {', '.join(map(str, files))}")


def parse_seeds(text: str) -> list[int]:
    """The numbers of the option `--seeds`, each once.

    Raises:
        typer.BadParameter: one is not a number of 0 or more.
    """
    if not all(seed.strip().isdecimal() for seed in text.split(",")):
        raise typer.BadParameter("give whole numbers of 0 or more, separated by commas", param_hint="--seeds")
    return list(dict.fromkeys(int(seed) for seed in text.split(",")))


def catalogue_of(path: Optional[Path]) -> "Catalogue":
    """The catalogue in a file, or else that of the current project folder or the package."""
    from ..corpora import load_catalogue

    return load_catalogue(path)


@dataclass(frozen=True)
class Selection:
    """Corpora of a catalogue."""

    corpora: Annotated[str, typer.Option(help="Sets or corpora of the catalogue, separated by commas.")] = "sample"
    catalogue: CatalogueFile = None

    @cached_property
    def known(self) -> "Catalogue":
        """The catalogue."""
        return catalogue_of(self.catalogue)

    @property
    def names(self) -> list[str]:
        """Names of the chosen corpora."""
        return self.known.select(self.corpora)

    def entries(self, names: Iterable[str]) -> dict[str, dict[str, str]]:
        """Checksums of catalogue entries, for provenance."""
        return {"catalogue": {name: digest(asdict(self.known.corpora[name])) for name in sorted(names)}}


@dataclass(frozen=True)
class Converted(Selection):
    """Converted corpora."""

    corpus: Annotated[
        Path, typer.Option(help="Folder with <corpus>/<split>.spacy, or with one such folder in it.")
    ] = Path("corpus")

    def __post_init__(self) -> None:
        folders = [folder for folder in self.corpus.glob("*/") if folder.name not in self.known.corpora]
        if not folders or self._are_in(self.corpus):
            return
        found = [folder for folder in folders if self._are_in(folder)]
        named = self.corpus / self.corpora
        if named in found or len(found) == 1:
            from .messages import msg

            object.__setattr__(self, "corpus", named if named in found else found[0])
            msg.info(f"The corpora are in {self.corpus}")

    def _are_in(self, folder: Path) -> bool:
        return all((folder / name).is_dir() for name in self.names)


@dataclass(frozen=True)
class Keys:
    """Where mentions are."""

    spans_key: Annotated[str, typer.Option(help="Key of the gold mentions in doc.spans; ents: those in doc.ents.")] = (
        SPANS_KEY
    )
    predicted_key: Annotated[
        Optional[str], typer.Option(help="Key of the predicted mentions, such as ents; default: the same.")
    ] = None

    def settings(self) -> dict[str, Any]:
        """The options as keyword arguments."""
        return asdict(self)


@dataclass(frozen=True)
class Reading(Keys):
    """Reading: context and device."""

    limit: Limit = None
    context: Annotated[
        str,
        typer.Option(help="Text given to the pipeline: source (a record as converted), sentence, group or document."),
    ] = "source"
    context_tokens: Annotated[int, typer.Option(min=1, help="Maximum number of tokens of a group.")] = CONTEXT_TOKENS
    gpu_id: GpuId = -1


@dataclass(frozen=True)
class Tests:
    """Significance tests."""

    alpha: Annotated[float, typer.Option(min=0, max=1, help="Significance level.")] = ALPHA
    resamples: Annotated[int, typer.Option(min=1, help="Resamples per test.")] = RESAMPLES
    metric: MetricName = STRICT.name

    def settings(self) -> dict[str, Any]:
        """The options as keyword arguments."""
        return {"alpha": self.alpha, "resamples": self.resamples, "metric": get_metric(self.metric)}


@dataclass(frozen=True)
class Encoding(Converted):
    """Corpora and encoder."""

    config: Annotated[
        Optional[Path], typer.Option(help="The training config. Default: that of the preset, configs/<preset>.cfg.")
    ] = None
    preset: Annotated[str, typer.Option(help="Config for small or base encoders; auto: by the size of --encoder.")] = (
        "auto"
    )
    encoder: Annotated[Optional[str], typer.Option(help="Encoder; default: as in the config.")] = None

    @cached_property
    def config_path(self) -> Path:
        """The given training config, or that of the preset, with a message."""
        from ..training.presets import AUTO, choose_preset
        from .messages import msg

        if self.config is not None:
            if self.preset != AUTO:
                raise typer.BadParameter("give a preset or a config, not both", param_hint="--preset")
            return self.config
        path, why = choose_preset(self.preset, self.encoder)
        msg.info(f"Training config {path}: {why}")
        return path


@dataclass(frozen=True)
class Training(Encoding):
    """Corpora, encoder and budget of training."""

    epochs: Annotated[
        int,
        typer.Option(min=0, help="Epochs; 0: as in the catalogue or config, more for small corpora."),
    ] = 0
    fraction: Annotated[float, typer.Option(help="Share of each training set that is used.")] = 1.0
    gpu_id: GpuId = -1

    def run_settings(self, chosen: "CorpusSet", overrides: Mapping[str, object]) -> dict[str, object]:
        """Values for the section `vars` of the config, see `training.runs.run_settings`."""
        from ..training.runs import run_settings

        given: dict[str, Any] = {name: getattr(self, name) for name in ("epochs", "fraction", "encoder")}
        return run_settings(chosen, self.config_path, self.corpus, **given, overrides=overrides)


@dataclass(frozen=True)
class Runs(Training, Keys):
    """Training and scoring."""

    def experiment(
        self,
        chosen: "CorpusSet",
        output: Path,
        *,
        overrides: Mapping[str, Any],
        split: str,
        settings: Mapping[str, object] = {},
        shared: Mapping[str, object] = {},
    ) -> "Experiment":
        """Open the folder of an experiment on corpora, see `experiments.experiment.Experiment`.

        Args:
            chosen: the corpora, with their epochs and batches.
            output: folder of the experiment.
            overrides: settings of the config from the command line.
            settings: further values for the section `vars`.
            shared: further settings shared by all runs of the folder.
        """
        from ..experiments.experiment import Experiment

        read = {**{f"vars.{name}": value for name, value in settings.items()}, **overrides}
        return Experiment(
            self.config_path,
            output,
            corpus_folder=self.corpus,
            spans_key=self.spans_key,
            predicted_key=self.predicted_key,
            settings={**self.run_settings(chosen, read), **settings},
            overrides=overrides,
            split=split,
            gpu_id=self.gpu_id,
            shared={**shared, **self.entries(chosen.corpora)},
        )
