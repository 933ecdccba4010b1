import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Optional
from xml.sax.saxutils import escape, quoteattr

import pytest
from annotated_docs import fragmented
from hypothesis import given, settings
from hypothesis import strategies as st

from bioner_spacy.errors import BionerError, BionerWarning
from bioner_spacy.formats.bioc import read
from bioner_spacy.formats.document import LONGEST_GAP, Mention, Passage, SourceDocument

XML = """<?xml version="1.0" encoding="utf8"?>
<!DOCTYPE collection SYSTEM "BioC.dtd">
<collection><source>x</source><date/><key>k</key><infon key="type">no type</infon>
<document><id>7</id><infon key="type">abstract</infon>
<passage><infon key="type">title</infon><offset>0</offset><text>Gout &amp; mice.</text>
<annotation id="1"><infon key="type">Dis</infon><infon key="db">D1</infon>
<location offset="0" length="4"/><text>Gout</text></annotation>
</passage>
<passage><offset>14</offset>
<sentence><offset>14</offset><text>Breast and ovarian
cancers.</text>
<annotation id="2"><infon key="type">Dis</infon><location offset="33" length="7"/><location offset="14" length="6"/>
<text>Breast ... cancers</text></annotation></sentence>
<sentence><offset>43</offset><text>FOX2.</text></sentence>
<annotation id="3"><infon key="kind">x</infon><infon key="type"> Gene </infon><location offset="43" length="4"/>
</annotation>
<annotation id="4"><infon key="type">indexing term</infon></annotation>
</passage>
<annotation id="5"><infon key="type">Taxon</infon><location offset="7" length="4"/><text>mice</text></annotation>
<relation id="R1"><infon key="type">CID</infon><node refid="1" role="x"/></relation>
</document>
<document><id>8</id></document>
</collection>
"""
TEXT = "Gout & mice.  Breast and ovarian\ncancers.  FOX2."


def write(folder: Path, content: Any) -> Path:
    """A BioC file of text, or of data as JSON."""
    path = folder / "train.bioc"
    path.write_bytes((content if isinstance(content, str) else json.dumps(content)).encode())
    return path


def annotation(start: int, length: int, text: Optional[str] = None, label: str = "D") -> dict[str, Any]:
    return {"infons": {"type": label}, "text": text, "locations": [{"offset": start, "length": length}]}


def collection(*passages: dict[str, Any], **document: Any) -> dict[str, Any]:
    return {"documents": [{"id": "7", "passages": list(passages), **document}]}


def passage(offset: int, text: str, *annotations: dict[str, Any]) -> dict[str, Any]:
    return {"offset": offset, "text": text, "annotations": list(annotations)}


def content(documents: Sequence[SourceDocument]) -> list[tuple[str, str, str, list[tuple[int, int, str]]]]:
    return [(d.id, d.doc_id, d.text, [(m.start, m.end, m.label) for m in d.mentions]) for d in documents]


def test_xml(tmp_path: Path) -> None:
    for text in (XML, XML.replace("\n", "\r\n"), "\ufeff" + XML):
        with pytest.warns(BionerWarning, match="train.bioc: 1 annotation has no location, the first in line 17"):
            first, second = read(write(tmp_path, text))
        assert (first.id, first.doc_id, first.text, first.line) == ("7", "7", TEXT, 4)
        assert first.mentions == (
            Mention(7, 11, "Taxon", 19),
            Mention(0, 4, "Dis", 6, infons={"db": "D1"}),
            Mention(43, 47, "Gene", 15, infons={"kind": "x"}),
            Mention(14, 40, "Dis", 12, ((14, 20), (33, 40))),
        )
        assert (second.id, second.text, second.mentions, second.line) == ("8", "", (), 22)


