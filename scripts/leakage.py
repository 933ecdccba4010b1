"""Report evaluation sentences that stand in training data too, and list the training sentences to leave out."""

from pathlib import Path
from typing import Annotated

import srsly
import typer
from wasabi import msg

from bioner_spacy.cli.app import run
from bioner_spacy.corpora import load_catalogue
from bioner_spacy.corpora.files import replacing
from bioner_spacy.corpora.leakage import LEAK_COLUMNS, LEVELS, find_leaks
from bioner_spacy.evaluation.table import Table

FILES = ("leakage.md", "leakage.json", "exclude.json")


def main(
    corpus: Annotated[Path, typer.Argument(help="Folder with <corpus>/<split>.spacy.")] = Path("corpus"),
    corpora: Annotated[str, typer.Option(help="Sets or corpora of the catalogue, separated by commas.")] = "sample",
    catalogue: Annotated[Path, typer.Option(help="The corpus catalogue.")] = Path("configs/catalogue.yml"),
    threshold: Annotated[
        float, typer.Option(help="Least similarity of a near match, 0.5 to 1; 1: exact ones only.")
    ] = 0.8,
    output: Annotated[Path, typer.Option(help="Folder to write to.")] = Path("reports/leakage"),
) -> None:
    """Report evaluation sentences that stand in training data too, and list the training sentences to leave out."""
    leakage = find_leaks(corpus, load_catalogue(catalogue).select(corpora), threshold=threshold)
    exclude = leakage.exclude()
    tables = {level: Table(LEAK_COLUMNS, leakage.table(level), numbers=5) for level in LEVELS}
    summary = ", ".join(f"{name} {len(kept['exclude'])} of {kept['sentences']}" for name, kept in exclude.items())
    sections = [f"## {level.capitalize()}\n\n{table.to_markdown()}" for level, table in tables.items()]
    sections.append(f"## Left out of training\n\n{summary}\n")
    header = f"# Evaluation data in training data\n\nNear matches: similarity of {threshold} or more.\n"
    with replacing(*(output / name for name in FILES)) as (report, pairs, excluded):
        report.write_text("\n".join([header, *sections]), encoding="utf8")
        srsly.write_json(pairs, leakage.to_json())
        srsly.write_json(excluded, exclude)
    for level, table in tables.items():
        typer.echo(f"{level.capitalize()} of evaluation data in training data" + table.to_text())
    msg.info(f"To leave out of training: {summary}")
    msg.good(f"Wrote {', '.join(FILES)} to {output}; train with --vars.exclude {output / 'exclude.json'}")


if __name__ == "__main__":
    run(main)
