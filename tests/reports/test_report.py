"""All reports of a run on one page."""

import json
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path

import pytest
from command_line import bioner
from html_page import Page

from bioner_spacy.corpora import Catalogue, load_catalogue
from bioner_spacy.corpora.catalogue import Corpus
from bioner_spacy.errors import BionerError
from bioner_spacy.reports.comparison import comparison_page
from bioner_spacy.reports.page import Chart, Code, Heading, Items, Text
from bioner_spacy.reports.page import Page as Written
from bioner_spacy.reports.report import Folded, Picture, make_report, render_report
from bioner_spacy.reports.table import Table
from bioner_spacy.scoring.compare import compare
from bioner_spacy.scoring.results import Pipeline, Results

ROOT = Path(__file__).parents[2]
EVIL = """<script>alert("1")</script>&amp;'"</td><img src=x onerror=y>"""
SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="300pt" height="90pt"><text>F1</text></svg>'


def results(corpus: str, f: float, *, types: tuple[str, ...] = ("GENE",)) -> Results:
    scores = {"p": f, "r": f, "f": f, "tp": 1, "fp": 1, "fn": 1, "gold": 2, "predicted": 2}
    of_corpus = {**scores, "per_type": dict.fromkeys(types, scores)}
    overall = {"macro_f": f, "p": f, "r": f, "f": f}
    pipeline = Pipeline("en_x", "0.0.0", encoder="tiny", seed=7, components=["multitask_ner"])
    found = {**overall, "per_corpus": {corpus: of_corpus}}
    return Results(pipeline, split="test", limit=None, scores=found, tokens=10, tokens_per_second=5.0)


def write_curve(folder: Path, *steps: int) -> None:
    folder.mkdir(parents=True)
    line = {"epoch": 0, "losses": {"multitask_ner": 1.0}, "scores": {}, "score": 0.5}
    lines = [json.dumps({**line, "step": step}) for step in steps]
    (folder / "curve.jsonl").write_text("\n".join(lines), encoding="utf8")


@pytest.fixture
def catalogue() -> Catalogue:
    return load_catalogue(ROOT / "configs" / "catalogue.yml")


@pytest.fixture
def reports(tmp_path: Path) -> Path:
    """Folder of reports with scores and a comparison."""
    folder = tmp_path / "reports"
    multi, single = results("sample-genes", 0.75), results("sample-genes", 0.5)
    multi.to_disk(folder / "multi.json")
    single.to_disk(folder / "single" / "sample-genes.json")
    comparison_page(compare([multi], [single])).to_disk(folder)
    return folder


def test_what_is_missing_is_named_with_its_command(reports: Path, catalogue: Catalogue) -> None:
    page = Page(make_report(reports, catalogue=catalogue, made=datetime(2020, 2, 3, tzinfo=timezone.utc)))
    assert "03 February 2020" in page.text
    for title, command in (("Analysis", "analyze"), ("Leakage", "corpora leakage"), ("Learning curves", "train")):
        assert f"{title}: spacy bioner {command}" in page.text
    assert "Comparison: spacy" not in page.text and "75.00" in page.text
    assert "that of this project" in page.text and "Hand-written sentences with gene names" in page.text
    assert page.text.count("Multi-task against single-task (test split)") == 2  # title and heading


def test_results_on_other_corpora_are_left_out(reports: Path, catalogue: Catalogue) -> None:
    """Of an earlier run into the same folder."""
    results("sample-cdr", 0.125).to_disk(reports / "single" / "sample-cdr.json")
    text = Page(make_report(reports, catalogue=catalogue)).text
    assert "12.50" not in text and "50.00" in text
    assert "Left out, because the multi-task pipeline was not scored on them: results on sample-cdr." in text


def test_all_that_is_there_is_on_the_page(reports: Path, catalogue: Catalogue, tmp_path: Path) -> None:
    analysis = reports / "analysis"
    analysis.mkdir()
    table = Table(["Context", "Count"], [["the ⟦a|b⟧ \\| gene", "3"]], numbers=1)
    blocks = [Heading("Mistakes"), Text("Some `code`\nover lines."), table, Chart("r", "Dia"), Chart("../x", "No")]
    Written("analysis", "Title", blocks).to_disk(analysis)
    (reports / "x.svg").write_text(SVG, encoding="utf8")
    (analysis / "r.svg").write_text(SVG, encoding="utf8")
    Written("own", "A page of one's own", [Items(["one", "two"])]).to_disk(reports / "own")
    (reports / "runs").mkdir()
    (reports / "runs" / "broken.json").write_text('{"page": {', encoding="utf8")
    training = tmp_path / "training"
    write_curve(training / "multi", 0, 10)
    page = Page(make_report(reports, catalogue=catalogue, training=training))
    assert "the a|b \\| gene" in page.text and "A page of one's own" in page.text
    assert "Some code\nover lines." in page.text
    assert [attrs["alt"] for tag, attrs in page.elements if tag == "img"][-2:] == [
        "F1 and loss against updates",
        "Dia",
    ]
    assert "Learning curves: spacy" not in page.text and "Analysis: spacy" not in page.text


def test_reports_of_another_run_stay_apart(reports: Path, catalogue: Catalogue) -> None:
    other = results("sample-diseases", 0.25)
    other.to_disk(reports / "other" / "multi.json")
    comparison_page(compare([other], [other])).to_disk(reports / "other")
    Written("x", "Elsewhere", [Items(["one"])]).to_disk(reports / "other" / "analysis")
    page = Page(make_report(reports, catalogue=catalogue))
    assert "sample-diseases" not in page.text and "Elsewhere" not in page.text and "sample-genes" in page.text


