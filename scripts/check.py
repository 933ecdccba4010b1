"""Check corpora of the catalogue before any conversion: files, labels, splits, and what to look at; writes nothing."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from wasabi import msg

from bioner_spacy.cli.app import run
from bioner_spacy.cli.check import render, verdict
from bioner_spacy.corpora import load_catalogue, tokenizing_pipeline
from bioner_spacy.corpora.check import check_corpus


def main(
    corpora: Annotated[str, typer.Option(help="Sets or corpora of the catalogue, separated by commas.")] = "sample",
    catalogue: Annotated[Path, typer.Option(help="The corpus catalogue.")] = Path("configs/catalogue.yml"),
    assets: Annotated[Path, typer.Option(help="Folder of the corpus files.")] = Path("assets"),
    merge_types: Annotated[str, typer.Option(help="Types to take together, such as PROTEIN=GENE,DNA=GENE.")] = "",
) -> None:
    """Check corpora of the catalogue before any conversion: files, labels, splits, what to look at; writes nothing."""
    loaded = load_catalogue(catalogue).merge_types(merge_types)
    nlp = tokenizing_pipeline()
    checks = []
    for name in loaded.select(corpora):
        checks.append(check_corpus(loaded[name], assets=assets, nlp=nlp))
        typer.echo(render(checks[-1]))
        (msg.fail if checks[-1].problems else msg.good)(verdict(checks[-1]))
    if len(checks) > 1:
        typer.echo("\nAll corpora")
        for check in checks:
            (msg.fail if check.problems else msg.good)(verdict(check))
    sys.exit(any(check.problems for check in checks))


if __name__ == "__main__":
    run(main)
