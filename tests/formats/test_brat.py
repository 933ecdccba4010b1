from collections.abc import Mapping
from pathlib import Path

import pytest
from annotated_docs import fragmented
from hypothesis import given, settings
from hypothesis import strategies as st

from bioner_spacy.errors import BionerError, BionerWarning
from bioner_spacy.formats.brat import read
from bioner_spacy.formats.document import Mention

TEXT = "Breast and ovarian cancers in\r\nmice with FOX2 \U0001d6fd e\u0301.\r\n"


def write(folder: Path, **files: str) -> Path:
    """A folder in brat format; a_txt is the file a.txt."""
    for name, content in files.items():
        (folder / name.replace("_", ".")).write_bytes(content.encode())
    return folder


def test_documents_by_name(tmp_path: Path) -> None:
    path = write(tmp_path, b_txt="FOX2", b_ann="T1\tGene 0 4\tFOX2\n", a_txt="", a_ann="", README="x")
    write(path, **{"._b_txt": "\0", "a.b_txt": "gout", "a.b_ann": "\n \t\nT1\tDis 0 4\tgout"})
    documents = list(read(path))
    assert [(d.id, d.doc_id, d.text, d.path.name, d.line) for d in documents] == [
        ("a", "a", "", "a.ann", 1),
        ("a.b", "a.b", "gout", "a.b.ann", 1),
        ("b", "b", "FOX2", "b.ann", 1),
    ]
    assert [d.mentions for d in documents] == [(), (Mention(0, 4, "Dis", 3),), (Mention(0, 4, "Gene", 1),)]


def test_offsets_line_breaks_and_fragments(tmp_path: Path) -> None:
    annotations = [
        "T1\tDis 0 6;19 26\tBreast cancers",
        "T2\tDis 11 26\tovarian cancers",
        "T3\tPlace 27 29;31 35\tin mice",
        "T4\tPlace 27 35\tin mice",
        "T5\tGene 41 45\tFOX2",
        "T6\tGreek 46 47\t\U0001d6fd",
        "T7\tLetter 48 50\te\u0301",
        "T8\tDis 19 26;0 6\tcancers [...] Breast",
        "T9\tDis 0 3;3 6\tBre ast",
    ]
    for end in ("\n", "\r\n"):
        (document,) = read(write(tmp_path, a_txt=TEXT, a_ann=end.join(annotations)))
        assert document.text == TEXT
        assert document.mentions == (
            Mention(0, 26, "Dis", 1, ((0, 6), (19, 26))),
            Mention(11, 26, "Dis", 2),
            Mention(27, 35, "Place", 3),
            Mention(27, 35, "Place", 4),
            Mention(41, 45, "Gene", 5),
            Mention(46, 47, "Greek", 6),
            Mention(48, 50, "Letter", 7),
            Mention(0, 26, "Dis", 8, ((0, 6), (19, 26))),
            Mention(0, 6, "Dis", 9),
        )


def test_lines_of_other_kinds_are_no_mentions(tmp_path: Path) -> None:
    lines = [
        "R1\tBinds Arg1:T1 Arg2:T2\t",
        "E1\tRise:T1 Theme:T2",
        "A1\tNegation E1",
        "M1\tSpeculation E1",
        "N1\tReference T1 db:7\tFOX2",
        "*\tEquiv T1 T2",
        "#1\tAnnotatorNotes T1\tscore=0.0.5",
        "# a comment",
    ]
    (document,) = read(write(tmp_path, a_txt="FOX2", a_ann="\n".join(lines)))
    assert document.mentions == ()


def test_text_is_compared_with_offsets(tmp_path: Path) -> None:
    path = write(
        tmp_path, a_txt="a", a_ann="", b_txt="gout ", b_ann="T1\tD 0 4\tgout \nT2\tD 1 4\tgout\nT3\tD 0 3\tgout"
    )
    with pytest.raises(BionerError, match=r"b\.ann, line 2: the annotation 'gout' .* which is 'out'"):
        list(read(path))
    with pytest.warns(BionerWarning, match=r"2 annotations .* line 2 of b\.ann"):
        documents = list(read(path, mismatch="offsets"))
    assert [(m.start, m.end) for m in documents[1].mentions] == [(0, 4), (1, 4), (0, 3)]
    with pytest.raises(BionerError, match="mismatch"):
        list(read(path, mismatch="skip"))


