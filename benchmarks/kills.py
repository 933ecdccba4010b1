"""Kill runs of `spacy bioner apply` at random moments, and compare what they leave with an undisturbed run.

    python benchmarks/kills.py OUTPUT --pipeline en_bioner_sample --kills 30 --n-process 2

Each run over shards gets SIGKILL after a random time and is started again, until so many kills are done and the run is
complete. Its shards must be those of an undisturbed run, byte for byte, and no worker may outlive the killed process.
OUTPUT gets a table (kills.md).
"""

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from bioner_spacy.reports.table import Table

WORDS = "the patients had aspirin for Crohn disease and NOD2 was found in cells of mice with gout".split()


def main(args: argparse.Namespace) -> None:
    """Make both runs, and write the table."""
    args.output.mkdir(parents=True, exist_ok=True)
    rng = random.Random(args.seed)
    texts = args.output / "texts.jsonl"
    with texts.open("w", encoding="utf8") as file:
        for number in range(args.shards * args.shard_size):
            text = " ".join(rng.choice(WORDS) for _ in range(60))
            file.write(json.dumps({"text": text, "id": f"d{number}"}) + "\n")
    whole, killed = args.output / f"whole.{args.ending}", args.output / f"killed.{args.ending}"
    for folder in (whole, killed):
        shutil.rmtree(folder, ignore_errors=True)
    command = [sys.executable, "-m", "spacy", "bioner", "apply", args.pipeline, str(texts)]
    options = ["--shard-size", str(args.shard_size), "--n-process", str(args.n_process)]
    start = time.monotonic()
    subprocess.run([*command, str(whole), *options], check=True, stdout=subprocess.DEVNULL)
    seconds = time.monotonic() - start
    kills = starts = orphans = 0
    while True:
        starts += 1
        process = subprocess.Popen([*command, str(killed), *options], stdout=subprocess.DEVNULL)
        try:
            process.wait(timeout=rng.uniform(0.1, 1) * seconds if kills < args.kills else None)
        except subprocess.TimeoutExpired:
            children = descendants(process.pid)
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
            time.sleep(1)
            orphans += sum(map(is_alive, children))
            kills += 1
            continue
        if process.returncode:
            raise SystemExit(f"The run failed with status {process.returncode} after {kills} kills")
        if kills >= args.kills:
            break
        shutil.rmtree(killed)  # it was faster than the kill: from the beginning
    expected, found = contents(whole), contents(killed)
    different = sum(expected[name] != found.get(name) for name in expected)
    row = list(map(str, (len(expected), starts, kills, orphans, different)))
    extra = [file.name for file in killed.iterdir() if file.name not in expected and file.name != "_run"]
    page = Table(["shards", "starts", "kills", "orphans", "different shards"], [row], numbers=5).to_markdown()
    print(page)
    (args.output / "kills.md").write_text(page, encoding="utf8")
    if orphans or extra or found != expected:
        raise SystemExit(f"The killed run differs: {extra or 'see above'}")


def contents(folder: Path) -> dict[str, bytes]:
    """Shards and their bytes."""
    return {file.name: file.read_bytes() for file in folder.iterdir() if file.is_file() and file.name[0] == "0"}


def is_alive(process: int) -> bool:
    """Whether a process runs; one that has ended may wait for the system to notice."""
    shown = subprocess.run(["ps", "-o", "stat=", "-p", str(process)], capture_output=True, text=True).stdout
    return bool(shown.strip()) and not shown.startswith("Z")


def descendants(process: int) -> list[int]:
    """Processes that a process has started."""
    found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(process)], capture_output=True, text=True).stdout
    return [int(pid) for pid in found.split()]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", type=Path)
    parser.add_argument("--pipeline", default="en_bioner_sample")
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--shards", type=int, default=50)
    parser.add_argument("--shard-size", type=int, default=20)
    parser.add_argument("--n-process", type=int, default=2)
    parser.add_argument("--ending", default="parquet", help="file ending of the output, which gives its format")
    parser.add_argument("--seed", type=int, default=1)
    main(parser.parse_args())