def test_corpora_that_the_catalogue_does_not_know_are_reported(catalogue: Catalogue, tmp_path: Path) -> None:
    results("my-notes", 0.5).to_disk(tmp_path / "multi.json")
    assert "not known: the corpus is not in the catalogue" in Page(make_report(tmp_path, catalogue=catalogue)).text


def test_results_of_other_systems_have_dashes(catalogue: Catalogue, tmp_path: Path) -> None:
    """They may hold no more than what comparisons read."""
    found = results("sample-genes", 0.5)
    scores = {"f": 0.5, "gold": 2, "per_type": {"GENE": {"f": 0.5, "gold": 2}}}
    replace(found, scores={"per_corpus": {"sample-genes": scores}}).to_disk(tmp_path / "multi.json")
    assert "50.00" in Page(make_report(tmp_path, catalogue=catalogue)).text


def test_what_counts_is_reported(catalogue: Catalogue, tmp_path: Path) -> None:
    part = replace(results("sample-genes", 0.5), limit=9, provenance={"allow_overlap": False})
    part.to_disk(tmp_path / "multi.json")
    text = Page(make_report(tmp_path, catalogue=catalogue)).text
    assert "test split, 9 documents of each corpus, of overlapping predictions only the best" in text


def test_the_folder_of_one_run(reports: Path, catalogue: Catalogue, tmp_path: Path) -> None:
    write_curve(tmp_path / "mine", 0, 10)
    (tmp_path / "mine" / "model-last").mkdir()
    (tmp_path / "mine" / "model-last" / "config.cfg").write_text("[vars]\nepochs = 17\n", encoding="utf8")
    page = Page(make_report(reports, catalogue=catalogue, training=tmp_path / "mine"))
    assert "F1 and loss against updates" in [attrs.get("alt") for _, attrs in page.elements]
    assert "vars.epochs = 17" in page.text


def test_one_evaluation_is_no_curve(reports: Path, catalogue: Catalogue, tmp_path: Path) -> None:
    write_curve(tmp_path / "training" / "multi", 0)
    page = Page(make_report(reports, catalogue=catalogue, training=tmp_path / "training"))
    assert "Too few evaluations" in page.text


def test_no_text_becomes_part_of_the_page(catalogue: Catalogue, tmp_path: Path) -> None:
    results(EVIL, 0.5, types=(EVIL,)).to_disk(tmp_path / "multi.json")
    about = dict.fromkeys(("description", "licence", "homepage", "citation", "redistributable", "notes"), EVIL)
    corpus = Corpus(EVIL, "iob", {}, {}, **about)
    html = make_report(tmp_path, catalogue=Catalogue(catalogue.path, {}, {EVIL: corpus}, {}))
    blocks = [
        Heading(EVIL),
        Text(EVIL),
        Items([EVIL, EVIL]),
        Table([EVIL], [[EVIL]], 0),
        Code(EVIL),
        Folded(EVIL, EVIL),
    ]
    parts = render_report(EVIL, EVIL, {EVIL: [*blocks, Picture.of(f"<svg>{EVIL}</svg>", EVIL)]})
    for page in (Page(html), Page(parts)):
        assert EVIL in page.text
        assert not {"script", "link", "iframe"} & set(page.tags)
        assert not {name for _, attrs in page.elements for name in attrs if name.startswith("on")}


def test_nothing_is_loaded(reports: Path, catalogue: Catalogue) -> None:
    page = Page(make_report(reports, catalogue=catalogue))
    sources = [attrs[name] for _, attrs in page.elements for name in ("src", "href") if name in attrs]
    assert sources and all(source.startswith(("data:image/svg+xml;base64,", "#part-")) for source in sources)
    assert any("default-src 'none'" in attrs.get("content", "") for _, attrs in page.elements)


def test_pages_come_back(tmp_path: Path) -> None:
    table = Table(["Corpus", "F1"], [["a", ""], ["| b", "1"]], numbers=1)
    blocks = [Text("text"), Heading("One"), table, Items(["x"]), Code("[a]\n\n# | b |", "ini"), Chart("c", "chart")]
    files = Written("page", "Page", [*blocks, Items([])], data={"scores": [1]}).to_disk(tmp_path)
    assert json.loads(files[0].read_text("utf8"))["scores"] == [1]
    found = Written.from_disk(files[0])
    assert found == Written("page", "Page", blocks)
    html = render_report("", "", {"Page": found.blocks})
    assert "<pre tabindex" in html and "# | b |</pre>" in html


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        '{"page": {"title": "x", "blocks": [{"kind": "other"}]}}',
        '{"page": {"title": "x", "blocks": [1]}}',
    ]
    + [
        f'{{"page": {{"title": "x", "blocks": [{block}]}}}}'
        for block in (
            '{"kind": "text", "text": 1}',
            '{"kind": "items", "items": [1]}',
            '{"kind": "table", "header": ["a"], "rows": [[1]], "numbers": 0}',
            '{"kind": "table", "header": ["a"], "rows": [["b"]], "numbers": "0"}',
        )
    ],
)
def test_a_file_without_a_page_is_named(content: str, tmp_path: Path) -> None:
    (tmp_path / "page.json").write_text(content, encoding="utf8")
    with pytest.raises(BionerError, match="page.json holds no page of results"):
        Written.from_disk(tmp_path / "page.json")


def test_a_folder_without_reports(tmp_path: Path, catalogue: Catalogue) -> None:
    with pytest.raises(BionerError, match="holds no reports"):
        make_report(tmp_path, catalogue=catalogue)


def test_command(reports: Path) -> None:
    catalogue = ROOT / "configs" / "catalogue.yml"
    assert bioner("report", reports, "--catalogue", catalogue) == 0
    assert (reports / "report.html").read_text(encoding="utf8").startswith("<!DOCTYPE html>")
