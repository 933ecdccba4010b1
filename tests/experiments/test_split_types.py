"""A corpus of several types made into parts of one type each."""

from pathlib import Path

import pytest
import spacy
from spacy.tokens import DocBin, Span
from spacy.vocab import Vocab

from bioner_spacy.docbin import load_docs
from bioner_spacy.errors import BionerError
from bioner_spacy.experiments.split_types import split_types
from bioner_spacy.scope import SPANS_KEY, get_corpus, get_doc_id, get_scope, set_gold
from bioner_spacy.training.corpora import MultiCorpus

TYPES = ["CHEMICAL", "DISEASE", "GENE"]


def write(folder: Path, n_documents: int, *, doc_ids: bool = True) -> Path:
    """A corpus with three sentences in each document, and a mention of each type in each sentence."""
    nlp = spacy.blank("en")
    (folder / "all").mkdir(parents=True)
    for split in ("train", "devel"):
        docs = DocBin()
        for number in range(n_documents):
            for sentence in range(3):
                doc = nlp.make_doc(f"aspirin asthma BRCA1 {split} {number} {sentence}")
                spans = [Span(doc, i, i + 1, label=entity_type) for i, entity_type in enumerate(TYPES)]
                set_gold(doc, spans, corpus="all", scope=TYPES, doc_id=str(number) if doc_ids else "")
                docs.add(doc)
        docs.to_disk(folder / "all" / f"{split}.spacy")
    return folder


def split(folder: Path, output: Path, seed: int = 0) -> dict[str, list[list[str]]]:
    """Texts of each part in train and devel."""
    readers = [MultiCorpus(folder, ["all"], name) for name in ("train", "devel")]
    parts = split_types(*readers, "all", output, seed=seed)
    assert parts == [f"all-{entity_type}" for entity_type in TYPES]
    return {
        part: [[d.text for d in load_docs(output / part / f"{name}.spacy", Vocab())] for name in ("train", "devel")]
        for part in parts
    }


def test_documents_are_dealt_out_whole_and_once(tmp_path: Path) -> None:
    texts = split(write(tmp_path / "in", 7), tmp_path / "out")
    train = [part[0] for part in texts.values()]
    assert sorted(text for part in train for text in part) == sorted(
        f"aspirin asthma BRCA1 train {number} {sentence}" for number in range(7) for sentence in range(3)
    )
    assert sorted(map(len, train)) == [6, 6, 9]
    documents = [{text.split()[-2] for text in part} for part in train]
    assert [3 * len(part) for part in documents] == list(map(len, train))
    assert all(len(part[1]) == 21 for part in texts.values())
    assert split(tmp_path / "in", tmp_path / "again") == texts
    assert split(tmp_path / "in", tmp_path / "again", seed=1) != texts


def test_parts_annotate_their_type_and_say_so(tmp_path: Path) -> None:
    split(write(tmp_path / "in", 4), tmp_path / "out")
    for entity_type in TYPES:
        for name in ("train", "devel"):
            for doc in load_docs(tmp_path / "out" / f"all-{entity_type}" / f"{name}.spacy", Vocab()):
                assert [span.label_ for span in doc.spans[SPANS_KEY]] == [entity_type]
                assert doc.spans[SPANS_KEY][0].text == doc[TYPES.index(entity_type)].text
                assert get_scope(doc) == {entity_type}
                assert get_corpus(doc) == f"all-{entity_type}"
                assert get_doc_id(doc) == doc[-2].text


def test_records_without_a_document_are_dealt_out_by_themselves(tmp_path: Path) -> None:
    texts = split(write(tmp_path / "in", 1, doc_ids=False), tmp_path / "out")
    assert [len(part[0]) for part in texts.values()] == [1, 1, 1]


def test_a_part_must_not_be_empty_and_nothing_is_left_half_written(tmp_path: Path) -> None:
    write(tmp_path / "in", 2)
    with pytest.raises(BionerError, match="fewer training documents than its 3 types"):
        split(tmp_path / "in", tmp_path / "out")
    assert not (tmp_path / "out").exists()
