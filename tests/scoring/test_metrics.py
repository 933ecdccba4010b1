"""Metrics: their counts by hand and by brute force, and one of a user through everything that takes a metric."""

import json
from collections.abc import Callable
from dataclasses import replace
from itertools import permutations
from pathlib import Path

import pytest
from hand_made import ASTHMA, RECEPTOR
from hypothesis import given
from made_mentions import mentions
from spacy.language import Language

from bioner_spacy.analysis.cross_corpus import cross_corpus
from bioner_spacy.errors import BionerError, BionerWarning
from bioner_spacy.reports.comparison import comparison_page, draw_comparison, systems_page
from bioner_spacy.reports.cross_corpus import matrix_table
from bioner_spacy.reports.table import results_table
from bioner_spacy.scoring.compare import compare
from bioner_spacy.scoring.evaluate import evaluate
from bioner_spacy.scoring.mentions import Compared, Mention
from bioner_spacy.scoring.metrics import ALL_TYPES, METRICS, Counts, Metric, get_metric
from bioner_spacy.scoring.results import Results
from bioner_spacy.scoring.scorer import make_scorer, score_mentions
from bioner_spacy.scoring.systems import compare_systems

MakePipeline = Callable[[dict[str, list[tuple[str, str]]]], Language]
GOLD: set[Mention] = {(0, 10, "A"), (0, 4, "B"), (12, 15, "A")}
PREDICTED: set[Mention] = {(0, 10, "B"), (0, 4, "B"), (11, 15, "A"), (20, 22, "A")}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("strict", Counts(3, 4, 1, 1)),
        ("exact", Counts(3, 4, 2, 2)),
        ("partial", Counts(3, 4, 2.5, 2.5)),
        ("type", Counts(3, 4, 2, 2)),
        ("nested", Counts(1, 1, 1, 1)),
        ("flat", Counts(2, 3, 0, 0)),
    ],
)
def test_counts_by_hand(name: str, expected: Counts) -> None:
    assert METRICS[name].counts(GOLD, PREDICTED)[ALL_TYPES] == expected


def test_counts_of_a_type_look_at_its_mentions_only() -> None:
    assert METRICS["exact"].counts(GOLD, PREDICTED)["B"] == Counts(1, 2, 1, 1)
    assert METRICS["nested"].counts(GOLD, PREDICTED).keys() == {"B", ALL_TYPES}


def test_a_nested_mention_may_count_on_one_side_only() -> None:
    found = METRICS["nested"].counts({(0, 10, "A"), (2, 4, "A")}, {(2, 4, "A"), (6, 7, "A"), (6, 9, "A")})[ALL_TYPES]
    assert found == Counts(gold=1, predicted=1, found=1, right=0)
    assert (found.tp, found.fp, found.fn) == (1, 1, 0)


@given(mentions(most=4), mentions(most=4))
def test_pairs_count_as_much_as_can_be(gold: set[Mention], predicted: set[Mention]) -> None:
    for metric in METRICS.values():
        if metric.credit is not None:
            fewer, more = sorted((sorted(gold), sorted(predicted)), key=len)
            credits = {pair: metric.credit(*pair) for pair in ((a, b) for a in gold for b in predicted)}
            overlap = {(a, b) for a, b in credits if a[0] < b[1] and b[0] < a[1]}
            best = max(
                sum(
                    credits[p] if (p := (a, b) if a in gold and (a, b) in overlap else (b, a)) in overlap else 0
                    for a, b in zip(fewer, chosen)
                )
                for chosen in permutations(more, len(fewer))
            )
            found = metric.counts(gold, predicted)[ALL_TYPES]
            assert found.found == found.right <= best
            assert found.found == best or metric.name == "partial"  # which prefers equal boundaries


def test_a_metric_that_is_not_there() -> None:
    with pytest.raises(BionerError, match="no metric 'any'; there are: strict, .*, flat"):
        get_metric("any")
    with pytest.raises(BionerError, match="no metric 'any'"):
        make_scorer(metrics=["any"])


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch) -> Metric:
    """A metric of a user: the first character and the type are right."""
    metric = Metric("start", "same start and type", lambda one, other: int((one[0], one[2]) == (other[0], other[2])))
    monkeypatch.setitem(METRICS, "start", metric)
    return metric


