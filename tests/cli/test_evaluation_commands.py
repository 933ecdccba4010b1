"""The commands of the project around the evaluation, from a trained pipeline to the reports."""

import json
import shutil
from pathlib import Path

import pytest
import srsly
from command_line import bioner
from hand_made import GOLD
from spacy.language import Language


@pytest.fixture
def pipeline(nlp: Language, tmp_path: Path) -> Path:
    """A pipeline on disk that knows two tokens, one of them annotated in one corpus."""
    patterns = [{"label": "DISEASE", "pattern": "asthma"}, {"label": "SPECIES", "pattern": "interleukin"}]
    nlp.add_pipe("entity_ruler").add_patterns(patterns)  # type: ignore[attr-defined]
    nlp.to_disk(tmp_path / "pipeline")
    return tmp_path / "pipeline"


@pytest.fixture
def catalogue(tmp_path: Path) -> Path:
    """A catalogue of the corpora of `GOLD`, in one set named sample."""
    file = {split: {"name": f"{split}.tsv", "sha256": None} for split in ("train", "devel", "test")}
    about = dict.fromkeys(("description", "licence", "homepage", "redistributable"), "invented")
    types = {entity_type for scope, _ in GOLD.values() for entity_type in scope}
    corpora = {
        name: {**about, "format": "iob", "files": file, "labels": {label: label for label in scope}}
        for name, (scope, _) in GOLD.items()
    }
    sets = {"sample": {"corpora": list(GOLD), "epochs": 1, "batch_tokens": 10}}
    content = {
        "types": dict.fromkeys(types, "invented"),
        "sources": {"nowhere": "https://example.org/{corpus}/{file}"},
        "corpora": corpora,
        "sets": sets,
    }
    srsly.write_yaml(tmp_path / "catalogue.yml", content)
    return tmp_path / "catalogue.yml"


def test_from_pipeline_to_reports(pipeline: Path, corpus_folder: Path, catalogue: Path, tmp_path: Path) -> None:
    reports = tmp_path / "reports"
    multi, single = reports / "multi.json", reports / "single.json"
    corpus = ["--corpus", corpus_folder, "--catalogue", catalogue]
    assert bioner("evaluate", pipeline, *corpus, "--output", multi) == 1  # which finds entities, and no spans
    corpus += ["--predicted-key", "ents"]
    assert bioner("evaluate", pipeline, *corpus, "--output", multi) == 0
    assert bioner("evaluate", pipeline, *corpus, "--corpora", "drugs", "--output", single) == 0
    assert list(json.loads(single.read_text())["scores"]["per_corpus"]) == ["drugs"]
    assert set(json.loads(multi.read_text())["provenance"]["catalogue"]) == set(GOLD)
    grouped = ["--corpora", "drugs", "--context", "group", "--context-tokens", 9]
    assert bioner("evaluate", pipeline, *corpus, *grouped, "--output", tmp_path / "grouped.json") == 0
    found = json.loads((tmp_path / "grouped.json").read_text())
    assert [found[name] for name in ("context", "context_tokens")] == ["group", 9]
    output = ["--output", reports / "c.json"]
    assert bioner("compare", multi, reports / "s*.json", "--resamples", 99, *output) == 0
    assert "Not compared, because one of the two results is missing: genes." in (reports / "c.md").read_text("utf8")
    assert json.loads((reports / "c.json").read_text("utf8"))["mean"]["better"] == "not significant"
    tables = ["--tables", "csv,tex", "--output", tmp_path / "partial" / "c.json"]
    assert bioner("compare", multi, reports / "s*.json", "--resamples", 99, "--metric", "partial", *tables) == 0
    assert {path.suffix for path in (tmp_path / "partial").iterdir()} == {".json", ".md", ".csv", ".tex"}
    assert json.loads((tmp_path / "partial" / "c.json").read_text("utf8"))["metric"] == "partial"
    assert bioner("compare", multi, single, "--metric", "unknown") == 1
    assert bioner("compare", multi, single, "--names", "one") == 2
    assert bioner("compare", single, multi, *output) == 2  # which is not the single-task one
    assert bioner("compare", single, multi, "--names", "a,b", "--output", tmp_path / "swapped.json") == 0
    assert bioner("visualize", pipeline, reports / "c.json", *corpus, "--output", reports) == 0
    made = {"multi.json", "single.json", "c.json", "c.md", "comparison.svg", "comparison.png", "entities.html"}
    assert {path.name for path in reports.iterdir()} == made


