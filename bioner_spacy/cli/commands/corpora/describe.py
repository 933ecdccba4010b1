"""Describe converted corpora: sizes, types, lengths, nesting, shared names, and where their guidelines disagree.

\b
Example:
  python -m spacy bioner corpora describe --corpora sample --corpus corpus/sample
"""

from pathlib import Path

from ... import options


def command(
    data: options.Converted, output: options.OutputFolder = Path("reports"), tables: options.Tables = ""
) -> None:
    from ....reports.corpus_report import corpora_page, read_statistics

    statistics = read_statistics(data.corpus, data.names)
    options.show(corpora_page(statistics), output, brief=corpora_page(statistics, brief=True), tables=tables)
