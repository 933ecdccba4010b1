"""Reading documents back from a DocBin."""

import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import spacy
import srsly
from spacy.language import Language
from spacy.tokens import Doc, DocBin, Span
from spacy.training.corpus import walk_corpus
from spacy.vocab import Vocab
from srsly.msgpack import msgpack_decoders, msgpack_encoders

from bioner_spacy.docbin import doc_lengths, docbin_files, fast_msgpack, iter_docs, load_docs, write_docs
from bioner_spacy.errors import BionerError
from bioner_spacy.scope import SPANS_KEY, get_scope, set_gold

REGISTRIES = (msgpack_decoders, msgpack_encoders)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    nlp = spacy.blank("en")
    docs = DocBin()
    for text in ("Aspirin helps", "", "Nothing here"):
        doc = nlp.make_doc(text)
        spans = [Span(doc, 0, 1, label="CHEMICAL")] if text.startswith("Aspirin") else []
        set_gold(doc, spans, corpus="CDR", scope=["CHEMICAL"])
        docs.add(doc)
    docs.to_disk(tmp_path / "train.spacy")
    return tmp_path / "train.spacy"


def patched() -> list[bool]:
    return ["get_all" in vars(registry) for registry in REGISTRIES]


def test_documents_come_back_in_order_with_their_gold(file: Path) -> None:
    docs = load_docs(file, spacy.blank("en").vocab)
    assert [doc.text for doc in docs] == ["Aspirin helps", "", "Nothing here"]
    assert [[span.text for span in doc.spans[SPANS_KEY]] for doc in docs] == [["Aspirin"], [], []]
    assert all(get_scope(doc) == {"CHEMICAL"} for doc in docs)
    assert patched() == [False, False]


def test_extensions_are_looked_up_once(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[Any] = []
    get_all = type(msgpack_decoders).get_all

    def counted(self: Any) -> Any:
        if self in REGISTRIES:
            calls.append(self)
        return get_all(self)

    monkeypatch.setattr(type(msgpack_decoders), "get_all", counted)
    load_docs(file, spacy.blank("en").vocab)
    assert 1 <= len(calls) <= len(REGISTRIES)


def test_registries_are_restored_after_an_error() -> None:
    with pytest.raises(RuntimeError), fast_msgpack():
        assert patched() == [True, True]
        raise RuntimeError
    assert patched() == [False, False]


def test_blocks_can_be_nested(file: Path) -> None:
    with fast_msgpack():
        load_docs(file, spacy.blank("en").vocab)
        assert patched() == [True, True]
    assert patched() == [False, False]


def make_docs(nlp: Language, number: int) -> Iterator[Doc]:
    """Documents of three tokens each, of which one is a token of its own and a gold span."""
    for i in range(number):
        doc = nlp.make_doc(f"gene GEN{i} .")
        set_gold(doc, [Span(doc, 1, 2, label=f"T{i % 2}")], corpus="c", scope=["T0", "T1"], doc_id=str(i))
        yield doc


@pytest.mark.parametrize(("number", "files"), [(0, 1), (1, 1), (3, 1), (4, 1), (5, 2), (8, 2), (9, 3)])
def test_large_corpora_are_folders(tmp_path: Path, number: int, files: int) -> None:
    nlp = spacy.blank("en")
    path = tmp_path / "train.spacy"
    write_docs(make_docs(nlp, number), path, nlp.vocab, file_tokens=11)
    assert path.is_dir() == (number > 3)
    assert len(docbin_files(path)) == files
    assert docbin_files(path) == sorted(walk_corpus(path, ".spacy"))  # spaCy's own reader finds the same
    docs = load_docs(path, Vocab())
    assert [doc.text for doc in docs] == [f"gene GEN{i} ." for i in range(number)]
    found = [(span.text, span.label_) for doc in docs for span in doc.spans[SPANS_KEY]]
    assert found == [(f"GEN{i}", f"T{i % 2}") for i in range(number)]
    assert doc_lengths(path).tolist() == [3] * number


def test_a_large_corpus_holds_what_a_small_one_does(tmp_path: Path) -> None:
    for name, tokens in (("one", 1000), ("many", 4), ("again", 4)):
        nlp = spacy.blank("en")
        write_docs(make_docs(nlp, 10), tmp_path / name, nlp.vocab, file_tokens=tokens)
    one, many = ([doc.to_json() for doc in iter_docs(tmp_path / name, Vocab())] for name in ("one", "many"))
    assert one == many
    first, second = (docbin_files(tmp_path / name) for name in ("many", "again"))
    assert [path.name for path in first] == [path.name for path in second]
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]


def test_tokens_of_later_files_are_forgotten(tmp_path: Path) -> None:
    """Else memory would grow with the number of different tokens."""
    nlp = spacy.blank("en")
    write_docs(make_docs(nlp, 10), tmp_path / "many", nlp.vocab, file_tokens=4)
    known = [f"GEN{i}" in nlp.vocab.strings for i in range(10)]
    assert known == [True, True, *[False] * 8]
    assert nlp.make_doc("gene GEN9 .")[1].text == "GEN9"


def test_documents_are_made_one_at_a_time(tmp_path: Path) -> None:
    nlp = spacy.blank("en")
    made: list[int] = []

    def docs() -> Iterator[Doc]:
        for doc in make_docs(nlp, 9):
            made.append(len(list((tmp_path / "many").glob("*.spacy"))))
            yield doc

    write_docs(docs(), tmp_path / "many", nlp.vocab, file_tokens=5)
    assert made == [0, 0, 1, 1, 2, 2, 3, 3, 4]


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        load_docs(tmp_path / "train.spacy", Vocab())


def test_spans_outside_of_their_document_are_refused(file: Path) -> None:
    content = srsly.msgpack_loads(zlib.decompress(file.read_bytes()))
    content["span_groups"] = content["span_groups"][:1] + content["span_groups"][:1] + content["span_groups"][2:]
    file.write_bytes(zlib.compress(srsly.msgpack_dumps(content)))
    docs = iter_docs(file, Vocab())
    assert next(docs).text == "Aspirin helps"
    with pytest.raises(BionerError, match=r"train\.spacy is not a readable DocBin \(\[E035\].* for Doc of length 0"):
        next(docs)


@pytest.mark.parametrize("read", [lambda path: load_docs(path, Vocab()), doc_lengths])
def test_broken_files_are_named(file: Path, read: Callable[[Path], Any], tmp_path: Path) -> None:
    content = file.read_bytes()
    for broken in (b"", b"text", content[: len(content) // 2], content[:-1], zlib.compress(b"\x81\xa1a")):
        file.write_bytes(broken)
        with pytest.raises(BionerError, match=r"train\.spacy is not a readable DocBin \(.*convert the corpus again"):
            read(file)
    shards = tmp_path / "many.spacy"
    shards.mkdir()
    with pytest.raises(BionerError, match=r"many\.spacy is not a readable DocBin \(it is a folder without"):
        read(shards)
    (shards / "0001.spacy").write_bytes(content)
    (shards / "0002.spacy").write_bytes(content[:100])
    with pytest.raises(BionerError, match=r"0002\.spacy is not a readable DocBin"):
        read(shards)
