"""The comparison of multi-task and single-task results."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bioner_spacy.errors import BionerError, BionerWarning
from bioner_spacy.evaluation.compare import Comparison, compare, seeds_table
from bioner_spacy.evaluation.results import Pipeline, Results
from bioner_spacy.evaluation.scorer import prf

MARKDOWN = """\
# Multi-task against single-task (test split)

F1 in percent, strict match.

| Corpus | Entity type | Gold | F1 single | F1 multi | Difference |
| --- | --- | ---: | ---: | ---: | ---: |
| A | GENE | 10 | 50.00 | 60.00 | +10.00 |
| A | all types | 10 | 50.00 | 60.00 | +10.00 |
| B | GENE | 10 | 80.00 | 70.00 | -10.00 |
| B | all types | 10 | 80.00 | 70.00 | -10.00 |
| C | GENE | 10 | 90.00 | 90.00 | +0.00 |
| C | all types | 10 | 90.00 | 90.00 | +0.00 |
| D | GENE | 10 | – | 40.00 | – |
| D | all types | 10 | – | 40.00 | – |
| E | GENE | 10 | 30.00 | – | – |
| E | all types | 10 | 30.00 | – | – |
| mean over 3 of 5 corpora | all types | – | 73.33 | 73.33 | +0.00 |

- Multi-task is better on: A (+10.00).
- Single task is better on: B (-10.00).
- No difference on: C (+0.00).
- Not compared, as one of the two results is missing: D, E.
- On the mean over 3 of 5 corpora, there is no difference (+0.00 points of F1).
- Each pipeline was trained once; other seeds move F1 as well.
"""


def results(found: dict[str, int], *, gold: int = 10, split: str = "test", encoder: str = "bert") -> Results:
    """Results with ten predictions on each corpus, of which `found` are right: F1 is a tenth of that."""
    corpora: dict[str, Any] = {}
    for corpus, matched in found.items():
        scores = prf(gold, 10, matched)
        corpora[corpus] = {**scores, "per_type": {"GENE": scores}}
    pipeline = Pipeline(name="en_bioner", version="0.0.0", encoder=encoder, seed=0, components=["multitask_ner"])
    scores = {"per_corpus": corpora}
    return Results(pipeline=pipeline, split=split, limit=None, scores=scores, words=1, words_per_second=1.0)


@pytest.fixture
def comparison() -> Comparison:
    singles = [results({"A": 5}), results({"B": 8}), results({"C": 9}), results({"E": 3})]
    return compare(results({"A": 6, "B": 7, "C": 9, "D": 4}), singles)


def test_every_corpus_of_either_side_is_in_the_page(comparison: Comparison) -> None:
    assert comparison.to_markdown() == MARKDOWN


def test_text_table_has_the_rows_of_the_page(comparison: Comparison) -> None:
    lines = comparison.to_table().to_text().strip().splitlines()
    assert len(lines) == 2 + len(comparison.rows) + 1
    assert lines[4].split() == ["B", "GENE", "10", "80.00", "70.00", "-10.00"]


def test_better_single_task_is_said_plainly() -> None:
    verdict = compare(results({"A": 5}), [results({"A": 8})]).verdict()
    assert verdict[0] == "Single task is better on: A (-30.00)."
    assert verdict[1] == "On the mean over 1 of 1 corpora, single task is better (-30.00 points of F1)."


def test_no_common_corpus() -> None:
    assert "no mean" in compare(results({"A": 5}), [results({"B": 8})]).verdict()[-1]
    assert compare(results({"A": 5}), []).means().difference is None


def test_comparison_survives_the_disk(comparison: Comparison, tmp_path: Path) -> None:
    json_path, markdown_path = tmp_path / "out" / "c.json", tmp_path / "out" / "c.md"
    comparison.to_disk(json_path, markdown_path)
    assert Comparison.from_disk(json_path) == comparison
    assert markdown_path.read_text(encoding="utf8") == MARKDOWN


@pytest.mark.parametrize("content", [None, "", "[]", "{}", '{"single": {}, "rows": [{}]}'])
def test_a_file_without_comparison_is_named(content: str | None, tmp_path: Path) -> None:
    path = tmp_path / "c.json"
    if content is not None:
        path.write_text(content, encoding="utf8")
    with pytest.raises(BionerError, match="c.json holds no comparison"):
        Comparison.from_disk(path)


def test_two_single_task_results_on_one_corpus_are_an_error() -> None:
    with pytest.raises(BionerError, match="two single-task results on the corpus A"):
        compare(results({"A": 5}), [results({"A": 5}), results({"A": 6})])


def test_other_split_or_other_documents_are_an_error() -> None:
    with pytest.raises(BionerError, match="with split 'dev' and the multi-task results with 'test'"):
        compare(results({"A": 5}), [results({"A": 5}, split="dev")])
    with pytest.raises(BionerError, match="with context 'group' and the multi-task results with 'source'"):
        compare(results({"A": 5}), [replace(results({"A": 5}), context="group", context_words=180)])
    with pytest.raises(BionerError, match=r"A, GENE, have different numbers of gold mentions \[10, 12\]"):
        compare(results({"A": 5}), [results({"A": 5}, gold=12)])


def test_other_encoder_is_warned_about() -> None:
    with pytest.warns(BionerWarning, match="different encoders .bert, small"):
        compare(results({"A": 5}), [results({"A": 5}, encoder="small")])


def test_mean_and_spread_over_seeds() -> None:
    def of_seed(multi: int, single: int) -> Comparison:
        return compare(results({"A": multi, "B": 4}), [results({"A": single})])

    lines = seeds_table([of_seed(6, 5), of_seed(7, 5), of_seed(8, 8)]).to_markdown().splitlines()
    assert lines[3] == "| A | all types | 10 | 60.00 ± 17.32 | 70.00 ± 10.00 | 10.00 ± 10.00 | 2 of 3 |"
    assert lines[5] == "| B | all types | 10 | – | 40.00 ± 0.00 | – | 0 of 3 |"
    assert seeds_table([of_seed(6, 5)]).rows[0] == ["A", "GENE", "10", "50.00", "60.00", "10.00", "1 of 1"]
