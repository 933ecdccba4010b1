"""The names that `bioner_spacy` offers."""

import inspect
import subprocess
import sys

import pytest

import bioner_spacy


@pytest.mark.parametrize("name", bioner_spacy.__all__)
def test_every_public_name_is_there_and_documented(name: str) -> None:
    value = getattr(bioner_spacy, name)
    assert name in dir(bioner_spacy)
    if name != "__version__":
        assert f"`{name}`" in str(bioner_spacy.__doc__)
        assert inspect.getdoc(value)


def test_other_names_are_not_there() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'nope'"):
        bioner_spacy.nope  # noqa: B018


def test_import_takes_neither_spacy_nor_torch() -> None:
    code = "import bioner_spacy, sys; assert not {'spacy', 'torch', 'numpy'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    ("name", "arguments", "empty"),
    [
        ("apply", ["nowhere", "", "a.jsonl"], "source"),
        ("apply", ["nowhere", "a.txt", ""], "output"),
        ("convert_file", ["", "a.jsonl"], "source"),
        ("convert_file", ["a.spacy", ""], "output"),
        ("evaluate", ["nowhere", ""], "corpus_folder"),
        ("load_catalogue", [""], "path"),
    ],
)
def test_an_empty_path_is_not_the_current_folder(name: str, arguments: list[str], empty: str) -> None:
    with pytest.raises(bioner_spacy.BionerError, match=f"argument {empty} is empty: name a file or folder"):
        getattr(bioner_spacy, name)(*arguments)


@pytest.mark.parametrize("empty", ["output", "corpus_folder", "config"])
def test_training_takes_no_empty_path(empty: str) -> None:
    paths = {"output": "a", "corpus_folder": "b", "config": "c", empty: ""}
    with pytest.raises(bioner_spacy.BionerError, match=f"argument {empty} is empty: name a file or folder"):
        bioner_spacy.train(["genes"], **paths)  # type: ignore[arg-type]
