"""All reports of a run on one page: how it was made, scores, comparisons, learning curves, analysis and corpora."""

import io
import platform
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timezone
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Optional

import matplotlib
from matplotlib.figure import Figure
from spacy.util import load_config

from ..corpora import Catalogue
from ..corpora.catalogue import NOT_KNOWN
from ..errors import BionerError, Errors
from ..scoring.comparison import Comparison
from ..scoring.results import Results, read_results, write_text
from ..scoring.table import MISSING, Table, corpus_name, results_table
from ..training.runs import CURVE_FILE
from .chart import STYLE, draw_comparison
from .learning_curves import MULTI, SINGLE, Curve, draw_curves, read_curve
from .report_page import render
from .report_parts import Block, Chart, Folded, Heading, Part, Text, read_page

_PACKAGES = ("bioner_spacy", "spacy", "thinc", "torch", "transformers", "spacy-transformers", "numpy")

# Title, file in the folder of the reports, and the command that writes it.
_PAGES = {
    "Analysis": ("analysis/analysis.md", "spacy bioner analyze"),
    "Cross-corpus scores": ("cross-corpus/cross-corpus.md", "spacy bioner experiment cross-corpus"),
    "Corpora": ("statistics.md", "spacy bioner corpora describe"),
    "Leakage": ("leakage/leakage.md", "spacy bioner corpora leakage"),
}
_OF_DATA = ("comparison.md", "seeds/seeds.md")
"""Pages of which this one takes the data."""

_OF_ONE_RUN = ("multi.json", "comparison.json")
"""Files by which a subfolder is known that has the reports of another run."""

_SCORES = """\
Strict match, in percent, on the {split} split, inside the annotation scope of each corpus: predictions of types that a
corpus does not annotate do not count. Rows of means count each corpus alike; all mentions counts each mention alike."""
_CURVES = """\
F1 on development data (of at most as many documents of a corpus as the config says) at each evaluation while training,
and the mean loss of the updates since the evaluation before. Single-task runs make fewer updates, as they have less data.
Losses of different tasks are on different scales."""
_FEW = """\
The runs were evaluated too seldom for a curve: train with a smaller `--training.eval_frequency` than {frequency} updates."""
_LICENCES = "Licences of corpora bind those who pass on what was trained on them, too; the catalogue has the details."
_VERSIONS = "Installed where this page was made; a pipeline does not tell what it was trained with."


def make_report(
    reports: Path, *, catalogue: Catalogue, training: Optional[Path] = None, made: Optional[datetime] = None
) -> str:
    """Gather what is in a folder of reports on one HTML page.

    Args:
        reports: folder of the reports of a run: `multi.json` and what is beside it.
        catalogue: tells about the corpora.
        training: folder of the pipelines, with `multi` and `single`, or of one run; None to leave out settings and
            learning curves.
        made: date and time on the page; None for now.

    Returns:
        The page. Reports that are not there are named at its end, with the commands that make them.

    Raises:
        BionerError: there are no reports, or one cannot be read.
    """
    found: list[Part] = []
    missing: list[str] = []
    multi = _read_json(reports / "multi.json", Results.from_disk)

    def add(title: str, blocks: Optional[Sequence[Block]], command: str) -> None:
        if blocks:
            found.append(Part(title, blocks))
        else:
            missing.append(f"{title}: `{command}`")

    comparison = _read_json(reports / "comparison.json", Comparison.from_disk)
    add("Comparison", None if comparison is None else _comparison(comparison), "spacy bioner compare")
    add("Scores", _scores(multi, reports / "single"), "spacy bioner evaluate")
    seeds = _read_json(reports / "seeds" / "seeds.json", Comparison.from_disk)
    add("Several seeds", None if seeds is None else _comparison(seeds), "spacy bioner experiment seeds")
    add("Learning curves", None if training is None else _curves(training), "spacy bioner train")
    for title, (name, command) in _PAGES.items():
        page = reports / name
        add(title, read_page(page).blocks if page.is_file() else None, command)
    known = {reports / name for name in (*_OF_DATA, *(name for name, _ in _PAGES.values()))}
    others = {file.parent for name in _OF_ONE_RUN for file in reports.rglob(name)} - {reports}
    pages = [page for page in sorted(reports.rglob("*.md")) if page not in known and others.isdisjoint(page.parents)]
    found.extend(map(read_page, pages))
    if not found:
        raise BionerError(Errors.E546.format(folder=reports))
    found.append(Part("How it was made", list(_made(multi, catalogue, training))))
    if missing:
        found.append(Part("Not there", [Text(["These commands make what this page has no data of:"]), Text(missing)]))
    day = (made or datetime.now(timezone.utc)).strftime("%d %B %Y, %H:%M %Z").strip()
    name = comparison.title if comparison else f"Reports in {reports.name}"
    return render(name, f"{reports.name}, made on {day}", found)


def write_report(
    reports: Path,
    output: Path,
    *,
    catalogue: Catalogue,
    training: Optional[Path] = None,
    made: Optional[datetime] = None,
) -> None:
    """Write the page of `make_report`, whole or not at all."""
    write_text(output, make_report(reports, catalogue=catalogue, training=training, made=made))


def _read_json(path: Path, read: Any) -> Any:
    return read(path) if path.is_file() else None


