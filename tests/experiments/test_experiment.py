"""Runs in a folder that remembers what was done."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from spacy.tokens import DocBin
from toy_corpora import blank_nlp, write_corpora

from bioner_spacy.docbin import load_docs
from bioner_spacy.errors import BionerError, BionerWarning
from bioner_spacy.experiments.experiment import Budget, Experiment
from bioner_spacy.scope import SPANS_KEY
from bioner_spacy.training.corpora import MultiCorpus

CONFIG = Path(__file__).parents[2] / "configs" / "small.cfg"
CORPORA = ["diseases", "genes"]


@pytest.fixture
def experiment(make: Any) -> Experiment:
    """An experiment on the toy corpora with a tiny encoder."""
    experiment: Experiment = make()
    return experiment


def test_a_pipeline_is_kept_on_demand_and_trained_again_where_it_is_not(
    experiment: Experiment, trained: list[Any]
) -> None:
    first = experiment.run("a/genes-1", ["genes"], seed=1)
    assert not experiment.pipeline("a/genes-1").exists()
    kept = experiment.run("a/genes-1", ["genes"], seed=1, keep=True)
    assert kept.scores == first.scores  # the same seed
    assert (experiment.pipeline("a/genes-1") / "meta.json").is_file()
    experiment.run("a/genes-1", ["genes"], seed=1, keep=True)
    experiment.run("a/genes-1", ["genes"], seed=1)
    assert [run.settings["seed"] for run in trained] == [1, 1]


def test_a_run_may_be_scored_on_other_corpora_and_trained_in_another_folder(
    experiment: Experiment, tmp_path: Path
) -> None:
    write_corpora(tmp_path / "elsewhere", ["genes"])
    found = experiment.run("x", ["genes"], seed=0, score_on=CORPORA, corpus_folder=tmp_path / "elsewhere")
    assert set(found.documents) == set(CORPORA)


def test_budgets(experiment: Experiment) -> None:
    alone, both = experiment.budget(["genes"]), experiment.budget(CORPORA)
    lengths = MultiCorpus(experiment.corpus_folder, CORPORA).lengths()
    tokens = {corpus: int(lengths[corpus].sum()) for corpus in CORPORA}
    assert alone == Budget(tokens["genes"], epochs=1, steps=1)  # in batches of about 20 tokens
    assert both == Budget(sum(tokens.values()), epochs=1, steps=2)
    assert alone.with_steps(both.steps) == Budget(tokens["genes"], epochs=2, steps=2)
    assert both.with_steps(1) == both  # one epoch at least
    assert Budget(1, epochs=3, steps=12).with_steps(9.9) == Budget(1, epochs=2, steps=8)


def test_values_of_one_run_go_before_those_of_all(experiment: Experiment) -> None:
    found = experiment.run("x", CORPORA, seed=0, overrides={"components.multitask_ner.grain": "corpus"}, keep=True)
    text = (experiment.pipeline("x") / "config.cfg").read_text(encoding="utf8")
    assert 'grain = "corpus"' in text
    assert found.split == "devel"


def test_a_pipeline_that_was_kept_can_be_discarded(experiment: Experiment) -> None:
    found = experiment.run("a/x", ["genes"], seed=0, keep=True)
    experiment.discard("a/x")
    assert not experiment.pipeline("a/x").parent.exists()
    assert experiment.run("a/x", ["genes"], seed=0).scores == found.scores


def test_context_of_the_config_itself_is_scored_on(make: Any, tmp_path: Path) -> None:
    text = CONFIG.read_text(encoding="utf8").replace('context = "source"\n', 'context = "sentence"\n')
    (tmp_path / "sentences.cfg").write_text(text, encoding="utf8")
    assert make(tmp_path / "sentences.cfg").run("x", ["genes"], seed=0).context == "sentence"


def test_corpora_and_pipelines_whose_mentions_are_entities(make: Any, tmp_path: Path) -> None:
    for path in (tmp_path / "corpus" / "genes").glob("*.spacy"):
        docs = list(load_docs(path, blank_nlp().vocab))
        for doc in docs:
            doc.set_ents(list(doc.spans.pop(SPANS_KEY)), default="outside")
        DocBin(docs=docs, store_user_data=False).to_disk(path)
    experiment = make(spans_key="ents", predicted_key=SPANS_KEY)
    assert experiment.run("x", ["genes"], seed=0).documents["genes"]
    with pytest.raises(BionerError, match="settings.json.*spans_key|spans_key"):
        make()


def test_overrides_that_runs_set_themselves_are_refused(experiment: Experiment) -> None:
    experiment.overrides = {"corpora.train.limit": 3, "training.dropout": 0.2}
    experiment.require_unset("corpora.trainer", "components")
    with pytest.raises(BionerError, match="sets corpora.train.limit itself"):
        experiment.require_unset("corpora.train")
    with pytest.raises(BionerError, match="sets training.dropout itself"):
        experiment.require_unset("training.dropout")


@pytest.mark.parametrize(
    "name", ["vars.seed", "training.seed", "system.seed", "corpora.train.path", "corpora.dev.corpora"]
)
def test_what_differs_between_runs_cannot_be_set_for_all(name: str, experiment: Experiment) -> None:
    with pytest.raises(BionerError, match=f"sets {name} itself"):
        Experiment(CONFIG, experiment.folder, corpus_folder=Path(), settings={}, overrides={name: 1})


@pytest.mark.parametrize("changed", ["train", "devel"])
def test_corpora_that_have_changed_are_not_mixed_with_others(changed: str, make: Any, tmp_path: Path) -> None:
    make().run("a", ["genes"], seed=0)
    write_corpora(tmp_path / "other", ["drugs"])
    file = tmp_path / "corpus" / "genes" / f"{changed}.spacy"
    file.write_bytes((tmp_path / "other" / "drugs" / f"{changed}.spacy").read_bytes())
    again = make()
    again.run("b", ["diseases"], seed=0)  # which has not
    with pytest.raises(BionerError, match=f"made with other values of these: genes/{changed}.spacy;"):
        again.run("a", ["genes"], seed=0)


def test_documents_of_another_corpus_than_their_folder(experiment: Experiment, tmp_path: Path) -> None:
    shutil.copytree(tmp_path / "corpus" / "genes", tmp_path / "corpus" / "hospital")
    experiment.settings["exclude"] = None
    with (
        pytest.warns(BionerWarning, match="are of the corpora genes, and are scored under that name"),
        pytest.raises(BionerError, match="hospital say that they are of the corpora genes"),
    ):
        experiment.run("a", ["hospital"], seed=0)
    assert not experiment.results("a").exists()


@pytest.mark.parametrize("epochs", [0, "many"])
def test_epochs_that_are_none(epochs: object, experiment: Experiment) -> None:
    experiment.overrides = {"vars.epochs": epochs}
    with pytest.raises(BionerError, match="Setting training.max_epochs is"):
        experiment.budget(["genes"])


@pytest.mark.parametrize("content", ["{", "[]"])
def test_settings_that_cannot_be_read(experiment: Experiment, tmp_path: Path, content: str) -> None:
    experiment.run("x", ["genes"], seed=0)
    (tmp_path / "out" / "settings.json").write_text(content, encoding="utf8")
    with pytest.raises(BionerError, match="settings.json holds no settings of an experiment"):
        Experiment(CONFIG, tmp_path / "out", corpus_folder=tmp_path / "corpus", settings={})


def test_numbers_are_the_same_when_they_are_read_again(make: Any) -> None:
    overrides = {"training.optimizer.learn_rate.initial_rate": 0.3}
    first, again = (make(overrides=overrides).run("x", ["genes"], seed=0) for _ in range(2))
    assert first == again


def test_two_processes_in_one_folder_are_kept_apart(experiment: Experiment) -> None:
    code = (
        "import sys; from pathlib import Path; from bioner_spacy.experiments.experiment import Experiment; "
        "Experiment(Path(sys.argv[1]), Path(sys.argv[2]), corpus_folder=Path(sys.argv[3]), settings={})"
    )
    arguments = [str(path) for path in (CONFIG, experiment.folder, experiment.corpus_folder)]
    ended = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False)
    assert ended.returncode and f"Another process works in {experiment.folder}" in ended.stderr
    # Objects of one process share the lock.
    Experiment(CONFIG, experiment.folder, corpus_folder=experiment.corpus_folder, settings=experiment.settings)


def test_other_versions_are_marked(experiment: Experiment) -> None:
    path = experiment.folder / "settings.json"
    settings = json.loads(path.read_text("utf8"))
    settings["provenance"]["versions"]["torch"] = "0.1"
    path.write_text(json.dumps(settings), encoding="utf8")
    (experiment.folder / "runs").mkdir()
    (experiment.folder / "runs" / "x.json").write_text("{}", encoding="utf8")
    own = {name: value for name, value in experiment.settings.items() if name != "corpus_folder"}
    with pytest.warns(BionerWarning, match="other versions of these: versions.torch"):
        Experiment(CONFIG, experiment.folder, corpus_folder=experiment.corpus_folder, settings=own, split="devel")
