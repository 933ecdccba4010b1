"""Concept identifiers, infons and what else is said about documents, from every format to every other."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from spacy.tokens import Doc, DocBin, Span
from spacy.vocab import Vocab

from bioner_spacy.corpora.context import regroup
from bioner_spacy.errors import BionerWarning
from bioner_spacy.formats import get_format, read_documents
from bioner_spacy.formats.documents import input_formats, output_formats
from bioner_spacy.formats.export import mentions_of
from bioner_spacy.formats.standoff import split_identifiers
from bioner_spacy.scope import get_meta, set_gold, set_identifiers
from bioner_spacy.serving.convert import convert_file

GOLD = (
    "1|t|Aspirin in colorectal cancer\n1|a|Aspirin inhibits PTGS1.\n"
    "1\t0\t7\tAspirin\tChemical\tMESH:D1\n1\t11\t28\tcolorectal cancer\tDisease\tD2|D3\n1\t29\t36\tAspirin\tChemical\n"
    "1\tCID\tD1\tD2\n\n"
)
IDENTIFIERS = [("MESH:D1",), ("D2", "D3"), ()]


@pytest.fixture
def gold(tmp_path: Path) -> Path:
    path = tmp_path / "gold.pubtator"
    path.write_text(GOLD)
    return path


def identifiers(format: str, path: Path) -> list[tuple[str, ...]]:
    return [mention.identifiers for document in read_documents(format, path) for mention in document.mentions]


@pytest.mark.parametrize("format", sorted(set(output_formats()) & set(input_formats())))
def test_identifiers_survive_or_are_counted(format: str, gold: Path, tmp_path: Path) -> None:
    with pytest.warns(BionerWarning) as warned:
        assert convert_file(gold, tmp_path / "out", format=format)[:2] == (1, 3)
    messages = [str(warning.message) for warning in warned]
    assert any("not read: 1 relation (first in line 6)" in message for message in messages)
    if "identifiers" in get_format(format).holds:
        assert identifiers(format, tmp_path / "out") == IDENTIFIERS
        assert not any("concept identifiers" in message for message in messages)
        convert_file(tmp_path / "out", tmp_path / "again.pubtator", input_format=format)
        assert identifiers("pubtator", tmp_path / "again.pubtator") == IDENTIFIERS
    else:
        assert any("left out: 2 mentions' concept identifiers" in message for message in messages)


def test_the_sixth_and_seventh_column_stay_as_they_were(tmp_path: Path) -> None:
    text = "1|t|Ovarian and breast cancer\n1|a|\n1\t0\t25\tOvarian and breast cancer\tD\tD1|D2\tovarian cancer|breast cancer\n\n"
    for file in ("in.pubtator", "out.pubtator.gz"):
        packed = gzip.compress(text.encode()) if file.endswith(".gz") else text.encode()
        (tmp_path / "in.pubtator").write_bytes(packed)  # known by its content
        convert_file(tmp_path / "in.pubtator", tmp_path / file.replace("in", "out"))
        found = (tmp_path / file.replace("in", "out")).read_bytes()
        assert (gzip.decompress(found) if file.endswith(".gz") else found).decode() == text


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("D1", ["D1"]),
        (" MESH:D1 ;OMIM:5", ["MESH:D1", "OMIM:5"]),
        ("D1|D2", ["D1", "D2"]),
        ("10533,79065", ["10533", "79065"]),
        ("tmVar:c|SUB|G|12|A;HGVS:c.12G>A", ["tmVar:c|SUB|G|12|A", "HGVS:c.12G>A"]),
        ("HGVS:p.V6E;VariantGroup:0;CorrespondingGene:673;RS#:11;CorrespondingSpecies:9606", ["HGVS:p.V6E", "RS#:11"]),
        ("3815(Tax:9606);7", ["3815", "7"]),
        ("-1", []),
        ("-", []),
        ("", []),
    ],
)
def test_several_identifiers_in_one_text(text: str, found: list[str]) -> None:
    assert list(split_identifiers(text)) == found


def test_identifiers_of_bioc(tmp_path: Path) -> None:
    """`identifier` before all others; all infons stay."""
    about = [
        {"identifier": "MESH:D1", "normalized_id": "D1", "type": "D", "valid": True},
        {"MESH": "D1|D2", "type": "D"},
        {"NCBI Gene": "672", "type": "D", "annotator": "7"},
        {"type": "D", "note": "x"},
    ]
    annotations = [{"infons": infons, "text": "", "locations": [{"offset": 0, "length": 4}]} for infons in about]
    for number, annotation in enumerate(annotations):
        annotation["locations"] = [{"offset": number * 5, "length": 4}]
    data = {"documents": [{"id": "1", "passages": [{"offset": 0, "text": "gout " * 4, "annotations": annotations}]}]}
    (tmp_path / "in.json").write_text(json.dumps(data))
    expected = [("MESH:D1",), ("D1", "D2"), ("672",), ()]
    assert identifiers("bioc", tmp_path / "in.json") == expected
    convert_file(tmp_path / "in.json", tmp_path / "out.json", input_format="bioc", format="bioc")
    [passage] = json.loads((tmp_path / "out.json").read_text())["documents"][0]["passages"]
    assert [annotation["infons"] for annotation in passage["annotations"]] == about


XML = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE collection SYSTEM "BioC.dtd">\n'
    '<collection><source>PMC</source><date>20200101</date><key>k</key><infon key="c">1</infon>\n'
    '<document><id>1</id><infon key="license">CC BY</infon>\n'
    '<passage><infon key="type">paragraph</infon><infon key="section_type">RESULTS &amp; x</infon><offset>0</offset>'
    "<text>Warfarin was stopped.</text>\n"
    '<annotation id="1"><infon key="type">CHEMICAL</infon><infon key="MESH">D1</infon><location offset="0" length="8"/>'
    "<text>Warfarin</text></annotation>\n</passage>\n</document>\n</collection>\n"
)


@pytest.mark.parametrize("between", ["bioc", "docbin", "textspans"])
def test_bioc_keeps_what_it_says(between: str, tmp_path: Path) -> None:
    (tmp_path / "in.xml").write_text(XML)
    convert_file(tmp_path / "in.xml", tmp_path / "between", input_format="bioc", format=between)
    convert_file(tmp_path / "between", tmp_path / "out.xml", input_format=between, format="bioc")
    assert (tmp_path / "out.xml").read_text() == XML


def test_other_keys_and_identifiers_of_json(tmp_path: Path) -> None:
    records: list[dict[str, Any]] = [
        {
            "id": 12345.0,
            "text": "Gout",
            "spans": [{"start": 0, "end": 4, "label": "D", "source": "x"}],
            "meta": {"a": [1]},
        },
        {"id": None, "text": "Gout.", "spans": [], "pmid": 7},
        {"id": None, "text": "Gout!", "spans": [], "meta": {"pmid": "PMC8"}},
    ]
    path = tmp_path / "in.jsonl"
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    assert [document.doc_id for document in read_documents("textspans", path)] == ["12345", "7", "PMC8"]
    assert [d.doc_id for d in read_documents("textspans", path, id="meta.pmid")] == ["", "", "PMC8"]
    convert_file(path, tmp_path / "between.spacy")
    convert_file(tmp_path / "between.spacy", tmp_path / "out.jsonl")
    found = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert found == [{**records[0], "id": "12345"}, {**records[1], "id": "7"}, {**records[2], "id": "PMC8"}]
    with pytest.warns(BionerWarning, match="left out: 1 mention's further infons, 3 documents' further keys"):
        convert_file(path, tmp_path / "out.pubtator")


def test_texts_keep_identifiers_apart_from_doc_ids(tmp_path: Path) -> None:
    path = tmp_path / "in.jsonl"
    path.write_text('{"doc_id": "d", "id": 4, "text": "Gout", "label": [[0, 4, "D"]]}\n')
    convert_file(path, tmp_path / "out.jsonl")
    assert json.loads((tmp_path / "out.jsonl").read_text()) == {
        "doc_id": "d",
        "id": 4,
        "text": "Gout",
        "spans": [{"start": 0, "end": 4, "label": "D"}],
    }


def get_identifiers(doc: Doc) -> list[list[str]]:
    group = doc.spans["bioner"]
    return [list(mention.identifiers) for mention in mentions_of(doc, list(group), group.attrs)]


def test_kb_id_of_spans_and_docbins() -> None:
    doc = Doc(Vocab(), words=["Gout", "in", "mice"])
    set_gold(doc, [Span(doc, 0, 1, "D", kb_id="D1"), Span(doc, 2, 3, "S")], corpus="c", scope=["D"], meta={"n": 2**70})
    assert get_identifiers(doc) == [["D1"], []]
    set_identifiers(doc, [["D2", "D3"], []], infons=[{"a": 1}, {}])
    assert [span.kb_id_ for span in doc.spans["bioner"]] == ["D2", ""]
    [again] = DocBin().from_bytes(DocBin(docs=[doc]).to_bytes()).get_docs(Vocab())
    assert get_identifiers(again) == [["D2", "D3"], []]
    assert [span.kb_id_ for span in again.spans["bioner"]] == ["D2", ""]
    assert get_meta(again) == {"n": 2**70}


def test_what_is_known_of_spans_goes_with_them_into_other_contexts() -> None:
    docs, vocab = [], Vocab()
    for number in range(2):
        doc = Doc(vocab, words=["Gout", ".", "Mice", "."], sent_starts=[True, False, True, False])
        spans = [Span(doc, 0, 1, "D"), Span(doc, 2, 3, "S")]
        set_gold(doc, spans, corpus="c", scope=["D"], doc_id="1", passages=[(0, len(doc.text), "")])
        if number:
            doc.spans["bioner"].attrs["scores"] = [0.25, 0.5]
            set_identifiers(doc, [["D1"], ["S1", "S2"]])
        docs.append(doc)
    [whole] = regroup(docs, "document")
    assert get_identifiers(whole) == [[], [], ["D1"], ["S1", "S2"]]
    assert whole.spans["bioner"].attrs["scores"] == [None, None, 0.25, 0.5]
    assert "passages" not in whole.spans["bioner"].attrs
    sentences = regroup(docs[1:], "sentence")
    assert [get_identifiers(sentence) for sentence in sentences] == [[["D1"]], [["S1", "S2"]]]
    assert [sentence.spans["bioner"].attrs["scores"] for sentence in sentences] == [[0.25], [0.5]]


def test_copies_of_a_mention_share_identifiers(tmp_path: Path) -> None:
    path = tmp_path / "in.pubtator"
    path.write_text("1|t|Gout\n1|a|\n1\t0\t4\tGout\tD\tD1\n1\t0\t4\tGout\tD\tD2\n")
    convert_file(path, tmp_path / "out.jsonl")
    [document] = read_documents("textspans", tmp_path / "out.jsonl")
    assert [mention.identifiers for mention in document.mentions] == [("D1", "D2")]