def test_passages(tmp_path: Path) -> None:
    with pytest.warns(BionerWarning, match="no location"):
        first, second = read(write(tmp_path, XML), unit="passage")
    assert (first.id, first.doc_id, first.text, first.line) == ("7:1", "7", "Gout & mice.", 5)
    assert first.mentions == (Mention(7, 11, "Taxon", 19), Mention(0, 4, "Dis", 6, infons={"db": "D1"}))
    assert (second.id, second.text, second.line) == ("7:2", TEXT[14:], 9)
    assert (first.passages, second.passages) == ((Passage(0, 12, "title"),), (Passage(0, 34, ""),))
    assert second.mentions == (
        Mention(29, 33, "Gene", 15, infons={"kind": "x"}),
        Mention(0, 26, "Dis", 12, ((0, 6), (19, 26))),
    )
    data = collection(passage(0, "Gout."), passage(6, "Gout."), annotations=[annotation(3, 4)])
    with pytest.raises(BionerError, match="line 1: characters 3 to 7 are in no passage"):
        list(read(write(tmp_path, data), unit="passage"))


def test_json(tmp_path: Path) -> None:
    data = collection(
        passage(0, "Gout.", annotation(0, 4, "Gout"), annotation(0, 4)),
        {"offset": 6, "text": "", "sentences": [passage(6, "A B.", annotation(8, 1, "B")), passage(11, "C.")]},
        {"offset": 20, "text": None},
    )
    data["documents"].append({"passages": None, "id": 8})
    data["documents"].append({})
    expected = [
        ("7", "7", "Gout. A B. C.", [(0, 4, "D"), (0, 4, "D"), (8, 9, "D")]),
        ("8", "8", "", []),
        ("train:3", "", "", []),
    ]
    assert content(list(read(write(tmp_path, data)))) == expected
    first, *_, last = read(write(tmp_path, data))
    assert ([tuple(part[:3]) for part in first.passages], last.passages) == (
        [(0, 5, ""), (6, 13, ""), (13, 13, "")],
        (),
    )
    assert content(list(read(write(tmp_path, [data, collection()])))) == [*expected, ("7", "7", "", [])]
    passages = list(read(write(tmp_path, data), unit="passage"))
    assert [(d.id, d.text, len(d.mentions)) for d in passages] == [
        ("7:1", "Gout.", 2),
        ("7:2", "A B. C.", 1),
        ("7:3", "", 0),
    ]


def test_lines_of_json_objects(tmp_path: Path) -> None:
    data = collection(passage(0, 'a "}{ \\" b', annotation(0, 1, "a"), annotation(9, 1, "b")))
    path = write(tmp_path, json.dumps(data, indent=1))
    (document,) = read(path)
    lines = path.read_text().splitlines()
    assert lines[document.line - 1] == "  {"
    for mention, name in zip(document.mentions, "ab", strict=True):
        assert f'"text": "{name}"' in lines[mention.line + 3]


def test_settings(tmp_path: Path) -> None:
    path = write(tmp_path, XML.replace('key="type">Dis', 'key="kind">Dis').replace("<location", "<location "))
    with pytest.raises(BionerError, match=r"train\.bioc, line 6: the annotation has no infon 'type'"):
        list(read(path))
    (document,) = read(
        write(tmp_path, collection(passage(0, "x", {**annotation(0, 1), "infons": {"k": "D"}}))), type_infon="k"
    )
    assert document.mentions == (Mention(0, 1, "D", 1),)
    with pytest.raises(BionerError, match="unit"):
        list(read(path, unit="sentence"))


@pytest.mark.parametrize("key", ["annotations", "locations"])
def test_keys_in_the_singular_lose_no_mention(key: str, tmp_path: Path) -> None:
    text = json.dumps(collection(passage(0, "Ataxia", annotation(0, 6))))
    with pytest.raises(BionerError, match=f"{key[:-1]} is where BioC in JSON has {key}"):
        list(read(write(tmp_path, text.replace(key, key[:-1]))))


