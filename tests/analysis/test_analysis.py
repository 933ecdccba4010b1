"""The analysis of a pipeline, from documents to files."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import spacy
from command_line import bioner
from hand_made import ASTHMA, RECEPTOR, mark
from spacy.language import Language
from spacy.tokens import Doc, SpanGroup
from spacy.training import Example
from thinc.api import Config

from bioner_spacy.analysis.analysis import analyze
from bioner_spacy.errors import BionerWarning
from bioner_spacy.reports.analysis import analysis_page
from bioner_spacy.reports.page import Code
from bioner_spacy.scope import SPANS_KEY

# Words, type and score. "rare" is a type that the corpus does not annotate.
PREDICTED = {
    ASTHMA: [
        ("Aspirin", "CHEMICAL", 0.9),
        ("asthma", "DISEASE", 0.8),
        ("Aspirin-induced", "DISEASE", 0.3),
        ("rare", "GENE", 1.0),
    ],
    RECEPTOR: [("interleukin 2 receptor", "GENE", 0.6)],
}
FILES = {"analysis.json", "analysis.md", "mistakes.tsv"}
CHARTS = {f"{name}.{suffix}" for name in ("reliability", "thresholds") for suffix in ("svg", "png")}


class FixedScores:
    """A component that predicts the mentions of `PREDICTED` with their scores."""

    def __init__(self, threshold: float, scores: bool) -> None:
        self.threshold = threshold
        self.scores = scores

    def __call__(self, doc: Doc) -> Doc:
        kept = [found for found in PREDICTED.get(doc.text, []) if found[2] >= self.threshold]
        attrs = {"scores": [score for _, _, score in kept]} if self.scores else {}
        spans = mark(doc, [(words, entity_type) for words, entity_type, _ in kept])
        doc.spans[SPANS_KEY] = SpanGroup(doc, spans=spans, attrs=attrs)
        return doc


@Language.factory("fixed_scores", default_config={"threshold": 0.0, "scores": True})
def make_fixed_scores(nlp: Language, name: str, threshold: float, scores: bool) -> FixedScores:
    return FixedScores(threshold, scores)


@Language.factory("fixed_scores_by_type", default_config={"threshold": 0.0, "thresholds": {}})
def make_fixed_scores_by_type(nlp: Language, name: str, threshold: float, thresholds: dict[str, float]) -> FixedScores:
    return FixedScores(threshold, True)


@pytest.fixture
def pipeline() -> Callable[..., Language]:
    """Makes a pipeline with the component, given its settings."""

    def make(**settings: object) -> Language:
        nlp = spacy.blank("en")
        nlp.add_pipe("fixed_scores", config=settings)
        return nlp

    return make


@pytest.fixture
def devel(corpus_folder: Path) -> Path:
    """Corpora with the documents of `GOLD` as development data."""
    for file in corpus_folder.glob("*/test.spacy"):
        shutil.copy(file, file.with_name("devel.spacy"))
    return corpus_folder


def test_all_of_it(pipeline: Callable[..., Language], devel: Path, tmp_path: Path) -> None:
    found = analyze(pipeline(), devel)
    assert found.matches["micro"]["strict"]["correct"] == 2
    assert found.matches["micro"]["type"]["correct"] == 4
    kinds = {(e.kind, e.mention) for e, _ in found.mistakes.most_frequent(5)}
    assert kinds == {
        ("wrong boundary", "Aspirin-induced asthma"),
        ("wrong boundary", "interleukin 2 receptor gene"),
        ("missed", "T cells"),
    }
    assert found.threshold == 0.7
    assert found.thresholds["all corpora", "all types"]["threshold"]["f"] == pytest.approx(2 * 2 / (5 + 2))
    assert found.calibration["genes", "GENE"]["ece"] == pytest.approx(0.6)
    files = analysis_page(found).to_disk(tmp_path / "out")
    assert {file.name for file in files} == FILES | CHARTS == {file.name for file in (tmp_path / "out").iterdir()}
    page = (tmp_path / "out" / "analysis.md").read_text("utf8")
    titles = ["Matches", "Mistakes", "Examples of mistakes", "Calibration", "Thresholds"]
    assert [line[3:] for line in page.splitlines() if line.startswith("## ")] == titles
    assert 'config={"components.fixed_scores.threshold": 0.7}' in page
    assert "![reliability](reliability.svg)" in page
    content = json.loads((tmp_path / "out" / "analysis.json").read_text("utf8"))
    assert content["thresholds"]["all corpora"]["all types"]["threshold"]["threshold"] == 0.7
    assert len((tmp_path / "out" / "mistakes.tsv").read_text("utf8").splitlines()) == 4
    again = analysis_page(analyze(pipeline(), devel)).to_disk(tmp_path / "again")
    assert [file.read_bytes() for file in files] == [file.read_bytes() for file in again]


def test_the_chosen_threshold_does_what_was_asked(
    pipeline: Callable[..., Language], devel: Path, tmp_path: Path
) -> None:
    """It is a setting that can be changed when a pipeline is loaded, and stays in a pipeline that is saved again."""
    nlp = pipeline()
    chosen = analyze(nlp, devel)
    nlp.to_disk(tmp_path / "pipeline")
    changed = spacy.load(tmp_path / "pipeline", config={"components.fixed_scores.threshold": chosen.threshold})
    changed.to_disk(tmp_path / "changed")
    with pytest.warns(BionerWarning, match="fixed_scores leaves out spans with a score below 0.7"):
        found = analyze(spacy.load(tmp_path / "changed"), devel)
    everything = "all corpora", "all types"
    assert found.thresholds[everything]["all"]["f"] == chosen.thresholds[everything]["threshold"]["f"]


def test_thresholds_of_types_can_be_pasted_into_a_config(pipeline: Callable[..., Language], devel: Path) -> None:
    assert analyze(pipeline(), devel).settings == ""  # the component has no such setting
    nlp = spacy.blank("en")
    nlp.add_pipe("fixed_scores_by_type", name="ner")
    found = analyze(nlp, devel)
    chosen = Config().from_str(f"[components]\n\n[components.ner]\n\n{found.settings}")["components"]["ner"]
    assert chosen == {"thresholds": found.to_dict()["by_type"]}
    assert chosen["thresholds"]["DISEASE"] > 0.3
    assert Code(found.settings, "ini") in analysis_page(found).blocks
    nlp.get_pipe_config("ner")["thresholds"] = {"DISEASE": 0.4}
    with pytest.warns(BionerWarning, match="ner leaves out spans with a score below 0.4"):
        analyze(nlp, devel)


def test_thresholds_of_components_that_find_no_entities_are_left_alone(
    pipeline: Callable[..., Language], devel: Path
) -> None:
    nlp = pipeline()
    nlp.add_pipe("textcat_multilabel").add_label("X")  # type: ignore[attr-defined]
    nlp.get_pipe("textcat_multilabel").initialize(
        lambda: [Example(nlp.make_doc("a b"), nlp.make_doc("a b"))], nlp=nlp, labels=["X"]
    )  # type: ignore[attr-defined]
    assert analyze(nlp, devel).component == "fixed_scores"


def test_wanted_precision(pipeline: Callable[..., Language], devel: Path) -> None:
    found = analyze(pipeline(), devel, precision=0.99)
    assert found.thresholds["genes", "GENE"]["threshold"] is None
    assert found.thresholds["drugs", "all types"]["threshold"]["p"] == 1.0
    assert "highest recall at a precision of 0.99" in analysis_page(found).to_markdown()


def test_without_scores(pipeline: Callable[..., Language], devel: Path, tmp_path: Path) -> None:
    with pytest.warns(BionerWarning, match="4 predicted mentions have no score"):
        found = analyze(pipeline(scores=False), devel)
    assert (found.scored, found.threshold) == ({}, None)
    analysis_page(found).to_disk(tmp_path / "out")
    assert list(analysis_page(found, brief=True).tables) == ["Matches", "Mistakes"]
    assert {file.name for file in (tmp_path / "out").iterdir()} == FILES


def test_thresholds_chosen_on_test_data(pipeline: Callable[..., Language], corpus_folder: Path) -> None:
    with pytest.warns(BionerWarning, match="chosen on the test split"):
        analyze(pipeline(), corpus_folder, split="test", corpora=["genes"], limit=1)


def test_command(
    capsys: pytest.CaptureFixture[str],
    pipeline: Callable[..., Language],
    devel: Path,
    tmp_path: Path,
) -> None:
    pipeline().to_disk(tmp_path / "pipeline")
    root = Path(__file__).parents[2]
    sample = next(iter(sorted(devel.iterdir())))
    shutil.copytree(sample, devel / "NCBI-disease")
    options = ["--catalogue", root / "configs" / "catalogue.yml", "--corpora", "NCBI-disease", "--corpus", devel]
    arguments = [tmp_path / "pipeline", *options, "--output", tmp_path / "out", "--precision", 0.9]
    assert bioner("analyze", *arguments) == 0
    assert {file.name for file in (tmp_path / "out").iterdir()} == FILES | CHARTS
    printed = capsys.readouterr().out
    assert "Thresholds" in printed and "Examples" not in printed
