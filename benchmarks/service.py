"""The service under many clients at once, beside `nlp.pipe` on the same texts.

    python benchmarks/service.py OUTPUT --pipeline en_bioner_sample --clients 50 --seconds 60

Every client sends one abstract after the other, each as soon as it has the answer to the one before. The service runs in a
process of its own, with the threads that OMP_NUM_THREADS gives it, and the clients in this one. OUTPUT gets a table
(service.md) and what was measured (service.json).
"""

import argparse
import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from itertools import count
from pathlib import Path

import httpx
import numpy
from measured import abstracts, surroundings, write_page

from bioner_spacy.reports.table import Table
from bioner_spacy.scoring.evaluate import load_pipeline


def main(args: argparse.Namespace) -> None:
    """Measure both, and write the table."""
    texts = abstracts(8)
    piped = pipe(args.pipeline, texts, args.seconds / 4)
    seconds, statuses, elapsed = load(args.pipeline, texts, args.clients, args.seconds)
    rate = len(seconds) / elapsed
    p50, p95, p99 = numpy.percentile(seconds, (50, 95, 99))
    errors = sum(status != 200 for status in statuses)
    header = ["", "texts/s", "ratio", "median s", "95 % s", "99 % s", "errors"]
    rows = [
        ["nlp.pipe", f"{piped:.1f}", "1.00", "–", "–", "–", "–"],
        ["service", f"{rate:.1f}", f"{rate / piped:.2f}", f"{p50:.3f}", f"{p95:.3f}", f"{p99:.3f}", str(errors)],
    ]
    page = f"{args.clients} clients for {args.seconds:g} seconds\n{Table(header, rows, numbers=6).to_markdown()}"
    measured = {"pipe": piped, "seconds": seconds, "statuses": statuses, "surroundings": surroundings("cpu")}
    write_page(args.output, "service", page, measured)


def pipe(pipeline: str, texts: list[str], seconds: float) -> float:
    """Texts per second of `nlp.pipe`."""
    nlp = load_pipeline(pipeline)
    list(nlp.pipe(texts))
    done, start = 0, time.perf_counter()
    while time.perf_counter() < start + seconds:
        done += sum(1 for _ in nlp.pipe(texts * 8, batch_size=64))
    return done / (time.perf_counter() - start)


def load(pipeline: str, texts: list[str], clients: int, seconds: float) -> tuple[list[float], list[int], float]:
    """Seconds and status of every request sent within the time, and the time until the last answer."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "spacy", "bioner", "serve", pipeline, "--port", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        return asyncio.run(ask(f"http://127.0.0.1:{port}", texts, clients, seconds))
    finally:
        os.kill(server.pid, signal.SIGTERM)
        server.wait()


async def ask(address: str, texts: list[str], clients: int, seconds: float) -> tuple[list[float], list[int], float]:
    """Ask as all clients, when the service is ready; see `load`."""
    took: list[float] = []
    statuses: list[int] = []
    number = count()
    limits = httpx.Limits(max_connections=clients)
    async with httpx.AsyncClient(base_url=address, timeout=120, limits=limits) as client:
        while True:
            try:
                if (await client.get("/ready")).status_code == 200:
                    break
            except httpx.TransportError:
                await asyncio.sleep(0.2)
        begin = time.perf_counter()
        end = begin + seconds

        async def one() -> None:
            while (start := time.perf_counter()) < end:
                response = await client.post("/annotate", json={"text": texts[next(number) % len(texts)]})
                took.append(time.perf_counter() - start)
                statuses.append(response.status_code)

        await asyncio.gather(*(one() for _ in range(clients)))
        elapsed = time.perf_counter() - begin
    return took, statuses, elapsed


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", type=Path)
    parser.add_argument("--pipeline", default="en_bioner_sample")
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=60)
    main(parser.parse_args())
