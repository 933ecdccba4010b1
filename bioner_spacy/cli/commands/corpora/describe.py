"""Describe converted corpora: sizes, types, lengths, nesting, shared names, and where their guidelines disagree."""

from pathlib import Path

import typer
from wasabi import msg

from ... import options


def command(data: options.Converted, output: options.OutputFolder = Path("reports")) -> None:
    """Describe converted corpora: sizes, types, lengths, nesting, shared names, and where their guidelines disagree.

    \b
    Example:
      python -m spacy bioner corpora describe --corpora sample --corpus corpus/sample
    """
    from ....reports.corpus_report import describe_corpora, read_statistics, write_report

    statistics = read_statistics(data.corpus, data.names)
    sections = describe_corpora(statistics)
    page, chart = write_report(statistics, sections, output)
    for section in sections[:2]:  # the others are too wide for a terminal
        typer.echo(section.title + section.table.to_text())
    msg.good(f"Wrote {page}, with shared names and guidelines, and {chart}")
