import json
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from annotated_docs import docs, make_doc, scores
from hypothesis import given
from hypothesis import strategies as st
from spacy.tokens import Doc

from bioner_spacy.errors import BionerWarning
from bioner_spacy.formats import iob
from bioner_spacy.formats.jsonlines import read, read_texts, write


def test_file(tmp_path: Path) -> None:
    doc = make_doc(["ER- cells", "\n", "\U0001d6fd"], [(0, 3, "A"), (1, 3, "B")], doc_id="d", scores=[0.5, 1])
    with pytest.warns(BionerWarning, match="1 document without a token .* jsonlines .* is document 2"):
        write([doc, make_doc([" "]), make_doc(["x"])], tmp_path / "out.jsonl")
    first, second = (tmp_path / "out.jsonl").read_text("utf8").splitlines()
    assert json.loads(first) == {
        "doc_id": "d",
        "tokens": ["ER- cells", "\U0001d6fd"],
        "entity_mentions": [
            {"start": 0, "end": 2, "entity_type": "A", "text": "ER- cells \U0001d6fd", "score": 0.5},
            {"start": 1, "end": 2, "entity_type": "B", "text": "\U0001d6fd", "score": 1.0},
        ],
    }
    assert json.loads(second) == {"doc_id": "3", "tokens": ["x"], "entity_mentions": []}


def test_blanks_that_rules_would_take_out(tmp_path: Path) -> None:
    """ "5." before "2" is the end of a sentence here, and no number."""
    doc = make_doc(["5", ".", "2", "kids"], [(2, 4, "A")], spaces=[False, True, True, False])
    write([doc], tmp_path / "out.jsonl")
    for read_again in (read, read_texts):
        [document] = read_again(tmp_path / "out.jsonl")
        assert (document.text, document.meta) == ("5. 2 kids", {})
    [document] = read(tmp_path / "out.jsonl")
    assert [(m.start, m.end) for m in document.mentions] == [(3, 9)]
    with pytest.warns(BionerWarning, match="left out: 1 document's spacing, as its tokens"):
        iob.write([doc], tmp_path / "out.tsv")


def tokens_of(text: str) -> str:
    """A text without its whitespace, which the format does not keep."""
    return "".join(text.split())


@given(st.lists(docs("\x00"), min_size=1, max_size=3))
@pytest.mark.filterwarnings("ignore:.*(have no characters but whitespace|without a token|cannot hold all of it)")
def test_what_is_written_is_read(documents: list[Doc]) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "out.jsonl"
        write([make_doc(["x"]), *documents], path)
        _, *found = read(path)
        written = [json.loads(line)["entity_mentions"] for line in path.read_bytes().splitlines()[1:]]
    kept = [doc for doc in documents if doc.text.strip()]
    for doc, document, records in zip(kept, found, written, strict=True):
        assert tokens_of(document.text) == tokens_of(doc.text)
        spans = [span for span in doc.spans["bioner"] if span.text.strip()]
        # Tokens before and in a span decide where it begins and ends.
        assert [
            (tokens_of(document.text[: m.start]), tokens_of(document.text[m.start : m.end]), m.label)
            for m in document.mentions
        ] == [(tokens_of(doc.text[: span.start_char]), tokens_of(span.text), span.label_) for span in spans]
        assert [record.get("score") for record in records] == scores(doc)
