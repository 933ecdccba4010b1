import itertools
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bioner_spacy.errors import BionerError, BionerWarning
from bioner_spacy.formats.iob import SCHEMES, TagError, decode_tags, read, read_texts
from bioner_spacy.formats.iob.tags import find_scheme

Spans = tuple[tuple[int, int, str], ...]


def write(folder: Path, text: str) -> Path:
    path = folder / "train.tsv"
    path.write_bytes(text.encode())
    return path


def mentions(path: Path, **options: Any) -> list[list[tuple[str, str, int]]]:
    return [
        [(document.text[m.start : m.end], m.label, m.line) for m in document.mentions]
        for document in read(path, **options)
    ]


# Brute force: all sets of spans that do not overlap, and their tags by the definition of the schemes.


def flat_spans(length: int, labels: str) -> set[Spans]:
    found: set[Spans] = {()}
    for end in range(1, length + 1):
        for start in range(end):
            for before in flat_spans(start, labels):
                found.update((*before, (start, end, label)) for label in labels)
    return found


def encode(spans: Spans, length: int, scheme: str) -> tuple[str, ...]:
    tags = ["O"] * length
    for start, end, label in spans:
        for i in range(start, end):
            tags[i] = f"{'B' if i == start else 'I'}-{label}"
        if scheme == "iob1":
            parted = any(end == start and label == other for _, end, other in spans)
            tags[start] = f"{'B' if parted else 'I'}-{label}"
        elif scheme != "iob2":
            last, single = ("E", "S") if scheme == "iobes" else ("L", "U")
            tags[end - 1] = f"{single if end - start == 1 else last}-{label}"
    return tuple(tags)


@pytest.mark.parametrize("scheme", sorted(set(SCHEMES) - {"iob1"}))
@pytest.mark.parametrize("length", [1, 2, 3, 4])
def test_tags_are_valid_exactly_if_they_encode_spans(scheme: str, length: int) -> None:
    labels = "XY" if length < 4 else "X"
    valid = {encode(spans, length, scheme): list(spans) for spans in flat_spans(length, labels)}
    tags = ["O", *(f"{prefix}-{label}" for prefix in SCHEMES[scheme] for label in labels)]
    for sequence in itertools.product(tags, repeat=length):
        if sequence in valid:
            assert decode_tags(sequence, scheme=scheme) == (valid[sequence], [])
        else:
            with pytest.raises(TagError) as caught:
                decode_tags(sequence, scheme=scheme)
            assert 0 <= caught.value.index < length
        spans, repaired = decode_tags(sequence, scheme=scheme, invalid="begin")
        assert bool(repaired) == (sequence not in valid)
        covered = [i for start, end, _ in spans for i in range(start, end)]
        assert covered == [i for i, tag in enumerate(sequence) if tag != "O"]  # no tagged token is lost


@pytest.mark.parametrize("scheme", SCHEMES)
@given(spans=st.sampled_from(sorted(flat_spans(5, "XY"))))
@settings(max_examples=60)
def test_round_trip(scheme: str, spans: Spans) -> None:
    assert decode_tags(encode(spans, 5, scheme), scheme=scheme) == (list(spans), [])


def test_text_offsets_lines_and_articles(tmp_path: Path) -> None:
    text = '-DOCSTART-\tO\n\nThe\tO\nFOX2\tB-gene\nkinase\tI-gene\n\n\n"\tO\nup\tO\n"\tO\n'
    text += "-DOCSTART- (PMID:5)\tO\nFOX3\tB-gene"
    documents = list(read(write(tmp_path, text)))
    assert [document.doc_id for document in documents] == ["train-1", "train-1", "PMID:5"]
    assert [document.line for document in documents] == [3, 8, 12]
    assert len({document.id for document in documents}) == 3
    assert [document.text.replace(" ", "") for document in documents] == ["TheFOX2kinase", '"up"', "FOX3"]
    assert mentions(write(tmp_path, text)) == [[("FOX2 kinase", "gene", 4)], [], [("FOX3", "gene", 12)]]


@pytest.mark.parametrize(
    "text",
    [
        "FOX2 B-gene\nup O\n\nno O\n",
        "FOX2   B-gene\nup O\n\nno O\n",
        "FOX2\tB-gene\r\nup\tO\r\n\t\r\nno\tO\r\n",
        "\n\nFOX2\tB-gene\nup\tO\n \n\n\nno\tO",
        "\ufeffFOX2\tS-gene\nup\tO\n\nno\tO",
        "FOX2\tU-gene\nup\tO\n\nno\tO",
        "FOX2 NN B-gene\nup RB O\n\nno UH O\n",
    ],
)
def test_layouts(tmp_path: Path, text: str) -> None:
    options = {"tag_columns": [2]} if "NN" in text else {}
    documents = list(read(write(tmp_path, text), **options))
    assert [document.text for document in documents] == ["FOX2 up", "no"]
    assert [[m.label for m in document.mentions] for document in documents] == [["gene"], []]


