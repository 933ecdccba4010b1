"""Let people judge predictions of types that a corpus does not annotate: make a sheet, and score filled-in sheets."""

from pathlib import Path
from typing import Annotated, Optional

import typer
from wasabi import msg

from bioner_spacy.analysis.review import NUMBER, make_review
from bioner_spacy.analysis.review_scores import score_review
from bioner_spacy.cli.app import one_line_errors
from bioner_spacy.corpora import load_catalogue
from bioner_spacy.corpora.context import CONTEXT_WORDS

app = typer.Typer(add_completion=False, help=__doc__)


@app.command()
@one_line_errors
def make(
    pipeline: Annotated[str, typer.Argument(help="Folder or name of a pipeline.")],
    corpora: Annotated[str, typer.Option(help="Sets or corpora of the catalogue, separated by commas.")] = "sample",
    catalogue: Annotated[Path, typer.Option(help="The corpus catalogue.")] = Path("configs/catalogue.yml"),
    corpus: Annotated[Path, typer.Option(help="Folder with <corpus>/<split>.spacy.")] = Path("corpus"),
    split: Annotated[str, typer.Option(help="Name of the split.")] = "test",
    number: Annotated[int, typer.Option(min=1, help="Predictions to draw.")] = NUMBER,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the draws.")] = 0,
    output: Annotated[Path, typer.Option(help="Folder to write to.")] = Path("reports/review"),
    limit: Annotated[Optional[int], typer.Option(min=1, help="Most documents of a corpus; default: all.")] = None,
    context: Annotated[
        str, typer.Option(help="What pipeline and judges see at once: source, sentence, group or document.")
    ] = "source",
    context_words: Annotated[int, typer.Option(min=1, help="Most words of a group.")] = CONTEXT_WORDS,
    gpu_id: Annotated[int, typer.Option(help="Number of the GPU; -1 for the CPU.")] = -1,
) -> None:
    """Draw predictions of types that the corpora do not annotate, and write a sheet for judges and the key to it."""
    known = load_catalogue(catalogue)
    review = make_review(
        pipeline,
        corpus,
        corpora=known.select(corpora),
        split=split,
        number=number,
        seed=seed,
        definitions=known.types,
        limit=limit,
        context=context,
        context_words=context_words,
        gpu_id=gpu_id,
    )
    files = review.to_disk(output)
    population = sum(stratum.population for stratum in review.key.strata)
    msg.info(f"Drew {len(review.rows)} of {population} predictions; give judges the sheet or the page, not the key")
    msg.good(f"Wrote {', '.join(map(str, files))}")


@app.command()
@one_line_errors
def score(
    sheets: Annotated[list[Path], typer.Argument(help="The filled-in sheet of one judge, or those of two.")],
    key: Annotated[Path, typer.Option(help="The key that was written with the sheet.")] = Path(
        "reports/review/key.json"
    ),
    output: Annotated[Path, typer.Option(help="Folder to write to.")] = Path("reports/review"),
) -> None:
    """Tell how far two judges agree, and how many of the predictions are right."""
    scores = score_review(sheets, key)
    files = scores.to_disk(output)
    for section in scores.sections(brief=True):
        typer.echo(f"{section.title}\n{section.table.to_text()}")
    msg.good(f"Wrote {', '.join(map(str, files))}")


if __name__ == "__main__":
    app()
