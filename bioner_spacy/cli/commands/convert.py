"""Convert annotated documents to another format, without a catalogue.

\b
Example:
  python -m spacy bioner convert corpus.pubtator corpus.spacy --input-format pubtator
"""

from typing import TYPE_CHECKING, Annotated, Optional

import typer

from ...corpora.to_doc import ALIGNMENTS, DISCONTINUOUS
from ...errors import counted
from ...formats.documents import input_formats
from .. import options
from ..messages import msg

if TYPE_CHECKING:
    from ...corpora import SplitReport


def command(
    source: options.Source,
    output: options.OutputFile,
    input_format: Annotated[Optional[str], typer.Option(help=options.format_help(input_formats()))] = None,
    reader_options: options.ReaderOptions = "",
    format: options.Format = None,
    labels: Annotated[
        str, typer.Option(help="Entity types of the labels: Disease=DISEASE,Remark=null leaves Remark out.")
    ] = "",
    alignment: Annotated[
        str, typer.Option(help=f"Mentions that are not on token boundaries: {', '.join(ALIGNMENTS)}.")
    ] = "expand",
    discontinuous: Annotated[
        str, typer.Option(help=f"Mentions of several parts: {', '.join(DISCONTINUOUS)}.")
    ] = "report",
    spans_key: Annotated[
        Optional[str], typer.Option(help="Key of the spans of a .spacy file; ents: its entities.")
    ] = None,
    columns: options.Columns = None,
) -> None:
    from ...serving.convert import convert_file

    with options.source_file(source, input_format, input_formats()) as file:
        documents, spans, report = convert_file(
            file,
            output,
            input_format=input_format,
            options=reader_options,
            format=format,
            labels=labels,
            alignment=alignment,
            discontinuous=discontinuous,
            spans_key=spans_key,
            columns=columns,
        )
    if report:
        _show(report)
    msg.good(f"Wrote {output}: {counted(documents, 'document')}, {counted(spans, 'span')}")


def _show(report: "SplitReport") -> None:
    """Show changed and lost mentions, and the annotation scope."""
    from ..check_report import issue_lines

    total = report.mentions_in.total()
    for kind, listed in report.issues.items():
        if listed.count:
            msg.warn(f"{listed.count:,} of {total:,} mentions {kind}:")
            typer.echo(issue_lines(listed)[1:])
    if report.dropped:
        msg.info(f"{report.dropped.total():,} of {total:,} mentions left out: {', '.join(sorted(report.dropped))}")
    msg.info(f"Annotation scope: {', '.join(report.types) or 'no type'}")
