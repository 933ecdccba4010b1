"""Tables of texts and of mentions."""

import csv
import gzip
import io
from pathlib import Path
from typing import Any, Optional

import pyarrow
import pyarrow.parquet
import pytest
from annotated_docs import docs, make_doc, mentions, scores
from hypothesis import given, settings
from hypothesis import strategies as st
from spacy.tokens import Doc

from bioner_spacy.errors import BionerError, BionerWarning
from bioner_spacy.formats import get_format, read_documents, read_texts
from bioner_spacy.formats.documents import parse_options
from bioner_spacy.formats.table import COLUMNS, FORMAT
from bioner_spacy.scope import set_identifiers

ENDINGS = ("csv", "tsv", "parquet", "csv.gz", "tsv.gz")


def write_table(path: Path, names: list[str], rows: list[list[Any]]) -> Path:
    """A table of texts as other programs write it, by the ending of its name."""
    if path.suffix == ".parquet":
        columns = {name: [row[number] for row in rows] for number, name in enumerate(names)}
        pyarrow.parquet.write_table(pyarrow.table(columns), path)
        return path
    text = io.StringIO()
    delimiter = "\t" if ".tsv" in path.name else ","
    csv.writer(text, delimiter=delimiter).writerows([names, *rows])
    content = text.getvalue().encode()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


def read_table(path: Path) -> list[dict[str, Any]]:
    """A table of mentions."""
    if path.suffix == ".parquet":
        found: list[dict[str, Any]] = pyarrow.parquet.read_table(path).to_pylist()
        return found
    content = path.read_bytes()
    text = (gzip.decompress(content) if path.suffix == ".gz" else content).decode()
    return list(csv.DictReader(io.StringIO(text, newline=""), delimiter="\t" if ".tsv" in path.name else ","))


@pytest.mark.parametrize("ending", ENDINGS)
def test_texts_and_identifiers(ending: str, tmp_path: Path) -> None:
    rows = [["7", 'Gout, "old"\nmice.', "a"], ["8", "", ""], ["9", "\u03b2", "b"]]
    path = write_table(tmp_path / f"in.{ending}", ["PMID", "text", "note"], rows)
    found = list(read_texts("table", path))
    assert [(document.doc_id, document.text, document.meta) for document in found] == [
        ("7", 'Gout, "old"\nmice.', {"note": "a"}),
        ("8", "", {}),
        ("9", "\u03b2", {"note": "b"}),
    ]
    [document, *_] = read_texts("table", path, id="note")
    assert (document.doc_id, document.meta) == ("a", {"PMID": "7"})


@pytest.mark.parametrize("ending", ENDINGS)
def test_several_columns_become_passages(ending: str, tmp_path: Path) -> None:
    path = write_table(tmp_path / f"in.{ending}", ["Title", "Abstract Text"], [["Gout.", "Mice"], ["Gout", "Mice"]])
    first, second = read_texts("table", path, **parse_options(r"text=Title Abstract\ Text", FORMAT))
    assert (first.text, second.text, first.doc_id) == ("Gout. Mice", "Gout\n\nMice", "")
    assert [tuple(passage) for passage in first.passages] == [(0, 5, "Title", None), (6, 10, "Abstract Text", None)]


@pytest.mark.parametrize("ending", ENDINGS)
def test_columns_that_are_not_there_are_listed(ending: str, tmp_path: Path) -> None:
    path = write_table(tmp_path / f"in.{ending}", ["PMID", "abstract"], [["7", "Gout."]])
    with pytest.raises(BionerError, match="has no column 'text': set the option text to some of .* PMID, abstract"):
        list(read_texts("table", path))
    with pytest.raises(BionerError, match="has no column 'pmid': set the option id to some of"):
        list(read_texts("table", path, text=["abstract"], id="pmid"))
    path = write_table(tmp_path / f"other.{ending}", ["a" * 100], [["1"]])
    with pytest.raises(BionerError, match="of its columns, a{50}[.]$"):
        list(read_texts("table", path))