def test_layers_of_nested_mentions(tmp_path: Path) -> None:
    path = write(tmp_path, "IL2\tB-protein\tB-DNA\ngene\tO\tI-DNA\n\nup\tO\tO\n")
    assert mentions(path) == [[("IL2", "protein", 1), ("IL2 gene", "DNA", 1)], []]
    assert mentions(path, tag_columns=[2]) == [[("IL2 gene", "DNA", 1)], []]


def test_tags_without_type(tmp_path: Path) -> None:
    path = write(tmp_path, "E\tB\ncoli\tI\ngrew\tO\n")
    assert mentions(path, default_label="Species") == [[("E coli", "Species", 1)]]
    with pytest.raises(BionerError, match=r"train\.tsv, line 1: .*default_label"):
        list(read(path))


def test_labels_may_hold_hyphens(tmp_path: Path) -> None:
    assert mentions(write(tmp_path, "lac\tB-Regulon-operon\n")) == [[("lac", "Regulon-operon", 1)]]


@pytest.mark.parametrize(
    ("tags", "scheme"),
    [("OEB", "iobes"), ("OLB", "biluo"), ("OI", "iob1"), ("OIB", "iob1"), ("OBI", "iob2"), ("O", "iob2")],
)
def test_detected_scheme(tags: str, scheme: str) -> None:
    assert find_scheme([[tag + "-X" * (tag != "O") for tag in tags]]) == scheme


def test_mixed_schemes(tmp_path: Path) -> None:
    with pytest.raises(BionerError, match="mixes"):
        list(read(write(tmp_path, "a\tU-X\nb\tS-X\n")))


def test_iob1(tmp_path: Path) -> None:
    """B parts neighbours only."""
    path = write(tmp_path, "a\tI-D\nand\tO\nb\tI-D\nc\tB-D\nd\tI-E\n")
    assert mentions(path) == [[("a", "D", 1), ("b", "D", 3), ("c", "D", 4), ("d", "E", 5)]]
    with pytest.raises(BionerError, match=r"line 1: .*iob1.*invalid=begin"):
        list(read(path, scheme="iob2"))


def test_columns_of_other_things_are_named_once(tmp_path: Path) -> None:
    path = write(tmp_path, "-DOCSTART- -X- -X- O\n\nWarfarin NN B-NP B-DRUG\nwas VBD B-VP O\n\nIt PRP B-NP O\n")
    errors: list[BionerError] = []
    with pytest.raises(BionerError, match=r"line 3: column 1 holds 'NN', which is not a tag: .*tag_columns=3"):
        list(read(path, on_error=errors.append))
    assert not errors
    for column in (3, -1):
        assert mentions(path, tag_columns=[column]) == [[("Warfarin", "DRUG", 3)], []]
    assert [document.text for document in read_texts(path)] == ["Warfarin was", "It"]


def test_token_in_another_column(tmp_path: Path) -> None:
    path = write(tmp_path, "B-DRUG\t0\t8\tWarfarin\tNN\nO\t9\t12\twas\tVBD\n")
    assert mentions(path, token_column=3, tag_columns=[0]) == [[("Warfarin", "DRUG", 1)]]
    assert mentions(path, token_column=-2, tag_columns=[-5]) == [[("Warfarin", "DRUG", 1)]]
    with pytest.raises(BionerError, match="column 0 cannot be that of the token and one of tags"):
        list(read(path, tag_columns=[0]))


def test_comments(tmp_path: Path) -> None:
    path = write(tmp_path, "# id = 1\nWarfarin\tB-DRUG\n#\tO\n\n# id = 2\nwas\tO\n")
    with pytest.raises(BionerError, match="line 1: 4 columns where 2"):  # and not the row after it
        list(read(path))
    assert [document.text for document in read(path, comments="#")] == ["Warfarin #", "was"]


def test_comments_that_name_documents(tmp_path: Path) -> None:
    path = write(tmp_path, "# newdoc id = 7\n# text = a b c\na\tO\n\nb\tB-D\n# doc_id=8\nc\tO\n")
    documents = list(read(path, comments="#"))
    assert [(d.doc_id, d.text, len(d.mentions)) for d in documents] == [("7", "a", 0), ("7", "b", 1), ("8", "c", 0)]


def test_articles_of_jnlpba_and_files_with_one_beginning(tmp_path: Path) -> None:
    documents = list(read(write(tmp_path, "###MEDLINE:95369245\n\na\tO\n\n###MEDLINE:7\n\nb\tO\n")))
    assert [document.doc_id for document in documents] == ["MEDLINE:95369245", "MEDLINE:7"]
    documents = list(read(write(tmp_path, "-DOCSTART- -X- O\na -X- _ B-A\n\nb -X- _ O\n"), tag_columns=[3]))
    assert [document.doc_id for document in documents] == ["", ""]  # it parts nothing


