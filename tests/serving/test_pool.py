"""The pool: order, progress, and workers that end in the middle of their work."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch

from bioner_spacy.errors import BionerError, BionerWarning
from bioner_spacy.formats import SourceDocument
from bioner_spacy.serving import pool
from bioner_spacy.serving.annotator import Done, Settings
from bioner_spacy.serving.apply import apply
from bioner_spacy.serving.pool import DiedEarly, NoRoom, Pool, WorkerDied, imap, process_pool


class Scripted:
    """A worker that does what its calls are."""

    ended = 0

    def do(self, call: Any, on_progress: Callable[[int, int], None]) -> Done:
        action, number = call
        if isinstance(action, list) and action:
            raise action.pop()
        if action == "slow":
            time.sleep(0.3)
        on_progress(1, number)
        return Done(1, 0, number)

    def end(self) -> None:
        Scripted.ended += 1


def run(
    calls: list[Any], *, size: int = 2, ordered: bool = False, start: Any = lambda number: Scripted()
) -> list[int]:
    with Pool(start, size, strict=True) as workers:
        tasks = ((number, (call, number)) for number, call in enumerate(calls))
        return [done.tokens for _, done in imap(workers, tasks, lambda key, documents, tokens: None, ordered=ordered)]


def test_order() -> None:
    calls = ["slow", *["quick"] * 9]
    assert run(calls, ordered=True) == list(range(10))
    unordered = run(calls)
    assert unordered[0] != 0 and sorted(unordered) == list(range(10))


def test_workers_that_die_are_replaced_and_all_end(monkeypatch: pytest.MonkeyPatch) -> None:
    Scripted.ended = 0
    died = [WorkerDied("ended by SIGKILL") for _ in range(2)]
    assert run([died, "quick"], size=1) == [0, 1]
    assert Scripted.ended >= 3
    with pytest.raises(BionerError, match="3 workers ended by SIGKILL during the same task"):
        run([[WorkerDied("ended by SIGKILL") for _ in range(3)], "quick"])
    with pytest.raises(ValueError, match="a fault"):
        run([[ValueError("a fault")], *["slow"] * 5])


def test_workers_that_die_before_they_have_loaded_the_pipeline_end_the_run() -> None:
    Scripted.ended = 0
    assert run([[DiedEarly("ended by SIGKILL")], "quick"], size=1) == [0, 1]
    assert Scripted.ended >= 2
    mixed: list[WorkerDied] = [kind("ended by SIGKILL") for kind in (DiedEarly, WorkerDied, DiedEarly)]
    assert run([mixed, "quick"], size=1) == [0, 1]
    died = [DiedEarly("ended by SIGKILL") for _ in range(9)]
    with pytest.raises(BionerError, match="2 workers ended by SIGKILL before they had loaded the pipeline"):
        run([died], size=1)
    assert len(died) == 7


@pytest.mark.parametrize(("fatal", "left"), [([6], 9), ([0, 4, 9], 7), ([0], 1), ([0, 1, 2, 3], 9)])
def test_documents_that_end_workers_are_left_out(fatal: list[int], left: int) -> None:
    """But for those of a task that has too many of them."""
    documents = [SourceDocument(str(number), "", (), Path("a.txt"), number) for number in range(left + len(fatal))]

    class Mortal(Scripted):
        def do(self, call: Any, on_progress: Callable[[int, int], None]) -> Done:
            method, (some, path) = call
            if set(fatal) & {document.line for document in some}:
                raise WorkerDied("ended by SIGSEGV")
            return Done(len(some), 0, 0, ["one that failed"])  # type: ignore[list-item]

    with Pool(lambda number: Mortal(), 1) as workers:
        future = workers.submit(("write_shard", (documents, "path")), lambda documents, tokens: None)
        if len(fatal) > pool.ATTEMPTS:
            with pytest.raises(BionerError, match="3 workers ended by SIGSEGV during the same task"):
                future.result()
            return
        done = future.result()
    assert done.documents == left
    assert [(one.document, one.reason) for one in done.failures[1:]] == [
        (str(number), "every process that annotated it ended by SIGSEGV") for number in fatal
    ]


def test_workers_without_room_leave_the_work_to_others() -> None:
    def start(number: int) -> Scripted:
        if number:
            time.sleep(0.05)
            raise NoRoom("find no free CPU")
        return Scripted()

    assert sorted(run(["slow"] * 4, start=start)) == [0, 1, 2, 3]

    def never(number: int) -> Scripted:
        raise NoRoom("find no free CPU")

    with pytest.raises(BionerError, match="Workers find no free CPU: ask for fewer"):
        run(["quick"] * 4, start=never)


@pytest.mark.parametrize(("threads", "shares"), [(5, [2, 2, 1]), (1, [1, 1, 1]), (6, [2, 2, 2])])
def test_threads_are_shared_out(threads: int, shares: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    given: dict[int, int] = {}

    class Recorded(Scripted):
        def __init__(self, settings: Settings, threads: int) -> None:
            given[len(given)] = threads

    monkeypatch.setattr(torch, "get_num_threads", lambda: threads)
    monkeypatch.setattr(pool, "Process", Recorded)
    with process_pool(Settings("nlp"), 3) as workers:
        assert isinstance(workers, Pool)
        for future in [workers.submit(("slow", 0), lambda documents, tokens: None) for _ in range(3)]:
            future.result()
    assert sorted(given.values(), reverse=True) == shares


def state_and_parent(process: int) -> tuple[str, int]:
    try:
        state, parent = Path(f"/proc/{process}/stat").read_text().rpartition(") ")[2].split()[:2]
    except OSError:
        return "X", 0
    return state, int(parent)


def children(parent: int) -> list[int]:
    """Processes that live and were started by another one."""
    processes = [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]
    return [process for process in processes if state_and_parent(process)[1] == parent]


@pytest.mark.slow
def test_a_killed_process_is_replaced(pipeline: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its texts are annotated by another one; a text that kills each of them is left out, or an error."""
    texts = tmp_path / "texts.txt"
    texts.write_text("".join(f"text {number} NOD2\n" for number in range(9)))
    apply(pipeline, texts, tmp_path / "expected.jsonl")
    texts.write_text(texts.read_text().replace("text 4", "kill 4"))
    for output, settings in (("run.jsonl", {"shard_size": 3}), ("file.jsonl", {})):
        Path(pipeline).with_name("killed").unlink(missing_ok=True)
        monkeypatch.setattr("bioner_spacy.serving.apply.CHUNK", 3)
        assert apply(pipeline, texts, tmp_path / output, n_process=2, **settings) == (9, 9, 0)
        assert Path(pipeline).with_name("killed").exists()
        files = sorted((tmp_path / output).glob("0*")) if settings else [tmp_path / output]
        found = "".join(file.read_text() for file in files).replace("kill 4", "text 4")
        assert found == (tmp_path / "expected.jsonl").read_text()
    monkeypatch.setattr(pool, "ATTEMPTS", 1)
    texts.write_text("".join(f"{'killed' if number == 4 else 'text'} {number} NOD2\n" for number in range(9)))
    for output, settings in (("left.jsonl", {"shard_size": 3}), ("left_file.jsonl", {})):
        with pytest.warns(BionerWarning, match="document 5.*every process that annotated it ended by SIGKILL"):
            assert apply(pipeline, texts, tmp_path / output, n_process=2, **settings) == (8, 8, 1)
    texts.write_text("killed\n" * 9)
    with pytest.raises(BionerError, match="1 workers ended by SIGKILL during the same task"):
        apply(pipeline, texts, tmp_path / "none.jsonl", n_process=2, strict=True)
    Path(pipeline).with_name("deadly").touch()
    with pytest.raises(BionerError, match="2 workers ended by SIGKILL before they had loaded the pipeline"):
        apply(pipeline, texts, tmp_path / "none.jsonl", n_process=2)
    assert not list(tmp_path.glob("*none*"))
    assert not children(os.getpid())


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="no list of processes")
@pytest.mark.slow
@pytest.mark.parametrize("sent", ["SIGKILL", "SIGINT"])
def test_no_process_outlives_its_parent(sent: str, pipeline: str, tmp_path: Path) -> None:
    (tmp_path / "texts.txt").write_text("slow slow NOD2\n" * 1000)
    command = [sys.executable, "-m", "spacy", "bioner", "apply", pipeline, "texts.txt", "out.jsonl"]
    options = ["--shard-size", "5", "--n-process", "2"]
    # What started these tests, such as nohup, may have ignored the signal.
    reset = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "preexec_fn": reset}
    parent = subprocess.Popen([*command, *options], cwd=tmp_path, **pipes)
    journal = tmp_path / "out.jsonl/_run/shards.jsonl"
    until(lambda: journal.is_file() and journal.read_text() and len(children(parent.pid)) == 2)
    workers = children(parent.pid)
    os.kill(parent.pid, getattr(signal, sent))
    printed = parent.communicate(timeout=60)[0].decode()
    until(lambda: not any(state_and_parent(worker)[0] in "RSD" for worker in workers))
    assert "Traceback" not in printed


def until(condition: Callable[[], Any], seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)
