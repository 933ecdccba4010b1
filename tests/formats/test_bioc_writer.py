import itertools
import json
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from annotated_docs import docs, make_doc, mentions, passages, read_mentions, scores
from hypothesis import given
from hypothesis import strategies as st
from spacy.tokens import Doc

from bioner_spacy.errors import BionerError, BionerWarning
from bioner_spacy.formats.bioc import read, write

NOT_XML = "\x01\x08\uffff"


def test_xml(tmp_path: Path) -> None:
    doc = make_doc(["Gout", "&", "mice"], [(0, 3, "<D>")], doc_id="P&1", scores=[0.5])
    write([doc], tmp_path / "out.xml")
    assert (tmp_path / "out.xml").read_text("utf8") == (
        '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE collection SYSTEM "BioC.dtd">\n'
        "<collection><source>bioner_spacy</source><date></date><key></key>\n"
        "<document><id>P&amp;1</id>\n<passage><offset>0</offset><text>Gout &amp; mice </text>\n"
        '<annotation id="1"><infon key="type">&lt;D&gt;</infon><infon key="score">0.5</infon>'
        '<location offset="0" length="11"/><text>Gout &amp; mice</text></annotation>\n'
        "</passage>\n</document>\n</collection>\n"
    )


def test_json(tmp_path: Path) -> None:
    write([make_doc(["Gout"], [(0, 1, "D")], scores=[0.5]), make_doc([])], tmp_path / "out.JSON")
    collection = json.loads((tmp_path / "out.JSON").read_text("utf8"))
    first, second = collection.pop("documents")
    assert collection == {"source": "bioner_spacy", "date": "", "key": "", "infons": {}}
    ((passage,), (empty,)) = first["passages"], second["passages"]
    assert (first["id"], second["id"], passage["offset"], empty["text"]) == ("1", "2", 0, "")
    infons, places = {"type": "D", "score": "0.5"}, [{"offset": 0, "length": 4}]
    assert passage["annotations"] == [{"id": "1", "infons": infons, "locations": places, "text": "Gout"}]


@pytest.mark.parametrize("suffix", ["xml", "json"])
def test_passages_of_the_source(suffix: str, tmp_path: Path) -> None:
    parts = [[0, 4, "title\x01"], [5, 5, ""], [6, 10, "a<b"]]
    spans = [(0, 1, "A"), (0, 4, "B"), (3, 4, "C")]
    doc = make_doc(["Gout", " ", "\n", "Mice"], spans, spaces=[False] * 4, passages=parts)
    path = tmp_path / f"out.{suffix}"
    write([doc], path)
    (document,) = read(path)
    title = "title" if suffix == "xml" else "title\x01"
    assert [list(passage[:3]) for passage in document.passages] == [[0, 4, title], [4, 4, ""], [6, 10, "a<b"]]
    assert (document.text, read_mentions(document)) == ("Gout  Mice", [(0, 4, "A"), (0, 10, "B"), (6, 10, "C")])


def test_what_xml_cannot_hold(tmp_path: Path) -> None:
    doc = make_doc(["a\x00b", "\x0c"], [(0, 1, "A")], spaces=[False] * 2, doc_id="x\x01")
    with pytest.warns(BionerWarning, match="2 characters that the format bioc .* in document x%01; offsets"):
        write([doc], tmp_path / "out.xml")
    (document,) = read(tmp_path / "out.xml")
    assert (document.id, document.text, read_mentions(document)) == ("x%01", "a b ", [(0, 3, "A")])
    with pytest.raises(BionerError, match=r"the label 'A\\x01' cannot be written in the format bioc"):
        write([make_doc(["a"], [(0, 1, "A\x01")])], tmp_path / "out.xml")


@given(documents=st.lists(docs(NOT_XML), min_size=1, max_size=3), suffix=st.sampled_from(["xml", "json"]))
@pytest.mark.filterwarnings(
    "ignore:.*(have no characters but whitespace|were written as spaces|cannot hold all of it)"
)
def test_what_is_written_is_read(documents: list[Doc], suffix: str) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"out.{suffix}"
        write(documents, path)
        found = list(read(path))
    lost = {ord(char): " " for char in NOT_XML + "\x0b\x1c"} if suffix == "xml" else {}
    for document, doc in zip(found, documents, strict=True):
        text = list(doc.text.translate(lost))
        for (_, before, _), (after, _, _) in itertools.pairwise(passages(doc)):
            text[before:after] = " "
        assert document.text == "".join(text)
        assert [list(passage[:3]) for passage in document.passages] == passages(doc)
        with_scores = sorted((one.start, one.end, one.label, one.score) for one in document.mentions)
        assert with_scores == sorted((*mention, score) for mention, score in zip(mentions(doc), scores(doc)))
