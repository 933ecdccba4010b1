"""A model hub on this machine, which answers what Hugging Face's client asks of theirs."""

import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import unquote, urlsplit

CONVERTED = "Adding `safetensors` variant of this model"
"""Title of the pull requests of the hub's bot, by which transformers finds them."""
MAIN, PULL_REQUEST = 40 * "a", 40 * "b"
"""Commits of the branch main, and of the pull requests, each of which has the former for a parent."""


@contextmanager
def serve_models(folder: Path) -> Iterator[str]:
    """Serve models, each from a folder with the files of its revisions; gives the address.

    Args:
        folder: with `<owner>/<model>/<revision>/<file>`; a revision is "main", or "refs/pr/<number>" for a pull request of
            the bot.
    """
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, folder)) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


class _Handler(BaseHTTPRequestHandler):
    def __init__(self, folder: Path, *args: Any) -> None:
        self.folder = folder
        super().__init__(*args)

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path)
        asked = re.fullmatch(r"/api/models/([^/]+/[^/]+)(?:/(commits|discussions)(?:/(.+))?)?", path)
        file = re.fullmatch(r"/([^/]+/[^/]+)/resolve/(main|refs/pr/\d+|a{40}|b{40})/(.+)", path)
        if asked and (self.folder / asked[1]).is_dir():
            self._answer(200, json.dumps(self._about(*asked.groups())).encode())
        elif file and (self.folder / file[1]).is_dir():
            self._send_file(*file.groups())
        else:
            # Such as the list of a folder that a model has not.
            known = re.match(r"/api/models/([^/]+/[^/]+)/", path)
            is_there = known is not None and (self.folder / known[1]).is_dir()
            self._answer(404, X_Error_Code="EntryNotFound" if is_there else "RepoNotFound")

    def _about(self, model: str, what: str, revision: str) -> Any:
        if what == "commits":
            about = {"title": "", "message": "", "date": "2026-01-01T00:00:00.000Z", "authors": []}
            return [{"id": commit, **about} for commit in ([] if revision == "main" else [PULL_REQUEST]) + [MAIN]]
        if what == "discussions":
            about = {"title": CONVERTED, "status": "open", "isPullRequest": True, "author": {"name": "SFconvertbot"}}
            about |= {"createdAt": "2026-01-01T00:00:00.000Z", "repo": {"name": model, "type": "model"}}
            found = [{"num": int(path.name), **about} for path in (self.folder / model).glob("refs/pr/*")]
            return {"discussions": found, "count": len(found), "start": 0}
        return {"id": model, "private": False}

    def _send_file(self, model: str, revision: str, name: str) -> None:
        branch = {MAIN: "main"}.get(revision, revision)
        commit = MAIN if branch == "main" else PULL_REQUEST
        path = self.folder / model / branch / name
        if path.is_file():
            body = path.read_bytes()
            self._answer(200, body, ETag=f'"{hashlib.sha256(body).hexdigest()}"', X_Repo_Commit=commit)
        else:
            code = "EntryNotFound" if (self.folder / model / branch).is_dir() else "RevisionNotFound"
            self._answer(404, X_Error_Code=code, X_Repo_Commit=commit)

    def _answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)