@pytest.mark.parametrize(
    ("annotations", "message"),
    [
        ("T1\tD 0 9\tgout", "characters 0 to 9 of a text of 5"),
        ("T1\tD 2 2\t", "characters 2 to 2"),
        ("T1\tD 0 1;3 9\tg", "characters 3 to 9"),
        ("T1\tD 0 4", "2 columns where 3"),
        ("T1 D 0 4 gout", "no identifier"),
        ("T\tD 0 4\tgout", "no identifier"),
        ("X1\tD 0 4\tgout", "no identifier"),
        ("R1 Binds", "no identifier"),
        ("T1\t0 4\tgout", "must be a type and offsets"),
        ("T1\tD 0 -4\tgout", "must be a type and offsets"),
        ("T1\tD 0 4;\tgout", "must be a type and offsets"),
        (f"T1\tD 0 {'9' * 5000}\tgout", "must be a type and offsets"),
        ("T2\tD 0 4\tgout", "the annotation T2 is already in line 1"),
    ],
)
def test_malformed_lines(tmp_path: Path, annotations: str, message: str) -> None:
    path = write(tmp_path, a_txt="gout\n", a_ann=f"T2\tD 0 4\tgout\n{annotations}\n")
    with pytest.raises(BionerError, match=rf"a\.ann, line 2: .*{message}"):
        list(read(path))


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "is not a folder of NAME.txt and NAME.ann files"),
        ({"README": "x"}, "is not a folder of NAME.txt and NAME.ann files"),
        ({"a_txt": "x", "a_ann": "", "b_ann": ""}, r"b\.ann has no b\.txt beside it"),
        ({"a_txt": "x", "b_txt": "x", "b_ann": ""}, r"a\.txt has no a\.ann beside it"),
    ],
)
def test_incomplete_folders(tmp_path: Path, files: Mapping[str, str], message: str) -> None:
    with pytest.raises(BionerError, match=message):
        next(read(write(tmp_path, **files)))


def test_missing_folder_and_bytes_that_are_no_text(tmp_path: Path) -> None:
    for path in (tmp_path / "none", write(tmp_path, a_txt="x", a_ann="") / "a.txt"):
        with pytest.raises(BionerError, match="is not a folder"):
            list(read(path))
    (tmp_path / "a.txt").write_bytes(b"one\ntw\xff")
    with pytest.raises(BionerError, match=r"a\.txt, line 2: byte 3 is not valid UTF-8"):
        list(read(tmp_path))


CHARACTERS = "ab \t\r\n\u0301\u2028\u00e9\U0001d6fd\U0001f9ec"


@st.composite
def documents(draw: st.DrawFn) -> tuple[str, list[Mention]]:
    """A text and mentions in it."""
    text = draw(st.text(CHARACTERS, min_size=1, max_size=25))
    mentions = [
        Mention(start, end, draw(st.sampled_from("AB")), line, fragments)
        for line, (start, end, fragments) in enumerate(draw(fragmented(text)), start=1)
    ]
    return text, mentions


def to_brat(text: str, mentions: list[Mention]) -> str:
    rows = []
    for number, mention in enumerate(mentions, start=1):
        fragments = mention.fragments or ((mention.start, mention.end),)
        offsets = ";".join(f"{start} {end}" for start, end in fragments)
        content = " ".join(text[start:end] for start, end in fragments).replace("\r", " ").replace("\n", " ")
        rows.append(f"T{number}\t{mention.label} {offsets}\t{content}\n")
    return "".join(rows)


@given(documents())
@settings(max_examples=200)
def test_what_is_written_is_read(
    tmp_path_factory: pytest.TempPathFactory, document: tuple[str, list[Mention]]
) -> None:
    text, mentions = document
    path = tmp_path_factory.getbasetemp() / "brat"
    path.mkdir(exist_ok=True)
    (found,) = read(write(path, a_txt=text, a_ann=to_brat(text, mentions)))
    assert (found.text, list(found.mentions)) == (text, mentions)


LINES = st.lists(
    st.one_of(
        st.text(st.sampled_from("T1D 0;4\tgR#\r"), max_size=12),
        st.sampled_from(["T1\tD 0 4\tgout", "T2\tD 0 1;2 4\tg ut", "R1\tx", "#1\tnote", ""]),
    ),
    max_size=8,
).map(lambda lines: "\n".join(lines).encode())


@given(text=st.one_of(st.binary(max_size=10), st.just(b"gout")), annotations=st.one_of(st.binary(max_size=40), LINES))
@settings(max_examples=200)
def test_any_bytes_give_a_document_or_a_clear_error(
    tmp_path_factory: pytest.TempPathFactory, text: bytes, annotations: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "fuzz"
    path.mkdir(exist_ok=True)
    (path / "a.txt").write_bytes(text)
    (path / "a.ann").write_bytes(annotations)
    try:
        (document,) = read(path)
    except BionerError as error:
        assert str(path / "a.") in str(error)
        return
    assert len(document.mentions) == annotations.removeprefix(b"\xef\xbb\xbf").count(
        b"T1\tD 0 4\tg"
    ) + annotations.count(b"T2\tD")
