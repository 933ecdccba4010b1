"""Gains of auxiliary corpora, trained for real."""

from pathlib import Path
from typing import Any

import pytest
import srsly
from command_line import bioner
from toy_corpora import CORPORA as TOYS
from toy_corpora import write_corpora

from bioner_spacy.errors import BionerError, BionerWarning
from bioner_spacy.experiments.transferability.gains import Gains
from bioner_spacy.experiments.transferability.measures import MEASURES, Measures
from bioner_spacy.experiments.transferability.runs import measure_gains
from bioner_spacy.scoring.results import Results

CONFIG = Path(__file__).parents[3] / "configs" / "small.cfg"
CORPORA = ["genes", "diseases", "drugs"]


@pytest.fixture
def gains(make: Any) -> Any:
    """Measures gains on the toy corpora."""

    def run(
        seeds: list[int], corpora: list[str] = CORPORA, tokens: int = 6, equal_steps: bool = False, **overrides: Any
    ) -> Gains:
        experiment = make(settings={"epochs": 10, "batch_tokens": 6, "tokens": tokens}, overrides=overrides)
        return measure_gains(experiment, corpora, seeds, equal_steps=equal_steps, resamples=99)

    return run


def test_every_pair_is_trained_once_and_gives_both_directions(gains: Any, trained: list[Any], tmp_path: Path) -> None:
    found = gains([1])
    alone: list[Any] = [(1, (corpus,)) for corpus in CORPORA]
    pairs: list[Any] = [(1, pair) for pair in (("diseases", "genes"), ("drugs", "genes"), ("diseases", "drugs"))]
    assert [(run.settings["seed"], run.corpora) for run in trained] == alone + pairs
    runs = tmp_path / "out/runs/seed-1"
    joint = Results.from_disk(runs / "joint/diseases+genes.json").per_corpus
    for target, auxiliary in (("genes", "diseases"), ("diseases", "genes")):
        before = Results.from_disk(runs / f"alone/{target}-10-epochs.json").per_corpus[target]["f"]
        assert found.alone(target) == (before,)
        assert found.gain(target, auxiliary) == joint[target]["f"] - before
    # Other order, another seed: nothing is trained again.
    again = gains([1, 2], CORPORA[::-1])
    assert {run.settings["seed"] for run in trained[6:]} == {2}
    assert [run.corpora for run in trained[6:]] == [corpora for _, corpora in alone[::-1] + pairs[::-1]]
    assert again.rows["genes", "drugs"].system_runs[:1] == found.rows["genes", "drugs"].system_runs
    assert (again.seeds, len(again.rows)) == ([1, 2], 6)


def test_budgets_and_learning_curves(gains: Any, tmp_path: Path) -> None:
    found = gains([1], CORPORA[:2])
    # Whole documents until there are six tokens.
    assert found.tokens["genes"] in (7, 9) and found.tokens["diseases"] in (6, 7, 11, 12)
    assert found.steps["genes"] == 10 and found.epochs == 10
    lines = list(srsly.read_jsonl(tmp_path / "out/runs/seed-1/alone/genes-10-epochs.jsonl"))
    assert [line["step"] for line in lines] == list(range(10))
    [curve] = found.curves["genes"]
    assert [updates for updates, _ in curve] == list(range(1, 11))
    assert [loss for _, loss in curve] == pytest.approx([line["losses"]["multitask_ner"] for line in lines])


def test_equal_steps(gains: Any, tmp_path: Path) -> None:
    short = gains([1], CORPORA[:2])
    long = gains([1], CORPORA[:2], equal_steps=True)
    assert short.steps == {"genes": 10, "diseases": 20}
    assert short.joint_steps == long.joint_steps == 30
    assert long.steps == {"genes": 30, "diseases": 30}
    pair = ("genes", "diseases")
    assert long.rows[pair].system_runs == short.rows[pair].system_runs
    made = {path.name for path in (tmp_path / "out/runs/seed-1/alone").glob("genes*.json")}
    assert made == {"genes-10-epochs.json", "genes-30-epochs.json"}


