"""The notebook of the docs runs, cell by cell."""

import json
from pathlib import Path
from typing import Any

import pytest
import spacy
from spacy.language import Language

NOTEBOOK = Path(__file__).parents[2] / "docs" / "annotate.ipynb"


def test_notebook(nlp: Language, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("pandas")
    pytest.importorskip("narwhals")
    monkeypatch.setattr(spacy, "load", lambda name: nlp)
    names: dict[str, Any] = {}
    cells = [cell for cell in json.loads(NOTEBOOK.read_text("utf8"))["cells"] if cell["cell_type"] == "code"]
    assert all(cell["outputs"] == [] for cell in cells)
    for number, cell in enumerate(cells, start=1):
        exec(compile("".join(cell["source"]), f"{NOTEBOOK.name}, cell {number}", "exec"), names)
    assert "('NOD2', 'GENE', 0.95)" in capsys.readouterr().out
    assert list(names["mentions"]["text"]) == ["NOD2", "Crohn disease", "aspirin", "NOD2"]
    assert list(names["mentions"]["document"]) == ["1", "1", "2", "2"]
