"""One process that loads pipelines, annotates texts, and says what that took, as JSON; see `scale.py`. Linux only.

    python benchmarks/fresh.py TEXTS PIPELINE [PIPELINE ...] [--documents 100000] [--keep-strings]

TEXTS is a file of JSON strings, one a line. With `--documents` the texts are gone through again and again, each time with
a word that was not there before; `--keep-strings` does without spaCy's memory zones, which free such words. Memory is that
of the process, in MiB.
"""

import argparse
import json
import time
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import spacy
import srsly
from spacy.language import Language

# Parts of the documents after each of which memory is looked at.
PARTS = 10


def measure(pipelines: Sequence[str], texts: Sequence[str], *, documents: int, keep_strings: bool) -> dict[str, Any]:
    """Load pipelines and annotate texts with each of them.

    Returns:
        Seconds of loading and of annotating, tokens, resident memory before loading, after it and after each part of the
        documents, and the highest.
    """
    before = resident()
    start = time.perf_counter()
    loaded = [spacy.load(path) for path in pipelines]
    found = {"load": time.perf_counter() - start, "before": before, "loaded": resident()}
    start = time.perf_counter()
    todo, tokens, parts = _documents(texts, documents), 0, []
    size = max(1, (documents or len(texts)) // PARTS)
    while part := list(islice(todo, size)):
        tokens += [_annotate(nlp, part, keep_strings) for nlp in loaded][0]
        parts.append(resident())
    seconds = time.perf_counter() - start
    return {**found, "seconds": seconds, "tokens": tokens, "parts": parts, "peak": resident("VmHWM")}


def resident(field: str = "VmRSS") -> float:
    """Resident memory of this process in MiB, now or at most (`VmHWM`)."""
    lines = Path("/proc/self/status").read_text(encoding="utf8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{field}:")) / 1024


def _documents(texts: Sequence[str], documents: int) -> Iterator[str]:
    if not documents:
        return iter(texts)
    return (f"{text} Sample x{number}." for number, text in enumerate(islice(cycle(texts), documents)))


def _annotate(nlp: Language, texts: Sequence[str], keep_strings: bool) -> int:
    with nullcontext() if keep_strings else nlp.memory_zone():
        return sum(len(doc) for doc in nlp.pipe(texts))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("texts", type=Path, help="file of texts")
    parser.add_argument("pipelines", nargs="+", help="folders or names of pipelines")
    parser.add_argument("--documents", type=int, default=0, help="documents to annotate; default: each text once")
    parser.add_argument("--keep-strings", action="store_true", help="no memory zones")
    args = parser.parse_args()
    options = {"documents": args.documents, "keep_strings": args.keep_strings}
    print(json.dumps(measure(args.pipelines, list(srsly.read_jsonl(args.texts)), **options)))
