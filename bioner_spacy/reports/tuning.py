"""A search for settings as a page."""

from pathlib import Path

from ..experiments.tuning import TRIALS_FILE, Tuning, value_text
from .page import Block, Chart, Items, Page, Text
from .table import Table, percent, spread
from .tuning_chart import draw_tuning


def write_tuning(tuning: Tuning, folder: Path) -> list[Path]:
    """Write tuning.json, .md, .svg and .png; an argument of `tune`."""
    return tuning_page(tuning).to_disk(folder)


def tuning_page(tuning: Tuning) -> Page:
    """Trials, verdict, best values and a chart."""
    best, name = tuning.trials[tuning.best].values, Path(TRIALS_FILE).stem
    start = tuning.space.start
    rows = [
        [f"`{setting}`", value_text(start[setting]), value_text(best[setting])] for setting in tuning.space.settings
    ]
    seeds = ", ".join(map(str, tuning.seeds))
    blocks: list[Block] = [
        Text(f"F1 in percent, strict match: the mean over corpora of their micro F1 (seeds: {seeds})."),
        trials_table(tuning),
        Items(verdict(tuning)),
        Table(["Setting", "Config", "Best"], rows, numbers=2),
        Chart(name, "F1 of the trials"),
    ]
    return Page(name, tuning.title, blocks, tuning.to_dict(), {name: lambda: draw_tuning(tuning)})


def trials_table(tuning: Tuning) -> Table:
    """The trials in order, F1 in percent with the spread over seeds; a star marks the best."""
    names = tuning.names()
    rows = []
    for number, trial in enumerate(tuning.trials):
        cells = [value_text(trial.values[name]) for name in tuning.varied]
        star = " *" if number == tuning.best else ""
        rows.append([f"{number + 1}{star}", *cells, spread(trial.scores)])
    header = ["Trial", *(names[name] for name in tuning.varied), "F1"]
    return Table(header, rows, numbers=len(header) - 1)


def verdict(tuning: Tuning) -> list[str]:
    """Conclusions of the search, in sentences."""
    best, first = tuning.trials[tuning.best], tuning.trials[0]
    found = [f"Trial {tuning.best + 1} is the best of {len(tuning.trials)}: F1 {percent(best.score)}."]
    if tuning.best and tuning.starts_as_it_is():
        gain = 100 * (best.score - first.score)
        found.append(f"That is {gain:.2f} points above trial 1, the values of the config as it is.")
    found.append(
        "The best score of many is too high by chance; score the pipeline that best.cfg gives on the test split, once."
    )
    if len(tuning.seeds) == 1:
        found.append("Each trial was trained with one seed; F1 also varies between seeds.")
    return found