@pytest.mark.parametrize(
    ("content", "texts"),
    [
        ("text\nGout\n\nMice\n", ["Gout", "Mice"]),
        ("id;text\r\n1;Gout, too\r\n", ["Gout, too"]),
        ("\ufefftext|id\nGout|1", ["Gout"]),
        ("\n\ntitle, long\ttext\na\tGout\n", ["Gout"]),
        ("id\t text \n1\t" + "x" * 200_000 + "\n", ["x" * 200_000]),
    ],
)
def test_dialects(content: str, texts: list[str], tmp_path: Path) -> None:
    (tmp_path / "in").write_text(content)
    before = csv.field_size_limit()
    assert [document.text for document in read_texts("table", tmp_path / "in")] == texts
    assert csv.field_size_limit() == before


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", b"id,text\n", "holds no document"),
        ("a.csv", b"text,text\na,b\n", "line 1: there are 2 columns called text"),
        (
            "a.csv",
            b'id,text\n1,Gout\n2,"Mice\n3,x\n',
            "line 3: not a valid row .unexpected end of data.*option quotes",
        ),
        ("a.tsv", b'id\ttext\n1\t"Gout" is here\n', "line 2: not a valid row .*set the option quotes to false"),
        ("a.csv", b"id,text\n1,Gout\n2\n", "line 3: 1 column where 2 are expected"),
        ("a.csv", b"id,text\n1,Gout,\n", "line 2: 3 columns where 2 are expected"),
        ("a.csv", b"id,text\n1,Go\xffut\n", "line 2: byte 5 is not valid UTF-8"),
        ("a.csv", "id,text\n".encode("utf-16"), "is in UTF-16"),
        ("a.csv", b"id,text\r1,Gout\r", "end in carriage returns alone"),
        ("a.csv", gzip.compress(b"id,text\n1,Gout\n", mtime=0)[:-9], "is not a readable gzip file"),
        ("a.csv", b"7|t|Gout\n7|a|\n", "has no column 'text'.*The file looks like the format pubtator"),
        ("a.csv", b"PAR1 and no more", "is not a readable Parquet file"),
        ("a.parquet", b"", "is not a readable Parquet file .it does not begin as one"),
        ("a.parquet", b"id,text\n1,Gout\n", "is not a readable Parquet file"),
    ],
)
def test_files_that_cannot_be_read(name: str, content: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(BionerError, match=message) as caught:
        list(read_documents("table", tmp_path / name))
    assert "\n" not in str(caught.value)


def test_rows_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id,text\n1,Gout\n2\n3,Mice\n3,x\n")
    errors: list[BionerError] = []
    with pytest.warns(
        BionerWarning, match=r"1 document has the identifier of an earlier one, the first in line 5 \(3\)"
    ):
        found = list(read_texts("table", tmp_path / "a.csv", on_error=errors.append))
    assert [document.doc_id for document in found] == ["1", "3", "3"]
    assert ["line 3: 1 column where 2 are expected" in str(error) for error in errors] == [True]
    with pytest.raises(BionerError, match="line 3: 1 column"):
        list(read_texts("table", tmp_path / "a.csv"))


def test_quotes_as_other_characters(tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_text('id\ttext\n1\t"Gout" is here\n2\t"Mice\n')
    found = list(read_texts("table", tmp_path / "a.tsv", **parse_options("quotes=false", FORMAT)))
    assert [document.text for document in found] == ['"Gout" is here', '"Mice']


def test_values_of_parquet(tmp_path: Path) -> None:
    """Numbers, missing values, and what JSON does not know."""
    import datetime

    names = ["doc_id", "text", "day", "score", "raw"]
    day = datetime.date(2024, 1, 2)
    rows = [[1.0, "Gout", day, 0.5, b"x"], [None, None, None, float("nan"), None], [2.5, "Mice", None, None, None]]
    found = list(read_texts("table", write_table(tmp_path / "a.parquet", names, rows)))
    assert [(document.doc_id, document.text) for document in found] == [("1", "Gout"), ("", ""), ("2.5", "Mice")]
    assert found[0].meta == {"day": "2024-01-02", "score": 0.5, "raw": "b'x'"}
    path = write_table(tmp_path / "b.parquet", ["text"], [[5]])
    with pytest.raises(BionerError, match="line 1: the value of the column text is no text but of the type int"):
        list(read_documents("table", path))
    content = path.read_bytes()
    for end in range(4, len(content), 50):
        path.write_bytes(content[:end])
        with pytest.raises(BionerError, match="is not a readable Parquet file"):
            list(read_texts("table", path))


def test_parquet_without_its_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_table(tmp_path / "a.parquet", ["text"], [["Gout"]])
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(BionerError, match="needs the package pyarrow: pip install 'bioner_spacy.tables"):
        list(read_texts("table", path))


def annotated() -> Doc:
    passages = [[0, 4, "title"], [5, 12, "abstract", {"section": "AIM"}]]
    spans = [(0, 1, "DISEASE"), (1, 3, "SPECIES"), (2, 3, "SPECIES")]
    doc = make_doc(["Gout", "in", "mice"], spans, doc_id="7", passages=passages, scores=[0.5, 0.25, 1.0])
    set_identifiers(doc, [["D1", "D2"], [], []])
    doc.ents = [span for span in doc.spans["bioner"] if span.label_ == "DISEASE"]
    return doc


@pytest.mark.parametrize("ending", ENDINGS)
def test_mentions(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"out.{ending}"
    assert get_format("table").written([annotated(), make_doc(["x"])], path, spans_key="bioner") == (2, 3)
    rows = read_table(path)
    assert tuple(rows[0]) == COLUMNS
    assert [tuple(str(value) for value in row.values()) for row in rows] == [
        ("7", "title", "", "0", "4", "Gout", "DISEASE", "0.5", "True", "D1;D2"),
        ("7", "abstract", "AIM", "5", "12", "in mice", "SPECIES", "0.25", "False", ""),
        ("7", "abstract", "AIM", "8", "12", "mice", "SPECIES", "1.0", "False", ""),
    ]
    with pytest.raises(BionerError, match="line 1: a table of mentions, which has no texts to annotate"):
        list(read_texts("table", path))


def test_tables_for_spreadsheets(tmp_path: Path) -> None:
    doc = make_doc(["=SUM(1)", "a\nb"], [(0, 1, "A"), (1, 2, "A")], doc_id="@7")
    for ending in ("csv", "tsv", "parquet"):
        get_format("table").written([doc], tmp_path / f"out.{ending}", spans_key="bioner")
    for ending in ("csv", "tsv"):
        rows = read_table(tmp_path / f"out.{ending}")
        assert [(row["document"], row["text"], row["score"], row["flat"]) for row in rows] == [
            ("'@7", "'=SUM(1)", "", ""),
            ("'@7", "a b", "", ""),
        ]
    rows = read_table(tmp_path / "out.parquet")
    assert [(row["document"], row["text"], row["score"]) for row in rows] == [
        ("@7", "=SUM(1)", None),
        ("@7", "a\nb", None),
    ]


def test_many_rows_and_failures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bioner_spacy.formats.table._GROUP", 2)
    path = tmp_path / "out.parquet"
    assert FORMAT.written((annotated() for _ in range(3)), path, spans_key="bioner") == (3, 9)
    assert len(read_table(path)) == 9 and pyarrow.parquet.ParquetFile(path).num_row_groups == 3
    before = path.read_bytes()
    for documents in ([annotated(), make_doc(["x"], [(0, 1, "")])], []):
        with pytest.raises(BionerError):
            FORMAT.written(documents, path, spans_key="bioner")
    assert [path.read_bytes() == before, list(tmp_path.iterdir())] == [True, [path]]
    FORMAT.written([make_doc(["x"])], path, spans_key="bioner")
    assert read_table(path) == []
    with pytest.raises(BionerError, match="these files are compressed already"):
        FORMAT.written([annotated()], tmp_path / "out.parquet.gz", spans_key="bioner")
    assert list(tmp_path.iterdir()) == [path]


_CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\r\x00"), max_size=8)


@settings(max_examples=60, deadline=None)
@given(
    rows=st.lists(st.tuples(_CELLS, _CELLS), min_size=1, max_size=5), ending=st.sampled_from(["csv", "tsv", "parquet"])
)
def test_any_texts(tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]], ending: str) -> None:
    path = write_table(tmp_path_factory.mktemp("table") / f"a.{ending}", ["id", "text"], [list(row) for row in rows])
    found = [(document.doc_id, document.text) for document in read_texts("table", path)]
    assert found == [(doc_id.strip(), text) for doc_id, text in rows]


@settings(max_examples=60, deadline=None)
@given(found=st.lists(docs(), min_size=1, max_size=3), ending=st.sampled_from(["tsv", "parquet"]))
def test_any_mentions(tmp_path_factory: pytest.TempPathFactory, found: list[Doc], ending: str) -> None:
    path = tmp_path_factory.mktemp("table") / f"a.{ending}"
    FORMAT.written(found, path, spans_key="bioner")
    rows = read_table(path)
    assert [(int(row["start"]), int(row["end"]), row["type"]) for row in rows] == [
        mention for doc in found for mention in mentions(doc)
    ]
    values: list[Optional[float]] = [float(row["score"]) if row["score"] not in ("", None) else None for row in rows]
    assert values == [score for doc in found for score in scores(doc)]
    if ending == "parquet":
        assert [row["text"] for row in rows] == [
            doc.text[start:end] for doc in found for start, end, _ in mentions(doc)
        ]
