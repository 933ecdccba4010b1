"""The HTML report of a run: provenance, scores, comparisons, learning curves, analysis and corpora."""

import base64
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Optional, Union

from spacy.util import dict_to_dot, load_config

from ..corpora import Catalogue
from ..corpora.catalogue import NOT_KNOWN
from ..errors import BionerError, Errors
from ..experiments.curves import Curve, read_curve
from ..experiments.experiment import RESULTS
from ..provenance import versions
from ..scoring.comparison import Comparison
from ..scoring.metrics import ALL_TYPES, STRICT, Metric, get_metric
from ..scoring.results import Results, corpus_name, read_results, write_text
from ..training.loop import CURVE_FILE
from .chart import Figure, svg_text
from .comparison import comparison_page, draw_comparison
from .html import render
from .learning_curves import MULTI, SINGLE, draw_curves
from .page import PAGE, Block, Chart, Heading, Items, Page, Text
from .table import MISSING, Table, results_table

_POINT = 4 / 3  # pixels
_SMALLEST = 0.7  # charts are not scaled below this factor, but scrolled

# Title, report file, and the command that writes it.
_PAGES = {
    "Analysis": ("analysis/analysis.json", "spacy bioner analyze"),
    "Cross-corpus scores": ("cross-corpus/cross-corpus.json", "spacy bioner experiment cross-corpus"),
    "Corpora": ("statistics.json", "spacy bioner corpora describe"),
    "Leakage": ("leakage/leakage.json", "spacy bioner corpora leakage"),
}
_OF_ONE_RUN = ("multi.json", "comparison.json")
"""Files that mark a subfolder as reports of another run."""

_SCORES = """\
In percent, {match}, on the {split} split, inside the annotation scope of each corpus: predictions of types that a
corpus does not annotate do not count. The mean is over corpora (macro); all mentions: micro average."""
_OTHERS = "Left out, because the {multi} pipeline was not scored on them: results on {corpora}."
_CURVES = """\
F1 on development data (documents per corpus limited by the config) at each evaluation, and the mean loss since the previous
one. Single-task runs make fewer updates, because they have less data. Losses of different tasks are on different scales."""
_FEW = """\
Too few evaluations for a curve: train with `--training.eval_frequency` below {frequency} updates."""
_LICENCES = "Licences of corpora also apply to pipelines trained on them; see the catalogue."
_VERSIONS = "Installed where {where}."


@dataclass(frozen=True)
class Picture:
    """A chart as a data URI, isolated from the page."""

    data: str  # SVG in base 64
    text: str  # description
    width: float  # maximum width in pixels

    @property
    def least(self) -> float:
        """Minimum width in pixels."""
        return round(_SMALLEST * self.width)

    @classmethod
    def of(cls, svg: str, text: str) -> "Picture":
        """The picture of an SVG."""
        # Phones do not have the font of the charts, and browsers then take one with serifs.
        svg = svg.replace("'DejaVu Sans'", "'DejaVu Sans', Verdana, sans-serif")
        size = re.search(r'<svg[^>]*\swidth="([\d.]+)pt"', svg)
        width = round(_POINT * float(size[1])) if size else 640
        return cls(base64.b64encode(svg.encode("utf8")).decode("ascii"), text, width)


@dataclass(frozen=True)
class Folded:
    """A long text, folded."""

    title: str
    text: str


Shown = Union[Block, Picture, Folded]
Parts = dict[str, list[Shown]]
"""Title -> blocks of a part of the page."""