def test_runs_alone_are_trained_again_where_other_corpora_change_their_steps(gains: Any, tmp_path: Path) -> None:
    before = gains([1], CORPORA[:2], equal_steps=True)
    after = gains([1], CORPORA, equal_steps=True)
    assert before.steps["genes"] == 30 and after.steps["genes"] != 30
    [curve] = after.curves["genes"]
    assert curve[-1][0] == pytest.approx(after.steps["genes"], rel=0.1)
    results = Results.from_disk(tmp_path / f"out/runs/seed-1/alone/genes-{after.steps['genes']}-epochs.json")
    assert after.alone("genes") == (results.per_corpus["genes"]["f"],)


def test_a_small_corpus_is_reported(gains: Any) -> None:
    with pytest.warns(BionerWarning, match=r"Corpus \w+ has 1\d tokens to train on and 99 are asked for"):
        gains([1], CORPORA[:2], tokens=99)


def test_wrong_arguments(gains: Any) -> None:
    with pytest.raises(BionerError, match="genes is one"):
        gains([1], ["genes"])
    with pytest.raises(BionerError, match="sets training.eval_frequency itself"):
        gains([1], **{"training.eval_frequency": 3})


def command(*arguments: object) -> int:
    """Run the commands on transferability; the exit status."""
    return bioner("experiment", "transferability", *arguments)


def write_catalogue(path: Path) -> None:
    """A catalogue of the toy corpora, in one set named toys."""
    files = {split: {"name": f"{split}.tsv", "sha256": None} for split in ("train", "devel")}
    about = dict.fromkeys(("description", "licence", "homepage", "redistributable"), "invented")
    corpora = {
        name: {**about, "format": "iob", "files": files, "labels": {label: label for label in scope}}
        for name, (scope, _) in TOYS.items()
    }
    content = {
        "types": dict.fromkeys(("CHEMICAL", "DISEASE", "GENE"), "invented"),
        "sources": {"nowhere": "https://example.org/{corpus}/{file}"},
        "corpora": corpora,
        "sets": {"toys": {"corpora": CORPORA, "epochs": 4, "batch_tokens": 6}},
    }
    srsly.write_yaml(path, content)


def test_from_gains_to_a_ranking(
    tiny_bert: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_corpora(tmp_path / "corpus")
    write_catalogue(tmp_path / "catalogue.yml")
    out = tmp_path / "out"
    shared: list[object] = ["--corpora", "toys", "--catalogue", tmp_path / "catalogue.yml", "--encoder", tiny_bert]
    shared += ["--corpus", tmp_path / "corpus", "--config", CONFIG, "--tokens", 0]
    pairs = ["pairs", out, *shared, "--seeds", "1,1", "--resamples", 9]
    pairs += ["--components.multitask_ner.grain", "guideline"]
    assert command(*pairs) == 0
    assert Gains.from_disk(out).seeds == [1]
    assert srsly.read_json(out / "settings.json")["components.multitask_ner.grain"] == "guideline"
    kept = (out / "gains.json").read_bytes()
    assert command(*pairs, "--equal-epochs") == 0
    assert (out / "gains.json").read_bytes() == kept
    assert "for as many epochs" in (out / "equal-epochs" / "gains.md").read_text(encoding="utf8")
    assert not Gains.from_disk(out / "equal-epochs").equal_steps
    assert command("measures", out, *shared) == 0
    assert set(Measures.from_disk(out).values) == set(MEASURES)
    assert command("correlate", out) == 0
    capsys.readouterr()
    assert command("rank", "genes", *shared) == 0
    printed = capsys.readouterr().out
    assert "Ranked by the mean of the ranks by vocabulary, topic, encoder, names" in printed
    srsly.write_json(tmp_path / "made.json", {"spearman": {"names": {"value": -0.5}}})
    assert command("rank", "genes", *shared, "--correlations", tmp_path / "made.json") == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert "Ranked by the measure names alone" in printed and "(Spearman's rho -0.50)" in printed
    assert command("rank", "toys", *shared) == 1
