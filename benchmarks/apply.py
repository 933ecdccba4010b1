"""What `spacy bioner apply` costs beside `nlp.pipe` on the same texts, and what a million abstracts cost.

    OMP_NUM_THREADS=1 taskset -c 1 python benchmarks/apply.py OUTPUT --pipeline models/en_bioner_mtl/... --documents 200

The abstracts of the package are read from JSON lines and written as such and in shards; `nlp.pipe` has them in memory and writes
nothing. Loading the pipeline is measured once and counts in none of them. CPU time is compared, which other work on the machine
changes less than the time that passes. OUTPUT gets a table (apply.md) and what was measured (apply.json).
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import srsly
from measured import abstracts, annotate, surroundings, write_page

from bioner_spacy.reports.table import Table
from bioner_spacy.scoring.evaluate import load_pipeline
from bioner_spacy.serving import annotator
from bioner_spacy.serving.apply import apply

PUBMED = 38
"""Million abstracts in PubMed."""


def main(args: argparse.Namespace) -> None:
    """Measure, and write the table."""
    texts = abstracts(args.documents)
    start = time.process_time()
    nlp = load_pipeline(args.pipeline)
    loading = time.process_time() - start
    annotator.load_pipeline = lambda *_, **__: nlp  # type: ignore[attr-defined]
    tokens = annotate(nlp, texts)
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "texts.jsonl")
        srsly.write_jsonl(source, [{"text": text} for text in texts])

        def shards() -> None:
            out, size = Path(folder, "shards.jsonl"), args.documents // 4 or 1
            apply(args.pipeline, source, out, shard_size=size, overwrite=True)

        runs: dict[str, Callable[[], object]] = {
            "nlp.pipe": lambda: [None for _ in nlp.pipe(texts)],
            "apply, one file": lambda: apply(args.pipeline, source, Path(folder, "out.jsonl")),
            "apply, four shards": shards,
        }
        seconds: dict[str, list[float]] = {name: [] for name in runs}
        for _ in range(args.repeats):
            for name, run in runs.items():
                start = time.process_time()
                run()
                seconds[name].append(time.process_time() - start)
    base = statistics.median(seconds["nlp.pipe"])
    rows = []
    for name, values in seconds.items():
        median = statistics.median(values)
        hours = median / args.documents * 1e6 / 3600
        spread = f"{min(values):.1f}–{max(values):.1f}"
        rows.append([name, f"{median:.1f}", spread, f"{median / base:.2f}", f"{hours:,.0f}", f"{hours * PUBMED:,.0f}"])
    header = ["", "CPU seconds", "min–max", "ratio", "core hours per million", f"core hours for {PUBMED} million"]
    about = (
        f"{args.documents} abstracts, {tokens:,} tokens, {args.repeats} repeats; loading {loading:.1f} CPU seconds."
    )
    page = f"{about} {surroundings('cpu')}\n\n{Table(header, rows, numbers=5).to_markdown()}"
    measured = {"seconds": seconds, "documents": args.documents, "tokens": tokens}
    write_page(args.output, "apply", page, measured)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", type=Path)
    parser.add_argument("--pipeline", default="en_bioner_mtl")
    parser.add_argument("--documents", type=int, default=200)
    parser.add_argument("--repeats", type=int, default=5)
    main(parser.parse_args())
