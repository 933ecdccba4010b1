"""The examples of docs/architectures.md."""

import inspect
import re
from pathlib import Path

import pytest
from spacy import registry
from thinc.api import Config

PAGE = (Path(__file__).parents[2] / "docs" / "architectures.md").read_text(encoding="utf8")
EXAMPLES = {
    str(config["components"]["multitask_ner"]["model"]["@architectures"]): config["components"]["multitask_ner"][
        "model"
    ]
    for block in re.findall(r"```ini\n(.*?)```", PAGE, re.DOTALL)
    for config in [Config().from_str("[components]\n[components.multitask_ner]\n" + block)]
}


def test_every_architecture_of_the_component_has_one() -> None:
    ours = {name for name in registry.architectures.get_all() if name.startswith("bioner_spacy.")}
    assert set(EXAMPLES) == {name for name in ours if "Transformer" not in name}


@pytest.mark.parametrize("name", EXAMPLES)
def test_examples_hold_all_settings_and_their_defaults(name: str) -> None:
    parameters = inspect.signature(registry.architectures.get(name)).parameters.values()
    defaults = {p.name: p.default for p in parameters if p.name not in ("tok2vec", "nO")}
    assert {setting: value for setting, value in EXAMPLES[name].items() if setting[0] != "@"} == defaults
