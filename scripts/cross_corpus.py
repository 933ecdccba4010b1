"""Score pipelines on corpora that they were not trained on: a matrix and a heat map."""

from pathlib import Path
from typing import Annotated, Optional

import typer
from wasabi import msg

from bioner_spacy.analysis.cross_corpus import cross_corpus
from bioner_spacy.cli.app import run
from bioner_spacy.corpora import load_catalogue
from bioner_spacy.corpora.catalogue import type_pairs
from bioner_spacy.corpora.context import CONTEXT_WORDS


def main(
    pipelines: Annotated[Optional[list[str]], typer.Argument(help="Folders or names of pipelines.")] = None,
    each: Annotated[
        Optional[Path],
        typer.Option(help="Folder of <name>/model-last, as scripts/train.py --each writes it: take all of these too."),
    ] = None,
    names: Annotated[
        str, typer.Option(help="A name for each, separated by commas; default: what it was trained on.")
    ] = "",
    corpora: Annotated[str, typer.Option(help="Sets or corpora of the catalogue, separated by commas.")] = "sample",
    catalogue: Annotated[Path, typer.Option(help="The corpus catalogue.")] = Path("configs/catalogue.yml"),
    corpus: Annotated[Path, typer.Option(help="Folder with <corpus>/<split>.spacy.")] = Path("corpus"),
    split: Annotated[str, typer.Option(help="Name of the split.")] = "test",
    map_: Annotated[str, typer.Option("--map", help="Types to take for others, such as PROTEIN=GENE,DNA=GENE.")] = "",
    output: Annotated[Path, typer.Option(help="Folder to write to.")] = Path("reports/cross-corpus"),
    limit: Annotated[Optional[int], typer.Option(min=1, help="Most documents of a corpus; default: all.")] = None,
    context: Annotated[
        str, typer.Option(help="What the pipelines see at once: source, sentence, group or document.")
    ] = "source",
    context_words: Annotated[int, typer.Option(min=1, help="Most words of a group.")] = CONTEXT_WORDS,
    gpu_id: Annotated[int, typer.Option(help="Number of the GPU; -1 for the CPU.")] = -1,
) -> None:
    """Score pipelines on corpora that they were not trained on: a matrix and a heat map."""
    chosen = load_catalogue(catalogue).select(corpora)
    of_each = [] if each is None else sorted(map(str, each.glob("*/model-last")))
    if not (pipelines or of_each):
        raise typer.BadParameter("name one, or a folder of them with --each", param_hint="PIPELINES")
    scores = cross_corpus(
        [*(pipelines or ()), *of_each],
        corpus,
        names=[name.strip() for name in names.split(",")] if names else None,
        corpora=chosen,
        split=split,
        mapped=type_pairs(map_, "map"),
        limit=limit,
        context=context,
        context_words=context_words,
        gpu_id=gpu_id,
    )
    files = scores.to_disk(output)
    typer.echo(scores.matrix().to_text())
    msg.info("* The pipeline was trained on this corpus. In brackets: the number of types that count")
    msg.good(f"Wrote {', '.join(map(str, files))}")


if __name__ == "__main__":
    run(main)
