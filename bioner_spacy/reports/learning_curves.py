"""F1 and loss against the updates of training runs, from the files that the logger writes."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..errors import BionerError, Errors
from ..scoring.table import corpus_name
from .chart import STYLE

ENCODER = "transformer"
"""Component whose losses are those of its listeners once more."""

MULTI, SINGLE = "multi-task", "single-task"

# Okabe and Ito (2008), which differ for all kinds of colour vision; black stands for all corpora together.
_COLORS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#7F7F7F")
_MARKERS = "os^Dv"
_LINES = {MULTI: "-", SINGLE: "--"}


@dataclass(frozen=True)
class Curve:
    """What a training run wrote down at its evaluations.

    Attributes:
        updates: (n,) updates of the weights up to each evaluation, rising.
        loss: (n,) mean loss of the updates since the evaluation before.
        score: (n,) the score by which the best pipeline is chosen, a fraction of 1: the mean F1 over corpora unless the
            config says otherwise.
        per_corpus: corpus -> (n,) F1 on development data, fractions of 1; None where there is none. Empty where the file
            does not tell.
    """

    updates: list[int]
    loss: list[float]
    score: list[float]
    per_corpus: dict[str, list[Optional[float]]]


def read_curve(path: Path) -> Curve:
    """Read the curve of a run.

    Args:
        path: file of `bioner_spacy.MultiTaskLogger.v1` or spaCy's `ConsoleLogger.v3` (setting output_file).

    Raises:
        BionerError: the file is not there, or a line is not what the logger writes.
    """
    curve = Curve([], [], [], {})
    try:
        for number, line in enumerate(path.read_text(encoding="utf8").splitlines(), start=1):
            try:
                _add(curve, json.loads(line))
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise BionerError(Errors.E545.format(path=path, reason=f"line {number}: {error!r}")) from error
    except (OSError, UnicodeDecodeError) as error:
        raise BionerError(Errors.E545.format(path=path, reason=error)) from error
    return curve


def draw_curves(runs: Mapping[str, Mapping[str, Curve]]) -> Figure:
    """Draw F1 by corpus, and the loss of each run.

    Args:
        runs: `MULTI` and `SINGLE` -> name of a run -> its curve; the name of a single-task run is its corpus.

    Returns:
        The figure. The upper panel has a colour for each corpus, the lower one for each run; lines of multi-task runs are
        drawn through.
    """
    lines = [(side, name, curve) for side, of_side in runs.items() for name, curve in of_side.items()]
    corpora = sorted(
        {corpus for side, name, curve in lines for corpus in _scores(side, name, curve) if corpus != MULTI}
    )
    colors = {corpus: _COLORS[number % len(_COLORS)] for number, corpus in enumerate(corpora)}
    markers = {corpus: _MARKERS[number // len(_COLORS) % len(_MARKERS)] for number, corpus in enumerate(corpora)}

    def draw(axes: Axes, side: str, name: str, updates: Sequence[int], values: Any) -> None:
        axes.plot(
            updates,
            values,
            _LINES[side],
            color=colors.get(name, "#000000"),
            marker=markers.get(name, "o"),
            markersize=3,
            linewidth=1.4,
            label=side if name == MULTI else f"{corpus_name(name)}, {side}",
        )

    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(4.8, 5.6 + 0.1 * len(corpora)), layout="constrained")
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=[3, 2])
        for side, name, curve in lines:
            for corpus, values in _scores(side, name, curve).items():
                percents = [float("nan") if value is None else 100 * value for value in values]
                draw(upper, side, corpus, curve.updates, percents)
            draw(lower, side, MULTI if side == MULTI else name, curve.updates, curve.loss)
        upper.set_ylabel("F1 (%), development data")
        lower.set_ylabel("Loss of an update")
        lower.set_xlabel("Updates of the weights")
        if all(loss > 0 for _, _, curve in lines for loss in curve.loss):  # weights learnt by uncertainty lead below 0
            lower.set_yscale("log")
        upper.set_ylim(bottom=0)
        for axes in (upper, lower):
            axes.spines[["top", "right"]].set_visible(False)
            axes.grid(True, color="#dddddd")
        handles = {label: line for axes in (upper, lower) for line, label in zip(*axes.get_legend_handles_labels())}
        figure.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=2, frameon=False, fontsize=8)
    return figure


def _add(curve: Curve, line: Mapping[str, Any]) -> None:
    """Add an evaluation as the logger writes it, scores of corpora in percent."""
    updates = int(line["step"]) + 1  # the first step has the number 0
    before = curve.updates[-1] if curve.updates else 0
    if updates <= before:
        raise ValueError(f"step {line['step']} does not come after the one before")
    loss = sum(float(loss) for name, loss in line["losses"].items() if name != ENCODER)
    score = float(line["score"])
    for corpus, percent in line.get("per_corpus", {}).items():
        values = curve.per_corpus.setdefault(corpus, [None] * len(curve.updates))
        values.append(None if percent is None else float(percent) / 100)
    curve.updates.append(updates)
    curve.loss.append(loss / (updates - before))
    curve.score.append(score)
    for values in curve.per_corpus.values():
        values.extend([None] * (len(curve.updates) - len(values)))


def _scores(side: str, name: str, curve: Curve) -> Mapping[str, Sequence[Optional[float]]]:
    """F1 by corpus; where the file does not tell, the score of the run, which is that of the corpus if it has only one."""
    return curve.per_corpus or {MULTI if side == MULTI else name: curve.score}
