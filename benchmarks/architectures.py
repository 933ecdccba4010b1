"""Compare architectures, and spaCy's own components, on the same encoder, data and budget.

    python benchmarks/architectures.py OUTPUT --corpora GENIA --systems tags,span-pairs,spancat,ner --seeds 0,1,2

Each system trains on all corpora at once, or with `--each` on each corpus by itself, and is scored on `--split`. What is
in OUTPUT already is not computed again. F1 is strict, in percent, mean ± sample standard deviation over the seeds.
"Nested" are mentions inside another one of the same side, gold or predicted; "flat" are all others. The tokens per second
of training are of whole runs, setting up included; those of prediction are medians over interleaved repeats with the
pipelines of the first seed on the same documents. Below the table each system is tested against the first one named (see
docs/significance.md), on mentions of all kinds.
"""

import argparse
import shutil
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from spacy.util import load_config
from stock import STOCK
from systems import SYSTEMS, choose_system

from bioner_spacy.reports.comparison import comparison_page
from bioner_spacy.reports.table import Table, spread
from bioner_spacy.scoring.compare import compare
from bioner_spacy.scoring.evaluate import evaluate
from bioner_spacy.scoring.results import Results, write_text
from bioner_spacy.scoring.scorer import mean
from bioner_spacy.training.corpora import MultiCorpus
from bioner_spacy.training.runs import train_run

KINDS = ("all", "nested", "flat")


def main(args: argparse.Namespace) -> None:
    """Train what is missing, and print and write the table."""
    corpora, seeds = args.corpora.split(","), [int(seed) for seed in args.seeds.split(",")]
    groups = [[corpus] for corpus in corpora] if args.each else [corpora]
    systems = args.systems.split(",")
    if unknown := set(systems) - set(SYSTEMS):
        sys.exit(f"Unknown: {', '.join(sorted(unknown))}. Systems are {', '.join(SYSTEMS)}.")
    rows = []
    for system in systems:
        runs = [[run(args, system, group, seed, keep=seed == seeds[0]) for group in groups] for seed in seeds]
        rows.append((system, runs))
    speeds = prediction_speeds(args, systems, groups[0], seeds[0])
    nested = any(of["nested"]["gold"] for of in _corpora(rows[0][1][0]).values())
    header = ["System", *corpora, *(["mean"] if len(corpora) > 1 else [])]
    header += ["nested", "flat"] * nested + ["tokens/s training", "tokens/s prediction"]
    cells = []
    for system, seeded in rows:
        by_seed = [_corpora(of_seed) for of_seed in seeded]
        row = [system, *(spread([of[corpus]["f"] for of in by_seed]) for corpus in corpora)]
        if len(corpora) > 1:
            row.append(spread([mean(of[corpus]["f"] for corpus in corpora) for of in by_seed]))
        if nested:
            row += [spread([mean(of[c][kind]["f"] for c in corpora) for of in by_seed]) for kind in KINDS[1:]]
        training = statistics.median(found.speed for of_seed in seeded for found in of_seed)
        cells.append([*row, f"{training:,.0f}", f"{speeds[system]:,.0f}"])
    table = Table(header, cells, numbers=len(header) - 1)
    print(table.to_text())
    pages = [table.to_markdown()]
    for system, seeded in rows[1:]:
        sides = [[found.results for of_seed in side for found in of_seed] for side in (seeded, rows[0][1])]
        comparison = compare(*sides, names=(rows[0][0], system))
        page = comparison_page(comparison)
        print(page.to_text())
        pages.append(page.to_markdown())
    write_text(args.output / "architectures.md", "\n".join(pages))


class Run(NamedTuple):
    """Scores of a pipeline, and the tokens per second of its training."""

    results: Results
    speed: float


def how(args: argparse.Namespace, system: str, corpora: Sequence[str]) -> dict[str, Any]:
    """How a system is evaluated; the predictions of spaCy's ner are in `doc.ents`."""
    predicted_key = "ents" if system == "ner" else None
    return {"corpora": corpora, "split": args.split, "gpu_id": args.gpu_id, "predicted_key": predicted_key}


