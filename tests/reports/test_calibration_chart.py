"""Charts of scores."""

from pathlib import Path
from xml.etree import ElementTree

import pytest
from made_mentions import predictions

from bioner_spacy.analysis.calibration import ScoredMentions
from bioner_spacy.reports.calibration_chart import draw_reliability, draw_thresholds
from bioner_spacy.reports.chart import save_figure

GROUPS = {
    "drugs & more": predictions((0.95, True), (0.85, True), (0.85, False), (0.3, False), gold=4),
    "": predictions(gold=2),
}


def texts(path: Path) -> list[str]:
    return ["".join(node.itertext()) for node in ElementTree.parse(path).iter("{http://www.w3.org/2000/svg}text")]


def test_reliability_diagram() -> None:
    drugs, empty = draw_reliability(GROUPS, split="devel").axes
    assert drugs.get_title() == "drugs & more: ECE 26.25 %"
    bars = [(bar.get_x(), bar.get_width(), bar.get_height()) for bar in drugs.patches]
    assert bars == [
        (pytest.approx(low), pytest.approx(0.1), height) for low, height in ((0.2, 0), (0.8, 0.5), (0.9, 1))
    ]
    lines = {line.get_label(): line.get_xydata().tolist() for line in drugs.lines}
    assert lines["mean score"] == [[0.3, 0.0], [0.85, 0.5], [0.95, 1.0]]
    assert [share for _, share in lines["share of the predictions"]] == [0.25, 0.5, 0.25]
    assert (empty.get_title(), len(empty.patches)) == ("(unnamed): no prediction", 0)


def test_lines_by_threshold() -> None:
    drugs, _ = draw_thresholds(GROUPS, split="devel").axes
    assert drugs.get_title() == "drugs & more: 0.6, F1 57.14 %"
    lines = {line.get_label(): dict(line.get_xydata().tolist()) for line in drugs.lines}
    assert [lines["precision"][threshold] for threshold in (0.0, 0.5, 0.9)] == [0.5, pytest.approx(2 / 3), 1.0]
    assert [lines["recall"][threshold] for threshold in (0.0, 0.5, 0.9, 1.0)] == [0.5, 0.5, 0.25, 0.0]
    drugs, _ = draw_thresholds(GROUPS, split="devel", precision=0.99).axes
    assert drugs.get_title() == "drugs & more: 0.9, F1 40.00 %"


def test_no_threshold_reaches_the_precision() -> None:
    wrong = {"drugs": predictions((0.9, False), gold=1)}
    [axes] = draw_thresholds(wrong, split="devel", precision=0.5).axes
    assert axes.get_title() == "drugs: no threshold"


@pytest.mark.parametrize("groups", [GROUPS, {}])
def test_same_bytes_and_readable_text(groups: dict[str, ScoredMentions], tmp_path: Path) -> None:
    for draw in (draw_reliability, draw_thresholds):
        files = [(tmp_path / f"{number}.svg", tmp_path / f"{number}.png") for number in (1, 2)]
        for svg, png in files:
            save_figure(draw(groups, split="devel"), svg, png)
        assert files[0][0].read_bytes() == files[1][0].read_bytes()
        assert files[0][1].read_bytes() == files[1][1].read_bytes()
        assert sum("(devel split)" in text for text in texts(files[0][0])) == 1