def make_report(
    reports: Path,
    *,
    catalogue: Catalogue,
    training: Optional[Path] = None,
    made: Optional[datetime] = None,
    metric: Union[str, Metric] = STRICT,
) -> str:
    """Make one HTML page of a folder of reports.

    Args:
        reports: folder of the reports of a run, such as `multi.json`.
        training: folder of the pipelines (`multi` and `single`) or of one run; None for no settings and learning
            curves.
        made: date and time on the page; None for now.

    Returns:
        The page. Missing reports are listed at its end, with their commands.

    Raises:
        BionerError: there are no reports, or one cannot be read; or there are no counts by the metric.
    """
    found: Parts = {}
    missing: list[str] = []
    multi = _read_json(reports / "multi.json", Results.from_disk)

    def add(title: str, blocks: Sequence[Shown], command: str) -> None:
        if blocks:
            found[title] = list(blocks)
        else:
            missing.append(f"{title}: `{command}`")

    comparison = _read_json(reports / "comparison.json", Comparison.from_disk)
    add("Comparison", _comparison(comparison), "spacy bioner compare")
    add("Scores", _scores(multi, reports / "single", get_metric(metric)), "spacy bioner evaluate")
    seeds = _read_json(reports / "seeds" / "seeds.json", Comparison.from_disk)
    add("Several seeds", _comparison(seeds), "spacy bioner experiment seeds")
    add("Learning curves", [] if training is None else _curves(training), "spacy bioner train")
    for title, (name, command) in _PAGES.items():
        path = reports / name
        add(title, _page(path, Page.from_disk(path)) if path.is_file() else [], command)
    for path, page in _other_pages(reports):
        title = page.title if page.title not in found else f"{page.title} ({path.relative_to(reports)})"
        found[title] = _page(path, page)
    if not found:
        raise BionerError(Errors.E546.format(folder=reports))
    found["How it was made"] = list(_made(multi, catalogue, training))
    if missing:
        found["Missing"] = [Text("These commands make the missing parts:"), Items(missing)]
    day = (made or datetime.now(timezone.utc)).strftime("%d %B %Y, %H:%M %Z").strip()
    name = comparison_page(comparison).title if comparison else f"Reports in {reports.name}"
    return render_report(name, f"{reports.name}, made on {day}", found)


def render_report(title: str, note: str, parts: Mapping[str, Sequence[Shown]]) -> str:
    """The page.

    Args:
        note: a line below it.
        parts: title -> blocks, in order.

    Returns:
        HTML in which every text is escaped.
    """
    shown = []
    for name, blocks in parts.items():
        label, of_part = name, []
        for block in blocks:
            label = block.text if isinstance(block, Heading) else label
            of_part.append((block, type(block).__name__.lower(), label))
        shown.append({"title": name, "blocks": of_part})
    return render("report", title=title, note=note, parts=shown, all_types=ALL_TYPES)


def write_report(reports: Path, output: Path, **settings: Any) -> None:
    """Write the page of `make_report`, whole or not at all."""
    write_text(output, make_report(reports, **settings))


def _read_json(path: Path, read: Any) -> Any:
    return read(path) if path.is_file() else None


def _other_pages(reports: Path) -> Iterator[tuple[Path, Page]]:
    """Pages of other commands, without other runs and experiments."""
    known = {reports / name for name in (*_OF_ONE_RUN, "seeds/seeds.json", *(name for name, _ in _PAGES.values()))}
    others = {file.parent for name in _OF_ONE_RUN for file in reports.rglob(name)} - {reports}
    for path in sorted(reports.rglob("*.json")):
        apart = path in known or RESULTS in path.relative_to(reports).parts or not others.isdisjoint(path.parents)
        if not apart and f'"{PAGE}": {{' in path.read_text(encoding="utf8"):
            yield path, Page.from_disk(path)


def _page(path: Path, page: Page) -> list[Shown]:
    """The blocks of a page, with pictures from its folder."""
    found: list[Shown] = []
    for block in page.blocks:
        if not isinstance(block, Chart):
            found.append(block)
        elif (picture := path.parent / f"{Path(block.name).name}.svg").is_file():
            found.append(Picture.of(picture.read_text(encoding="utf8"), block.text))
    return found


def _comparison(comparison: Optional[Comparison]) -> list[Shown]:
    if comparison is None:
        return []
    page = comparison_page(comparison)
    match, table, verdict, *method = page.blocks
    return [verdict, match, _picture(draw_comparison(comparison), page.title), table, *method]


def _scores(multi: Optional[Results], single: Path, metric: Metric) -> list[Shown]:
    """Scores of the multi-task pipeline, and of all single-task pipelines in one table."""
    blocks: list[Shown] = []
    if multi is not None:
        text = _SCORES.format(match=metric.description, split=multi.split)
        blocks += [Heading(f"The {MULTI} pipeline"), Text(text), results_table(multi.by(metric))]
    if single.is_dir():
        every = read_results([str(single)])
        own = [one for one in every if multi is None or not set(one.per_corpus).isdisjoint(multi.per_corpus)]
        others = sorted({corpus_name(name) for one in every if one not in own for name in one.per_corpus})
        if not own:
            return blocks
        tables = [results_table(results.by(metric)) for results in own]
        rows = [row for table in tables for row in table.rows]
        blocks += [Heading(f"The {SINGLE} pipelines"), Table(tables[0].header, rows, tables[0].numbers)]
        blocks += [Text(_OTHERS.format(multi=MULTI, corpora=", ".join(others)))] if others else []
    return blocks