def test_text_is_compared_with_locations(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        collection(passage(0, "Gout."), passage(6, "a \n b", annotation(6, 5, "a b"), annotation(0, 4, "out"))),
    )
    with pytest.raises(BionerError, match=r"train\.bioc, line 1: the annotation 'out' .* which is 'Gout'"):
        list(read(path))
    with pytest.warns(BionerWarning, match="1 annotation .* line 1;"):
        (document,) = read(path, mismatch="offsets")
    assert [(m.start, m.end) for m in document.mentions] == [(6, 11), (0, 4)]


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ("</passage>\n<passage>", "<passage>", 8, "an element passage cannot stand in"),
        ("<collection>", "<html>", 3, "a BioC collection is needed"),
        ("<collection>", "<collection><annotation/>", 3, "cannot stand in an element collection"),
        ("FOX2", "<b>FOX2</b>", 14, "an element b cannot stand in an element text"),
        ("FOX2.</text>", "FOX2.</text><text>FOX3.</text>", 14, "twice"),
        ('"kind">x', '"type">x', 15, "twice"),
        ("&amp;", "&alpha;", 5, "alpha"),
        ("&amp;", "&", 5, "not valid XML in UTF-8"),
        ("</document>\n</collection>\n", "", 22, "not valid XML in UTF-8"),
        ('"BioC.dtd"', '"BioC.dtd" [<!ENTITY a "b">]', 2, "declares an entity"),
        ("<sentence><offset>14", "<sentence><offset>11", 10, "its offset is 11"),
        ("<offset>43", "<offset>40", 14, "its offset is 40, and the text before it ends at 41"),
        ("<offset>43", f"<offset>{LONGEST_GAP * 2}", 14, "its offset is"),
        ("<offset>43", "<offset>x", 14, "offset must be a number, not 'x'"),
        ("<offset>43</offset>", "", 14, "offset must be a number, not None"),
        ('offset="43"', 'offset="-43"', 15, "offset must be a number"),
        ('length="6"', "", 12, "length must be a number"),
        ('length="6"', 'length="0"', 12, "characters 14 to 14"),
        ('length="6"', 'length="999999999"', 12, "of a text of 48 characters"),
    ],
)
def test_malformed_xml(tmp_path: Path, old: str, new: str, line: int, message: str) -> None:
    if old not in XML:
        raise ValueError(old)
    with pytest.raises(BionerError, match=rf"train\.bioc, line {line}: .*{message}"):
        list(read(write(tmp_path, XML.replace(old, new, 1))))


PIECE = passage(0, "Gout.")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ('{\n"documents": [}', "not valid JSON"),
        ("[" * 100_000, "not valid JSON"),
        ("[1]", "a BioC collection is needed"),
        ({"text": "Gout."}, "a BioC collection is needed"),
        ({"documents": {"id": 7}}, "documents must be a list"),
        ({"documents": [7]}, "documents must be a list"),
        (collection(id=["7"]), "id must be a string"),
        (collection(passage(True, "Gout.")), "offset must be a number"),
        (collection(passage(0, "\ud83d")), "surrogate"),
        (collection(PIECE, passage(4, "x")), "its offset is 4, and the text before it ends at 5"),
        (collection({**PIECE, "sentences": [passage(1, "Gout.")]}), "the sentence is not the text of its passage"),
        (collection({**PIECE, "annotations": [{**annotation(0, 4), "infons": ["type"]}]}), "infons"),
        (collection({**PIECE, "annotations": [{**annotation(0, 4), "infons": {"type": " "}}]}), "no infon 'type'"),
        (collection(passage(0, "Gout.", annotation(1, 5))), "characters 1 to 6 of a text of 5"),
    ],
)
def test_malformed_json(tmp_path: Path, data: Any, message: str) -> None:
    with pytest.raises(BionerError, match=rf"train\.bioc, line [12]: .*{message}"):
        list(read(write(tmp_path, data)))


def test_sentences_beside_the_text_of_their_passage(tmp_path: Path) -> None:
    data = collection({**passage(3, "A B."), "sentences": [passage(5, "B.", annotation(5, 1, "B"))]})
    assert content(list(read(write(tmp_path, data)))) == [("7", "7", "   A B.", [(5, 6, "D")])]


