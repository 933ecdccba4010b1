"""The README and the meta data of a packaged pipeline."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import spacy
from spacy.cli.package import generate_readme, get_meta
from toy_corpora import make_examples, make_nlp

from bioner_spacy.corpora import Catalogue
from bioner_spacy.corpora.catalogue import Corpus, CorpusSet
from bioner_spacy.errors import BionerError, BionerWarning
from bioner_spacy.reports.model_card import complete_meta
from bioner_spacy.scoring.evaluate import describe, load_pipeline
from bioner_spacy.scoring.results import Results


@pytest.fixture
def pipeline(tmp_path: Path) -> Path:
    """A pipeline of two corpora on disk, with a score of its training."""
    nlp = make_nlp()
    nlp.initialize(lambda: make_examples(nlp, ["diseases", "genes"]))
    nlp.meta["performance"] = {"spans_bioner_macro_f": 0.0777}
    nlp.to_disk(tmp_path / "pipeline")
    return tmp_path / "pipeline"


@pytest.fixture
def catalogue() -> Catalogue:
    about = {"citation": "Doe et al. 2020", "redistributable": "no", "notes": "Symptoms | signs\ncount."}
    about |= {"licence": "CC BY", "homepage": "https://example.org"}
    diseases = Corpus("diseases", "iob", {}, {"D": "DISEASE"}, **about)
    genes = replace(diseases, name="genes", homepage="that of this project", licence="free", notes="")
    return Catalogue(Path("c.yml"), {}, {"diseases": diseases, "genes": genes}, {})


@pytest.fixture
def results(pipeline: Path) -> Results:
    """Scores of the pipeline on one corpus."""
    scores = {"p": 0.5, "r": 0.25, "f": 1 / 3, "tp": 1, "fp": 1, "fn": 3, "gold": 4, "predicted": 2}
    overall = {"macro_f": 1 / 3, "p": 0.5, "r": 0.25, "f": 1 / 3, "nested_f": None}
    found = {**overall, "per_corpus": {"diseases": {**scores, "per_type": {"DISEASE": scores}}}}
    known = describe(load_pipeline(pipeline))
    return Results(known, split="test", limit=None, scores=found, tokens=10, tokens_per_second=5.0)


def readme(pipeline: Path, meta: dict) -> str:
    """What `spacy package` writes."""
    return str(generate_readme({**get_meta(pipeline, meta), "name": "mine"}))


def test_scores_are_those_of_the_evaluation(pipeline: Path, catalogue: Catalogue, results: Results) -> None:
    meta = complete_meta(pipeline, catalogue, results, name="mine")
    assert meta["performance"]["spans_bioner_macro_f"] == pytest.approx(1 / 3)
    assert meta["performance"]["spans_bioner_per_corpus"]["diseases"]["per_type"]["DISEASE"]["p"] == 0.5
    text = readme(pipeline, meta)
    assert "| `SPANS_BIONER_MACRO_F` | 33.33 |" in text and "7.77" not in text
    assert "| diseases | DISEASE | 4 | 2 | 50.00 | 25.00 | 33.33 |" in text
    assert "on the test split" in text


def test_scores_without_a_guideline_calibration_and_notes(
    pipeline: Path, catalogue: Catalogue, results: Results
) -> None:
    meta = json.loads((pipeline / "meta.json").read_text(encoding="utf8"))
    meta["calibration"] = {"DISEASE": {"predicted": 1200, "error": 0.0123, "threshold": 0.45}}
    (pipeline / "meta.json").write_text(json.dumps(meta), encoding="utf8")
    unnamed = replace(results, scores={**results.scores, "per_corpus": {"other": results.per_corpus["diseases"]}})
    text = readme(
        pipeline, complete_meta(pipeline, catalogue, results, unnamed=unnamed, notes="## Mice\n", name="mine")
    )
    assert "| DISEASE | 1,200 | 1.23 | 0.45 |" in text
    without = text[text.index("## Scores without a guideline") :]
    assert "| other | DISEASE | 4 | 2 | 50.00 | 25.00 | 33.33 |" in without and "## Mice" in without
    assert "5 per second" in text


def test_corpora_with_licences_and_policies(pipeline: Path, catalogue: Catalogue, results: Results) -> None:
    text = readme(pipeline, complete_meta(pipeline, catalogue, results, name="mine"))
    row = "| [diseases](https://example.org) | DISEASE | CC BY | no | Doe et al. 2020 | Symptoms \\| signs count. |"
    assert row in text
    assert "| genes | DISEASE | free | no |" in text and "(that of this project)" not in text
    assert 'spacy.load("en_mine")' in text
    assert "`python -m spacy bioner apply en_mine texts.txt annotated.spacy`" in text
    assert "invented" not in text


def test_corpora_that_the_catalogue_does_not_know_are_reported(pipeline: Path, catalogue: Catalogue) -> None:
    with pytest.warns(BionerWarning, match="does not know the corpora genes"):
        meta = complete_meta(
            pipeline, replace(catalogue, corpora={"diseases": catalogue.corpora["diseases"]}), None, name="x"
        )
    assert "| genes | GENE | not known: the corpus is not in the catalogue |" in meta["notes"]


def test_a_pipeline_without_the_component(tmp_path: Path, catalogue: Catalogue) -> None:
    spacy.blank("en").to_disk(tmp_path / "blank")
    with pytest.raises(BionerError, match="blank has no component multitask_ner"):
        complete_meta(tmp_path / "blank", catalogue, None, name="x")


def test_results_of_another_pipeline(pipeline: Path, catalogue: Catalogue, results: Results) -> None:
    other = replace(results, pipeline=replace(results.pipeline, config="0123456789abcdef"))
    with pytest.raises(BionerError, match="a config with the checksum 0123456789ab and"):
        complete_meta(pipeline, catalogue, other, name="x")
    unknown = replace(results, pipeline=replace(results.pipeline, config=None))
    assert complete_meta(pipeline, catalogue, unknown, name="x")["performance"]
    other = replace(results, pipeline=replace(results.pipeline, seed=99))
    with pytest.raises(BionerError, match="another pipeline.*seed 99 and"):
        complete_meta(pipeline, catalogue, other, name="x")


def test_what_the_pipeline_saw_and_what_counts_is_reported(
    pipeline: Path, catalogue: Catalogue, results: Results
) -> None:
    grouped = replace(results, context="group", context_tokens=90)
    meta = complete_meta(pipeline, catalogue, grouped, name="x")
    assert "saw one group of at most 90 tokens at a time" in meta["notes"]
    assert "overlapping" not in meta["notes"]
    without = replace(results, provenance={"allow_overlap": False})
    assert "only the best counts" in complete_meta(pipeline, catalogue, without, name="x")["notes"]


def test_sample_corpora_are_said_to_be_invented(pipeline: Path, catalogue: Catalogue, results: Results) -> None:
    sets = {"sample": CorpusSet("sample", ("genes",), 1, 10)}
    meta = complete_meta(pipeline, replace(catalogue, sets=sets), results, name="mine")
    assert "say nothing about quality" in meta["notes"]


def test_without_results_the_card_has_no_scores(pipeline: Path, catalogue: Catalogue) -> None:
    meta = complete_meta(pipeline, catalogue, None, name="mine")
    assert meta["performance"] == {}
    text = readme(pipeline, meta)
    assert "None were given" in text and "7.77" not in text
