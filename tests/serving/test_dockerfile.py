"""The image of the service, as far as it can be checked without an engine."""

import json
import re
import subprocess
from pathlib import Path

from command_line import bioner

DOCKERFILE = Path(__file__).parents[2] / "docker/Dockerfile"


def test_options_follow_those_of_the_image(tmp_path: Path) -> None:
    """The command of the image replaces its shell, so that signals reach the service."""
    text = DOCKERFILE.read_text(encoding="utf8")
    entrypoint = json.loads(re.findall(r"^ENTRYPOINT (.*)$", text, re.MULTILINE)[0])
    python = tmp_path / "python"
    python.write_text('#!/bin/sh\necho "$$"; printf "%s\\n" "$@"\n')
    python.chmod(0o755)
    env = {"PATH": f"{tmp_path}:/usr/bin:/bin", "PIPELINE": "en_mine"}
    with subprocess.Popen([*entrypoint, "--batch-size", "8 "], env=env, stdout=subprocess.PIPE, text=True) as process:
        number, *words = process.communicate()[0].splitlines()
    assert int(number) == process.pid
    assert words == "-m spacy bioner serve en_mine --host 0.0.0.0 --port 8000 --batch-size".split() + ["8 "]


def test_image_builds_from_the_folder_of_packages() -> None:
    """What is copied is what `package` writes, and what the image calls is a command."""
    copied = re.findall(r"^COPY (\S+) /wheels/$", DOCKERFILE.read_text(encoding="utf8"), re.MULTILINE)
    assert copied == ["bioner_spacy-*.whl", "${PIPELINE}-*.whl"]
    assert bioner("serve", "--help") == 0