def test_one_pipeline_for_each_corpus(
    monkeypatch: pytest.MonkeyPatch, pipeline: Path, corpus_folder: Path, catalogue: Path, tmp_path: Path
) -> None:
    for corpus in GOLD:
        shutil.copytree(pipeline, tmp_path / "single" / corpus / "model-last")
    monkeypatch.chdir(tmp_path)
    arguments = ["evaluate", "single", "--each", "--corpus", corpus_folder, "--catalogue", catalogue]
    arguments += ["--predicted-key", "ents"]
    assert bioner(*arguments) == 0
    assert {path.name for path in (tmp_path / "reports" / "single").iterdir()} == {f"{corpus}.json" for corpus in GOLD}
    assert bioner(*arguments) == 0  # again


def test_results_of_another_pipeline_are_replaced_only_where_the_file_is_named(
    monkeypatch: pytest.MonkeyPatch,
    pipeline: Path,
    corpus_folder: Path,
    catalogue: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copytree(pipeline, tmp_path / "other")
    arguments = ["--corpus", corpus_folder, "--catalogue", catalogue, "--predicted-key", "ents"]
    assert [bioner("evaluate", one, *arguments) for one in (pipeline, f"{pipeline}/")] == [0, 0]
    before = Path("reports/multi.json").read_bytes()
    capsys.readouterr()
    assert bioner("evaluate", "other", *arguments) == 1
    assert f"reports/multi.json holds results of {pipeline}/: " in capsys.readouterr().out
    assert Path("reports/multi.json").read_bytes() == before
    assert bioner("evaluate", "other", *arguments, "--output", "reports/multi.json") == 0
    assert [bioner("evaluate", one, *arguments) for one in ("other", tmp_path / "other")] == [0, 0]


def test_only_results_are_replaced_with_a_warning_if_they_were_made_with_other_options(
    pipeline: Path, corpus_folder: Path, catalogue: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["evaluate", pipeline, "--corpus", corpus_folder, "--catalogue", catalogue, "--predicted-key", "ents"]
    for file in (catalogue, pipeline / "config.cfg", corpus_folder / "genes" / "test.spacy"):
        before = file.read_bytes()
        assert bioner(*arguments, "--output", file) == 1
        assert "name another file in the option --output" in capsys.readouterr().out
        assert file.read_bytes() == before
    output = tmp_path / "multi.json"
    output.write_text("")  # as mktemp does
    others = ["--corpora", "genes", "--no-overlap", "--context", "group", "--context-tokens", 9]
    for options, replaced in (
        ([], ""),
        (["--batch-size", 2], ""),
        (others, "context, context_tokens, overlap, corpora"),
        (others, ""),
        ([*others, "--limit", 1, "--no-guideline"], "limit, guideline"),
    ):
        capsys.readouterr()
        assert bioner(*arguments, *options, "--output", output) == 0
        printed = capsys.readouterr().out
        assert (f"which are replaced: {replaced}. " in printed) == bool(replaced)
        assert ("[W515]" in printed) == bool(replaced)


def test_a_place_that_cannot_be_written_to_is_reported_before_anything_is_scored(
    monkeypatch: pytest.MonkeyPatch, pipeline: Path, corpus_folder: Path, catalogue: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "folder").mkdir()
    monkeypatch.setattr("spacy.load", lambda *_: pytest.fail("a pipeline was loaded"))
    for output in (tmp_path / "file" / "x.json", tmp_path / "folder"):
        arguments = ["--corpus", corpus_folder, "--catalogue", catalogue, "--output", output]
        assert bioner("evaluate", pipeline, *arguments) == 1


def test_a_mistake_is_reported_in_one_line(
    pipeline: Path, catalogue: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    nowhere = ["--catalogue", catalogue, "--corpus", tmp_path / "nowhere"]
    assert bioner("evaluate", pipeline, *nowhere) == 1
    captured = capsys.readouterr()
    assert (captured.out + captured.err).count("No file with the split 'test'") == 1
    assert "Traceback" not in captured.err
