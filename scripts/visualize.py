"""Draw a comparison as a chart, and test documents with their mentions as a page."""

from pathlib import Path
from typing import Annotated

import typer
from wasabi import msg

from bioner_spacy.cli.app import run
from bioner_spacy.corpora import load_catalogue
from bioner_spacy.reports.chart import write_chart
from bioner_spacy.reports.displacy_html import write_page
from bioner_spacy.scoring.comparison import Comparison


def main(
    pipeline: Annotated[str, typer.Argument(help="Folder or package name of a trained pipeline.")],
    comparison: Annotated[Path, typer.Argument(help="JSON file from compare.py.")],
    corpus: Annotated[Path, typer.Option(help="Folder with <corpus>/<split>.spacy.")] = Path("corpus"),
    corpora: Annotated[str, typer.Option(help="Sets or corpora of the catalogue, separated by commas.")] = "sample",
    catalogue: Annotated[Path, typer.Option(help="The corpus catalogue.")] = Path("configs/catalogue.yml"),
    split: Annotated[str, typer.Option(help="Name of the split.")] = "test",
    per_corpus: Annotated[int, typer.Option(min=1, help="Most documents of a corpus on the page.")] = 5,
    output: Annotated[Path, typer.Option(help="Folder to write to.")] = Path("reports"),
    gpu_id: Annotated[int, typer.Option(help="Number of the GPU; -1 for the CPU.")] = -1,
) -> None:
    """Draw a comparison as a chart, and test documents with their mentions as a page."""
    files = write_chart(Comparison.from_disk(comparison), output / "comparison")
    page = output / "entities.html"
    names = load_catalogue(catalogue).select(corpora)
    write_page(pipeline, corpus, page, corpora=names, split=split, per_corpus=per_corpus, gpu_id=gpu_id)
    msg.good(f"Wrote {', '.join(str(path) for path in (*files, page))}")


if __name__ == "__main__":
    run(main)
