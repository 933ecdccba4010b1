"""Reading documents back from a DocBin."""

from pathlib import Path
from typing import Any

import pytest
import spacy
from spacy.tokens import DocBin, Span
from srsly.msgpack import msgpack_decoders, msgpack_encoders

from bioner_spacy.docbin import fast_msgpack, load_docs
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
