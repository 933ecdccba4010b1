"""Look closely at what a pipeline predicts: matches, mistakes with examples, calibration of scores, thresholds."""

from pathlib import Path
from typing import Annotated, Optional

import typer
from wasabi import msg

from bioner_spacy.analysis.analysis import analyze
from bioner_spacy.analysis.calibration import BINS
from bioner_spacy.cli.app import run
from bioner_spacy.corpora import load_catalogue
from bioner_spacy.corpora.context import CONTEXT_WORDS


def main(
    pipeline: Annotated[str, typer.Argument(help="Folder or name of a pipeline.")],
    corpora: Annotated[str, typer.Option(help="Sets or corpora of the catalogue, separated by commas.")] = "sample",
    catalogue: Annotated[Path, typer.Option(help="The corpus catalogue.")] = Path("configs/catalogue.yml"),
    corpus: Annotated[Path, typer.Option(help="Folder with <corpus>/<split>.spacy.")] = Path("corpus"),
    split: Annotated[str, typer.Option(help="Name of the split.")] = "devel",
    output: Annotated[Path, typer.Option(help="Folder to write to.")] = Path("reports/analysis"),
    precision: Annotated[
        Optional[float],
        typer.Option(min=0, max=1, help="Choose thresholds for this precision, 0 to 1; default: for the highest F1."),
    ] = None,
    bins: Annotated[int, typer.Option(min=1, max=1000, help="Number of bins of the calibration.")] = BINS,
    limit: Annotated[Optional[int], typer.Option(min=1, help="Most documents of a corpus; default: all.")] = None,
    context: Annotated[
        str, typer.Option(help="What the pipeline sees at once: source, sentence, group or document.")
    ] = "source",
    context_words: Annotated[int, typer.Option(min=1, help="Most words of a group.")] = CONTEXT_WORDS,
    gpu_id: Annotated[int, typer.Option(help="Number of the GPU; -1 for the CPU.")] = -1,
) -> None:
    """Look closely at what a pipeline predicts: matches, mistakes with examples, calibration of scores, thresholds."""
    analysis = analyze(
        pipeline,
        corpus,
        corpora=load_catalogue(catalogue).select(corpora),
        split=split,
        precision=precision,
        bins=bins,
        limit=limit,
        context=context,
        context_words=context_words,
        gpu_id=gpu_id,
    )
    files = analysis.to_disk(output)
    for section in analysis.sections(brief=True):
        typer.echo(f"{section.title}\n{section.table.to_text()}")
    if analysis.settings:
        typer.echo(f"Thresholds of types, for the config:\n\n{analysis.settings}")
    msg.good(f"Wrote {', '.join(map(str, files))}")


if __name__ == "__main__":
    run(main)
