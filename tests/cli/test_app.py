import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from bioner_spacy.cli.messages import msg

ROOT = Path(__file__).parents[2]
SCRIPT = """
import sys
import warnings
sys.modules["uvicorn"] = None
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
    elif kind == "torch":
        raise RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory")
    elif kind == "serve":
        import uvicorn.server
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
        (["torch"], 1, "Out of memory ([enforce fail] DefaultCPUAllocator: can't allocate memory)", ""),
        (["serve"], 1, "needs the package uvicorn: pip install 'bioner_spacy[serve]'", ""),
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


WRITE = """
import os
import signal
import sys
import time
from pathlib import Path
from typing import Annotated
import typer
from bioner_spacy.cli.app import make_command
from bioner_spacy.errors import BionerError, warn
from bioner_spacy.files import replacing

def main(
    source: Path, output: Path = Path("out"), spans_key: str = "", also: Annotated[str, typer.Option("--other")] = ""
) -> None:
    if also:
        warn("lower the option other, set other to 3 (option others).")
        raise BionerError("Option other is wrong; only with the setting spans_key.")
    if spans_key:
        raise BionerError(f"Setting spans_key is {spans_key!r}: change the setting spans_key, or set output to another (setting output.x).")
    with replacing(output) as (part,):
        part.write_text("half")
        if os.fork() == 0:  # a worker, which ends as it always did
            time.sleep(60)
        print("ready", flush=True)
        time.sleep(60)

make_command(main, name="main")()
"""


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_signals_leave_nothing_half_written(name: str, tmp_path: Path) -> None:
    command = [sys.executable, "-c", WRITE, "source"]
    # What started these tests, such as nohup, may have ignored signals.
    reset = partial(signal.signal, getattr(signal, name), signal.SIG_DFL)
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    process = subprocess.Popen(command, cwd=tmp_path, start_new_session=True, preexec_fn=reset, **pipes)
    assert process.stdout and process.stdout.readline() == "ready\n" and len(list(tmp_path.iterdir())) == 1
    number = getattr(signal, name)
    os.kill(process.pid, number)
    process.wait(timeout=30)
    os.killpg(process.pid, signal.SIGTERM)  # the worker
    stdout, stderr = process.communicate(timeout=30)
    assert process.returncode == 128 + number and stderr == ""
    assert stdout.startswith(f"✘ [E652] Interrupted by {name}: no file is left half written.")
    assert stdout.count("\n") == 1 and not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["a", "--output", "-"], "[E653] --output is -, and a file or folder is needed there"),
        (
            ["a", "--spans-key", "x"],
            "Option --spans-key is 'x': change the option --spans-key, or set --output to another (setting output.x).",
        ),
        (["a", "--other", "x"], "lower the option --other, set --other to 3 (option others)."),
        (["a", "--other", "x"], "Option --other is wrong; only with the option --spans-key."),
    ],
)
def test_messages_name_what_was_typed(arguments: list[str], message: str) -> None:
    done = subprocess.run([sys.executable, "-c", WRITE, *arguments], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "") and message in done.stdout


MESSAGE = """
from bioner_spacy.cli.app import make_command
from bioner_spacy.cli.messages import msg
def main() -> None:
    msg.good("Wrote it")
make_command(main, name="main")()
"""


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is always full")
@pytest.mark.parametrize(
    "arguments",
    [
        ["-c", MESSAGE],
        ["-m", "spacy", "bioner", "--help"],
        ["-m", "spacy", "bioner", "apply", "--help"],
        ["-m", "spacy", "bioner", "corpora", "--help"],
    ],
)
def test_full_standard_output(arguments: list[str]) -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, *arguments], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert (done.returncode, done.stderr) == (1, "[Errno 28] No space left on device\n")


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_standard_streams(closed: str) -> None:
    read = MESSAGE.replace("    msg.good", "    import sys\n    assert sys.stdin.read() == ''\n    msg.good")
    command = ["sh", "-c", f'exec "$0" -c "$1" {closed}', sys.executable, read]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == ("" if ">&-" in closed.replace("2>&-", "") else "\u2714 Wrote it\n")


def test_messages_are_one_line_each(capsys: pytest.CaptureFixture[str]) -> None:
    path = "/".join(["a folder"] * 20)
    msg.good(f"Wrote {path}")
    assert capsys.readouterr().out == f"✔ Wrote {path}\n"


@pytest.mark.parametrize(
    ("terminal", "no_color", "colored"), [(True, "", True), (True, "1", False), (False, "", False)]
)
def test_colours_are_for_terminals(
    terminal: bool, no_color: str, colored: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: terminal)
    monkeypatch.setenv("NO_COLOR", no_color)
    msg.good("Done")
    assert ("\x1b[" in capsys.readouterr().out) == colored
