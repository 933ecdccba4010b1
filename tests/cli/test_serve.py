"""The command `spacy bioner serve`."""

import socket
from pathlib import Path

import pytest

pytest.importorskip("fastapi")
from spacy.cli import app
from typer.testing import CliRunner

import bioner_spacy.cli.commands  # noqa: F401


def test_port_and_pipeline_are_reported_in_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        result = CliRunner().invoke(app, ["bioner", "serve", str(tmp_path), "--port", port])
        assert result.exit_code == 1
        assert f"Cannot listen at 127.0.0.1, port {port}" in " ".join(result.output.split())
    result = CliRunner().invoke(app, ["bioner", "serve", str(tmp_path), "--port", "0"])
    assert result.exit_code == 1
    assert str(tmp_path.name) in "".join(result.output.split())
