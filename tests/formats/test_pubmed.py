"""Reader of PubMed's XML, and what all readers of XML do about files from outside."""

import gzip
from pathlib import Path
from xml.sax.saxutils import escape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bioner_spacy.errors import BionerError, BionerWarning
from bioner_spacy.formats import SourceDocument, read_texts
from bioner_spacy.formats.documents import choose_input, text_formats

HEAD = """<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE PubmedArticleSet PUBLIC "-//NLM//DTD PubMedArticle, 1st January 2025//EN" "https://dtd.example/pubmed.dtd">
<PubmedArticleSet>
"""
TAIL = "</PubmedArticleSet>\n"


def citation(pmid: str, title: str, *abstract: str, more: str = "") -> str:
    sections = "".join(part if part.startswith("<A") else f"<AbstractText>{part}</AbstractText>" for part in abstract)
    found = f"<Abstract>{sections}<CopyrightInformation>no text</CopyrightInformation></Abstract>" if abstract else ""
    return f"""<PubmedArticle><MedlineCitation Status="MEDLINE"><PMID Version="1">{pmid}</PMID>
<Article><Journal><Title>A journal</Title></Journal><ArticleTitle>{title}</ArticleTitle>{found}</Article>{more}
</MedlineCitation><PubmedData><ArticleIdList><ArticleId IdType="pubmed">{pmid}</ArticleId></ArticleIdList></PubmedData>
</PubmedArticle>
"""


def write(path: Path, content: str) -> Path:
    path.write_bytes(gzip.compress(content.encode()) if path.suffix == ".gz" else content.encode())
    return path


def read(path: Path) -> list[SourceDocument]:
    return list(read_texts("pubmed", path))


@pytest.mark.parametrize("name", ["a.xml", "a.xml.gz"])
def test_titles_and_sections(name: str, tmp_path: Path) -> None:
    sections = (
        '<AbstractText Label="AIM" NlmCategory="OBJECTIVE">To  see\n  <i>BRCA1</i></AbstractText>',
        "10<sup>3</sup>.",
    )
    book = "<PubmedBookArticle><BookDocument><PMID>9</PMID><BookTitle>Genes.</BookTitle></BookDocument></PubmedBookArticle>"
    content = HEAD + citation("7", "Gout &amp; mice.", *sections) + citation("8", "[Gout.]") + book + TAIL
    path = write(tmp_path / name, content)
    assert choose_input("input_format", None, path, allowed=text_formats()).name == "pubmed"
    first, second, third = read(path)
    assert (first.doc_id, first.text, first.line) == ("7", "Gout & mice. To see BRCA1\n\n103.", 4)
    assert [(first.text[start:end], type, infons) for start, end, type, infons in first.passages] == [
        ("Gout & mice.", "title", None),
        ("To see BRCA1", "abstract", {"section": "AIM"}),
        ("103.", "abstract", None),
    ]
    assert (second.doc_id, second.text, third.doc_id, third.text) == ("8", "[Gout.]", "9", "Genes.")


def test_old_files_answers_and_names_of_characters(tmp_path: Path) -> None:
    path = write(tmp_path / "a.xml", HEAD + citation("7", "A&beta; &alpha;.", "x") + TAIL)
    assert read(path)[0].text == "A\u03b2 \u03b1. x"
    old = "<MedlineCitationSet><MedlineCitation><PMID>5</PMID><ArticleTitle>Gout.</ArticleTitle></MedlineCitation></MedlineCitationSet>"
    assert [(d.doc_id, d.text) for d in read(write(path, old))] == [("5", "Gout.")]


def test_what_is_not_kept_and_ids_that_repeat(tmp_path: Path) -> None:
    other = '<OtherAbstract Language="fre"><AbstractText>La goutte.</AbstractText></OtherAbstract>'
    content = HEAD + citation("7", "Gout.", more=other) + citation("8", "x") + citation("7", "Gout again.") + TAIL
    path = write(tmp_path / "a.xml", content)
    with pytest.warns(BionerWarning) as warned:
        assert [document.text for document in read(path)] == ["Gout.", "x", "Gout again."]
    messages = " ".join(str(warning.message) for warning in warned)
    assert "1 abstract in another language, or for laypeople (first in line 4)" in messages
    assert (
        "1 document has the identifier of an earlier one, the first in line 12 (7); all of them are read." in messages
    )