def test_blanks_around_tags_and_fillers(tmp_path: Path) -> None:
    assert mentions(write(tmp_path, "COX\tB-Y \n1\tI-Y \n\nIron\tB-Y\n")) == [[("COX 1", "Y", 1)], [("Iron", "Y", 4)]]
    assert mentions(write(tmp_path, "a -X- _ B-A\nb -X- _ O\n")) == [[("a", "A", 1)]]


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("a\tB-X\nb\tO\nc\tI-X\n", 3, "does not continue"),
        ("a\tB-X\nb\tI-Y\n", 2, "does not continue"),
        ("a\tO\nb\n", 2, "1 column where 2"),
        ("a\tO\nb\tO\tO\n", 2, "3 columns where 2"),
        ("a\n", 1, "1 column where 2"),
        ("a\tO\nb\tX-Y\n", 2, "no tag"),
        ("a\tO\nb\tB-\n", 2, "no tag"),
        ("a\tO\nb\t\n", 2, "no tag"),
        ("a\tO\n\tO\n", 2, "empty or holds whitespace"),
        ("a\tO\nb c\tO\n", 2, "empty or holds whitespace"),
        ("a\tO\n\u00a0\tO\n", 2, "empty or holds whitespace"),
        ("a\tO\n-DOCSTART-\tB-X\n", 2, "cannot have the tag"),
    ],
)
def test_malformed_lines(tmp_path: Path, text: str, line: int, message: str) -> None:
    with pytest.raises(BionerError, match=rf"train\.tsv, line {line}: .*{message}"):
        list(read(write(tmp_path, text)))


@pytest.mark.parametrize(
    "options", [{"scheme": "iob3"}, {"invalid": "skip"}, {"tag_columns": [2]}, {"tag_columns": [0]}]
)
def test_wrong_settings(tmp_path: Path, options: dict[str, Any]) -> None:
    with pytest.raises(BionerError, match=next(iter(options))):
        list(read(write(tmp_path, "a\tO\n"), **options))


DRIFTED = "We\tO\n\nsaw\tO\nthe\tO\nFOX2\tB-gene\n\nkinase\tE-gene\nand\tO\nFOX3\tS-gene\n"
"""Sentence breaks one token late, as in files that lost their -DOCSTART- lines; one mention is cut in two."""


def test_drifted_sentence_breaks_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(BionerError, match=r"line 5: .*sentence breaks of the file may be wrong"):
        list(read(write(tmp_path, DRIFTED)))
    iob2 = DRIFTED.replace("E-", "I-").replace("S-", "B-")
    with pytest.raises(BionerError, match=r"line 7: .*sentence breaks of the file may be wrong"):
        list(read(write(tmp_path, iob2)))


def test_invalid_tags_may_begin_a_mention(tmp_path: Path) -> None:
    with pytest.warns(BionerWarning, match="2 tags .* first in line 5"):
        found = mentions(write(tmp_path, DRIFTED), invalid="begin")
    assert found == [[], [("FOX2", "gene", 5)], [("kinase", "gene", 7), ("FOX3", "gene", 9)]]


LINES = st.lists(
    st.one_of(
        st.text(st.sampled_from("aB-IOX\t \r-é\u00a0\u2028"), max_size=8),
        st.sampled_from(["a\tO", "b\tB-X", "c\tI-X", "d\tE-X", "e\tS-X", "f\tB", "", "-DOCSTART-\tO"]),
    ),
    max_size=12,
).map(lambda lines: "\n".join(lines).encode())


@given(content=st.one_of(st.binary(max_size=60), LINES), invalid=st.sampled_from(["error", "begin"]))
@settings(max_examples=300)
@pytest.mark.filterwarnings("ignore::bioner_spacy.errors.BionerWarning")
def test_any_bytes_give_documents_or_a_clear_error(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, invalid: str
) -> None:
    path = tmp_path_factory.getbasetemp() / "fuzz.tsv"
    path.write_bytes(content)
    try:
        documents = list(read(path, default_label="X", invalid=invalid))
    except BionerError as error:
        assert "fuzz.tsv" in str(error)
        return
    assert documents
    words = "".join(document.text for document in documents)
    for line in content.decode("utf-8-sig").split("\n"):
        line = line.removesuffix("\r")
        if not line.strip(" \t"):
            continue
        token = line.split("\t")[0] if "\t" in line else line.strip(" ").split(" ")[0]
        assert token.startswith("-DOCSTART-") or token in words  # no token is lost
    for document in documents:
        assert all(0 <= m.start < m.end <= len(document.text) for m in document.mentions)
