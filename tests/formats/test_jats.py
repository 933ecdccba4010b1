"""Reader of JATS XML."""

import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bioner_spacy.errors import BionerWarning
from bioner_spacy.formats import SourceDocument, read_texts
from bioner_spacy.formats.documents import choose_input, text_formats

ARTICLE = """<?xml version="1.0"?>
<!DOCTYPE article PUBLIC "-//NLM//DTD JATS (Z39.96) Archiving DTD v1.3//EN" "JATS-archivearticle1-3.dtd">
<article xmlns:mml="http://www.w3.org/1998/Math/MathML"><front><journal-meta><journal-title>J</journal-title></journal-meta>
<article-meta><article-id pub-id-type="pmcid">PMC12</article-id><article-id pub-id-type="pmc">12</article-id>
<article-id pub-id-type="pmid">7</article-id><article-id pub-id-type="doi">10.1/x</article-id>
<title-group><article-title>Gout in <italic>mice</italic><xref ref-type="fn" rid="f">1</xref></article-title></title-group>
<abstract><sec><title>Aim</title><p>To see.</p></sec></abstract><trans-abstract><p>Voir.</p></trans-abstract>
</article-meta></front><body>
<sec><label>1</label><title>Methods</title><p>We took BRCA1<sup><xref ref-type="bibr" rid="b">12</xref></sup>:
<list><list-item><p>one</p></list-item><list-item><p>two</p></list-item></list>and went on.</p>
<sec><title>Mice</title><p>Old <inline-formula><alternatives><tex-math>\\beta</tex-math><mml:math><mml:mi>&#946;</mml:mi></mml:math>
</alternatives></inline-formula> ones<fn><p>a note</p></fn>.</p></sec>
<fig><label>Figure 1</label><caption><title>All mice.</title><p>Each one.</p></caption><graphic/></fig>
<table-wrap><caption><p>Their sizes.</p></caption><table><tr><td>5</td></tr></table></table-wrap></sec></body>
<back><ack><p>We thank.</p></ack><ref-list><ref><mixed-citation>A book.</mixed-citation></ref></ref-list></back>
<sub-article><body><p>A letter.</p></body></sub-article></article>
"""
PASSAGES = [
    ("Gout in mice 1", "title", ""),
    ("Aim", "heading", "Aim"),
    ("To see.", "abstract", "Aim"),
    ("Methods", "heading", "Methods"),
    ("We took BRCA1 12:", "paragraph", "Methods"),
    ("one", "paragraph", "Methods"),
    ("two", "paragraph", "Methods"),
    ("and went on.", "paragraph", "Methods"),
    ("Mice", "heading", "Methods"),
    ("Old \u03b2 ones.", "paragraph", "Methods"),
    ("All mice.", "caption", "Methods"),
    ("Each one.", "caption", "Methods"),
    ("Their sizes.", "caption", "Methods"),
    ("We thank.", "paragraph", ""),
]


def passages(document: SourceDocument) -> list[tuple[str, str, str]]:
    return [
        (document.text[start:end], type, (infons or {}).get("section", ""))
        for start, end, type, infons in document.passages
    ]


def test_an_article(tmp_path: Path) -> None:
    path = tmp_path / "a.nxml"
    path.write_text(ARTICLE)
    assert choose_input("input_format", None, path, allowed=text_formats()).name == "jats"
    with pytest.warns(BionerWarning) as warned:
        [document] = read_texts("jats", path)
    assert passages(document) == PASSAGES
    assert document.text == "\n\n".join(text for text, _, _ in PASSAGES)
    assert (document.doc_id, document.meta) == ("PMC12", {"pmid": "7", "doi": "10.1/x"})
    [message] = [str(warning.message) for warning in warned]
    for what in ("1 table ", "1 footnote ", "1 list of references", "1 translated abstract ", "1 sub-article "):
        assert what in message
    assert "TeX" not in message


def test_several_articles_with_a_namespace(tmp_path: Path) -> None:
    path = tmp_path / "a.xml"
    article = "<j:article><j:front><j:article-meta/></j:front><j:body><j:p>{}</j:p></j:body></j:article>\n"
    formula = "Gout <tex-math>x^2</tex-math>"
    path.write_text(f'<records xmlns:j="j">\n{article.format("Mice.")}{article.format(formula)}</records>')
    with pytest.warns(BionerWarning, match=r"1 formula in TeX \(first in line 3\)"):
        found = list(read_texts("jats", path))
    assert [(document.text, document.doc_id, document.line) for document in found] == [
        ("Mice.", "", 2),
        ("Gout", "", 3),
    ]


def test_time_grows_with_the_size(tmp_path: Path) -> None:
    path = tmp_path / "a.xml"
    path.write_text(f"<article><body><p>Gout {'<xref/>' * 100_000}{'<p>x</p>' * 20_000}</p></body></article>")
    start = time.process_time()
    [document] = read_texts("jats", path)
    assert len(document.passages) == 20_001 and time.process_time() - start < 10


_NODES = st.recursive(
    st.text("ab 1\u03b2", min_size=1, max_size=4),
    lambda inner: st.tuples(
        st.sampled_from(["p", "sec", "title", "italic", "sup", "list", "xref", "caption", "unknown"]),
        st.lists(inner, max_size=3),
    ),
    max_leaves=12,
)


@settings(max_examples=100)
@given(nodes=st.lists(_NODES, max_size=4))
def test_no_text_is_lost(tmp_path_factory: pytest.TempPathFactory, nodes: list) -> None:
    """Whatever elements are in each other, all characters are in some passage, in order."""

    def xml(node: str | tuple) -> str:
        return node if isinstance(node, str) else f"<{node[0]}>{''.join(map(xml, node[1]))}</{node[0]}>"

    def text(node: str | tuple) -> str:
        return node if isinstance(node, str) else "".join(map(text, node[1]))

    path = tmp_path_factory.mktemp("jats") / "a.xml"
    path.write_text(f"<article><body>{''.join(map(xml, nodes))}</body></article>", encoding="utf8")
    [document] = read_texts("jats", path)
    assert "".join(document.text.split()) == "".join("".join(map(text, nodes)).split())
    assert all(document.text[passage.start : passage.end].strip() for passage in document.passages)
