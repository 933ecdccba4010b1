from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bioner_spacy.errors import BionerError, BionerWarning
from bioner_spacy.formats.document import Passage
from bioner_spacy.formats.pubtator import read

RECORD = "7|t|Ataxia in mice.\n7|a|Mice | had gout.\n"


def write(folder: Path, text: str) -> Path:
    path = folder / "train.txt"
    path.write_bytes(text.encode())
    return path


def test_record(tmp_path: Path) -> None:
    annotations = "7\t0\t6\tAtaxia\tDisease\tD1\n7\t16\t20\tMice\tTaxon\n7\t27\t31\tgout\tDisease\tD2|D3\tgo|ut\n"
    (document,) = read(write(tmp_path, RECORD + annotations))
    assert document.text == "Ataxia in mice. Mice | had gout."
    assert document.passages == (Passage(0, 15, "title"), Passage(16, 32, "abstract"))
    assert (document.id, document.doc_id, document.line) == ("7", "7", 1)
    assert [(document.text[m.start : m.end], m.label, m.line) for m in document.mentions] == [
        ("Ataxia", "Disease", 3),
        ("Mice", "Taxon", 4),
        ("gout", "Disease", 5),
    ]


def test_blank_lines_crlf_and_records_without_them(tmp_path: Path) -> None:
    text = f"\n \n{RECORD}7\t0\t6\tAtaxia\tD\n\n\n8|t|One\n8|a|\n9|t|Two\n\n\t\n7|t|Three"
    for content in (text, text.replace("\n", "\r\n")):
        documents = list(read(write(tmp_path, content)))
        assert [d.passages for d in documents[1:]] == [(Passage(0, len(d.text), "title"),) for d in documents[1:]]
        assert [(d.doc_id, d.text[:5], len(d.mentions)) for d in documents] == [
            ("7", "Ataxi", 1),
            ("8", "One", 0),
            ("9", "Two", 0),
            ("7", "Three", 0),
        ]


def test_relations_are_no_mentions(tmp_path: Path) -> None:
    relations = (
        "7\tCID\tD1\tD2\n7\tPositive_Correlation\tD1\tD2\tNovel\n7\tAssociation\t6\tataxia\tNovel\n7\tCID\t31\t\n"
    )
    (document,) = read(write(tmp_path, RECORD + relations))
    assert document.mentions == ()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("7\tAtaxia\t0\t6\tD\tD1", "offsets must be numbers"),
        ("7\tAtaxia\t0\t6\tD", "offsets must be numbers"),
        ("7\tl8\t25\taspirin\tD", "offsets must be numbers"),
        ("7\tO\t6\tAtaxia\tD\tD1", "offsets must be numbers"),
        ("7\tx\t6\tAtaxia\tD", "offsets must be numbers, not 'x' and '6'"),
    ],
)
def test_mentions_are_not_taken_for_relations(line: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(BionerError, match=f"line 3: .*{message}"):
        list(read(write(tmp_path, RECORD + line + "\n")))


def test_text_is_compared_with_offsets(tmp_path: Path) -> None:
    path = write(tmp_path, RECORD + "7\t0\t6\tAtaxia  \tD\n7\t1\t6\tAtaxia\tD\n")
    with pytest.raises(BionerError, match=r"train\.txt, line 4: .*'Ataxia' is not the text at its offsets"):
        list(read(path))
    with pytest.warns(BionerWarning, match="1 annotation .* line 4"):
        (document,) = read(path, mismatch="offsets")
    assert [(m.start, m.end) for m in document.mentions] == [(0, 6), (1, 6)]


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("7\t0\t6\tAtaxia\tD\n", 1, "must open"),
        ("7|a|Text.\n", 1, "must open"),
        (RECORD + "\n7\t0\t6\tAtaxia\tD\n", 4, "must open"),
        ("7|t|Title\n8|a|Text.\n", 2, "the abstract of 8"),
        (RECORD + "7|a|Again.\n", 3, "must stand once"),
        (RECORD + "8\t0\t6\tAtaxia\tD\n", 3, "neither text nor an annotation"),
        (RECORD + "7 0 6 Ataxia D\n", 3, "neither text nor an annotation"),
        (RECORD + "7\t0\t6\tAtaxia\n", 3, "4 columns where 5 to 7"),
        (RECORD + "7\t0\t6\tAtaxia\tD\tD1\tx\ty\n", 3, "8 columns where 5 to 7"),
        (RECORD + "7\t0\tsix\tAtaxia\tD\n", 3, "offsets must be numbers"),
        (RECORD + "7\t-1\t6\tAtaxia\tD\n", 3, "offsets must be numbers"),
        (RECORD + f"7\t0\t{'9' * 5000}\tAtaxia\tD\n", 3, "offsets must be numbers"),
        (RECORD + "7\t0\t600\tAtaxia\tD\n", 3, "characters 0 to 600 of a text of"),
        (RECORD + "7\t3\t3\t\tD\n", 3, "characters 3 to 3"),
        (RECORD + "7\t0\t6\tAtaxia\t \n", 3, "needs a type"),
    ],
)
def test_malformed_lines(tmp_path: Path, text: str, line: int, message: str) -> None:
    with pytest.raises(BionerError, match=rf"train\.txt, line {line}: .*{message}"):
        list(read(write(tmp_path, text)))


LINES = st.lists(
    st.one_of(
        st.text(st.sampled_from("7|ta0\t 1Dé\r"), max_size=10),
        st.sampled_from(["7|t|Ataxia", "7|a|gout", "7\t0\t6\tAtaxia\tD", "7\t7\t11\tgout\tD\tD1", "7\tCID\ta\tb", ""]),
    ),
    max_size=12,
).map(lambda lines: "\n".join(lines).encode())


@given(content=st.one_of(st.binary(max_size=60), LINES))
@settings(max_examples=300)
def test_any_bytes_give_documents_or_a_clear_error(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "fuzz.txt"
    path.write_bytes(content)
    try:
        documents = list(read(path))
    except BionerError as error:
        assert "fuzz.txt" in str(error)
        return
    assert documents
    numbers = [line.split("\t")[1] for line in content.decode("utf-8-sig").split("\n") if line.count("\t") >= 3]
    assert sum(len(d.mentions) for d in documents) == sum(number.isdigit() for number in numbers)
