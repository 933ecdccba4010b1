"""The chart of a comparison."""

import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
from matplotlib.container import BarContainer

from bioner_spacy import reports
from bioner_spacy.errors import BionerError
from bioner_spacy.reports.comparison import draw_comparison, write_chart
from bioner_spacy.scoring.comparison import Comparison, Row
from bioner_spacy.scoring.results import ALL_TYPES
from bioner_spacy.scoring.significance import Significance


@pytest.fixture
def comparison() -> Comparison:
    rows = [
        Row("drugs", "CHEMICAL", 3, (0.5, 0.5), (0.5, 0.75), Significance(0.0625, 0.25, p=0.5)),
        Row("drugs", "DISEASE", 2, (0.5,), (0.625,)),
        Row("drugs", ALL_TYPES, 5, (0.5,), (0.625,)),
        Row("genes & more", "GENE", 3, None, (0.75,)),
        Row("genes & more", ALL_TYPES, 3, None, (0.75,)),
    ]
    return Comparison(
        split="test",
        names=("single-task", "multi-task"),
        baseline={},
        system={},
        rows=rows,
        mean=Row("mean over 1 of 2 corpora", ALL_TYPES, None, (0.5,), (0.625,)),
        records=[],
        alpha=0.05,
        resamples=1,
    )


def texts(path: Path) -> list[str]:
    return ["".join(node.itertext()) for node in ElementTree.parse(path).iter("{http://www.w3.org/2000/svg}text")]


def test_svg_names_every_row_and_value(comparison: Comparison, tmp_path: Path) -> None:
    svg, png = write_chart(comparison, tmp_path / "charts" / "f1")
    found = texts(svg)
    names = ["drugs, CHEMICAL", "drugs, all types", "genes & more, GENE", "mean over 1 of 2 corpora"]
    whiskers = "F1 (%), strict match; whiskers: 95 % interval of the difference to single-task"
    for name in [*names, "62.50", "75.00", "single-task", "multi-task", whiskers]:
        assert name in found
    assert "genes & more, all types" not in found  # which are those of its one type
    assert found.count("– no result") == 1
    assert png.read_bytes().startswith(b"\x89PNG")
    assert sorted(file.name for file in svg.parent.iterdir()) == ["f1.png", "f1.svg"]


def test_the_same_comparison_gives_the_same_bytes(comparison: Comparison, tmp_path: Path) -> None:
    first = [path.read_bytes() for path in write_chart(comparison, tmp_path / "first")]
    second = [path.read_bytes() for path in write_chart(comparison, tmp_path / "second")]
    assert first == second
    assert b"<dc:date>" not in first[0]


def test_lengths_of_bars_and_whiskers(comparison: Comparison) -> None:
    [axes] = draw_comparison(comparison).axes
    bars = {found.get_label(): found for found in axes.containers if isinstance(found, BarContainer)}
    assert [bar.get_width() for bar in bars["single-task"]] == [50, 50, 50, 0, 50]
    assert [bar.get_width() for bar in bars["multi-task"]] == [62.5, 62.5, 62.5, 75, 62.5]
    [lines] = bars["multi-task"].errorbar.lines[2]
    # From 50 + 6.25 to 50 + 25.
    assert [(line[0][0], line[1][0]) for line in lines.get_segments()][:2] == [(56.25, 75), (62.5, 62.5)]


def test_without_matplotlib(comparison: Comparison, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(BionerError, match=r"needs the package matplotlib: pip install 'bioner_spacy\[charts\]'"):
        write_chart(comparison, tmp_path / "chart")
    assert not list(tmp_path.iterdir())


def test_matplotlib_is_imported_where_a_chart_is_drawn() -> None:
    folder = Path(reports.__file__).parent
    modules = [f"bioner_spacy.reports.{path.stem}" for path in folder.glob("*.py") if path.stem != "__init__"]
    code = f"import sys, {', '.join(modules)}; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
