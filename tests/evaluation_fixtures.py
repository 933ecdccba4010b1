"""Hand-made documents and pipelines for the tests of the evaluation."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import spacy
from hand_made import GOLD, Mention, mark
from spacy.language import Language
from spacy.tokens import Doc, DocBin, SpanGroup

from bioner_spacy.scope import SPANS_KEY, set_gold


@pytest.fixture
def nlp() -> Language:
    return spacy.blank("en")


@pytest.fixture
def corpus_folder(nlp: Language, tmp_path: Path) -> Path:
    """Converted corpora with the documents of `GOLD`."""
    folder = tmp_path / "corpus"
    for corpus, (scope, texts) in GOLD.items():
        docs = DocBin()
        for number, (text, mentions) in enumerate(texts.items()):
            doc = nlp.make_doc(text)
            set_gold(doc, mark(doc, mentions), corpus=corpus, scope=scope, doc_id=f"{corpus}-{number}")
            docs.add(doc)
        (folder / corpus).mkdir(parents=True)
        docs.to_disk(folder / corpus / "test.spacy")
    return folder


class FixedMentions:
    """A component that predicts the mentions given for a text, and nothing in other texts."""

    def __init__(self) -> None:
        self.mentions: dict[str, list[Mention]] = {}

    def __call__(self, doc: Doc) -> Doc:
        doc.spans[SPANS_KEY] = SpanGroup(doc, spans=mark(doc, self.mentions.get(doc.text, [])))
        return doc


@Language.factory("fixed_mentions")
def make_fixed_mentions(nlp: Language, name: str) -> FixedMentions:
    return FixedMentions()


@pytest.fixture
def make_pipeline() -> Callable[[dict[str, list[Mention]]], Language]:
    """Make a pipeline that predicts the given mentions of each text."""

    def make(mentions: dict[str, list[Mention]]) -> Language:
        nlp = spacy.blank("en")
        component: Any = nlp.add_pipe("fixed_mentions")
        component.mentions = mentions
        return nlp

    return make
