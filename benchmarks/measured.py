"""What the benchmarks of speed measure, as tables and charts: medians over repeats, with the least and the most."""

import os
import platform
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import matplotlib
import srsly
import torch
from matplotlib.figure import Figure
from spacy.language import Language

from bioner_spacy.files import replacing
from bioner_spacy.reports.chart import BASELINE_COLOR, STYLE, save_figure
from bioner_spacy.shipped import shipped_project

PACKAGES = ("spacy", "spacy-transformers", "transformers", "torch", "numpy")

Speeds = Mapping[str, Sequence[float]]


def abstracts(number: int) -> list[str]:
    """So many different texts: the abstracts of the package, over and over, each with a number."""
    texts = [line["text"] for line in srsly.read_jsonl(shipped_project() / "assets/abstracts/abstracts.jsonl")]
    return [f"{texts[i % len(texts)]} {i}" for i in range(number)]


def annotate(nlp: Language, texts: Sequence[str], **options: Any) -> int:
    """Annotate texts; returns the number of tokens."""
    return sum(len(doc) for doc in nlp.pipe(texts, **options))


def interleaved(runs: Mapping[str, Callable[[], int]], repeats: int) -> dict[str, list[float]]:
    """Tokens per second of each run, one after the other in each repeat, so that a noisy machine disturbs all alike.

    Args:
        runs: functions by name that return the number of tokens that they went through.
        repeats: number of measurements; before them each function is run once to warm up.
    """
    speeds: dict[str, list[float]] = {name: [] for name in runs}
    for repeat in range(repeats + 1):
        for name, run in runs.items():
            start = time.perf_counter()
            tokens = run()
            if torch.cuda.is_available():
                torch.cuda.synchronize()
            if repeat:
                speeds[name].append(tokens / (time.perf_counter() - start))
    return speeds


def cells(speeds: Sequence[float], baseline: Sequence[float]) -> list[str]:
    """Median, least to most, and the ratio of medians to those of a baseline; dashes where nothing was measured."""
    if not speeds:
        return ["–"] * 3
    ratio = f"{statistics.median(speeds) / statistics.median(baseline):.2f}" if baseline else "–"
    return [number(statistics.median(speeds)), f"{number(min(speeds))}–{number(max(speeds))}", ratio]


def number(value: float) -> str:
    """A number of three or more digits without decimals, a smaller one with two digits that count."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.2g}"


def surroundings(device: str) -> str:
    """A sentence on what a measurement was made with."""
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    machine = f"{platform.machine()}, {os.cpu_count()} CPUs, {torch.get_num_threads()} threads"
    return f"Device: {device} ({machine}). Python {platform.python_version()}, {packages}."


def write_page(folder: Path, name: str, text: str, measured: Mapping[str, Any]) -> None:
    """Print a page in Markdown, and write it and what was measured, as JSON."""
    print(text)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.md").write_text(text, encoding="utf8")
    srsly.write_json(folder / f"{name}.json", measured)


def draw_speeds(panels: Mapping[str, Speeds]) -> Figure:
    """Draw bars of medians, with whiskers from the least to the most, a panel for each title."""
    rows = [len(speeds) for speeds in panels.values()]
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(8, 1.0 * len(rows) + 0.35 * sum(rows)), layout="constrained")
        axes: Any = figure.subplots(len(rows), squeeze=False, height_ratios=[count + 1 for count in rows])[:, 0]
        for panel, (title, speeds) in zip(axes, panels.items()):
            medians = [statistics.median(values) for values in speeds.values()]
            least, most = ([end(values) for values in speeds.values()] for end in (min, max))
            spread = [[m - low for m, low in zip(medians, least)], [high - m for m, high in zip(medians, most)]]
            bars = panel.barh(list(speeds), medians, xerr=spread, color=BASELINE_COLOR, error_kw={"lw": 1})
            panel.bar_label(bars, labels=[number(median) for median in medians], padding=3, fontsize=8)
            panel.set_title(title)
            panel.invert_yaxis()
            panel.margins(x=0.15)
            panel.spines[["top", "right"]].set_visible(False)
            panel.xaxis.grid(True, color="#dddddd")
            panel.set_axisbelow(True)
    return figure


def write_speeds(folder: Path, name: str, text: str, panels: Mapping[str, Speeds]) -> None:
    """Write a page in Markdown, and the chart that it shows as SVG and PNG; all of them or none."""
    folder.mkdir(parents=True, exist_ok=True)
    with replacing(*(folder / f"{name}.{suffix}" for suffix in ("md", "svg", "png"))) as (page, svg, png):
        page.write_text(f"{text}\n![Chart of the medians]({name}.svg)\n", encoding="utf8")
        save_figure(draw_speeds({title: speeds for title, speeds in panels.items() if speeds}), svg, png)
