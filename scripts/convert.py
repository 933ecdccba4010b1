"""Convert corpus files to DocBins with gold spans and annotation scope."""

from pathlib import Path
from typing import Annotated

import typer
from wasabi import msg

from bioner_spacy.cli.app import run
from bioner_spacy.corpora import convert, load_catalogue, summary, tokenizing_pipeline
from bioner_spacy.corpora.convert import SUMMARY


def main(
    corpora: Annotated[str, typer.Option(help="Sets or corpora of the catalogue, separated by commas.")] = "sample",
    catalogue: Annotated[Path, typer.Option(help="The corpus catalogue.")] = Path("configs/catalogue.yml"),
    assets: Annotated[Path, typer.Option(help="Folder of the corpus files.")] = Path("assets"),
    output: Annotated[Path, typer.Option(help="Folder to write to.")] = Path("corpus"),
    alignment: Annotated[
        str, typer.Option(help="Mentions that are not on token borders: expand, drop or error.")
    ] = "expand",
    discontinuous: Annotated[
        str, typer.Option(help="Mentions of several parts: report them as lost, or cover them by one span.")
    ] = "report",
    merge_types: Annotated[str, typer.Option(help="Types to take together, such as PROTEIN=GENE,DNA=GENE.")] = "",
) -> None:
    """Convert corpus files to DocBins with gold spans and annotation scope."""
    loaded = load_catalogue(catalogue).merge_types(merge_types)
    reports = convert(
        loaded,
        loaded.select(corpora),
        assets=assets,
        output=output,
        nlp=tokenizing_pipeline(),
        alignment=alignment,
        discontinuous=discontinuous,
    )
    msg.table(summary(reports), header=SUMMARY, divider=True, aligns=["l", "l"] + ["r"] * (len(SUMMARY) - 2))
    msg.good(f"Wrote {output}; what became of every mention is in {output}/<corpus>/report.json")


if __name__ == "__main__":
    run(main)
