"""Entities of some texts, in the terminal and as a page."""

from pathlib import Path

import pytest
import spacy
from spacy.training import Example
from typer.testing import CliRunner

from bioner_spacy import set_gold
from bioner_spacy.cli.commands import app
from bioner_spacy.errors import BionerError
from bioner_spacy.serving.show import show


@pytest.fixture
def pipeline(tmp_path: Path) -> str:
    """A pipeline of rules, without scores."""
    nlp = spacy.blank("en")
    ruler = nlp.add_pipe("entity_ruler")
    ruler.add_patterns([{"label": "CHEMICAL", "pattern": "aspirin"}, {"label": "<b>", "pattern": "gout"}])
    nlp.to_disk(tmp_path / "pipeline")
    return str(tmp_path / "pipeline")


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    path = tmp_path / "texts.txt"
    path.write_text("We gave aspirin for gout & <script>alert(1)</script>.\nNothing here.\n")
    return path


def test_entities_of_each_text_and_a_page(pipeline: str, texts: Path, tmp_path: Path) -> None:
    found = list(show(pipeline, texts, tmp_path / "page.html"))
    assert [document.entities for document in found] == [[("aspirin", "CHEMICAL", None), ("gout", "<b>", None)], []]
    page = (tmp_path / "page.html").read_text()
    assert "aspirin" in page and "Nothing here" in page
    assert "<script>" not in page and "<b>" not in page


def test_blank_texts_are_left_out_and_counted(pipeline: str, texts: Path, tmp_path: Path) -> None:
    texts.write_text("\n \nWe gave aspirin.\n\nNothing here.\nThe end.\n")
    shown = list(show(pipeline, texts, tmp_path / "page.html", most=2))
    assert [(text.name, text.title) for text in shown] == [("3", "We gave aspirin."), ("5", "Nothing here.")]
    assert (tmp_path / "page.html").read_text().count('<div class="spans"') == 2


def test_a_source_that_is_not_there(pipeline: str, tmp_path: Path) -> None:
    with pytest.raises(BionerError, match=r"none\.txt"):
        list(show(pipeline, tmp_path / "none.txt"))


def test_a_guideline_that_the_pipeline_does_not_know(pipeline: str, texts: Path, tmp_path: Path) -> None:
    with pytest.raises(BionerError, match="guideline is 'bc2gm'; allowed: none"):
        list(show(pipeline, texts, guideline="bc2gm"))
    nlp = spacy.blank("en")
    gold = nlp("Aspirin")
    set_gold(gold, [], corpus="BC2GM", scope=["GENE"])
    nlp.add_pipe("multitask_ner")
    nlp.initialize(lambda: [Example(nlp.make_doc(gold.text), gold)])
    nlp.to_disk(tmp_path / "genes")
    assert len(list(show(str(tmp_path / "genes"), texts, guideline="BC2GM"))) == 2
    with pytest.raises(BionerError, match="guideline is 'bc2gm'; allowed: BC2GM"):
        list(show(str(tmp_path / "genes"), texts, guideline="bc2gm"))


def test_command(pipeline: str, texts: Path, tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["show", pipeline, str(texts), "--output", str(tmp_path / "page.html")])
    assert result.exit_code == 0, result.output
    assert "aspirin" in result.output and "CHEMICAL" in result.output and "\x1b" not in result.output
    assert (tmp_path / "page.html").is_file()
