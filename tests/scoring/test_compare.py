"""The comparison of two systems, such as multi-task and single-task pipelines."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy
import pytest

from bioner_spacy.errors import BionerError, BionerWarning
from bioner_spacy.reports.comparison import comparison_page, method, title, verdict
from bioner_spacy.scoring.compare import compare
from bioner_spacy.scoring.comparison import Comparison
from bioner_spacy.scoring.documents import DocumentCounts
from bioner_spacy.scoring.mentions import Compared
from bioner_spacy.scoring.metrics import Counts
from bioner_spacy.scoring.results import ALL_TYPES, Pipeline, Results, read_results
from bioner_spacy.scoring.significance import holm

MARKDOWN = """\
# Multi-task against single-task (test split)

F1 in percent, strict match.

| Corpus | Entity type | Gold | F1 single-task | F1 multi-task | Difference | 95 % interval | p | Better |
| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
| A | GENE | 10 | 10.00 | 90.00 | +80.00 | + to + | 0.02 | multi-task |
| B | GENE | 10 | 90.00 | 10.00 | -80.00 | - to - | 0.02 | single-task |
| C | GENE | 10 | 80.00 | 90.00 | +10.00 | + to + | 1.00 | not significant |
| D | GENE | 10 | – | 40.00 | – | – | – | – |
| E | GENE | 10 | 30.00 | – | – | – | – | – |
| mean over 3 of 5 corpora | all types | – | 60.00 | 63.33 | +3.33 | - to + | 1.00 | not significant |

- Multi-task is better on: A (+80.00).
- Single-task is better on: B (-80.00).
- Not significant on: C (+10.00).
- Not compared, because one of the two results is missing: D, E.
- On the mean over 3 of 5 corpora, the difference is not significant (+3.33 points of F1, 95 % interval - to +, p = 1.00).
- Each pipeline was trained once; F1 also varies between seeds.

