"""What scale costs: tokens per second by number of types and corpora, document length, batch size and processes; memory.

    python benchmarks/scale.py OUTPUT --parts types,length,batch,processes,size,memory

The corpora are made of given ones: the type of each mention is drawn by its tokens, so that there are as many mentions
whatever the number of types. Each pipeline learns from them for some steps (`--steps` times `--repeats`), since untrained
heads find mentions everywhere; then it is measured on raw text. All parts but the first use the pipeline with most types.
OUTPUT gets tables (scale.md) and a chart (scale.svg).
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import zlib
from collections.abc import Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import spacy
import srsly
import torch
from measured import Speeds, annotate, cells, interleaved, number, surroundings, write_speeds
from spacy.tokens import Doc, DocBin, Span
from systems import MODELS, add_arguments, make_pipeline, read_texts, training

from bioner_spacy.reports.table import Table
from bioner_spacy.scope import SPANS_KEY, set_gold
from bioner_spacy.training.corpora import MultiCorpus

FRESH = Path(__file__).with_name("fresh.py")
PARTS = ("types", "length", "batch", "processes", "size", "memory")
# With it glibc hands large arrays back to the system at once, instead of keeping them between smaller ones.
MALLOC, MMAP_BYTES = "MALLOC_MMAP_THRESHOLD_", 2**22
SPEED = ["tokens/s", "min–max", "ratio"]


class Section(NamedTuple):
    """A part of the page: a title, what the table below says, and the table."""

    title: str
    text: str
    table: Table

    def to_markdown(self) -> str:
        """The part in GitHub's Markdown."""
        return f"## {self.title}\n\n{self.text}\n\n{self.table.to_markdown()}"


class Variant(NamedTuple):
    """A number of types and of corpora: with grain "type" each corpus annotates its share of the types, with "guideline"
    every one all of them, and a task is a type as a corpus understands it; with "corpus" all types are one task."""

    n_types: int
    n_corpora: int = 1
    grain: str = "type"

    @property
    def name(self) -> str:
        """What it is called in tables."""
        corpora = "" if self.n_corpora == 1 else f", {self.n_corpora} corpora"
        corpora += {"type": "", "corpus": ", one task", "guideline": ", guidelines"}[self.grain]
        return f"{self.n_types} type{'s' * (self.n_types > 1)}{corpora}"


def main(args: argparse.Namespace) -> None:
    """Make the pipelines, measure the parts, print and write the tables."""
    parts = args.parts.split(",")
    if unknown := set(parts) - set(PARTS):
        sys.exit(f"Unknown: {', '.join(sorted(unknown))}. Parts are {', '.join(PARTS)}.")
    bench = Bench(args)
    sections, panels = [], {}
    for part in parts:
        section, speeds = getattr(bench, part)()
        print(f"{section.title}\n{section.table.to_text()}")
        sections.append(section)
        panels[f"{section.title}, tokens per second"] = speeds
    device = f"GPU {args.gpu_id}" if args.gpu_id >= 0 else "CPU"
    text = (
        f"Medians of {args.repeats} repeats, in which the rows of a table took turns, with the least and the most; ratios "
        f"of medians to the first row. Architecture: {args.system}, encoder: {bench.encoder}, precision: {args.precision}. "
        f"{surroundings(device)}\n\n"
    )
    write_speeds(args.output, "scale", text + "\n".join(section.to_markdown() for section in sections), panels)


