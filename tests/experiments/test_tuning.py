"""The trials of a search as table, page and chart."""

from pathlib import Path
from typing import Any

import pytest

from bioner_spacy.experiments.search_space import Choice, Range, SearchSpace
from bioner_spacy.experiments.tuning import Trial, Tuning, read_trials, short_names
from bioner_spacy.reports.tuning import trials_table, write_tuning
from bioner_spacy.reports.tuning_chart import draw_tuning

RATE, SAMPLING, GENE = (
    "training.optimizer.learn_rate.initial_rate",
    "training.batcher.sampling",
    "components.multitask_ner.task_weights.GENE",
)
SCORES = [(0.5, 0.6), (0.7, 0.7), (0.7, 0.7), (0.0, 0.0), (0.65, 0.69)]


@pytest.fixture
def tuning() -> Tuning:
    settings = {RATE: Range(1e-5, 1e-3, log=True), SAMPLING: Choice(("uniform", None)), GENE: Choice((1.0,))}
    start = {RATE: 1e-4, SAMPLING: "uniform", GENE: 1.0}
    choices = [("uniform", None)[n % 2] for n in range(len(SCORES))]
    trials = [
        Trial({RATE: (n + 1) * 1e-4, SAMPLING: choices[n], GENE: 1.0}, scores) for n, scores in enumerate(SCORES)
    ]
    return Tuning(SearchSpace(settings, start), ["genes"], [0, 1], trials)


def test_table_has_all_trials_and_marks_the_first_best(tuning: Tuning) -> None:
    table = trials_table(tuning)
    # No column for what never changes.
    assert table.header == ["Trial", "learn_rate.initial_rate", "batcher.sampling", "F1"]
    assert table.rows[0] == ["1", "0.0001", "uniform", "55.00 ± 7.07"]
    assert [row[0] for row in table.rows] == ["1", "2 *", "3", "4", "5"]
    assert table.rows[1][2] == "null"


def test_page_and_file(tuning: Tuning, tmp_path: Path) -> None:
    data, text, *_ = write_tuning(tuning, tmp_path)
    assert read_trials(data) == list(tuning.trials)
    page = text.read_text("utf8")
    assert "Trial 2 is the best of 5: F1 70.00." in page
    assert "15.00 points above trial 1" in page
    assert "one seed" not in page
    assert f"| `{RATE}` | 0.0001 | 0.0002 |" in page


def test_short_names() -> None:
    names = ["training.dropout", "a.model.dropout", "b.model.dropout", "x"]
    assert list(short_names(names).values()) == ["training.dropout", "a.model.dropout", "b.model.dropout", "x"]
    assert short_names([GENE]) == {GENE: "task_weights.GENE"}


def points(axes: Any) -> dict[str, list[tuple[float, float]]]:
    """Points of a panel by their label."""
    return {str(line.get_label()): [(x, round(y, 2)) for x, y in line.get_xydata()] for line in axes.lines}


def test_chart_shows_every_trial_and_the_best_so_far(tuning: Tuning) -> None:
    top, rate, sampling = draw_tuning(tuning).axes
    found = points(top)
    best = "best: trial 2, F1 70.00 %"
    low = 70 - 10 * (70 - 67)
    assert found["trial"] == [(1, 55), (2, 70), (3, 70), (5, 67)]
    assert found["trial below the axis"] == [(4, low)]
    assert found[best] == [(2, 70)]
    assert [y for _, y in found["best so far"]] == [55, 70, 70, 70, 70]
    assert (rate.get_xscale(), rate.get_xlabel()) == ("log", "learn_rate.initial_rate")
    assert points(rate)[best] == [(0.0002, 70)]
    assert points(sampling)["trial"] == [(0, 55), (1, 70), (0, 70), (0, 67)]
    assert [text.get_text() for text in sampling.get_xticklabels()] == ["uniform", "null"]


@pytest.mark.parametrize("scores", [[(0.0,)], [(0.5,), (0.5,)]])
def test_chart_of_equal_scores(tuning: Tuning, scores: list[tuple[float, ...]]) -> None:
    trials = [Trial(trial.values, score) for trial, score in zip(tuning.trials, scores)]
    low, high = draw_tuning(Tuning(tuning.space, ["genes"], [0], trials)).axes[0].get_ylim()
    assert low < 100 * scores[0][0] < high
