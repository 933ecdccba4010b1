"""Pipelines without weights; one finds the terms of a list, nested ones too, with scores."""

import re

import pytest
import spacy
from faulty_pipeline import write_pipeline
from spacy.language import Language
from spacy.tokens import Doc, SpanGroup

from bioner_spacy.pipeline.spans import flat_view

TERMS = {
    "NOD2": ("GENE", 0.95),
    "Crohn disease": ("DISEASE", 0.9),
    "aspirin": ("CHEMICAL", 0.6),
    "NOD2 protein complex": ("COMPLEX", 0.4),
    "protein complex of": ("PROTEIN", 0.3),
}


class Terms:
    """Finds `TERMS` in `doc.spans["bioner"]`; fails on a text with the word "boom"."""

    labels = tuple(sorted({label for label, _ in TERMS.values()}))

    def __call__(self, doc: Doc) -> Doc:
        if "boom" in doc.text:
            raise RuntimeError("a secret of the pipeline")
        found = [
            (doc.char_span(match.start(), match.end(), label=label), score)
            for term, (label, score) in TERMS.items()
            for match in re.finditer(re.escape(term), doc.text)
        ]
        found = sorted((pair for pair in found if pair[0] is not None), key=lambda pair: pair[0].start)
        spans, scores = [span for span, _ in found], [score for _, score in found]
        doc.spans["bioner"] = SpanGroup(doc, name="bioner", attrs={"scores": scores}, spans=spans)
        doc.set_ents(flat_view(doc, spans, scores, keep=False), default="outside")
        return doc


@Language.factory("terms_of_a_test", assigns=["doc.spans", "doc.ents"])
def make_terms(nlp: Language, name: str) -> Terms:
    """The component."""
    return Terms()


@pytest.fixture
def nlp() -> Language:
    """The pipeline."""
    nlp = spacy.blank("en")
    nlp.add_pipe("terms_of_a_test")
    return nlp


@pytest.fixture
def pipeline(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> str:
    """Folder of the pipeline of `faulty_pipeline`."""
    return str(write_pipeline(tmp_path_factory.mktemp("faulty"), monkeypatch))