@pytest.fixture
def results(start: Metric, make_pipeline: MakePipeline, corpus_folder: Path) -> tuple[Results, Results]:
    """Results of two pipelines, of which one finds starts and the other one nothing."""
    found = {ASTHMA: [("Aspirin-induced", "CHEMICAL")], RECEPTOR: [("interleukin 2", "GENE")]}
    system, baseline = (evaluate(make_pipeline(found if n else {}), corpus_folder) for n in (1, 0))
    return system, replace(baseline, pipeline=replace(baseline.pipeline, encoder=system.pipeline.encoder))


def test_a_new_metric_in_the_scorer(start: Metric) -> None:
    compared = [Compared("c", "1", {(0, 4, "A")}, {(0, 5, "A"), (7, 9, "A")})]
    scores = score_mentions(compared, metrics=["start"])
    assert (scores["spans_bioner_p"], scores["spans_bioner_start_p"], scores["spans_bioner_start_r"]) == (0, 0.5, 1)
    assert scores["spans_bioner_per_corpus"]["c"]["start"]["gold"] == 1


def test_a_new_metric_in_results_tables_comparisons_and_charts(
    results: tuple[Results, Results], tmp_path: Path
) -> None:
    system, baseline = results
    assert system.by("strict") is system and system.per_corpus["drugs"]["f"] == 0
    found = system.by("start")
    assert (found.metric, found.per_corpus["drugs"]["tp"], found.per_corpus["genes"]["tp"]) == ("start", 1, 1)
    rows = {tuple(row[:2]): list(row[2:]) for row in results_table(found).rows}
    assert rows["genes", "GENE"] == ["1", "1", "100.00", "100.00", "100.00"]
    system.to_disk(tmp_path / "system.json")
    assert Results.from_disk(tmp_path / "system.json").by("start").scores == found.scores
    comparison = compare([system], [baseline], metric="start", resamples=50)
    assert comparison.corpus_rows[0].system == found.per_corpus["drugs"]["f"] > 0
    assert "F1 in percent, same start and type." in comparison_page(comparison).to_markdown()
    assert draw_comparison(comparison).axes[0].get_xlabel().startswith("F1 (%), same start and type")
    systems = compare_systems("Two", {"none": [baseline], "some": [system]}, metric="start", resamples=50)
    assert "same start and type" in systems_page(systems).to_markdown()
    with pytest.raises(BionerError, match="has no counts by the metric start"):
        compare([replace(system, by_metric={})], [baseline], metric="start")


def test_a_new_metric_across_corpora(start: Metric, make_pipeline: MakePipeline, corpus_folder: Path) -> None:
    nlp = make_pipeline({RECEPTOR: [("interleukin 2", "GENE")]})
    nlp.add_pipe("entity_ruler").add_patterns([{"label": "GENE", "pattern": "x"}])  # type: ignore[attr-defined]
    with pytest.warns(BionerWarning, match="does not say which corpora"):
        found = cross_corpus([nlp], corpus_folder, corpora=["genes"], metric="start")
    assert matrix_table(found).rows == [["pipeline", "100.00 (1)"]]


def test_where_results_come_from(results: tuple[Results, Results], tmp_path: Path) -> None:
    system, baseline = results
    assert set(system.provenance["checksums"]) == {"drugs/test.spacy", "genes/test.spacy"}
    assert system.provenance["versions"]["spacy"] and system.provenance["spans_key"] == "bioner"
    checksums = {"checksums": {"drugs/test.spacy": "0" * 64}}
    other = replace(baseline, provenance={**baseline.provenance, **checksums})
    with pytest.raises(BionerError, match="different checksums: drugs/test.spacy; evaluate both on the same files"):
        compare([system], [other])
    with pytest.warns(BionerWarning, match=r"different checksums \(drugs/test.spacy\)"):
        compare([system], [other], insist=True, resamples=5)
    versions = {"versions": {**baseline.provenance["versions"], "torch": "0.1"}}
    with pytest.warns(BionerWarning, match="different versions of torch"):
        compare([system], [replace(baseline, provenance={**baseline.provenance, **versions})], resamples=5)
    system.to_disk(tmp_path / "r.json")
    assert json.loads((tmp_path / "r.json").read_text("utf8"))["provenance"] == system.provenance
