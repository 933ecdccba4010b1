from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from annotated_docs import docs, make_doc, mentions, passages, read_mentions
from hypothesis import given
from hypothesis import strategies as st
from spacy.tokens import Doc

from bioner_spacy.errors import BionerError, BionerWarning
from bioner_spacy.formats.pubtator import read, write


def test_file(tmp_path: Path) -> None:
    first = make_doc(["Gout", "\n", "Mice", "."], [(0, 1, "D"), (2, 3, "old mouse")], spaces=[False] * 4, doc_id="7|8")
    write([first, make_doc(["Gout"]), make_doc([])], tmp_path / "out.txt")
    assert (tmp_path / "out.txt").read_bytes().decode() == (
        "7%7C8|t|Gout\n7%7C8|a|Mice.\n7%7C8\t0\t4\tGout\tD\n7%7C8\t5\t9\tMice\told mouse\n\n"
        "2|t|Gout \n2|a|\n\n3|t|\n3|a|\n\n"
    )


def test_line_breaks_and_tabs_become_spaces_and_are_reported(tmp_path: Path) -> None:
    documents = [make_doc(["a", "\n", "b"]), make_doc(["a", "\n", "b\tc", "\r\n", "d"], [(2, 5, "A")], doc_id="x")]
    with pytest.warns(BionerWarning, match="3 characters that the format pubtator .* in document x; offsets"):
        write(documents, tmp_path / "out.txt")
    found = list(read(tmp_path / "out.txt"))
    assert [document.text for document in found] == ["a   b ", "a   b c    d "]
    assert read_mentions(found[1]) == mentions(documents[1])


def test_labels_stand_in_one_column(tmp_path: Path) -> None:
    for label in ("a\tb", " a", "a\rb"):
        with pytest.raises(BionerError, match="Document 1: the label .* cannot be written in the format pubtator"):
            write([make_doc(["x"], [(0, 1, label)])], tmp_path / "out.txt")


def test_title_and_abstract_of_the_source(tmp_path: Path) -> None:
    tokens = ["Gout", "\n", "B", "\n", "Mice"]
    cases = {
        (): ("Gout", "B Mice"),
        ((0, 6, "title"), (7, 11, "abstract")): ("Gout B", "Mice"),
        ((0, 6, "title"), (6, 6, ""), (7, 11, "abstract")): ("Gout", "B Mice"),  # no character between the first two
        ((0, 11, ""),): ("Gout", "B Mice"),
    }
    for parts, (title, abstract) in cases.items():
        doc = make_doc(tokens, [(4, 5, "S")], spaces=[False] * 5, doc_id="7", passages=parts)
        with pytest.warns(BionerWarning, match="1 character that the format pubtator cannot hold"):
            write([doc], tmp_path / "out.txt")
        assert (tmp_path / "out.txt").read_text("utf8") == f"7|t|{title}\n7|a|{abstract}\n7\t7\t11\tMice\tS\n\n"


@given(st.lists(docs(), min_size=1, max_size=3))
@pytest.mark.filterwarnings(
    "ignore:.*(have no characters but whitespace|were written as spaces|cannot hold all of it)"
)
def test_what_is_written_is_read(documents: list[Doc]) -> None:
    with TemporaryDirectory() as folder:
        write(documents, Path(folder) / "out.txt")
        found = list(read(Path(folder) / "out.txt"))
    spaces = str.maketrans("\n\r\t", "   ")
    expected = []
    for doc in documents:
        text = doc.text.translate(spaces)
        if len(doc_passages := passages(doc)) > 1:
            end = doc_passages[0][1]
            text = f"{text[:end]} {text[end + 1 :]}"
        expected.append(text)
    assert [document.text for document in found] == expected
    assert list(map(read_mentions, found)) == list(map(mentions, documents))
