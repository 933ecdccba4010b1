"""Calibrated scores, and the flat view by an order of types."""

import numpy
import pytest
import spacy
from spacy.tokens import Doc, Span

from bioner_spacy.errors import BionerError
from bioner_spacy.pipeline.spans import calibrated, calibration_table, flat_view


def test_scores_of_each_type_have_their_own_line() -> None:
    table = calibration_table(["A", "B"], {"B": [2.0, 1.0]})
    scores = calibrated(numpy.array([0.2, 0.5, 0.5], dtype="f"), numpy.array([0, 0, 1]), table)
    numpy.testing.assert_allclose(scores, [0.2, 0.5, 1 / (1 + numpy.exp(-1.0))], rtol=1e-6)
    certain = calibrated(numpy.array([0.0, 1.0], dtype="f"), numpy.array([1, 1]), table)
    assert numpy.isfinite(certain).all() and certain[0] < certain[1]


def test_no_calibration_changes_nothing() -> None:
    scores = numpy.array([0.1, 0.9], dtype="f")
    assert calibration_table(["A"], {}) is None
    assert calibrated(scores, numpy.array([0, 0]), None) is scores


@pytest.mark.parametrize(
    "calibration", [{"C": [1.0, 0.0]}, {"A": [0.0, 0.0]}, {"A": [1.0]}, {"A": [float("nan"), 0.0]}]
)
def test_wrong_calibration_is_refused(calibration: dict[str, list[float]]) -> None:
    with pytest.raises(BionerError, match="calibration"):
        calibration_table(["A", "B"], calibration)


def test_flat_view_by_order_of_types() -> None:
    doc = Doc(spacy.blank("en").vocab, words=["IL-2", "promoter", "binds", "p53"])
    spans = [
        Span(doc, 0, 1, "GENE"),
        Span(doc, 0, 1, "PROTEIN"),
        Span(doc, 0, 2, "DNA"),
        Span(doc, 3, 4, "PROTEIN"),
        Span(doc, 2, 3, "OTHER"),
    ]
    scores = [0.6, 0.9, 0.5, 0.8, 1.0]
    types = {"GENE": 0, "PROTEIN": 1, "DNA": 2}
    chosen = sorted((span.start, span.label_) for span in flat_view(doc, spans, scores, keep=True, types=types))
    assert chosen == [(0, "GENE"), (3, "PROTEIN")]
    # Where nothing is preferred, the score decides.
    chosen = sorted((span.start, span.label_) for span in flat_view(doc, spans, scores, keep=True))
    assert chosen == [(0, "PROTEIN"), (2, "OTHER"), (3, "PROTEIN")]


def test_last_types_fill_gaps_of_the_flat_view_alone() -> None:
    doc = Doc(spacy.blank("en").vocab, words=["hereditary", "breast", "cancer", "of", "ducts"])
    spans = [Span(doc, 0, 3, "DISEASE"), Span(doc, 1, 3, "ANATOMY"), Span(doc, 4, 5, "ANATOMY")]
    found = {
        last: sorted(
            (span.start, span.label_) for span in flat_view(doc, spans, [0.6, 0.9, 0.5], keep=True, last=last)
        )
        for last in ((), ("ANATOMY",))
    }
    assert found == {(): [(1, "ANATOMY"), (4, "ANATOMY")], ("ANATOMY",): [(0, "DISEASE"), (4, "ANATOMY")]}
