"""The page of documents and the colours of entity types."""

import re
from collections.abc import Callable
from html import unescape
from pathlib import Path

import pytest
import spacy
from hand_made import ASTHMA, RECEPTOR, mark
from html_page import Page
from hypothesis import given
from hypothesis import strategies as st
from spacy.language import Language
from spacy.tokens import Doc, Span
from spacy.training import Example

from bioner_spacy.corpora import load_catalogue
from bioner_spacy.reports.colors import color_of, displacy_colors
from bioner_spacy.reports.displacy_html import predict_examples, render_page, write_page
from bioner_spacy.scope import SPANS_KEY, set_gold

VOCAB = spacy.blank("en").vocab
LABEL = re.compile(r'<span class="label" [^>]*margin-top:(\d+)px">(.*?)</span>')


def drawings(page: str) -> list[str]:
    """The drawn documents of a page."""
    return re.findall(r'<div class="spans".*?</div>', page, flags=re.DOTALL)


def plain(drawing: str) -> str:
    """The text of a drawing without its labels; a browser shows several spaces as one."""
    return re.sub(" +", " ", unescape(re.sub(r"<[^>]*>", "", LABEL.sub("", drawing)))).strip()


def draw(doc: Doc, max_tokens: int = 300) -> str:
    return drawings(render_page({"A": [Example(doc, doc)]}, title="t", max_tokens=max_tokens))[0]


def test_page_of_all_corpora(make_pipeline: Callable[..., Language], corpus_folder: Path, tmp_path: Path) -> None:
    same = [("interleukin 2 receptor gene", "GENE"), ("T cells", "CELL_TYPE")]
    nlp = make_pipeline({ASTHMA: [("asthma", "DISEASE")], RECEPTOR: same})
    write_page(nlp, corpus_folder, tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text(encoding="utf8")
    outline = Page(page)
    assert outline.texts["h2"] == ["drugs", "genes"]
    assert outline.texts["h3"] == ["1. drugs-0", "1. genes-0"]
    assert outline.texts["li"] == ["CELL_TYPE", "CHEMICAL", "DISEASE", "GENE"]
    assert [plain(drawing) for drawing in drawings(page)] == [ASTHMA, ASTHMA, RECEPTOR]
    labels = [[label for _, label in LABEL.findall(drawing)] for drawing in drawings(page)]
    assert labels == [["DISEASE", "CHEMICAL", "DISEASE"], ["DISEASE"], ["GENE", "CELL_TYPE"]]
    assert "http" not in page.replace("http-equiv", ""), "the page must not need the network"


def test_number_and_guideline_of_documents(make_pipeline: Callable[..., Language], corpus_folder: Path) -> None:
    shown = predict_examples(make_pipeline({}), corpus_folder, per_corpus=1)
    found = {name: [(one.reference.text, one.predicted._.guideline) for one in of] for name, of in shown.items()}
    assert found == {"drugs": [(ASTHMA, "drugs")], "genes": [(RECEPTOR, "genes")]}


def test_nested_spans_of_one_start_lie_below_each_other(nlp: Language) -> None:
    doc = nlp.make_doc("NF kappa B binds")
    doc.spans[SPANS_KEY] = [
        *mark(doc, [("NF", "DNA"), ("NF kappa B", "PROTEIN"), ("NF kappa B", "GENE"), ("kappa", "CHEMICAL")])
    ]
    found = LABEL.findall(draw(doc))
    assert [label for _, label in found] == ["GENE", "PROTEIN", "DNA", "CHEMICAL"]
    heights = {label: int(height) for height, label in found}
    assert heights["GENE"] < heights["PROTEIN"] < heights["DNA"] == heights["CHEMICAL"]


def test_everything_is_escaped(nlp: Language) -> None:
    evil = "<script>alert(1)</script>"
    doc = nlp.make_doc(f"{evil} & more")
    set_gold(doc, [doc[0:2], Span(doc, 0, 1, evil)], corpus=evil, scope=[evil], doc_id=evil)
    page = render_page({evil: [Example(doc, doc), Example(nlp.make_doc(doc.text), doc)]}, title=evil)
    outline = Page(page)
    assert "script" not in outline.tags
    assert plain(drawings(page)[0]) == doc.text
    assert outline.texts["h1"] == [evil]


def test_sentences_of_an_article_have_names_of_their_own(nlp: Language) -> None:
    docs = [nlp.make_doc(text) for text in ("One gene.", "Two genes.", "Mice.")]
    for doc, doc_id in zip(docs, ("test-1", "test-1", "test-2")):
        set_gold(doc, [], scope=["GENE"], corpus="A", doc_id=doc_id)
    page = render_page({"A": [Example(doc, doc) for doc in docs]}, title="t")
    assert Page(page).texts["h3"] == ["1. test-1, part 1", "2. test-1, part 2", "3. test-2"]


def test_tokens_of_a_long_document_are_cut_after_a_whole_span() -> None:
    doc = Doc(VOCAB, words=["w"] * 20)
    doc.spans[SPANS_KEY] = [Span(doc, 4, 7, "GENE"), Span(doc, 15, 16, "GENE")]
    page = render_page({"A": [Example(doc, doc)]}, title="t", max_tokens=5)
    assert plain(drawings(page)[0]).split() == ["w"] * 7
    assert "the first 7 of 20 tokens" in page
    assert "the first" not in render_page({"A": [Example(doc, doc)]}, title="t")


tokens = st.lists(st.sampled_from(["IL", "-", "2", "T", "cells", "(", "&", "<b>", "\n", "  "]), min_size=1, max_size=8)


@given(tokens, st.data())
def test_the_drawing_keeps_text_and_labels(drawn: list[str], data: st.DataObject) -> None:
    size = len(drawn)
    doc = Doc(VOCAB, words=drawn, spaces=data.draw(st.lists(st.booleans(), min_size=size, max_size=size)))
    spans = data.draw(
        st.lists(st.tuples(st.integers(0, size - 1), st.integers(1, 4), st.sampled_from(["GENE", "CELL_TYPE"])))
    )
    doc.spans[SPANS_KEY] = [Span(doc, start, min(size, start + length), label) for start, length, label in spans]
    drawing = draw(doc)
    assert plain(drawing).split() == doc.text.split()
    starting = [label for start, _, label in spans if not doc[start].is_space]
    assert sorted(label for _, label in LABEL.findall(drawing)) == sorted(starting)


def luminance(color: str) -> float:
    """Relative luminance by the Web Content Accessibility Guidelines."""
    channels = [int(color[index : index + 2], 16) / 255 for index in (1, 3, 5)]
    linear = [value / 12.92 if value <= 0.03928 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return sum(share * value for share, value in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


ALL_COLORS = {*displacy_colors.values(), *(color_of(f"NEW_{number}") for number in range(100))}


@pytest.mark.parametrize("color", sorted(ALL_COLORS))
def test_colors_can_be_read(color: str) -> None:
    light = luminance(color)
    assert (light + 0.05) / 0.05 >= 4.5, "black text on the colour"
    assert 1.05 / (light + 0.05) >= 3, "a line of the colour on white"


def test_colors_are_distinct_and_stable() -> None:
    assert len(set(displacy_colors.values())) == len(displacy_colors)
    assert color_of("gene") == displacy_colors["GENE"]
    assert color_of("SOMETHING_NEW") == "#e65176"


def test_standard_types_have_colors_of_their_own() -> None:
    catalogue = load_catalogue(Path(__file__).parents[2] / "configs" / "catalogue.yml")
    assert set(displacy_colors) == set(catalogue.types)
