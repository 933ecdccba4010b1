"""Names of settings and results before version 0.3 still work."""

import json
import re
import warnings
from inspect import signature
from pathlib import Path

import pytest
import spacy
from spacy.util import load_config, registry
from toy_corpora import write_corpora

from bioner_spacy.corpora import load_catalogue
from bioner_spacy.errors import BionerError, BionerWarning
from bioner_spacy.experiments.experiment import Experiment
from bioner_spacy.old_names import NEW_NAMES, accept_old_names
from bioner_spacy.scoring.results import Pipeline, Results
from bioner_spacy.training.runs import run_settings, train_run
from bioner_spacy.training.settings import check_variables, read_config

CONFIG = Path(__file__).parents[1] / "configs" / "small.cfg"
OLD_NAMES = {new: old for old, new in NEW_NAMES.items()}


@pytest.fixture
def old_config(tmp_path: Path) -> Path:
    """configs/small.cfg as version 0.2 had it."""
    names = "|".join(OLD_NAMES)
    text = re.sub(
        rf"(?m)(?<=^)({names})(?= =)|(?<=vars\.)({names})\b", lambda m: OLD_NAMES[m[0]], CONFIG.read_text("utf8")
    )
    text = re.sub(r"(MultiCorpus|TransformerModel)\.v2", r"\1.v1", text)
    assert "\nbatch_pieces = 4096\n" in text and "\nwords = ${vars.words}\n" in text
    path = tmp_path / "old.cfg"
    path.write_text(text, encoding="utf8")
    return path


def test_an_old_config_trains_with_a_warning_and_its_pipeline_loads_without(
    old_config: Path, tiny_bert: str, tmp_path: Path
) -> None:
    write_corpora(tmp_path / "corpus", ["genes"])
    settings = {"encoder": tiny_bert, "epochs": 1, "batch_tokens": 10, "corpus_folder": str(tmp_path / "corpus")}
    with pytest.warns(BionerWarning, match=r"W302.*old.cfg.* \(batch_words, context_words, words\).*batch_tokens"):
        train_run(old_config, tmp_path / "run", ["genes"], settings={**settings, "tokens": 15})
    with warnings.catch_warnings():
        warnings.simplefilter("error", BionerWarning)
        nlp = spacy.load(tmp_path / "run" / "model-last")
    assert nlp.config["vars"]["batch_words"] == 10 and nlp.config["corpora"]["train"]["words"] == "${vars.words}"
    assert nlp.get_pipe("transformer").model.shims[0].batch_subwords == 4096  # type: ignore[attr-defined]
    assert nlp.config.interpolate()["corpora"]["train"]["words"] == 15
    # After replacing listeners the encoder has another registered name.
    nlp.replace_listeners("transformer", "multitask_ner", ["model.tok2vec"])
    nlp.to_disk(tmp_path / "replaced")
    assert len(spacy.load(tmp_path / "replaced")("NOD2").ents) < 2


def test_registered_functions_of_version_1_differ_in_names_alone() -> None:
    for kind, name in [
        ("readers", "MultiCorpus"),
        ("architectures", "TransformerModel"),
        ("architectures", "Tok2VecTransformer"),
    ]:
        old, new = (signature(registry.get(kind, f"bioner_spacy.{name}.v{version}")) for version in (1, 2))
        assert [NEW_NAMES.get(one, one) for one in old.parameters] == list(new.parameters) != list(old.parameters)
        defaults = [[one.default for one in version.parameters.values()] for version in (old, new)]
        assert defaults[0] == defaults[1]


def test_experiments_read_an_old_config(old_config: Path, tmp_path: Path) -> None:
    write_corpora(tmp_path / "corpus", ["genes"])
    settings = {"epochs": 2, "batch_tokens": 10}
    experiment = Experiment(old_config, tmp_path / "out", corpus_folder=tmp_path / "corpus", settings=settings)
    assert experiment.variable("context", "context_tokens", "tokens") == {
        "context": "source",
        "context_tokens": 180,
        "tokens": 0,
    }
    budget = experiment.budget(["genes"])
    assert (budget.epochs, budget.steps) == (2, 4)


def test_variables_are_set_by_new_and_old_names(old_config: Path) -> None:
    for name in ("tokens", "words"):
        assert read_config(old_config, {f"vars.{name}": 7}, interpolate=True)["corpora"]["train"]["words"] == 7
    with pytest.warns(BionerWarning, match="W302"):
        check_variables(old_config, load_config(old_config), ["vars.tokens", "vars.words"])
    with pytest.raises(BionerError, match="words.*tokens"):
        check_variables(CONFIG, load_config(CONFIG), ["vars.words"])


def test_old_results_are_read(tmp_path: Path) -> None:
    scores = {"f": 0.5, "per_corpus": {"genes": {"f": 0.5, "gold": 2, "per_type": {}}}}
    results = Results(Pipeline("en_x", "0.2.0", None, 0, []), "test", None, scores, 10, 5.0, context_tokens=9)
    results.to_disk(tmp_path / "new.json")
    data = json.loads((tmp_path / "new.json").read_text("utf8"))
    data = {OLD_NAMES.get(name, name): value for name, value in data.items()}
    assert {"words", "words_per_second", "context_words"} <= data.keys()
    (tmp_path / "old.json").write_text(json.dumps(data))
    assert Results.from_disk(tmp_path / "old.json") == Results.from_disk(tmp_path / "new.json")


def test_an_old_catalogue_is_read(tmp_path: Path) -> None:
    text = Path(CONFIG.parent, "catalogue.yml").read_text("utf8")
    (tmp_path / "catalogue.yml").write_text(text.replace("batch_tokens", "batch_words"), encoding="utf8")
    chosen = load_catalogue(tmp_path / "catalogue.yml").sets["sample"]
    assert run_settings(chosen, CONFIG, tmp_path, epochs=1)["batch_tokens"] == chosen.batch_tokens == 300


def test_arguments_of_public_functions() -> None:
    @accept_old_names
    def function(*, context_tokens: int = 1) -> int:
        return context_tokens

    with pytest.warns(BionerWarning, match=r"Arguments of function have old names \(context_words\)") as warned:
        assert function(context_words=3) == 3
    assert warned[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert function(context_tokens=2) == 2