- Interval: paired bootstrap of the difference, 4,000 samples of the documents with replacement.
- p: approximate randomisation over documents, two-sided, 4,000 draws; corrected by Holm's method for the \
number of corpora (in rows of single types, of types); not corrected for the mean.
- Better: the system with p below 0.05 and an interval that excludes 0, otherwise not significant.
- Records count as documents in C, so intervals there may be too narrow.
"""


def counted(gold: int, predicted: int, matched: int) -> dict[str, Any]:
    return Counts(gold, predicted, matched, matched).scores()


def results(
    found: dict[str, int],
    *,
    gold: int = 10,
    split: str = "test",
    encoder: str = "bert",
    seed: int = 0,
    types: tuple[str, ...] = ("GENE",),
    records: str = "",
) -> Results:
    """Results on documents of one gold mention each: right in the first ones, and a wrong one in each other."""
    corpora: dict[str, Any] = {}
    documents: dict[str, Any] = {}
    for corpus, matched in found.items():
        counts = DocumentCounts()
        for number in range(gold):
            mentions = {(0, 1, types[number % len(types)])}
            predicted = mentions if number < matched else {(1, 2, types[0])}
            counts.add(Compared(corpus, "" if corpus in records else str(number), mentions, predicted))
        documents[corpus] = counts.to_dict()
        by_type = {
            name: counted(*(sum(map(int, of_type[kind].split())) for kind in ("gold", "predicted", "matched")))
            for name, of_type in documents[corpus]["counts"].items()
        }
        corpora[corpus] = {**counted(gold, gold, matched), "per_type": by_type}
    pipeline = Pipeline(name="en_bioner", version="0.0.0", encoder=encoder, seed=seed, components=["multitask_ner"])
    scores = {"per_corpus": corpora}
    shown = Results(pipeline=pipeline, split=split, limit=None, scores=scores, tokens=1, tokens_per_second=1.0)
    return replace(shown, documents=documents)


@pytest.fixture
def comparison() -> Comparison:
    singles = [results({"A": 1}), results({"B": 9}), results({"C": 8}, records="C"), results({"E": 3})]
    return compare([results({"A": 9, "B": 1, "C": 9, "D": 4}, records="C")], singles, resamples=4000)


def masked(page: str) -> str:
    """A page with intervals as signs and p with two digits, as the last ones come from random draws."""
    page = re.sub(r"([+-])\d+\.\d\d to ([+-])\d+\.\d\d", r"\1 to \2", page)
    return re.sub(r"\b([01]\.\d{4})\b", lambda p: f"{float(p[1]):.2f}", page)


def test_page_has_every_corpus_of_either_side_and_says_where_there_is_no_difference(comparison: Comparison) -> None:
    # A, B: 8 documents differ, all in the same direction, which 2 of the 256 ways to change places give; the smallest
    # of three p is multiplied by 3. Of 17 documents in all, 9 are better and 8 worse: no draw can be closer.
    assert masked(comparison_page(comparison).to_markdown()) == MARKDOWN


def test_a_corpus_of_several_types_has_a_row_over_all_of_them() -> None:
    two = ("DNA", "GENE")
    system, baseline = ([results({"A": n}, types=two), results({"B": n})] for n in (9, 1))
    found = compare(system, baseline)
    shown = [(row.corpus, row.entity_type) for row in found.shown_rows]
    assert shown == [("A", "DNA"), ("A", "GENE"), ("A", ALL_TYPES), ("B", "GENE"), ("mean over 2 corpora", ALL_TYPES)]


def test_a_single_corpus_has_no_mean_and_another_metric_is_named() -> None:
    found = compare([results({"A": 9})], [results({"A": 1})])
    assert [row.corpus for row in found.shown_rows] == ["A"]
    assert "mean" not in " ".join(verdict(found))
    assert title(replace(found, metric="type")).endswith("(test split, type)")


def test_p_is_corrected_for_the_corpora_and_for_the_types() -> None:
    two = ("GENE", "CHEMICAL")
    system = [results({"A": 9, "B": 8, "C": 7}, types=two), results({"D": 9})]
    rows = compare(system, [results({"A": 1, "B": 2, "C": 5}, types=two), results({"D": 1})], resamples=500).rows
    of_types = [row.significance for row in rows if row.entity_type in two and row.corpus != "D"]
    of_corpora = [row.significance for row in rows if row.entity_type not in two]
    for tests, n in ((of_types, 6), (of_corpora, 4)):
        raw = numpy.array([test.p for test in tests if test])
        assert [test.adjusted for test in tests if test] == holm(raw).tolist()
        assert len(raw) == n
        assert raw.tolist() != holm(raw).tolist()


def test_a_type_that_one_side_has_no_score_of_is_not_tested() -> None:
    nothing = results({"A": 0})
    only_wrong = {"GENE": nothing.per_corpus["A"]["per_type"]["GENE"], "DNA": counted(0, 1, 0)}
    counts = {**nothing.documents["A"]["counts"], "DNA": {"gold": "0 " * 10, "predicted": "1" + " 0" * 9}}
    counts["DNA"]["matched"] = counts["DNA"]["gold"]
    system = replace(
        nothing,
        scores={"per_corpus": {"A": {**counted(10, 11, 0), "per_type": only_wrong}}},
        documents={"A": {**nothing.documents["A"], "counts": counts}},
    )
    dna, gene, _ = compare([system], [results({"A": 9})]).rows
    assert dna.entity_type == "DNA"
    assert dna.significance is None
    # One type is left, so that there is nothing to correct.
    assert gene.significance
    assert gene.significance.adjusted == gene.significance.p


def test_a_single_type_is_tested_once(comparison: Comparison) -> None:
    assert comparison.rows[0].significance == comparison.rows[1].significance != comparison.rows[3].significance
    assert comparison.mean.significance is not None
    assert comparison.mean.significance.adjusted is None


def test_level_of_the_test(comparison: Comparison) -> None:
    system, baseline = [results({"A": 9})], [results({"A": 1})]
    strict = compare(system, baseline, alpha=0.001)
    assert verdict(strict)[0] == "Not significant on: A (+80.00)."
    assert "99.9 % interval" in comparison_page(strict).to_markdown()
    wide, narrow = (compare(system, baseline, alpha=alpha).rows[0].significance for alpha in (0.05, 0.5))
    assert wide and narrow and wide.low < narrow.low < narrow.high <= wide.high


def test_any_two_systems_have_their_names() -> None:
    table = compare([results({"A": 9})], [results({"A": 1})], names=("tags", "slots"))
    assert verdict(table)[0] == "Slots is better on: A (+80.00)."
    assert "| F1 tags | F1 slots | Difference |" in comparison_page(table).to_markdown()
    assert title(table) == "Slots against tags (test split)"


def test_a_single_result_may_stand_for_itself() -> None:
    one, other = results({"A": 9}), results({"A": 1})
    assert compare(one, other, resamples=100) == compare([one], [other], resamples=100)
    for nothing in ([], "results.json"):
        with pytest.raises(BionerError, match="Setting system is .*; allowed: what evaluate returns"):
            compare(nothing, nothing)  # type: ignore[arg-type]


def test_no_common_corpus() -> None:
    assert "no mean" in verdict(compare([results({"A": 5})], [results({"B": 8})]))[-1]
    assert compare([results({"A": 5})], []).mean.difference is None


def test_results_without_counts_by_document_are_not_tested() -> None:
    old = replace(results({"A": 1}), documents={})
    found = compare([results({"A": 9, "B": 9})], [old, results({"B": 1})])
    assert verdict(found)[:2] == [
        "Multi-task is better on: B (+80.00).",
        "Not tested, because counts by document are missing (score again with `spacy bioner evaluate`): A (+80.00).",
    ]
    assert "| A | GENE | 10 | 10.00 | 90.00 | +80.00 | – | – | not tested |" in comparison_page(found).to_markdown()
    # A test of the mean would be one of another mean.
    assert found.mean.significance is None
    assert "the difference was not tested (+80.00 points of F1)" in verdict(found)[2]
    assert method(compare([results({"A": 9})], [old])) == []


def test_comparison_survives_the_disk(comparison: Comparison, tmp_path: Path) -> None:
    json_path, markdown_path = comparison_page(comparison, "c").to_disk(tmp_path / "out")
    assert Comparison.from_disk(json_path) == comparison
    assert markdown_path.read_text(encoding="utf8") == comparison_page(comparison).to_markdown()
    data = json.loads(json_path.read_text(encoding="utf8"))
    assert [data["mean"][name] for name in ("baseline", "better")] == [pytest.approx(0.6), "not significant"]


@pytest.mark.parametrize(
    "content", [None, "", "[]", "{}", '{"baseline": {}, "rows": [{}]}', pytest.param("[" * 100000, id="deep")]
)
def test_a_file_without_comparison_is_named(content: str | None, tmp_path: Path) -> None:
    path = tmp_path / "c.json"
    if content is not None:
        path.write_text(content, encoding="utf8")
    with pytest.raises(BionerError, match="c.json holds no comparison"):
        Comparison.from_disk(path)


@pytest.fixture
def on_disk(tmp_path: Path) -> Callable[..., Results]:
    """Results that come from a file."""

    def write(name: str, *args: Any, **settings: Any) -> Results:
        results(*args, **settings).to_disk(tmp_path / f"{name}.json")
        return read_results([str(tmp_path / f"{name}.json")])[0]

    return write


def test_other_gold_is_refused(on_disk: Callable[..., Results]) -> None:
    system = on_disk("system", {"A": 5})
    with pytest.raises(
        BionerError, match=r"base.json and .*system.json were not .* of A: 12 and 10 gold mentions of GENE"
    ):
        compare([system], [on_disk("base", {"A": 5}, gold=12)])
    documents = DocumentCounts()
    for number in range(5):
        documents.add(Compared("A", str(number), {(0, 1, "GENE"), (1, 2, "GENE")}, set()))
    other = replace(on_disk("base", {"A": 5}), documents={"A": documents.to_dict()})
    with pytest.raises(BionerError, match=r"base.json and .*system.json were not .* of A: 5 and 10 documents"):
        compare([system], [other])
    with pytest.raises(BionerError, match=r"base.json was measured on the split 'dev' and .*system.json on 'test'"):
        compare([system], [on_disk("base", {"A": 5}, split="dev")])


def test_two_results_of_one_seed_are_an_error(on_disk: Callable[..., Results]) -> None:
    with pytest.raises(
        BionerError, match=r"two results of single-task on the corpus A with the seed 0: .*one.json and .*two"
    ):
        compare([results({"A": 5})], [on_disk("one", {"A": 5}), on_disk("two", {"A": 6})])


def test_numbers_of_runs_must_be_the_same() -> None:
    with pytest.raises(BionerError, match=r"1 of single-task on A, 2 of multi-task on A"):
        compare([results({"A": 5}, seed=seed) for seed in (0, 1)], [results({"A": 5})])


def test_other_encoder_context_or_rule_is_warned_about() -> None:
    with pytest.warns(BionerWarning, match="different encoders .bert, small"):
        compare([results({"A": 5})], [results({"A": 5}, encoder="small")])
    with pytest.warns(BionerWarning, match="different contexts .group 180, source"):
        compare([results({"A": 5})], [replace(results({"A": 5}), context="group", context_tokens=180)])
    with pytest.warns(BionerWarning, match=r"rules for overlapping predictions \(all count, the best counts"):
        compare([results({"A": 5})], [replace(results({"A": 5}), provenance={"allow_overlap": False})])
    with pytest.warns(BionerWarning, match=r"guidelines \(named, not named"):
        compare([results({"A": 5})], [replace(results({"A": 5}), provenance={"guideline": False})])


def test_mean_and_spread_over_seeds() -> None:
    single, multi = {0: 5, 1: 5, 2: 8}, {0: 6, 1: 7, 2: 8}
    system = [results({"A": found, "B": 4}, seed=seed) for seed, found in multi.items()]
    table = compare(system[::-1], [results({"A": found}, seed=seed) for seed, found in single.items()])
    lines = comparison_page(table).to_markdown().splitlines()
    assert lines[4].endswith("| p | Better | Runs with multi-task ahead |")
    assert lines[6].startswith("| A | GENE | 10 | 60.00 ± 17.32 | 70.00 ± 10.00 | +10.00 ± 10.00 | ")
    assert lines[6].endswith(" | not significant | 2 of 3 |")
    assert lines[7] == "| B | GENE | 10 | – | 40.00 ± 0.00 | – | – | – | – | – |"
    assert "F1 is the mean of 3 runs ± their standard deviation." in verdict(table)[-1]
    assert [pipeline.seed for pipeline in table.system["A"]] == [0, 1, 2]


def test_results_of_files_folders_and_patterns(on_disk: Callable[..., Results], tmp_path: Path) -> None:
    for name in ("one", "two"):
        on_disk(name, {"A": 5})
    found = read_results([str(tmp_path), str(tmp_path / "t*.json")])
    assert [one.path.name for one in found if one.path] == ["one.json", "two.json", "two.json"]
    for missing in ("three.json", "x*.json"):
        with pytest.raises(BionerError, match=r"holds no results of an evaluation .no such file"):
            read_results([str(tmp_path / missing)])