def test_a_citation_without_pmid(tmp_path: Path) -> None:
    path = write(tmp_path / "a.xml", HEAD + citation("", "Gout.") + citation("8", "x") + TAIL)
    with pytest.raises(BionerError, match="line 4: a citation without a PMID"):
        read(path)
    errors: list[BionerError] = []
    assert [document.doc_id for document in read_texts("pubmed", path, on_error=errors.append)] == ["8"]
    assert len(errors) == 1


XXE = '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname">]>'
LAUGHS = '<!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]>'
PARAMETER = '<!DOCTYPE a [<!ENTITY % p SYSTEM "file:///etc/hostname"> %p;]>'


@pytest.mark.parametrize("format", ["pubmed", "jats", "bioc", "genia"])
@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("<a/>", "holds no document|a BioC collection is needed"),
        (XXE + "<collection>&x;</collection>", "line 1: the file declares an entity, x"),
        (LAUGHS + "<collection>&b;</collection>", "line 1: the file declares an entity, a"),
        (PARAMETER + "<collection/>", "line 1: the file declares an entity, p"),
        ("<collection><document>", "the file is cut off"),
        ("<collection></document>", "mismatched tag"),
        ("\ufeff<collection><passage", "the file is cut off|cannot stand"),
        ("text,id\nGout,1\n", "line 1: (no XML|neither XML nor JSON)"),
    ],
)
def test_files_from_outside(format: str, content: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(BionerError, match=message):
        list(read_texts(format, write(tmp_path / "a.xml", content)))


@pytest.mark.parametrize("format", ["pubmed", "jats"])
def test_cut_off_at_any_place(format: str, tmp_path: Path) -> None:
    """What is whole comes first, and then the error."""
    content = HEAD + "".join(citation(str(number), "Gout.", "Mice.") for number in range(3)) + TAIL
    if format == "jats":
        content = "<set>" + "<article><body><p>Gout.</p></body></article>" * 3 + "</set>\n"
    for end in range(1, len(content.rstrip()) - 1, 7):
        path = write(tmp_path / "a.xml", content[:end])
        documents = []
        with pytest.raises(BionerError, match="cut off|holds no document"):
            documents += read_texts(format, path)
    whole = gzip.compress(content.encode())
    for end in (5, len(whole) // 2, len(whole) - 1):
        (tmp_path / "a.xml.gz").write_bytes(whole[:end])
        with pytest.raises(BionerError, match="is not a readable gzip file"):
            list(read_texts(format, tmp_path / "a.xml.gz"))


def test_elements_in_each_other(tmp_path: Path) -> None:
    path = write(tmp_path / "a.xml", HEAD + citation("1", "<i>" * 5000 + "x" + "</i>" * 5000) + TAIL)
    with pytest.raises(BionerError, match="line 5: more than 200 elements in each other"):
        read(path)


def test_another_kind_of_xml_is_named(tmp_path: Path) -> None:
    path = write(tmp_path / "a.xml", HEAD + citation("1", "Gout.") + TAIL)
    for format in ("bioc", "jats", "genia"):
        with pytest.raises(BionerError, match=f"looks like the format pubmed and not like {format}: name that format"):
            list(read_texts(format, path))


_TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=20).filter(
    lambda text: not {"\ufffe", "\uffff"} & set(text)
)


@settings(max_examples=100)
@given(documents=st.lists(st.tuples(_TEXT, st.lists(_TEXT, max_size=3)), min_size=1, max_size=4))
def test_any_texts(tmp_path_factory: pytest.TempPathFactory, documents: list[tuple[str, list[str]]]) -> None:
    """All of the text is there, and passages are its parts."""
    parts = [
        citation(str(number), escape(title), *(f"<AbstractText>{escape(part)}</AbstractText>" for part in abstract))
        for number, (title, abstract) in enumerate(documents, start=1)
    ]
    path = write(tmp_path_factory.mktemp("pubmed") / "a.xml", HEAD + "".join(parts) + TAIL)
    found = read(path)
    assert [document.doc_id for document in found] == [str(number + 1) for number in range(len(documents))]
    for document, (title, abstract) in zip(found, documents):
        given = [" ".join(part.split(" ")).strip(" ") for part in (title, *abstract)]
        texts = [document.text[passage.start : passage.end] for passage in document.passages]
        assert texts == [" ".join(filter(None, part.split(" "))) for part in given if part.strip(" ")]