def _comparison(comparison: Comparison) -> list[Block]:
    return [
        Text(comparison.verdict()),
        _chart(draw_comparison(comparison), comparison.title),
        comparison.to_table(),
        *([Text(comparison.method())] if comparison.method() else []),
    ]


def _scores(multi: Optional[Results], single: Path) -> list[Block]:
    """Scores of the multi-task pipeline, and of all single-task pipelines in one table."""
    blocks: list[Block] = []
    if multi is not None:
        blocks += [Heading(f"The {MULTI} pipeline"), Text([_SCORES.format(split=multi.split)]), results_table(multi)]
    if single.is_dir():
        tables = [results_table(results) for results in read_results([str(single)])]
        # The last two rows sum up the corpora of a result, of which there is one.
        rows = [row for table in tables for row in table.rows[:-2]]
        blocks += [Heading(f"The {SINGLE} pipelines"), Table(tables[0].header, rows, tables[0].numbers)]
    return blocks


def _curves(training: Path) -> list[Block]:
    files = {
        MULTI: {MULTI: _multi(training)},
        SINGLE: {path.name: path for path in sorted(training.glob("single/*"))},
    }
    runs: dict[str, dict[str, Curve]] = {}
    for side, folders in files.items():
        paths = {name: folder / CURVE_FILE for name, folder in folders.items()}
        runs[side] = {name: read_curve(path) for name, path in paths.items() if path.is_file()}
    if not any(runs.values()):
        return []
    if not any(len(curve.updates) > 1 for of_side in runs.values() for curve in of_side.values()):
        frequency = _settings(training).get("training.eval_frequency", "before")
        return [Text([_FEW.format(frequency=frequency)])]
    return [Text([_CURVES]), _chart(draw_curves(runs), "F1 and loss against updates")]


def _made(multi: Optional[Results], catalogue: Catalogue, training: Optional[Path]) -> Iterator[Block]:
    """How the multi-task pipeline was made, from its results, its config and the catalogue."""
    if multi is not None:
        yield _facts(multi, training)
        corpora = [catalogue.corpora[name] for name in multi.per_corpus if name in catalogue.corpora]
        yield Heading("Corpora")
        yield Text([_LICENCES])
        yield Table(
            ["Corpus", "What it is", "Entity types", "Licence", "Copies", "Address", "Citation", "Notes"],
            [
                [
                    corpus.name,
                    corpus.description,
                    ", ".join(corpus.types),
                    *(text or MISSING for text in (corpus.licence, corpus.redistributable, corpus.homepage)),
                    *(text or MISSING for text in (corpus.citation, corpus.notes)),
                ]
                for corpus in corpora
            ]
            + [
                [corpus_name(name), MISSING, MISSING, NOT_KNOWN, *4 * [MISSING]]
                for name in multi.per_corpus
                if name not in catalogue.corpora
            ],
            numbers=0,
        )
    yield Heading("Versions")
    yield Text([_VERSIONS])
    yield Table(["Package", "Version"], [["Python", platform.python_version()], *_versions()], numbers=0)
    if training is not None and (settings := _settings(training)):
        yield Folded(
            "All settings of the training", "\n".join(f"{name} = {value}" for name, value in settings.items())
        )


def _facts(multi: Results, training: Optional[Path]) -> Table:
    pipeline = multi.pipeline
    facts = {
        "Pipeline": f"{pipeline.name} {pipeline.version}",
        "Components": ", ".join(pipeline.components),
        "Encoder": pipeline.encoder or MISSING,
        "Seed": MISSING if pipeline.seed is None else str(pipeline.seed),
        "Day of training": _trained(training) or MISSING,
        "Scored on": f"{multi.split} split{'' if multi.limit is None else f', {multi.limit} documents of each corpus'}",
        "Sees at once": multi.context
        if multi.context_words is None
        else f"{multi.context}, {multi.context_words} words",
        "Words a second": f"{multi.words_per_second:,.0f}, while {multi.words:,} words were scored",
    }
    return Table(["What", "Value"], [[name, value] for name, value in facts.items()], numbers=0)


def _trained(training: Optional[Path]) -> Optional[str]:
    """Day of the files of the multi-task pipeline, as it does not tell when it was trained."""
    meta = None if training is None else _multi(training) / "model-last" / "meta.json"
    if meta is None or not meta.is_file():
        return None
    return datetime.fromtimestamp(meta.stat().st_mtime, timezone.utc).strftime("%d %B %Y")


def _multi(training: Path) -> Path:
    """Folder of the multi-task run: beside those of single-task runs, or the one that was named."""
    folder = training / "multi"
    return folder if folder.is_dir() else training


def _settings(training: Path) -> dict[str, Any]:
    """The config of the multi-task pipeline, flat; empty where there is none."""
    path = _multi(training) / "model-last" / "config.cfg"
    return dict(_flat(load_config(path, interpolate=True))) if path.is_file() else {}


def _flat(block: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in block.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _versions() -> Iterator[list[str]]:
    for name in _PACKAGES:
        try:
            yield [name, version(name)]
        except PackageNotFoundError:
            continue


def _chart(figure: Figure, text: str) -> Chart:
    svg = io.StringIO()
    with matplotlib.rc_context(STYLE):
        figure.savefig(svg, format="svg", metadata={"Date": None, "Creator": None})
    return Chart(svg.getvalue(), text)
