"""`spacy bioner apply` with Ray beside plain processes: time of whole runs, and speed once the workers have started.

    OMP_NUM_THREADS=1 python benchmarks/engines.py OUTPUT --pipeline en_bioner_mtl --documents 480 --workers 2

Runs alternate, each a command of its own that starts and ends its workers. The speed after the start is that between the first
shards, one per worker, and the last one. OUTPUT gets a table (engines.md) and what was measured (engines.json).
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import srsly
from measured import abstracts, surroundings, write_page

from bioner_spacy.reports.table import Table
from bioner_spacy.serving import shards
from bioner_spacy.serving.apply import ENGINES, apply


def main(args: argparse.Namespace) -> None:
    """Measure, and write the table."""
    seconds: dict[str, list[float]] = {engine: [] for engine in ENGINES}
    speeds: dict[str, list[float]] = {engine: [] for engine in ENGINES}
    with tempfile.TemporaryDirectory() as folder:
        texts = Path(folder, "texts.jsonl")
        srsly.write_jsonl(texts, [{"text": text} for text in abstracts(args.documents)])
        options = ["--pipeline", args.pipeline, "--workers", str(args.workers)]
        for repeat in range(args.repeats):
            for engine in ENGINES:
                out = Path(folder, f"{engine}{repeat}.jsonl")
                command = [sys.executable, __file__, str(out), *options, "--run", engine, str(texts)]
                start = time.perf_counter()
                made = subprocess.run(command, check=True, capture_output=True, text=True)
                seconds[engine].append(time.perf_counter() - start)
                speeds[engine].append(float(made.stdout.splitlines()[-1]))
                print(f"{engine}: {seconds[engine][-1]:.1f} s, {speeds[engine][-1]:.1f} documents/s", flush=True)
    rows = []
    for engine in ENGINES:
        cells = [f"{statistics.median(seconds[engine]):.1f}", spread(seconds[engine]), ratio(seconds, engine, -1)]
        cells += [f"{statistics.median(speeds[engine]):.1f}", spread(speeds[engine]), ratio(speeds, engine, 1)]
        rows.append([engine, *cells])
    header = ["", "seconds", "min–max", "ratio of speeds", "documents/s after the start", "min–max", "ratio"]
    page = f"{args.documents} documents, {args.workers} workers, {args.repeats} repeats. {surroundings('cpu')}\n\n"
    page += Table(header, rows, numbers=6).to_markdown()
    measured = {"seconds": seconds, "speeds": speeds, "documents": args.documents}
    write_page(args.output, "engines", page, measured)


def run(args: argparse.Namespace) -> None:
    """Annotate with one engine, and print the speed after the start, in documents per second."""
    times: list[tuple[float, int]] = []
    record = shards.Run.record

    def timed(self: shards.Run, name: str, done: shards.Done) -> None:
        times.append((time.perf_counter(), done.documents))
        record(self, name, done)

    shards.Run.record = timed  # type: ignore[method-assign]
    engine, texts = args.run
    apply(args.pipeline, Path(texts), args.output, engine=engine, n_process=args.workers, shard_size=SHARD)
    later = times[args.workers :]
    print(sum(documents for _, documents in later) / (times[-1][0] - times[args.workers - 1][0]))


def spread(values: list[float]) -> str:
    """Least to most."""
    return f"{min(values):.1f}–{max(values):.1f}"


def ratio(values: dict[str, list[float]], engine: str, power: int) -> str:
    """Median of the ratios of an engine to plain processes in each pair of runs."""
    pairs = zip(values[engine], values[ENGINES[0]])
    return f"{statistics.median((mine / plain) ** power for mine, plain in pairs):.2f}"


SHARD = 20
"""Documents per shard."""

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", type=Path)
    parser.add_argument("--pipeline", default="en_bioner_mtl")
    parser.add_argument("--documents", type=int, default=480)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--run", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    run(arguments) if arguments.run else main(arguments)
