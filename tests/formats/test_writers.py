"""What all writers share."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy
import pytest
from annotated_docs import VOCAB, make_doc
from spacy.tokens import Doc, Span

from bioner_spacy.errors import BionerError, BionerWarning
from bioner_spacy.formats import all_formats
from bioner_spacy.formats.export import Export
from bioner_spacy.formats.reading import looks_like
from bioner_spacy.formats.textspans import FORMAT
from bioner_spacy.scope import set_origin

WRITERS = {name: format.write for name, format in all_formats().items() if format.write and name != "docbin"}


@pytest.mark.parametrize("format", WRITERS)
def test_failure_leaves_nothing(format: str, tmp_path: Path) -> None:
    good = make_doc(["gout"], [(0, 1, "A")])
    bad = {
        "the label '' cannot": make_doc(["gout"], [(0, 1, "")]),
        r"the label 'A\\nB' cannot": make_doc(["gout"], [(0, 1, "A\nB")]),
        "1 spans and 2 scores": make_doc(["gout"], [(0, 1, "A")], scores=[0.5, 0.5]),
        "Document 2: its passages are not parts": make_doc(["gout", "x"], [(0, 1, "A")], passages=[[0, 4, ""]]),
        "number 2 is not annotated: .*'bioner'.* other": make_doc(["gout"], key="other"),
    }
    for message, doc in bad.items():
        with pytest.raises(BionerError, match=message):
            WRITERS[format]([good, doc], tmp_path / "out")
    with pytest.raises(BionerError, match="no document to write"):
        WRITERS[format]([], tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("format", WRITERS)
def test_an_interrupted_stream_leaves_nothing(format: str, tmp_path: Path) -> None:
    def interrupted() -> Iterator[Doc]:
        yield make_doc(["gout"], [(0, 1, "A")])
        assert len(list(tmp_path.rglob("*"))) > 0  # written beside the destination, document by document
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        WRITERS[format](interrupted(), tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("format", [name for name in WRITERS if all_formats()[name].recognises])
def test_what_is_written_is_not_mistaken(format: str, tmp_path: Path) -> None:
    """So that the output of a command is the input of another one, without its format."""
    declared = all_formats()[format]
    doc = make_doc(["gout", "x", "mice"], [(0, 1, "A"), (2, 3, "B")], scores=[0.5, 0.25])
    set_origin(doc, doc_id="7", passages=[[0, 4, "title"], [5, 11, "abstract"]], meta={"year": "2020"})
    for ending in (*declared.endings, *declared.usual_endings):
        path = tmp_path / f"out{ending}"
        WRITERS[format]([doc], path)
        found = {name for name in looks_like(path) if all_formats()[name].has_ending(path)}
        assert found <= {format}, ending


@pytest.mark.parametrize("format", sorted(set(WRITERS) - {"brat"}))
def test_failure_leaves_the_earlier_file(format: str, tmp_path: Path) -> None:
    path = tmp_path / "out"
    WRITERS[format]([make_doc(["gout"])], path)
    before = path.read_bytes()
    with pytest.raises(BionerError):
        WRITERS[format]([make_doc(["mice"]), make_doc(["x"], [(0, 1, "")])], path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("format", WRITERS)
def test_documents_are_written_as_they_come(format: str, tmp_path: Path) -> None:
    drawn = []

    def stream() -> Iterator[Doc]:
        for label in ("A", "", "B"):
            drawn.append(label)
            yield make_doc(["gout"], [(0, 1, label)])

    with pytest.raises(BionerError, match="Document 2: the label"):
        WRITERS[format](stream(), tmp_path / "new" / "out")
    assert drawn == ["A", ""]


def test_entities_stand_in_for_spans_only_where_there_are_no_groups(tmp_path: Path) -> None:
    doc = Doc(VOCAB, words=["gout", "in", "mice"])
    export = Export(tmp_path, FORMAT, "bioner")
    with pytest.raises(BionerError, match=r"number 1 is not annotated: .*\(keys: none\)"):
        list(export.documents([doc]))
    doc.ents = [Span(doc, 2, 3, label="SPECIES")]
    ((span,),) = [document.mentions for document in export.documents([doc])]
    assert (span.start, span.end, span.label, span.score) == (8, 12, "SPECIES", None)
    with pytest.warns(BionerWarning, match=r"1 document has no spans at all, so its entities .*'bioner'"):
        export.finish()
    doc.spans["sc"] = []
    with pytest.raises(BionerError, match="keys: sc, ents"):
        list(export.documents([doc]))
    asked = Export(tmp_path, FORMAT, "ents")
    assert [document.mentions for document in asked.documents([doc])] == [[span]]
    asked.finish()
    assert [document.mentions for document in Export(tmp_path, FORMAT, "sc").documents([doc])] == [[]]


@pytest.mark.parametrize(
    "passages",
    [[[0, 4, ""], [3, 6, ""]], [[5, 6, ""], [0, 4, ""]], [[0, 7, ""]], [[-1, 6, ""]], [[4, 0, ""], [5, 6, ""]]],
)
def test_passages_are_parts_of_the_text(passages: list[list[Any]], tmp_path: Path) -> None:
    doc = make_doc(["gout", "x"], spaces=[True, False], passages=passages)
    with pytest.raises(BionerError, match="Document 1: its passages are not parts of its text in order"):
        list(Export(tmp_path, FORMAT, "bioner").documents([doc]))


def test_identifiers_scores_and_ends_of_spans(tmp_path: Path) -> None:
    first = make_doc(
        ["a ", "\n", "b"], [(0, 2, "A"), (1, 2, "A"), (1, 3, "A")], doc_id=" x y\u00e9 ", scores=numpy.ones(3) / 3
    )
    export = Export(tmp_path, FORMAT, "bioner", not_in_id=r"[\s\u00e9]")
    documents = list(export.documents([first, make_doc(["c"], doc_id=" "), make_doc([])]))
    assert [document.id for document in documents] == ["x%20y%C3%A9", "2", "3"]
    assert [(span.start, span.end, span.score) for span in documents[0].mentions] == [
        (0, 1, 0.333333),
        (5, 6, 0.333333),
    ]
    with pytest.warns(BionerWarning, match="1 of 3 spans has no characters but whitespace .* document x y\u00e9"):
        export.finish()
