"""Every name that the package registers is there and loads."""

import runpy
from importlib.metadata import distribution
from pathlib import Path
from unittest.mock import patch

import pytest
import spacy
from spacy.language import Language

SETUP = Path(__file__).parent.parent / "setup.py"


def declared() -> list[tuple[str, str, str]]:
    """Group, name and target of every entry point in setup.py."""
    with patch("setuptools.setup"):
        groups: dict[str, list[str]] = runpy.run_path(str(SETUP))["ENTRY_POINTS"]
    return [(group, *map(str.strip, line.split("=", 1))) for group, lines in groups.items() for line in lines]


def test_installed_names_are_those_of_setup() -> None:
    installed = {(entry.group, entry.name, entry.value) for entry in distribution("bioner_spacy").entry_points}
    assert installed == set(declared()), "install the package again: pip install -e ."


@pytest.mark.parametrize("group, name, target", declared(), ids=lambda value: value.split(" ")[0])
def test_entry_point_is_what_spacy_finds(group: str, name: str, target: str) -> None:
    [entry] = [e for e in distribution("bioner_spacy").entry_points if (e.group, e.name) == (group, name)]
    loaded = entry.load()
    if group == "spacy_factories":
        # spaCy wraps the function of a factory.
        assert Language.has_factory(name)
        assert spacy.blank("en").get_factory_meta(name).factory == name
    else:
        registry = getattr(spacy.registry, group.split("_", 1)[1])
        assert registry.get_all()[name] is loaded
