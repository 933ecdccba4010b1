"""Folders of files, compressed files, and texts whose annotations do not matter."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from bioner_spacy.errors import BionerError, BionerWarning
from bioner_spacy.formats import all_formats, read_documents, read_texts
from bioner_spacy.formats.documents import choose_input, parse_pairs, text_formats


def files(folder: Path, **content: str) -> Path:
    for name, text in content.items():
        path = folder / name.replace("__", "/").replace("_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def test_a_folder_of_column_files(tmp_path: Path) -> None:
    """Every file is an article; other files are left out and named."""
    files(tmp_path, b_conll="Mice\tO\n\nGout\tB-D\n", a__x_conll="a\tB-D\n", README_md="x", a___hidden_conll="b\tO\n")
    with pytest.warns(BionerWarning, match=r"1 file is left out, .* of the format iob; the first: README\.md"):
        documents = list(read_documents("iob", tmp_path))
    assert [(d.doc_id, d.text, len(d.mentions)) for d in documents] == [
        ("a/x", "a", 1),
        ("b", "Mice", 0),
        ("b", "Gout", 1),
    ]
    with pytest.raises(BionerError, match="holds no file of the format bioc, whose names end in .xml"):
        list(read_documents("bioc", tmp_path))


def test_brat_in_folders(tmp_path: Path) -> None:
    files(
        tmp_path,
        a_txt="Gout",
        a_ann="T1\tD 0 4\tGout\n",
        b__a_txt="Mice",
        b__a_ann="",
        b__c__d_txt="x",
        b__c__d_ann="",
    )
    documents = list(read_documents("brat", tmp_path))
    assert [(d.doc_id, d.text) for d in documents] == [("a", "Gout"), ("b/a", "Mice"), ("b/c/d", "x")]


def test_another_normal_form_is_the_same_text(tmp_path: Path) -> None:
    files(tmp_path, d_txt="e\u0301 gout", d_ann="T1\tD 0 7\t\u00e9 gout\n")
    [document] = read_documents("brat", tmp_path)
    assert (document.text, document.mentions[0].end) == ("e\u0301 gout", 7)


def test_shared_task_files(tmp_path: Path) -> None:
    files(
        tmp_path,
        d_txt="BRCA1 binds.",
        d_a1="T1\tProtein 0 5\tBRCA1\n",
        d_a2="T2\tBinding 6 11\tbinds\nE1\tBinding:T2 Theme:T1\n",
    )
    with pytest.warns(BionerWarning, match=r"1 trigger of an event \(first in line 1 of d\.a2\), 1 event "):
        [document] = read_documents("brat", tmp_path)
    assert [(m.start, m.end, m.label) for m in document.mentions] == [(0, 5, "Protein")]


def test_fragments_joined_without_a_blank(tmp_path: Path) -> None:
    files(tmp_path, d_txt="alpha- and beta-adrenergic agents", d_ann="T1\tG 0 6;16 33\talpha-adrenergic agents\n")
    [document] = read_documents("brat", tmp_path)
    assert document.mentions[0].fragments == ((0, 6), (16, 33))


def test_normalisations_notes_and_what_is_not_kept_of_brat(tmp_path: Path) -> None:
    rows = [
        "T1\tD 0 4\tGout",
        "N1\tReference T1 MESH:D1\tgouty arthritis",
        "N2\tReference T1 ID:7\tGout",
        "#1\tAnnotatorNotes T1\tscore=0.5",
        "#2\tAnnotatorNotes T1\tlook at this",
        "A1\tNegation T1",
        "R1\tCause Arg1:T1 Arg2:T1",
        "N3\tReference T9 MESH:D2\tx",
    ]
    files(tmp_path, d_txt="Gout", d_ann="\n".join(rows))
    with pytest.warns(BionerWarning) as warned:
        [document] = read_documents("brat", tmp_path)
    [mention] = document.mentions
    assert (mention.identifiers, mention.score, mention.infons) == (("MESH:D1", "7"), 0.5, {"name": "gouty arthritis"})
    [message] = [str(warning.message) for warning in warned]
    for what in ("1 note (first in line 5 of d.ann)", "1 attribute ", "1 relation ", "1 note on what is no mention"):
        assert what in message


@pytest.mark.parametrize(
    ("format", "name", "content"),
    [
        ("pubtator", "a.pubtator", "1|t|Gout\n1|a|\n1\t0\t4\tGout\tD\n"),
        ("iob", "a.tsv", "Gout\tB-D\n"),
        ("textspans", "a.jsonl", '{"text": "Gout", "spans": [[0, 4, "D"]]}\n'),
        ("textspans", "a.json", '[{"text": "Gout",\n "spans": [[0, 4, "D"]]}]\n'),
        (
            "jsonlines",
            "a.jsonl",
            '{"tokens": ["Gout"], "entity_mentions": [{"start": 0, "end": 1, "entity_type": "D"}]}\n',
        ),
        (
            "bioc",
            "a.xml",
            '<collection><document><id>1</id><passage><offset>0</offset><text>Gout</text><annotation><infon key="type">D'
            '</infon><location offset="0" length="4"/></annotation></passage></document></collection>',
        ),
        (
            "genia",
            "a.xml",
            '<set><article><articleinfo><bibliomisc>M:1</bibliomisc></articleinfo><sentence><cons sem="G#D">Gout</cons>'
            "</sentence></article></set>",
        ),
    ],
)
def test_compressed_files(format: str, name: str, content: str, tmp_path: Path) -> None:
    for path in (tmp_path / name, tmp_path / f"{name}.gz"):
        path.write_bytes(gzip.compress(content.encode()) if path.suffix == ".gz" else content.encode())
        for source in (path, tmp_path):
            for document in read_documents(format, source):
                assert (document.text, [(m.start, m.end, m.label) for m in document.mentions]) == (
                    "Gout",
                    [(0, 4, "D")],
                )
    broken = tmp_path / f"{name}.gz"
    broken.write_bytes(broken.read_bytes()[:-9])
    with pytest.raises(BionerError, match="is not a readable gzip file"):
        list(read_documents(format, broken))
    path.write_bytes(content.encode("utf-16"))
    with pytest.raises(BionerError, match="is in UTF-16: convert the file to UTF-8"):
        list(read_documents(format, path))


@pytest.mark.parametrize("format", sorted(set(all_formats()) - {"brat", "cas", "docbin", "text", "webanno"}))
def test_files_without_a_document(format: str, tmp_path: Path) -> None:
    for content in ("", "\n \n", "-DOCSTART-\tO\n\n" if format == "iob" else " "):
        (tmp_path / "in").write_text(content)
        with pytest.raises(BionerError, match="holds no document"):
            list(read_documents(format, tmp_path / "in"))
    with pytest.raises(BionerError, match="is not there"):
        list(read_documents(format, tmp_path / "none"))


def test_archives(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(b"PK\x03\x04\x14\xff")
    with pytest.raises(BionerError, match="is a zip archive, .* unpack it"):
        list(read_documents("textspans", tmp_path / "a.jsonl"))


@pytest.mark.parametrize(
    ("format", "content", "texts"),
    [
        (
            "bioc",
            '<collection><document><id>1</id><passage><offset>0</offset><text>No gout.</text><annotation id="1"><infon '
            'key="CUI">C1</infon><location offset="3" length="99"/></annotation></passage></document></collection>',
            ["No gout."],
        ),
        ("pubtator", "1|t|Gout.\n1|a|\n1\t22\t33\tNO ABSTRACT\tChemical\t\nx\ty\n", ["Gout."]),
        ("iob", "Gout NN B-NP O\nwas VBD B-VP O\n", ["Gout was"]),
        ("iob", "Gout\tI-D\nx\tnothing\n", ["Gout x"]),
        ("jsonlines", '{"tokens": ["Gout", "."]}\n', ["Gout."]),
        ("textspans", '{"text": "Gout", "spans": 5, "label": [[0, 1, ""]], "answer": "maybe"}\n', ["Gout"]),
        (
            "genia",
            '<set><article><bibliomisc>M:1</bibliomisc><sentence>In <cons sem="odd">mice</cons><cons/></sentence></article>'
            "</set>",
            ["In mice"],
        ),
        ("text", "Gout\nMice\n", ["Gout", "Mice"]),
    ],
)
def test_no_annotation_stops_the_reading_of_texts(format: str, content: str, texts: list[str], tmp_path: Path) -> None:
    (tmp_path / "in").write_text(content)
    found = list(read_texts(format, tmp_path / "in", mismatch="error"))
    assert ([document.text for document in found], [d.mentions for d in found]) == (texts, [()] * len(texts))


@pytest.mark.parametrize(
    ("format", "content", "line"),
    [
        ("bigbio", '{"document_id": "1", "passages": [{"text": ["Gout"], "offsets": [[0, 4]]}]}\n{}{\n5\n', 2),
        (
            "bioc",
            '{"id": "1", "passages": [{"text": "Gout", "offset": 0}]}\n{"id": "2", "passages": [{"offset": "x"}]}\n',
            2,
        ),
        ("jsonlines", '{"tokens": ["Gout"]}\n{"tokens": ""}\n', 2),
        ("labelstudio", '[{"data": {"text": "Gout"}},\n{"data": {}}]', 2),
        ("pubtator", "1|t|Gout\n1|a|\n\n2|t|Mice\n3|a|x\n", 5),
        ("table", "text,id\nGout,1\nMice\n", 3),
        ("textspans", '{"text": "Gout"}\n{"text": \n', 2),
    ],
)
def test_a_document_that_cannot_be_read_can_be_left_out(format: str, content: str, line: int, tmp_path: Path) -> None:
    (tmp_path / "in").write_text(content)
    with pytest.raises(BionerError, match=f"in, line {line}"):
        list(read_texts(format, tmp_path / "in"))
    errors: list[BionerError] = []
    assert [document.text for document in read_texts(format, tmp_path / "in", on_error=errors.append)] == ["Gout"]
    assert f"in, line {line}" in str(errors[0])


def test_folders_of_texts(tmp_path: Path) -> None:
    files(tmp_path, n1_txt="Gout.\nMice.", b__n2_txt="x", n1_pdf="")
    expected = [("b/n2", "x"), ("n1", "Gout.\nMice.")]
    assert [(document.doc_id, document.text) for document in read_texts("text", tmp_path)] == expected
    assert {(document.doc_id, document.text) for document in read_texts("brat", tmp_path)} == set(expected)
    found = [(document.doc_id, document.text) for document in read_texts("text", tmp_path, lines=True)]
    assert found == [("", "x"), ("", "Gout."), ("", "Mice.")]
    assert [document.text for document in read_texts("text", tmp_path / "n1.txt", lines=False)] == ["Gout.\nMice."]
    with pytest.raises(BionerError, match="not a folder of NAME.txt"):
        list(read_texts("brat", tmp_path / "none"))


def test_patterns(tmp_path: Path) -> None:
    """All files of a pattern are read, whatever their endings, and named as in a folder."""
    files(tmp_path, a__n1_txt="Gout.", a__n2_txt="Mice.", b__n1_note="x", c_conll="Gout\tB-D\n")
    found = [(document.doc_id, document.text) for document in read_texts("text", tmp_path / "*" / "n1.*")]
    assert found == [("a/n1", "Gout."), ("b/n1", "x")]
    assert [document.text for document in read_texts("text", tmp_path / "a" / "n*", lines=True)] == ["Gout.", "Mice."]
    [sentence] = read_documents("iob", tmp_path / "*.conll")
    assert (sentence.doc_id, sentence.text) == ("c", "Gout")
    files(tmp_path, e__n_ann="T1\tD 0 4\tGout\n", e__n_txt="Gout", f__n_txt="x")
    assert [document.doc_id for document in read_documents("brat", tmp_path / "e" / "*")] == ["n"]
    files(tmp_path, d__x_y_txt="A name of a pattern that is there.")
    (tmp_path / "d").rename(tmp_path / "d[1]")
    assert [document.doc_id for document in read_texts("text", tmp_path / "d[1]")] == ["x.y"]
    with pytest.raises(BionerError, match=r"No file matches .*\*\.pdf: correct the path or the pattern"):
        list(read_texts("text", tmp_path / "*.pdf"))


def test_the_format_of_what_is_to_be_read(tmp_path: Path) -> None:
    """By name, or by the names in a folder, or by content where several formats have the ending."""

    def chosen(path: Path) -> str:
        return choose_input("input_format", None, path, allowed=text_formats()).name

    files(
        tmp_path,
        a__x_txt="Gout.",
        b__x_xml="<collection><document/></collection>",
        b__README_md="",
        c__x_json='{"text": "a", "spans": []}',
        d__x_spacy="",
        d__y_txt="",
        g__x_txt="Gout.",
        g__deep__x_ann="",
    )
    assert chosen(tmp_path / "g") == "brat"
    (tmp_path / "g" / "deep" / "x.ann").rename(tmp_path / "g" / "x.ann.gz")
    assert chosen(tmp_path / "g") == "brat"
    assert [chosen(tmp_path / name) for name in "abc"] == ["text", "bioc", "textspans"]
    assert [chosen(tmp_path / name) for name in ("b/*.xml", "c/x.json", "d/*.spacy")] == [
        "bioc",
        "textspans",
        "docbin",
    ]
    for name in ("d", "d/*"):
        with pytest.raises(BionerError, match="does not show its format: set input_format to one of"):
            chosen(tmp_path / name)
    with pytest.raises(BionerError, match="is not there"):
        chosen(tmp_path / "none.txt")
    files(tmp_path, e__x_xml=" \n", f__x_jsonl=json.dumps(DOCUMENT), f__y_jsonl='{"text": "a"}')
    with pytest.raises(BionerError, match="holds no document"):
        chosen(tmp_path / "e" / "x.xml")
    (tmp_path / "e" / "x.xml").write_bytes(gzip.compress(b"<collection/>" * 9)[:-9])
    with pytest.raises(BionerError, match="is not a readable gzip file"):
        chosen(tmp_path / "e" / "x.xml")
    bigbio = '[{"id": "1", "passages": [{"text": ["a"], "offsets": [[0, 1]]}], "entities": []}]'
    files(tmp_path, f__z_json=bigbio, f__d_json='[{"id": 1, "data": "a", "label": []}]')
    assert [chosen(tmp_path / "f" / f"{name}.jsonl") for name in "xy"] == ["bioc", "textspans"]
    assert [chosen(tmp_path / "f" / f"{name}.json") for name in "zd"] == ["bigbio", "textspans"]


def test_annotations_outside_of_the_text(tmp_path: Path) -> None:
    """As dumps of PubTator have them of full texts, and of a text in the place of an abstract."""
    path = tmp_path / "dump.txt"
    path.write_text(
        "1|t|Gout.\n1|a|\n1\t0\t4\tGout\tD\n1\t22\t33\tNO ABSTRACT\tD\t\n\n2|t|Gout.\n2|a|x\n2\t0\t4\tgout\tD\n2\t51\t55\tgout\tD\n"
    )
    with pytest.raises(
        BionerError, match=r"line 4: characters 22 to 33 of a text of 5 characters; .*mismatch to offsets"
    ):
        list(read_documents("pubtator", path))
    with pytest.warns(BionerWarning, match=r"2 annotations are outside of the text .* first in line 4"):
        found = list(read_documents("pubtator", path, mismatch="offsets"))
    assert [len(document.mentions) for document in found] == [1, 1]
    with pytest.warns(BionerWarning, match=r"3 annotations are outside of the text .* first in line 4"):
        found = list(read_documents("pubtator", path, mismatch="drop"))
    assert [len(document.mentions) for document in found] == [1, 0]


DOCUMENT = {
    "_id": "1|None",
    "id": "1",
    "infons": {},
    "passages": [
        {
            "infons": {"type": "title"},
            "offset": 0,
            "text": "Gout.",
            "annotations": [
                {
                    "id": "2",
                    "infons": {"identifier": "MESH:D1", "type": "D"},
                    "text": "Gout",
                    "locations": [{"offset": 0, "length": 4}],
                }
            ],
            "relations": [{"id": "R1"}],
        }
    ],
    "pmid": 1,
}


@pytest.mark.parametrize(
    ("content", "count"),
    [
        (json.dumps({"PubTator3": [DOCUMENT, DOCUMENT]}), 2),
        (json.dumps(DOCUMENT, indent=1), 1),
        (json.dumps([DOCUMENT, DOCUMENT]), 2),
        ("".join(json.dumps(DOCUMENT, indent=1) for _ in range(2)), 2),
        ("".join(json.dumps(DOCUMENT) + "\n" for _ in range(3)), 3),
        (json.dumps({"documents": [DOCUMENT]}), 1),
    ],
)
def test_what_pubtator_3_answers(content: str, count: int, tmp_path: Path) -> None:
    (tmp_path / "export.json").write_text(content)
    with pytest.warns(BionerWarning, match=f"{count} relation{'s' * (count > 1)} "):
        found = list(read_documents("bioc", tmp_path / "export.json"))
    assert [(d.doc_id, d.text, d.mentions[0].identifiers, d.meta["pmid"]) for d in found] == [
        ("1", "Gout.", ("MESH:D1",), 1)
    ] * count


@pytest.mark.parametrize(
    ("text", "place", "cause"),
    [
        ("One.\r\nGout.", "5 9", "line ends of two characters"),
        ("\ufeffIn gout.", "3 7", "no byte order mark"),
        ("\U0001d6fd gout.", "3 7", "as JavaScript and Java do"),
        ("\u03b2 \u03b2 gout.", "6 10", "bytes of UTF-8"),
        ("\u00e9\u00e9\u2264 gout.", "6 10", r"decomposed form \(NFD\)"),
        ("e\u0301e\u0301 gout.", "3 7", r"composed form \(NFC\)"),
    ],
)
def test_offsets_that_count_something_else(text: str, place: str, cause: str, tmp_path: Path) -> None:
    """The cause is named, in place of an option that would take wrong spans."""
    (tmp_path / "d.txt").write_bytes(text.encode())
    name = "Gout" if "Gout" in text else "gout"
    (tmp_path / "d.ann").write_text(f"T1\tD {place}\t{name}\n")
    with pytest.raises(BionerError, match=cause) as caught:
        list(read_documents("brat", tmp_path))
    assert "mismatch" not in str(caught.value)


def test_commas_in_labels_of_the_command_line() -> None:
    assert parse_pairs("labels", r"A\,B=X, C=, D\=E=F") == {"A,B": "X", "C": "", "D=E": "F"}


@pytest.mark.parametrize(
    ("content", "format"),
    [
        ("7|t|Gout.\n7|a|\n", "pubtator"),
        ('<?xml version="1.0"?><collection><document/></collection>', "bioc"),
        (json.dumps(DOCUMENT), "bioc"),
        ("<set><article><bibliomisc>M</bibliomisc></article></set>", "genia"),
        ("T1\tGene 0 5\tBRCA1\n", "brat"),
        ('[{"data": {"text": "a"}, "annotations": [{"result": []}]}]', "labelstudio"),
        ('{"tokens": ["a"], "entity_mentions": []}\n', "jsonlines"),
        ('{"text": "a", "spans": []}\n', "textspans"),
        ("Gout\tNN\tB-D\nwas\tVB\tO\n\n", "iob"),
    ],
)
def test_a_file_of_another_format_is_reported(content: str, format: str, tmp_path: Path) -> None:
    (tmp_path / "in").write_text(content)
    for other in ("pubtator", "bioc", "jsonlines", "iob"):
        if other != format:
            with pytest.raises(BionerError, match=f"The file looks like the format {format} and not like {other}"):
                list(read_documents(other, tmp_path / "in"))


def test_lines_that_end_in_carriage_returns(tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(b"7|t|Gout.\r7|a|\r7\t0\t4\tGout\tD\r")
    with pytest.raises(BionerError, match="end in carriage returns alone"):
        list(read_documents("pubtator", tmp_path / "in"))


@pytest.mark.parametrize("format", ["textspans", "bioc"])
def test_numbers_that_json_does_not_have(format: str, tmp_path: Path) -> None:
    record: dict[str, Any] = {"id": "1", "text": "Gout.", "year": float("nan"), "n": float("inf"), "spans": []}
    if format == "bioc":
        record = {"id": "1", "infons": {"n": float("inf")}, "passages": [{"offset": 0, "text": "Gout."}]}
    (tmp_path / "x.json").write_text(json.dumps(record))
    (document,) = read_documents(format, tmp_path / "x.json")
    assert json.dumps(document.meta, allow_nan=False) and "Infinity" in str(document.meta)
