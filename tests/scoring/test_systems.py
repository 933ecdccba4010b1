"""Several systems beside the first one."""

import json
from pathlib import Path
from typing import Any

import pytest

from bioner_spacy.reports.comparison import systems_page, systems_table
from bioner_spacy.scoring.results import Pipeline, Results
from bioner_spacy.scoring.systems import Systems, compare_systems


def results(seed: int, **corpora: dict[str, float]) -> Results:
    """Results with F1 by corpus and type; that of all types is their mean."""
    per_corpus: dict[str, Any] = {}
    for corpus, types in corpora.items():
        per_type = {name: {"gold": 10, "f": f} for name, f in types.items()}
        per_corpus[corpus] = {"gold": 10 * len(types), "f": sum(types.values()) / len(types), "per_type": per_type}
    pipeline = Pipeline("en_x", "0.0.0", "encoder", seed, ["multitask_ner"])
    return Results(pipeline, "test", None, {"per_corpus": per_corpus}, 100, 1.0)


def test_several_corpora_and_their_mean() -> None:
    found = compare_systems(
        "Scopes",
        {
            "first": [results(0, A={"GENE": 0.5}, B={"GENE": 0.7}), results(1, A={"GENE": 0.6}, B={"GENE": 0.8})],
            "second": [results(0, A={"GENE": 0.4}, B={"GENE": 0.7}), results(1, A={"GENE": 0.4}, B={"GENE": 0.8})],
            "third": [results(0, A={"GENE": 0.9}, B={"GENE": 0.9}), results(1, A={"GENE": 0.9}, B={"GENE": 0.9})],
        },
    )
    table = systems_table(found)
    assert list(table.header) == ["System", "A", "B", "mean", "Difference", "95 % interval", "p", "Better"]
    assert [row[:5] for row in table.rows] == [
        ["first", "55.00 ± 7.07", "75.00 ± 7.07", "65.00 ± 7.07", "–"],
        ["second", "40.00 ± 0.00", "75.00 ± 7.07", "57.50 ± 3.54", "-7.50 ± 3.54"],
        ["third", "90.00 ± 0.00", "90.00 ± 0.00", "90.00 ± 0.00", "+25.00 ± 7.07"],
    ]
    assert [row[-1] for row in table.rows] == ["–", "not tested", "not tested"]


@pytest.fixture
def of_one_corpus() -> Systems:
    """Two systems on one corpus of two types."""
    types = {"CHEMICAL": 0.5, "DISEASE": 0.7}
    other = {"CHEMICAL": 0.6, "DISEASE": 0.9}
    return compare_systems("Parts", {"whole": [results(0, A=types)], "parts": [results(0, A=other)]})


def test_types_of_a_single_corpus(of_one_corpus: Systems) -> None:
    table = systems_table(of_one_corpus)
    assert list(table.header[:4]) == ["System", "CHEMICAL", "DISEASE", "A"]
    assert [row[:5] for row in table.rows] == [
        ["whole", "50.00", "70.00", "60.00", "–"],
        ["parts", "60.00", "90.00", "75.00", "+15.00"],
    ]


def test_a_corpus_of_one_type_is_one_column() -> None:
    found = compare_systems("X", {"a": [results(0, A={"GENE": 0.5})], "b": [results(0, A={"GENE": 0.6})]})
    assert list(systems_table(found).header[:3]) == ["System", "A", "Difference"]


def test_files(of_one_corpus: Systems, tmp_path: Path) -> None:
    files = systems_page(of_one_corpus, "parts").to_disk(tmp_path / "deep")
    assert [file.name for file in files] == ["parts.json", "parts.md"]
    data = json.loads(files[0].read_text(encoding="utf8"))
    assert data["f"] == {
        "whole": {"CHEMICAL": [0.5], "DISEASE": [0.7], "A": [0.6]},
        "parts": {"CHEMICAL": [0.6], "DISEASE": [0.9], "A": [0.75]},
    }
    assert [comparison["names"] for comparison in data["comparisons"]] == [["whole", "parts"]]
    page = files[1].read_text(encoding="utf8")
    assert page.startswith("# Parts\n") and "\n## Parts against whole (test split)\n" in page
    assert page.count("| parts | 60.00 | 90.00 | 75.00 |") == 1
