"""One training folder of training and development parts."""

from pathlib import Path

import pytest
import spacy
from spacy.tokens import Span

from bioner_spacy.corpora.combine import combine
from bioner_spacy.docbin import load_docs, write_docs
from bioner_spacy.errors import BionerError
from bioner_spacy.scope import set_gold

NLP = spacy.blank("en")
LEAK = "A sentence that is in the test part of a corpus ."


def write(folder: Path, corpus: str, split: str, texts: list[str], *, with_mention: bool = True) -> None:
    docs = []
    for text in texts:
        doc = NLP.make_doc(text)
        set_gold(doc, [Span(doc, 0, 1, "GENE")] if with_mention else [], corpus=corpus, scope=["GENE"])
        docs.append(doc)
    (folder / corpus).mkdir(parents=True, exist_ok=True)
    write_docs(docs, folder / corpus / f"{split}.spacy", NLP.vocab)


def texts(name: str, n: int) -> list[str]:
    return [f"{name} number {i} is a sentence of its own ." for i in range(n)]


def read(folder: Path, corpus: str, split: str) -> list[str]:
    return [doc.text for doc in load_docs(folder / corpus / f"{split}.spacy", NLP.vocab)]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "corpus"
    write(folder, "a", "train", [*texts("train", 30), LEAK])
    write(folder, "a", "devel", texts("devel", 10))
    write(folder, "a", "test", texts("test", 3))
    write(folder, "b", "train", [*texts("other", 24), "First words here . " + LEAK.replace(" .", ".")])
    write(folder, "b", "test", [LEAK])
    return folder


def test_what_is_held_out_is_not_trained_on_and_no_test_sentence_is(source: Path, tmp_path: Path) -> None:
    a, b = combine(source, tmp_path / "all", ["a", "b"])
    assert (a.leaking, a.held_out, a.train) == (1, 2, 38)
    # Without a development part some of the training part is held out; a document with a leaking sentence goes.
    assert (b.leaking, b.held_out, b.train) == (1, 2, 22)
    trained, held_out = read(tmp_path / "all", "a", "train"), read(tmp_path / "all", "a", "devel")
    assert sorted(trained + held_out) == sorted(texts("train", 30) + texts("devel", 10))
    assert all(text.startswith("devel") for text in held_out)


def test_shares_of_documents_and_of_those_without_mentions(source: Path, tmp_path: Path) -> None:
    write(source, "c", "train", texts("empty", 200), with_mention=False)
    [c] = combine(source, tmp_path / "one", ["c"], empty_shares={"c": 0.5})
    assert 60 < c.train < 125 and c.train + c.skipped + c.held_out == 200
    [again] = combine(source, tmp_path / "two", ["c"], empty_shares={"c": 0.5})
    assert again == c
    [none] = combine(source, tmp_path / "three", ["a"], shares={"a": 0.0})
    assert none.train == 0


def test_a_test_part_of_another_corpus_that_is_named(source: Path, tmp_path: Path) -> None:
    [alone] = combine(source, tmp_path / "one", ["a"])
    [with_b] = combine(source, tmp_path / "two", ["a"], tested=["b"])
    assert (alone.leaking, with_b.leaking) == (0, 1)


def test_a_corpus_without_training_part_is_refused(source: Path, tmp_path: Path) -> None:
    with pytest.raises(BionerError, match="none"):
        combine(source, tmp_path / "one", ["none"])
