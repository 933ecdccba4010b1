import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = """
import sys
import warnings
sys.modules["matplotlib"] = None
from bioner_spacy.cli.app import make_command
from bioner_spacy.errors import BionerError, warn

def main(kind: str, times: int = 1) -> None:
    if kind == "warn":
        warn("Careful.")
        warnings.warn("Other.")
    elif kind == "bioner":
        raise BionerError("Wrong\\ninput.")
    elif kind == "file":
        open("/no/such/file")
    elif kind == "memory":
        bytearray(1 << 60)
    elif kind == "charts":
        import matplotlib.figure
    elif kind == "module":
        import no_such_module
    elif kind == "fault":
        raise ZeroDivisionError("fault")

make_command(main, name="main")()
"""


@pytest.mark.parametrize(
    ("arguments", "status", "stdout", "stderr"),
    [
        (["good", "--times", "2"], 0, "", ""),
        (["bioner"], 1, "Wrong input.", ""),
        (["file"], 1, "No such file or directory: '/no/such/file'", ""),
        (["memory"], 1, "Out of memory", ""),
        (["charts"], 1, "needs the package matplotlib: pip install matplotlib (the extra charts", ""),
        (["module"], 1, "", "ModuleNotFoundError: No module named 'no_such_module'"),
        (["warn"], 0, "Careful.", "UserWarning: Other."),
        (["fault"], 1, "", "ZeroDivisionError"),
        (["good", "--times", "x"], 2, "", "times"),
    ],
)
def test_exit_status_and_output(arguments: list[str], status: int, stdout: str, stderr: str) -> None:
    command = [sys.executable, "-c", SCRIPT, *arguments]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == status
    assert stdout in " ".join(result.stdout.split())
    assert stderr in result.stderr
    if not stderr:
        assert result.stderr == ""


OVERRIDES = """
import typer
from bioner_spacy.cli.app import config_overrides, make_command

def main(context: typer.Context, name: str = "") -> None:
    print(name, config_overrides(context))

make_command(main, name="main")()
"""


@pytest.mark.parametrize(
    ("arguments", "status", "stdout"),
    [
        (["--name", "a", "--training.dropout", "0.2", "--vars.corpora=x,y"], 0, "a {'training.dropout': 0.2"),
        (["--nmae", "a"], 1, "No such option '--nmae'. Settings of the config are named with their section"),
        (["--training.dropout"], 0, "{'training.dropout': True}"),
    ],
)
def test_further_arguments_change_the_config(arguments: list[str], status: int, stdout: str) -> None:
    done = subprocess.run([sys.executable, "-c", OVERRIDES, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == status
    assert stdout in " ".join(done.stdout.split())