class Bench:
    """Pipelines for each number of types, trained for some steps, and what is measured on them.

    Args:
        args: of the command.
    """

    def __init__(self, args: argparse.Namespace) -> None:
        self.args = args
        sizes = sorted(int(size) for size in args.types.split(","))
        most = sizes[-1]
        self.variants = [*map(Variant, sizes)]
        if "types" in args.parts.split(","):
            self.variants += [Variant(size, 1, "corpus") for size in sizes if size > 1]
            self.variants += [Variant(most, 4), Variant(max(1, most // 4), 4, "guideline")]
        docs = [example.reference for example in MultiCorpus(args.corpus, args.corpora)(spacy.blank("en"))]
        self.pipelines = {}
        options = {"encoder": args.encoder, "precision": args.precision, "gpu_id": args.gpu_id}
        for variant in self.variants:
            folder = args.output / "corpora" / variant.name.replace(", ", "-").replace(" ", "-")
            write_corpora(docs, folder, variant)
            self.pipelines[variant] = make_pipeline(args.system, args.config, folder, **options, grain=variant.grain)
        self.encoder = args.encoder or next(iter(self.pipelines.values())).config["vars"]["encoder"]
        loops = {variant.name: training(nlp) for variant, nlp in self.pipelines.items()}
        steps = {name: partial(lambda loop: sum(islice(loop, args.steps)), loop) for name, loop in loops.items()}
        self.trained = interleaved(steps, args.repeats)
        self.most = Variant(most)
        self.nlp = self.pipelines[self.most]
        self.texts, self.n_tokens = read_texts(args.corpus, args.corpora, args.split, n_tokens=args.tokens)

    def types(self) -> tuple[Section, Speeds]:
        """Prediction and training by number of types and of corpora."""
        runs = {variant.name: partial(annotate, nlp, self.texts) for variant, nlp in self.pipelines.items()}
        predicted = interleaved(runs, self.args.repeats)
        rows = []
        for variant, nlp in self.pipelines.items():
            parts = [(speeds[variant.name], speeds[self.variants[0].name]) for speeds in (predicted, self.trained)]
            component: Any = nlp.get_pipe("multitask_ner")
            n_tasks = str(len(component.tasks))
            rows.append([variant.name, n_tasks, *(cell for part in parts for cell in cells(*part))])
        header = ["Types", "tasks", *(f"{column} {part}" for part in ("prediction", "training") for column in SPEED)]
        text = f"Prediction of {self.n_tokens:,} tokens; training by {self.args.steps} steps a repeat."
        return Section("Entity types", text, Table(header, rows, numbers=len(header) - 1)), predicted

    def length(self) -> tuple[Section, Speeds]:
        """Prediction by length of documents, and memory, each measured in a process of its own."""
        words = " ".join(self.texts).split()
        documents = {}
        for length in (int(length) for length in self.args.lengths.split(",")):
            enough = words * -(-max(length, self.args.tokens) // len(words))
            count = max(1, self.args.tokens // length)
            documents[f"{length:,}"] = [" ".join(enough[i * length : (i + 1) * length]) for i in range(count)]
        runs = {name: partial(annotate, self.nlp, texts) for name, texts in documents.items()}
        memory = {name: number(self.fresh([self.most], texts)["peak"]) for name, texts in documents.items()}
        text = "Words, separated by spaces, in a document. Peak memory in MiB of a process that loads the pipeline and annotates."
        return self._table("Document length", text, runs, {"peak MiB": memory})

    def batch(self) -> tuple[Section, Speeds]:
        """Prediction by batch size."""
        sizes = [int(size) for size in self.args.batch_sizes.split(",")]
        runs = {str(size): partial(annotate, self.nlp, self.texts, batch_size=size) for size in sizes}
        return self._table("Batch size", "Documents in a batch of `nlp.pipe`.", runs)

    def processes(self) -> tuple[Section, Speeds]:
        """Prediction by number of processes."""
        n_threads = torch.get_num_threads()
        torch.set_num_threads(1)
        counts = [int(count) for count in self.args.processes.split(",")]
        runs = {str(count): partial(annotate, self.nlp, self.texts, n_process=count) for count in counts}
        result = self._table("Processes", "`n_process` of `nlp.pipe`, each with one thread; their start counts.", runs)
        torch.set_num_threads(n_threads)
        return result

    def size(self) -> tuple[Section, Speeds]:
        """Disk, loading and memory; as many pipelines of one type as there are types beside one pipeline."""
        several = next((v for v in self.variants if v.n_types > 1), self.most)
        single = self.variants[0]
        rows = {f"{several.n_types} pipelines of 1 type": [single] * several.n_types} if single.n_types == 1 else {}
        rows |= {variant.name: [variant] for variant in self.variants if variant.n_corpora == 1}
        measured: dict[str, list[dict[str, Any]]] = {name: [] for name in rows}
        for _ in range(self.args.repeats):
            for name, variants in rows.items():
                measured[name].append(self.fresh(variants, self.texts))
        table, speeds = [], {}
        for name, variants in rows.items():
            disk = sum(self._disk(variant) for variant in variants)
            keys = ("load", "before", "loaded", "peak")
            load, before, loaded, peak = (statistics.median(m[key] for m in measured[name]) for key in keys)
            speeds[name] = [m["tokens"] / m["seconds"] for m in measured[name]]
            numbers = map(number, (disk, load, loaded - before, peak))
            table.append([name, *numbers, *cells(speeds[name], next(iter(speeds.values())))])
        header = ["Pipeline", "disk MiB", "load s", "loaded MiB", "peak MiB", *SPEED]
        text = "Each in a process of its own. Loaded: memory that loading takes; peak: of the process, all libraries included."
        return Section("Size", text, Table(header, table, numbers=len(header) - 1)), speeds

    def memory(self) -> tuple[Section, Speeds]:
        """Resident memory in the course of many documents, with and without memory zones."""
        fresh = partial(self.fresh, [self.most], self.texts, "--documents", str(self.args.documents))
        found = {
            "with memory zones": fresh(),
            "without": fresh("--keep-strings"),
            f"with zones, {MALLOC}={MMAP_BYTES}": fresh(variables={MALLOC: str(MMAP_BYTES)}),
        }
        count = len(next(iter(found.values()))["parts"])
        header = ["Resident MiB", *(f"{100 * (i + 1) // count} %" for i in range(count)), "s"]
        rows = [[name, *map(number, [*of["parts"], of["seconds"]])] for name, of in found.items()]
        text = f"After parts of {self.args.documents:,} documents, each with a word of its own; a memory zone for each part."
        return Section("Many documents", text, Table(header, rows, numbers=count + 1)), {}

    def fresh(
        self, variants: Sequence[Variant], texts: Sequence[str], *options: str, variables: dict[str, str] = {}
    ) -> dict[str, Any]:
        """What `fresh.py` finds in a process of its own, with some environment variables."""
        file = self.args.output / "texts.jsonl"
        srsly.write_jsonl(file, texts)
        command = [
            sys.executable,
            str(FRESH),
            str(file),
            *(str(self._saved(variant)) for variant in variants),
            *options,
        ]
        environment = {**os.environ, **variables}
        ran = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment)
        return dict(json.loads(ran.stdout.splitlines()[-1]))

    def _saved(self, variant: Variant) -> Path:
        path: Path = self.args.output / "pipelines" / str(variant.n_types)
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            self.pipelines[variant].to_disk(path)
        return path

    def _disk(self, variant: Variant) -> float:
        return sum(file.stat().st_size for file in self._saved(variant).rglob("*")) / 2**20

    def _table(self, title: str, text: str, runs: Any, more: dict[str, dict[str, str]] = {}) -> tuple[Section, Speeds]:
        speeds = interleaved(runs, self.args.repeats)
        first = next(iter(speeds.values()))
        rows = [[name, *cells(of, first), *(column[name] for column in more.values())] for name, of in speeds.items()]
        return Section(title, text, Table([title, *SPEED, *more], rows, numbers=3 + len(more))), speeds


def write_corpora(docs: Sequence[Doc], folder: Path, variant: Variant) -> None:
    """Write converted corpora with the mentions of documents, and types drawn by the tokens of a mention."""
    bins = [DocBin() for _ in range(variant.n_corpora)]
    for i, doc in enumerate(docs):
        corpus = i % variant.n_corpora
        share = variant.n_corpora if variant.grain == "type" else 1
        scope = [f"TYPE_{t:03}" for t in range(variant.n_types) if t % share == corpus % share]
        labelled = doc.copy()
        spans = []
        for span in doc.spans[SPANS_KEY]:
            label = f"TYPE_{zlib.crc32(span.text.lower().encode('utf8')) % variant.n_types:03}"
            spans += [Span(labelled, span.start, span.end, label=label)] * (label in scope)
        set_gold(labelled, spans, corpus=f"corpus-{corpus}", scope=scope)
        bins[corpus].add(labelled)
    for corpus, docs_ in enumerate(bins):
        path = folder / f"corpus-{corpus}"
        path.mkdir(parents=True, exist_ok=True)
        for split in ("train", "devel"):
            docs_.to_disk(path / f"{split}.spacy")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", type=Path, help="folder of the results")
    parser.add_argument("--parts", default=",".join(PARTS), help="what to measure")
    parser.add_argument("--types", default="1,8,32", help="numbers of entity types")
    parser.add_argument("--lengths", default="10,100,1000,10000,100000", help="words in a document")
    parser.add_argument("--batch-sizes", default="1,8,32,128,512", help="documents in a batch")
    parser.add_argument("--processes", default="1,2,4", help="numbers of processes")
    parser.add_argument("--documents", type=int, default=100_000, help="documents that memory is measured over")
    parser.add_argument("--system", default="tags", choices=MODELS, metavar="SYSTEM", help="of " + ", ".join(MODELS))
    add_arguments(parser)
    main(parser.parse_args())
