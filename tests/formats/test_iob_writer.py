from collections import Counter
from itertools import accumulate
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from annotated_docs import docs, make_doc
from hypothesis import given
from hypothesis import strategies as st
from spacy.tokens import Doc

from bioner_spacy.errors import BionerError, BionerWarning
from bioner_spacy.formats.iob import read, write
from bioner_spacy.formats.iob.writer import to_layers
from bioner_spacy.tokenization import detokenize

NESTED = make_doc(["FOX2", "gene", "\n", "promoter", "of mice"], [(0, 5, "DNA"), (0, 1, "GENE"), (0, 2, "DNA")])


def test_columns(tmp_path: Path) -> None:
    same = [make_doc(["a"], doc_id=" d (1)"), make_doc(["b"], [(0, 1, "A-B")], doc_id="d (1)")]
    write([NESTED, *same], tmp_path / "out.tsv", columns=3)
    assert (tmp_path / "out.tsv").read_bytes().decode() == (
        "-DOCSTART- (1)\n\n"
        "FOX2\tB-GENE\tB-DNA\tB-DNA\ngene\tO\tI-DNA\tI-DNA\npromoter\tO\tO\tI-DNA\n"
        "of\tO\tO\tI-DNA\nmice\tO\tO\tI-DNA\n\n"
        "-DOCSTART- (d%20%281%29)\n\na\tO\tO\tO\n\nb\tB-A-B\tO\tO\n\n"
    )
    found = list(read(tmp_path / "out.tsv"))
    assert [document.doc_id for document in found] == ["1", "d%20%281%29", "d%20%281%29"]


def test_what_does_not_fit_is_reported(tmp_path: Path) -> None:
    with pytest.warns(BionerWarning, match=r"2 of 3 spans .* into 1 tag column, .* document 1; .* 3 columns"):
        write([NESTED], tmp_path / "out.tsv")
    (document,) = read(tmp_path / "out.tsv")
    assert [(m.start, m.end, m.label) for m in document.mentions] == [(0, 4, "GENE")]
    with pytest.raises(BionerError, match="Setting columns is 0"):
        write([NESTED], tmp_path / "out.tsv", columns=0)


def test_documents_and_tokens_that_are_no_rows(tmp_path: Path) -> None:
    with pytest.warns(BionerWarning, match="2 documents without a token .* iob .* is document 1"):
        write([make_doc([]), make_doc(["x"]), make_doc(["\n"])], tmp_path / "out.tsv")
    assert (tmp_path / "out.tsv").read_text() == "-DOCSTART- (2)\n\nx\tO\n\n"
    with pytest.raises(BionerError, match="Document 1: the token -DOCSTART- cannot"):
        write([make_doc(["-DOCSTART-"])], tmp_path / "other.tsv")
    with pytest.raises(BionerError, match="the label 'old mice' cannot be written in the format iob"):
        write([make_doc(["x"], [(0, 1, "old mice")])], tmp_path / "other.tsv")
    assert not (tmp_path / "other.tsv").exists()


def expected(doc: Doc) -> tuple[str, Counter[tuple[int, int, str]]]:
    """Text and mentions of a document that was split at whitespace and joined again."""
    tokens = [token.text.split() for token in doc]
    text, offsets = detokenize([token for parts in tokens for token in parts])
    before = [0, *accumulate(map(len, tokens))]
    places = [(before[span.start], before[span.end], span.label_) for span in doc.spans["bioner"]]
    return text, Counter((offsets[i][0], offsets[j - 1][1], label) for i, j, label in places if i < j)


@given(st.lists(docs("-DOCSTAR"), min_size=1, max_size=3))
@pytest.mark.filterwarnings("ignore:.*(have no characters but whitespace|without a token|cannot hold all of it)")
def test_what_is_written_is_read(documents: list[Doc]) -> None:
    columns = max(1, *(len(doc.spans["bioner"]) for doc in documents), 1)
    with TemporaryDirectory() as folder:
        write([make_doc(["x"]), *documents], Path(folder) / "out.tsv", columns=columns)
        _, *found = read(Path(folder) / "out.tsv")
    read_back = [(doc.text, Counter((m.start, m.end, m.label) for m in doc.mentions)) for doc in found]
    assert read_back == [expected(doc) for doc in documents if doc.text.strip()]


places = st.lists(st.integers(0, 6), min_size=2, max_size=2, unique=True).map(sorted)
spans = st.tuples(places, st.sampled_from("AB")).map(lambda span: (*span[0], span[1]))


@given(st.lists(spans, max_size=8))
def test_layers(found: list[tuple[int, int, str]]) -> None:
    layers = to_layers(found)
    assert Counter(span for layer in layers for span in layer) == Counter(found)
    for number, layer in enumerate(layers):
        taken = Counter(i for start, end, _ in layer for i in range(start, end))
        assert max(taken.values()) == 1
        for start, end, _ in layer:  # in all earlier layers a span that is no longer is in its way
            for earlier in layers[:number]:
                assert any(s < end and start < e and e - s <= end - start for s, e, _ in earlier)
