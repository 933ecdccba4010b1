from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from annotated_docs import docs, make_doc, mentions, read_mentions, scores
from hypothesis import given
from hypothesis import strategies as st
from spacy.tokens import Doc

from bioner_spacy.errors import BionerError
from bioner_spacy.formats.brat import read, write


def test_files(tmp_path: Path) -> None:
    tokens = ["Gout", "in", "\r\n", "old", "\n \n", "\u2028", "mice"]
    spans = [(0, 1, "D"), (0, 7, "S"), (3, 4, "D")]
    write([make_doc(tokens, spans, doc_id="a/b", scores=[0.25, 1, 1e-9])], tmp_path / "out")
    text = "Gout in \r\n old \n \n \u2028 mice "
    assert (tmp_path / "out/a%2Fb.txt").read_bytes() == text.encode()
    assert (tmp_path / "out/a%2Fb.ann").read_bytes().decode() == (
        "T1\tD 0 4\tGout\n#1\tAnnotatorNotes T1\tscore=0.25\n"
        "T2\tS 0 8;10 15;18 25\tGout in   old     mice\n#2\tAnnotatorNotes T2\tscore=1.0\n"
        "T3\tD 11 14\told\n#3\tAnnotatorNotes T3\tscore=0.0\n"
    )
    conf = (tmp_path / "out/annotation.conf").read_text().splitlines()
    assert conf == ["[entities]", "D", "S", "[relations]", "[events]", "[attributes]"]
    (document,) = read(tmp_path / "out")
    assert read_mentions(document) == [(0, 4, "D"), (0, 25, "S"), (11, 14, "D")]


def test_names_are_unique_in_any_letter_case(tmp_path: Path) -> None:
    identifiers = ["a", "A", "a-2", "a", "", ".a", "..", "5", "a"]
    write([make_doc(["x"], doc_id=doc_id) for doc_id in identifiers], tmp_path / "out")
    names = ["a", "A-2", "a-2-2", "a-3", "5", "%2Ea", "%2E.", "5-2", "a-4"]
    assert sorted(path.name for path in (tmp_path / "out").glob("*.txt")) == sorted(f"{name}.txt" for name in names)
    assert {document.id for document in read(tmp_path / "out")} == set(names)


def test_a_folder_with_files_is_left_alone(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    write([make_doc(["x"])], folder)
    before = {path: path.read_bytes() for path in folder.iterdir()}
    for path in (folder, folder / "1.txt"):
        with pytest.raises(BionerError, match="is not an empty folder"):
            write([make_doc(["y"])], path)
    assert {path: path.read_bytes() for path in folder.iterdir()} == before
    assert list(tmp_path.iterdir()) == [folder]


@given(st.lists(docs(), min_size=1, max_size=3))
@pytest.mark.filterwarnings("ignore:.*(have no characters but whitespace|cannot hold all of it)")
def test_what_is_written_is_read(documents: list[Doc]) -> None:
    for i, doc in enumerate(documents):  # the reader goes by name
        doc.spans["bioner"].attrs["doc_id"] = f"{i}{doc.spans['bioner'].attrs.get('doc_id', '')}"
    with TemporaryDirectory() as folder:
        write(documents, Path(folder))
        found = list(read(Path(folder)))
    assert [document.text for document in found] == [doc.text for doc in documents]
    assert list(map(read_mentions, found)) == list(map(mentions, documents))
    assert [[one.score for one in document.mentions] for document in found] == list(map(scores, documents))
