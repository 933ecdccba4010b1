"""`spacy bioner`: commands of spaCy's own command line, for pipelines and files wherever they are.

spaCy imports this module by its entry point. Commands of the project, which need its configs and folders, are in scripts/.
"""

from pathlib import Path
from typing import Annotated, Optional

import typer
from spacy.cli import app as spacy_app
from wasabi import msg

from ..corpora import SplitReport
from ..corpora.to_doc import ALIGNMENTS, DISCONTINUOUS
from ..formats.documents import INPUTS, OUTPUTS, TEXT
from ..scope import SPANS_KEY
from ..serving.apply import apply_pipeline
from ..serving.convert import convert_file
from .app import one_line_errors
from .check import issue_lines

app = typer.Typer(name="bioner", help="Biomedical entities: annotate texts, convert files.", no_args_is_help=True)
spacy_app.add_typer(app)

_DEFAULTS = "docbin for .spacy, textspans for .jsonl"
Source = Annotated[Path, typer.Argument(metavar="INPUT", help="File of documents; for brat, a folder.")]
Output = Annotated[Path, typer.Argument(help="File to write (bioc: .json or .xml); for brat, a new folder.")]
Options = Annotated[str, typer.Option(help="Options of the input's reader, as in the catalogue: mismatch=offsets.")]
Format = Annotated[Optional[str], typer.Option(help=f"One of {', '.join(OUTPUTS)}. Default: {_DEFAULTS}.")]
Columns = Annotated[Optional[int], typer.Option(help="Tag columns for overlapping spans (iob).")]


@app.command("apply")
@one_line_errors
def apply(
    pipeline: Annotated[str, typer.Argument(help="Folder or package name of a pipeline.")],
    source: Source,
    output: Output,
    input_format: Annotated[
        Optional[str],
        typer.Option(
            help=f"{TEXT}, one a line, or one of {', '.join(INPUTS)}. Default: {TEXT} for .txt, {_DEFAULTS}."
        ),
    ] = None,
    options: Options = "",
    format: Format = None,
    spans_key: Annotated[str, typer.Option(help="Key of the spans in doc.spans.")] = SPANS_KEY,
    columns: Columns = None,
    batch_size: Annotated[Optional[int], typer.Option(min=1, help="Documents per batch.")] = None,
    n_process: Annotated[int, typer.Option(min=1, help="Processes side by side.")] = 1,
    gpu_id: Annotated[int, typer.Option(help="Number of the GPU; -1 for the CPU.")] = -1,
) -> None:
    """Annotate the texts of a file, whatever its format, and write them in any format."""
    documents, spans = apply_pipeline(
        pipeline,
        source,
        output,
        input_format=input_format,
        options=options,
        format=format,
        spans_key=spans_key,
        columns=columns,
        batch_size=batch_size,
        n_process=n_process,
        gpu_id=gpu_id,
    )
    msg.good(f"Wrote {output}: {documents:,} documents, {spans:,} spans")


@app.command("convert")
@one_line_errors
def convert(
    source: Source,
    output: Output,
    input_format: Annotated[
        Optional[str], typer.Option(help=f"One of {', '.join(INPUTS)}. Default: {_DEFAULTS}.")
    ] = None,
    options: Options = "",
    format: Format = None,
    labels: Annotated[
        str, typer.Option(help="What labels of the input stand for: Disease=DISEASE,Remark= leaves Remark out.")
    ] = "",
    alignment: Annotated[
        str, typer.Option(help=f"Mentions that are not on token borders: {', '.join(ALIGNMENTS)}.")
    ] = "expand",
    discontinuous: Annotated[
        str, typer.Option(help=f"Mentions of several parts: {', '.join(DISCONTINUOUS)}.")
    ] = "report",
    spans_key: Annotated[Optional[str], typer.Option(help="Key of the spans of a .spacy file.")] = None,
    columns: Columns = None,
) -> None:
    """Write annotated documents in another format, without a catalogue."""
    documents, spans, report = convert_file(
        source,
        output,
        input_format=input_format,
        options=options,
        format=format,
        labels=labels,
        alignment=alignment,
        discontinuous=discontinuous,
        spans_key=spans_key,
        columns=columns,
    )
    if report:
        _tell(report)
    msg.good(f"Wrote {output}: {documents:,} documents, {spans:,} spans")


def _tell(report: SplitReport) -> None:
    """What became of mentions that are not as they were, and the annotation scope."""
    total = report.mentions_in.total()
    for kind, listed in report.issues.items():
        if listed.count:
            msg.warn(f"{listed.count:,} of {total:,} mentions {kind}:")
            typer.echo(issue_lines(listed)[1:])
    if report.dropped:
        msg.info(f"{report.dropped.total():,} of {total:,} mentions left out: {', '.join(sorted(report.dropped))}")
    msg.info(f"Annotation scope: {', '.join(report.types) or 'no type'}")