def _curves(training: Path) -> list[Shown]:
    files = {MULTI: {MULTI: _multi(training)}, SINGLE: {path.name: path for path in sorted(training.glob("single/*"))}}
    runs: dict[str, dict[str, Curve]] = {}
    for side, folders in files.items():
        paths = {name: folder / CURVE_FILE for name, folder in folders.items()}
        runs[side] = {name: read_curve(path) for name, path in paths.items() if path.is_file()}
    if not any(runs.values()):
        return []
    if not any(len(curve.updates) > 1 for of_side in runs.values() for curve in of_side.values()):
        frequency = _settings(training).get("training.eval_frequency", "before")
        return [Text(_FEW.format(frequency=frequency))]
    return [Text(_CURVES), _picture(draw_curves(runs), "F1 and loss against updates")]


def _made(multi: Optional[Results], catalogue: Catalogue, training: Optional[Path]) -> Iterator[Shown]:
    """How the multi-task pipeline was made, from its results, its config and the catalogue."""
    if multi is not None:
        yield _facts(multi, training)
        corpora = [catalogue.corpora[name] for name in multi.per_corpus if name in catalogue.corpora]
        yield Heading("Corpora")
        yield Text(_LICENCES)
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
    known = multi.provenance.get("versions") if multi is not None else None
    yield Text(_VERSIONS.format(where="this page was made" if known is None else "the pipeline was scored"))
    packages = (known or versions()).items()
    yield Table(["Package", "Version"], [[name, str(found)] for name, found in packages if found], numbers=0)
    if multi is not None and multi.provenance:
        yield Heading("Origin of the scores")
        yield _origin(multi.provenance)
    if training is not None and (settings := _settings(training)):
        yield Folded(
            "All settings of the training", "\n".join(f"{name} = {value}" for name, value in settings.items())
        )


def _facts(multi: Results, training: Optional[Path]) -> Table:
    pipeline = multi.pipeline
    scored = [f"{multi.split} split"]
    if multi.limit is not None:
        scored.append(f"{multi.limit} documents of each corpus")
    if not multi.provenance.get("allow_overlap", True):
        scored.append("of overlapping predictions only the best")
    facts = {
        "Pipeline": f"{pipeline.name} {pipeline.version}",
        "Components": ", ".join(pipeline.components),
        "Encoder": pipeline.encoder or MISSING,
        "Seed": MISSING if pipeline.seed is None else str(pipeline.seed),
        "Day of training": _trained(training) or MISSING,
        "Scored on": ", ".join(scored),
        "Sees at once": multi.context
        if multi.context_tokens is None
        else f"{multi.context}, {multi.context_tokens} tokens",
        "Tokens per second": f"{multi.tokens_per_second:,.0f}, while {multi.tokens:,} tokens were scored",
    }
    return Table(["What", "Value"], [[name, value] for name, value in facts.items()], numbers=0)


def _trained(training: Optional[Path]) -> Optional[str]:
    """Date of the files of the multi-task pipeline."""
    meta = None if training is None else _multi(training) / "model-last" / "meta.json"
    if meta is None or not meta.is_file():
        return None
    return datetime.fromtimestamp(meta.stat().st_mtime, timezone.utc).strftime("%d %B %Y")


def _multi(training: Path) -> Path:
    """Folder of the multi-task run, or the given folder."""
    folder = training / "multi"
    return folder if folder.is_dir() else training


def _settings(training: Path) -> dict[str, Any]:
    """The config of the multi-task pipeline, flat; empty if there is none."""
    path = _multi(training) / "model-last" / "config.cfg"
    return dict_to_dot(load_config(path, interpolate=True)) if path.is_file() else {}


def _origin(provenance: Mapping[str, Any]) -> Table:
    """Revision, command and checksums."""
    checksums = {f"Checksum of {name}": text for name, text in provenance.get("checksums", {}).items()}
    facts = {"Revision": provenance.get("revision"), "Command": provenance.get("command"), **checksums}
    return Table(["What", "Value"], [[name, str(text or MISSING)] for name, text in facts.items()], numbers=0)


def _picture(figure: Figure, text: str) -> Picture:
    return Picture.of(svg_text(figure), text)
