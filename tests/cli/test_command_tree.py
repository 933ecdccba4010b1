"""All commands: their help, what they import, and what they say of bad input."""

import inspect
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import typer
from command_line import bioner

from bioner_spacy.cli.app import with_fields
from bioner_spacy.cli.commands import app

ROOT = Path(__file__).parents[2]


def commands(command: Any, names: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command below one, with its names."""
    if not hasattr(command, "list_commands"):
        yield names, command
        return
    context = typer.Context(command)
    for name in command.list_commands(context):
        yield from commands(command.get_command(context, name), (*names, name))


COMMANDS = dict(commands(typer.main.get_command(app)))


def test_commands_are_those_of_the_design() -> None:
    assert {" ".join(names) for names in COMMANDS} >= {
        *"init train teach shrink pretrain evaluate compare analyze package report visualize apply convert".split(),
        *(f"corpora {name}" for name in ("check", "fetch", "verify", "convert", "describe", "leakage")),
        *("review make", "review score"),
        *(f"experiment {name}" for name in ("seeds", "ablations", "transfer", "tune", "cross-corpus")),
        *(f"experiment transferability {name}" for name in ("pairs", "measures", "correlate", "rank")),
    }


@pytest.mark.parametrize("names", COMMANDS, ids=" ".join)
def test_help_has_an_example(names: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert bioner(*names, "--help") == 0
    printed = capsys.readouterr().out
    assert f"Example:\n    python -m spacy bioner {' '.join(names)} " in printed
    for parameter in COMMANDS[names].params:
        assert parameter.name == "help" or getattr(parameter, "help", None), parameter.name


@pytest.mark.parametrize(
    "arguments", [["bioner", "--help"], ["bioner", "train", "--help"], ["info", "--help"]], ids=" ".join
)
def test_starting_imports_nothing_large(arguments: list[str]) -> None:
    """torch is hidden, as spaCy itself imports it; no module of commands is imported for another command."""
    code = f"""
import sys
sys.modules["torch"] = None
import spacy.cli
before = set(sys.modules)
sys.argv[1:] = {arguments!r}
try:
    spacy.cli.setup_cli()
except SystemExit as ended:
    assert not ended.code
new = set(sys.modules) - before
large = {{"matplotlib", "transformers", "spacy_transformers", "optuna", "sklearn", "datasketch", "pooch", "jinja2"}}
assert not large & {{name.partition(".")[0] for name in new}}, new
commands = [name for name in new if name.startswith("bioner_spacy.cli.commands.")]
assert bool(commands) == ("bioner" in sys.argv), commands
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["train", "out", "--corpora", "nope"], 1, "Corpus or set 'nope' is not in the catalogue"),
        (["train", "out"], 1, "has no converted split train"),
        (["train", "out", "--preset", "large"], 1, "Option --preset is 'large'; allowed: small, base, auto"),
        (["train", "out", "--config", "old.cfg"], 1, "is not there"),
        (["train", "out", "--config", "old.cfg", "--preset", "base"], 2, "not both"),
        (["evaluate", "nowhere"], 1, "The pipeline nowhere cannot be loaded"),
        (["analyze", "nowhere"], 1, "The pipeline nowhere cannot be loaded"),
        (["compare", "a.json", "b.json"], 1, "a.json"),
        (["compare", "a.json", "b.json", "--metric", "nope"], 1, "nope"),
        (["experiment", "cross-corpus", "nowhere", "--metric", "nope"], 1, "nope"),
        (["corpora", "verify"], 1, "12 corpus files are missing or wrong"),
        (["corpora", "describe"], 1, "is not converted"),
        (["corpora", "check", "--catalogue", "."], 1, ". is a folder and cannot be read: name a file"),
        (["corpora", "check", "--catalogue", "mine.yml"], 1, "File mine.yml is not there"),
        (["package", "nowhere"], 1, "holds no trained pipeline"),
        (["package", "nowhere", "--notes", "absent.md"], 2, "there is no file absent.md"),
        (["report", "reports"], 1, "holds no reports"),
        (["review", "score", "a.tsv"], 1, "key.json"),
        (["convert", "a.xyz", "b.spacy"], 1, "a.xyz is not there"),
        (["convert", ".", "b.spacy", "--input-format", "nope"], 1, "nope"),
        (["apply", "nowhere", ".", "b.spacy", "--input-format", "text", "--format", "nope"], 1, "nope"),
        (["experiment", "seeds", "out", "--seeds", "x"], 2, "whole numbers"),
        (["experiment", "ablations", "other", "out"], 2, "scope"),
        (["experiment", "transfer", "out", "--target", "a,b"], 1, "Corpus or set 'a'"),
        (["experiment", "tune", "out", "--space", "space.yml"], 1, "Search space space.yml, key corpora: it needs"),
        (["experiment", "cross-corpus", "nowhere", "--map", "GENE"], 1, "Option --map is 'GENE'"),
        (
            ["apply", "nowhere", "space.yml", "b.jsonl", "--input-format", "text", "--overwrite"],
            1,
            "only with the option --shard-size",
        ),
        (
            ["apply", "nowhere", "space.yml", "b.jsonl", "--input-format", "text", "--options", "x=y"],
            1,
            "Option --options is 'x', and",
        ),
        (["teach", "nowhere"], 1, "holds no trained pipeline"),
        (["teach", "a/model-last", "a/model-best"], 1, "Two teachers have the name 'a'"),
        (["pretrain", "out"], 1, "has no converted split train"),
        (["nope"], 2, "nope"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_bad_input_outside_a_project(
    arguments: list[str], status: int, message: str, tmp_path: Path, monkeypatch: Any, capsys: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("space.yml").write_text("corpora: 3\n")
    assert bioner(*arguments) == status
    printed = " ".join("".join(capsys.readouterr()).split())
    assert message in printed and "Traceback" not in printed
    assert list(tmp_path.iterdir()) == [tmp_path / "space.yml"]


@pytest.mark.parametrize("names", COMMANDS, ids=" ".join)
def test_no_command_takes_an_empty_path(
    names: tuple[str, ...], tmp_path: Path, monkeypatch: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """It would be the current folder; an empty name of a pipeline too."""
    monkeypatch.chdir(tmp_path)
    module = import_module(".".join(["bioner_spacy.cli.commands", *names]).replace("-", "_"))
    parameters = inspect.signature(with_fields(module.command)).parameters
    typed = {parameter.name: parameter for parameter in COMMANDS[names].params}
    arguments = {name: "x" for name in parameters if name in typed and typed[name].param_type_name == "argument"}
    arguments |= {"kind": "scope"} if "kind" in arguments else {}
    for name, parameter in parameters.items():
        is_path = "Path" in str(parameter.annotation)
        if is_path and name in arguments or name in ("pipeline", "pipelines", "teachers"):
            given, shown = list({**arguments, name: ""}.values()), typed[name].metavar or name
        elif is_path:
            given, shown = [*arguments.values(), typed[name].opts[0], ""], typed[name].opts[0]
        else:
            continue
        assert bioner(*names, *given) == 2
        printed = " ".join(capsys.readouterr().err.split())
        assert f"error: invalid value for '{shown.lower()}" in printed.lower() and "it is empty: " in printed
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "arguments", [["train", "out"], ["experiment", "seeds", "out"], ["experiment", "tune", "out"]], ids=" ".join
)
@pytest.mark.parametrize(
    ("config", "message"),
    [
        ("[training]\nseed = 0\n", "old.cfg has no variable"),
        ("[vars]\ncorpora = null\n", "old.cfg has no variable fraction, "),
        ("train: yes\n", "File contains no section headers"),
    ],
)
def test_a_config_of_another_layout(
    arguments: list[str], config: str, message: str, tmp_path: Path, monkeypatch: Any, capsys: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("old.cfg").write_text(config)
    assert bioner(*arguments, "--config", "old.cfg") == 1
    printed = " ".join("".join(capsys.readouterr()).split())
    assert message in printed and "Traceback" not in printed