def test_files_without_a_document(tmp_path: Path) -> None:
    for text in ("<collection/>", '{"documents": []}', "[]"):
        with pytest.raises(BionerError, match="no document"):
            list(read(write(tmp_path, text)))
    with pytest.raises(BionerError, match="line 1: neither XML nor JSON"):
        list(read(write(tmp_path, "7|t|Gout")))


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    path = tmp_path / "train.bioc"
    path.write_bytes(XML.encode().replace(b"FOX2", b"FOX\xff"))
    with pytest.raises(BionerError, match="line 14: not valid XML in UTF-8"):
        list(read(path))
    path.write_bytes(b'{"documents":\n["\xff"]}')
    with pytest.raises(BionerError, match="line 2: byte 3 is not valid UTF-8"):
        list(read(path))


def test_xml_is_read_part_by_part(tmp_path: Path) -> None:
    """The first documents come before a mistake further on is seen."""
    document = "<document><passage><offset>0</offset><text>x</text></passage></document>\n"
    reader = read(write(tmp_path, f"<collection>{document * 5000}<mistake></collection>"))
    assert next(reader).text == "x"
    with pytest.raises(BionerError, match="line 5001: not valid XML"):
        list(reader)


PART = st.text("ab \n\u0301\u2028\u00e9\U0001d6fd\U0001f9ec<&>\"'", min_size=1, max_size=8)


@st.composite
def documents(draw: st.DrawFn) -> tuple[list[tuple[int, str]], str, list[Mention]]:
    """Passages at their offsets, the text that they make, and mentions in it of up to three fragments."""
    text, passages = "", []
    for part in draw(st.lists(PART, min_size=1, max_size=4)):
        text += " " * draw(st.integers(0, 2))
        passages.append((len(text), part))
        text += part
    mentions = [
        Mention(start, end, draw(st.sampled_from(["A", "<&"])), 1, fragments, infons={"db": "x"})
        for start, end, fragments in draw(fragmented(text))
    ]
    return passages, text, mentions


def to_json(passages: list[tuple[int, str]], text: str, mentions: list[Mention]) -> dict[str, Any]:
    annotations = []
    for mention in mentions:
        fragments = mention.fragments or ((mention.start, mention.end),)
        annotations.append(
            {
                "infons": {"type": mention.label, "db": "x"},
                "text": " ".join(text[start:end] for start, end in fragments),
                "locations": [{"offset": start, "length": end - start} for start, end in fragments],
            }
        )
    return collection(*(passage(offset, part) for offset, part in passages), annotations=annotations)


def to_xml(data: dict[str, Any]) -> str:
    """BioC XML in one line of the same content; line feeds as references, as attributes would lose them."""

    def element(name: str, value: Any) -> str:
        return f"<{name}>{escape(str(value), {chr(10): '&#10;'})}</{name}>"

    (document,) = data["documents"]
    parts = [element("id", document["id"])]
    for part in document["passages"]:
        parts.append(f"<passage>{element('offset', part['offset'])}{element('text', part['text'])}</passage>")
    for value in document["annotations"]:
        infons = "".join(
            f"<infon key={quoteattr(key)}>{escape(text)}</infon>" for key, text in value["infons"].items()
        )
        places = "".join(f'<location offset="{p["offset"]}" length="{p["length"]}"/>' for p in value["locations"])
        parts.append(f"<annotation id='1'>{infons}{places}{element('text', value['text'])}</annotation>")
    return f"<collection><document>{''.join(parts)}</document></collection>"


@given(documents())
@settings(max_examples=200)
def test_what_is_written_is_read(
    tmp_path_factory: pytest.TempPathFactory, document: tuple[list[tuple[int, str]], str, list[Mention]]
) -> None:
    passages, text, mentions = document
    data = to_json(passages, text, mentions)
    folder = tmp_path_factory.getbasetemp()
    for file in (json.dumps(data), json.dumps(data, ensure_ascii=False), to_xml(data)):
        (found,) = read(write(folder, file))
        assert (found.text, list(found.mentions)) == (text, mentions)
    data["documents"][0]["annotations"] = []
    assert [found.text for found in read(write(folder, data), unit="passage")] == [part for _, part in passages]