def run(args: argparse.Namespace, system: str, corpora: Sequence[str], seed: int, *, keep: bool) -> Run:
    """Train and score one pipeline, unless that was done before."""
    folder = args.output / system / f"{'-'.join(corpora)}-{seed}"
    result, speed_file = folder.with_suffix(".json"), folder.with_suffix(".tokens-per-second")
    if result.is_file():
        return Run(Results.from_disk(result), float(speed_file.read_text(encoding="utf8")))
    config = load_config(args.config, interpolate=False)
    config["training"]["eval_frequency"] = 1_000_000  # after the first step and no more
    settings = {"corpus_folder": str(args.corpus), "fraction": args.fraction, "epochs": args.epochs, "seed": seed}
    settings["encoder"] = choose_system(config, system, args.encoder)
    if system in STOCK:
        config["training"]["optimizer"]["learn_rate"]["initial_rate"] = args.stock_learn_rate
    folder.parent.mkdir(parents=True, exist_ok=True)
    path = folder.with_suffix(".cfg")
    config.to_disk(path)
    start = time.perf_counter()
    train_run(path, folder, corpora, settings=settings, gpu_id=args.gpu_id)
    seconds = time.perf_counter() - start
    tokens = sum(int(n.sum()) for n in MultiCorpus(args.corpus, corpora, fraction=args.fraction).lengths().values())
    results = evaluate(folder / "model-last", args.corpus, **how(args, system, corpora))
    # spaCy's own model takes the folder of the encoder; the name shows that it is the same one.
    results = replace(results, pipeline=replace(results.pipeline, encoder=settings["encoder"]))
    speed = tokens * args.epochs / seconds
    write_text(speed_file, f"{speed}\n")
    results.to_disk(result)
    if not keep:
        shutil.rmtree(folder)
    return Run(results, speed)


def prediction_speeds(
    args: argparse.Namespace, systems: Sequence[str], corpora: Sequence[str], seed: int
) -> dict[str, float]:
    """Median tokens per second of each system, on the same documents, one system after the other in each repeat."""
    measured: dict[str, list[float]] = {system: [] for system in systems}
    for _ in range(args.repeats):
        for system in systems:
            model = args.output / system / f"{'-'.join(corpora)}-{seed}" / "model-last"
            results: Results = evaluate(model, args.corpus, limit=args.limit, **how(args, system, corpora))
            measured[system].append(results.tokens_per_second)
    return {system: statistics.median(speeds) for system, speeds in measured.items()}


def _corpora(runs: Sequence[Run]) -> dict[str, dict[str, Any]]:
    """Scores by corpus of the runs of one seed."""
    return {corpus: scores for found in runs for corpus, scores in found.results.per_corpus.items()}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", type=Path, help="folder of the results")
    parser.add_argument("--corpora", default="sample-nested", help="names of corpora, separated by commas")
    parser.add_argument("--corpus", type=Path, default=Path("corpus/sample"), help="folder of converted corpora")
    parser.add_argument("--systems", default="tags,span-pairs,spancat,ner", help="of " + ", ".join(SYSTEMS))
    parser.add_argument("--seeds", default="0", help="random seeds, separated by commas")
    parser.add_argument("--each", action="store_true", help="one pipeline for each corpus")
    parser.add_argument("--split", default="devel", help="split to score on")
    parser.add_argument("--fraction", type=float, default=1.0, help="share of the training data")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--config", type=Path, default=Path("configs/small.cfg"))
    parser.add_argument("--encoder", default=None, help="default: that of the config")
    parser.add_argument("--stock-learn-rate", type=float, default=2e-4, help="learning rate of spaCy's own components")
    parser.add_argument("--limit", type=int, default=500, help="documents for the speed of prediction")
    parser.add_argument("--repeats", type=int, default=3, help="of the measurement of speed")
    parser.add_argument("--gpu-id", type=int, default=-1)
    main(parser.parse_args())
