"""Threads of the encoder in prediction on a CPU: a forward pass for each thread, or all threads in each pass.

    python benchmarks/threads.py PIPELINE TEXTS --threads 2 --busy 0,1

TEXTS is a file of JSON strings, one per line, which are read one by one ("as given") and joined eight at a time
("joined"). Each way is a process of its own, because the OpenMP library reads `OMP_WAIT_POLICY` once; the processes take
turns. `--busy` starts other processes that keep so many cores busy.
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import spacy
import torch
from measured import cells, interleaved, surroundings

from bioner_spacy.layers.encoder.shim import EncoderShim
from bioner_spacy.reports.table import Table

WAYS = {
    "a pass for each thread": {},
    "all threads in each pass": {"SHARED": "1"},
    "the same, OMP_WAIT_POLICY=PASSIVE": {"SHARED": "1", "OMP_WAIT_POLICY": "PASSIVE"},
}
JOINED = 8


def main(args: argparse.Namespace) -> None:
    """Measure all ways beside each number of busy processes, and print a table for each."""
    command = [sys.executable, __file__, args.pipeline, str(args.texts), "--threads", str(args.threads), "--work"]
    workers = {}
    for name, settings in WAYS.items():
        env = {**os.environ, "OMP_NUM_THREADS": str(args.threads), **settings}
        workers[name] = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env)
    try:
        for busy in map(int, args.busy.split(",")):
            others = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(busy)]
            try:
                for kind in ("as given", "joined"):
                    speeds = interleaved(
                        {name: partial(ask, one, kind) for name, one in workers.items()}, args.repeats
                    )
                    rows = [[name, *cells(of_way, next(iter(speeds.values())))] for name, of_way in speeds.items()]
                    print(f"\nTexts {kind}, {args.threads} threads, beside {busy} busy processes")
                    print(Table(["Threads", "tokens/s", "min–max", "ratio"], rows, numbers=1).to_text())
            finally:
                for other in others:
                    other.kill()
    finally:
        for worker in workers.values():
            worker.kill()
    print(surroundings("CPU"))


def ask(worker: "subprocess.Popen[str]", kind: str) -> int:
    """Let a process annotate the texts; the number of tokens."""
    assert worker.stdin is not None and worker.stdout is not None
    print(kind, file=worker.stdin, flush=True)
    return int(worker.stdout.readline())


def work(pipeline: str, texts: Sequence[str], threads: int) -> None:
    """Annotate all texts each time that their kind comes as a line of standard input, and print the number of tokens."""
    if os.environ.get("SHARED"):
        EncoderShim._n_threads = lambda self, n_subwords: 1  # type: ignore[method-assign]
    torch.set_num_threads(threads)
    nlp = spacy.load(pipeline)
    joined = [" ".join(texts[begin : begin + JOINED]) for begin in range(0, len(texts), JOINED)]
    kinds = {"as given": texts, "joined": joined}
    for line in sys.stdin:
        print(sum(len(doc) for doc in nlp.pipe(kinds[line.strip()])), flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pipeline", help="name or folder")
    parser.add_argument("texts", type=Path)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--busy", default="0,1", help="numbers of busy processes, separated by commas")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--work", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.work:
        lines = arguments.texts.read_text(encoding="utf8").splitlines()
        work(arguments.pipeline, [json.loads(line) for line in lines], arguments.threads)
    else:
        main(arguments)
