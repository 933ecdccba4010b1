"""F1 and speed of pipelines of several sizes or precisions, to choose one.

    python benchmarks/sizes.py OUTPUT full=en_bioner_mtl small=training/small --corpus corpus/mine --corpora BC5CDR,JNLPBA

A pipeline is a name and a folder or package, followed by ":int8" or another value of
components.transformer.model.precision if it is not its own. F1 is that of strict matches, with the guideline of each corpus
named. Speed is that of `nlp.pipe` on the first texts of every corpus; pipelines take turns. OUTPUT gets a table (sizes.md)
and a chart (sizes.svg).
"""

import argparse
import statistics
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import spacy
from measured import annotate, cells, interleaved, surroundings
from spacy.language import Language

from bioner_spacy.files import replacing
from bioner_spacy.reports.chart import SYSTEM_COLOR, drawing, save_figure
from bioner_spacy.reports.table import Table
from bioner_spacy.scoring.evaluate import corpus_files, evaluate, load_pipeline, read_gold


def main(args: argparse.Namespace) -> None:
    """Score and time all pipelines; write a table and a chart."""
    pipelines = {name: load(source) for name, _, source in (text.partition("=") for text in args.pipelines)}
    corpora = args.corpora.split(",") if args.corpora else None
    files = corpus_files(args.corpus, corpora, args.split)
    f1: dict[str, dict[str, float]] = {}
    for name, nlp in pipelines.items():
        results = evaluate(nlp, args.corpus, corpora=corpora, split=args.split, limit=args.limit or None)
        f1[name] = {corpus: 100 * scores["f"] for corpus, scores in results.per_corpus.items()}
    blank = spacy.blank("en")
    texts = [doc.text for corpus, path in files.items() for doc in read_gold(blank, corpus, path, limit=args.texts)]
    runs: dict[str, Callable[[], int]] = {name: partial(annotate, nlp, texts) for name, nlp in pipelines.items()}
    speeds = interleaved(runs, args.repeats)
    write(args.output, f1, speeds)


def load(source: str) -> Language:
    """A pipeline, with another precision of the encoder if one follows its name after a colon."""
    name, _, precision = source.partition(":")
    if not precision:
        return load_pipeline(name)
    return spacy.load(name, config={"components": {"transformer": {"model": {"precision": precision}}}})


def write(folder: Path, f1: Mapping[str, Mapping[str, float]], speeds: Mapping[str, Sequence[float]]) -> None:
    """Write and print the table, and draw F1 against speed."""
    corpora = list(next(iter(f1.values())))
    first = next(iter(speeds.values()))
    means = {name: statistics.mean(of_corpora.values()) for name, of_corpora in f1.items()}
    header = ["Pipeline", "tokens/s", "min–max", "ratio", "mean F1", *corpora]
    rows = [
        [name, *cells(speeds[name], first), f"{means[name]:.2f}", *(f"{of_corpora[corpus]:.2f}" for corpus in corpora)]
        for name, of_corpora in f1.items()
    ]
    table = Table(header, rows, numbers=len(header) - 1)
    print(table.to_text())
    print(surroundings("CPU"))
    folder.mkdir(parents=True, exist_ok=True)
    with replacing(*(folder / f"sizes.{suffix}" for suffix in ("md", "svg", "png"))) as (page, svg, png):
        text = f"# F1 and speed\n\n{table.to_markdown()}\n{surroundings('CPU')}\n\n![F1 and speed](sizes.svg)\n"
        page.write_text(text, encoding="utf8")
        with drawing(6.0, 4.0) as figure:
            axes = figure.subplots()
            for name, values in speeds.items():
                speed = statistics.median(values)
                axes.plot(speed, means[name], "o", color=SYSTEM_COLOR)
                axes.annotate(name, (speed, means[name]), xytext=(6, 4), textcoords="offset points")
            fastest = max(map(statistics.median, speeds.values()))
            axes.set(xlabel="Tokens per second", ylabel="Mean F1", xlim=(0, 1.3 * fastest))
            axes.margins(y=0.2)
            axes.grid(True, color="#dddddd")
            save_figure(figure, svg, png)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", type=Path, help="folder of the results")
    parser.add_argument(
        "pipelines", nargs="+", help="NAME=PIPELINE or NAME=PIPELINE:PRECISION; the first is the baseline"
    )
    parser.add_argument("--corpus", type=Path, default=Path("corpus/sample"), help="folder of converted corpora")
    parser.add_argument("--corpora", default="", help="names of corpora, separated by commas; default: all")
    parser.add_argument("--split", default="test")
    parser.add_argument("--limit", type=int, default=0, help="documents of each corpus to score on; 0 for all")
    parser.add_argument("--texts", type=int, default=50, help="texts of each corpus to time")
    parser.add_argument("--repeats", type=int, default=5)
    main(parser.parse_args())
