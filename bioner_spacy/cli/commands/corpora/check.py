"""Check corpora of the catalogue before conversion: files, labels, splits, suspicious patterns. Writes nothing.

\b
Example:
  python -m spacy bioner corpora check --corpora mine --catalogue mine.yml
"""

from typing import TYPE_CHECKING

import typer

from ... import options
from ...messages import msg

if TYPE_CHECKING:
    from ....corpora.check import CorpusCheck


def command(
    selection: options.Selection, assets: options.Assets = options.ASSETS, merge_types: options.MergeTypes = ""
) -> None:
    from ....corpora import tokenizing_pipeline
    from ....corpora.check import check_corpus
    from ...check_report import render

    known = selection.known.merge_types(merge_types)
    nlp = tokenizing_pipeline()
    checks = []
    for name in known.select(selection.corpora):
        checks.append(check_corpus(known[name], assets=assets, nlp=nlp))
        typer.echo(render(checks[-1]))
        _show_verdict(checks[-1])
    if len(checks) > 1:
        typer.echo("\nAll corpora")
        for check in checks:
            _show_verdict(check)
    raise typer.Exit(any(check.problems for check in checks))


def _show_verdict(check: "CorpusCheck") -> None:
    from ...check_report import verdict

    if check.problems:
        msg.fail(verdict(check))
    else:
        msg.good(verdict(check))
