"""Calibration of scores."""

from pathlib import Path
from typing import Any

import numpy
import pytest
import spacy
from hand_made import GOLD
from toy_corpora import CNN

from bioner_spacy.analysis.calibrate import calibrate, platt
from bioner_spacy.docbin import load_docs
from bioner_spacy.errors import BionerError


@pytest.mark.parametrize(("slope", "intercept"), [(0.5, 0.0), (1.5, -1.0), (1.0, 0.7)])
def test_platt_finds_the_line_that_scores_were_bent_by(slope: float, intercept: float) -> None:
    rng = numpy.random.default_rng(0)
    odds = rng.normal(scale=2.0, size=20_000)
    right = rng.random(len(odds)) < 1 / (1 + numpy.exp(-(slope * odds + intercept)))
    found = platt(1 / (1 + numpy.exp(-odds)), right)
    assert found == pytest.approx((slope, intercept), abs=0.1)


def test_few_predictions_are_not_taken_for_certain() -> None:
    slope, intercept = platt(numpy.array([0.9, 0.95]), numpy.array([True, True]))
    assert 0 < slope < 3 and -2 < intercept < 2
    slope, _ = platt(numpy.array([0.9, 0.1, 0.8]), numpy.array([False, True, False]))
    assert slope >= 0.05


def test_worst_order_keeps_a_positive_slope() -> None:
    scores = numpy.linspace(0.01, 0.99, 200)
    assert platt(scores, scores < 0.5)[0] == 0.05


def test_a_pipeline_is_saved_with_what_was_fitted(corpus_folder: Path, tmp_path: Path) -> None:
    nlp = spacy.blank("en")
    model = {"@architectures": "bioner_spacy.TagHeads.v1", "tok2vec": CNN}
    component: Any = nlp.add_pipe("multitask_ner", config={"model": model})
    docs = [doc for corpus in GOLD for doc in load_docs(corpus_folder / corpus / "test.spacy", nlp.vocab)]
    examples = [spacy.training.Example(nlp.make_doc(doc.text), doc) for doc in docs]
    nlp.initialize(lambda: examples)
    optimizer = nlp.resume_training()
    for _ in range(30):
        nlp.update(examples, sgd=optimizer)
    nlp.to_disk(tmp_path / "trained")
    kinds = list(component.labels)
    fitted = calibrate(tmp_path / "trained", tmp_path / "new", corpus_folder, split="test", ents_types=kinds[:1])
    assert fitted
    loaded: Any = spacy.load(tmp_path / "new").get_pipe("multitask_ner")
    assert loaded.calibration == {kind: [round(one.slope, 4), round(one.intercept, 4)] for kind, one in fitted.items()}
    assert loaded.ents_types == kinds[:1]
    # Fitted anew: what was calibrated is not calibrated a second time.
    assert calibrate(tmp_path / "new", tmp_path / "again", corpus_folder, split="test") == fitted


def test_a_pipeline_without_such_a_component_is_refused(corpus_folder: Path, tmp_path: Path) -> None:
    spacy.blank("en").to_disk(tmp_path / "blank")
    with pytest.raises(BionerError, match="no component whose scores can be calibrated"):
        calibrate(tmp_path / "blank", tmp_path / "new", corpus_folder, split="test")
