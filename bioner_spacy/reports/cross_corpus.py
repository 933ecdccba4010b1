"""Scores of pipelines on corpora as a page: a matrix, a table by type and a heat map."""

from typing import Optional

from ..analysis.cross_corpus import Cell, CrossCorpus
from ..scoring.metrics import get_metric
from ..scoring.results import corpus_name
from .chart import Figure
from .heat_map import draw_heat_map
from .page import Block, Chart, Heading, Page, Text
from .table import MISSING, Table, count, percent, with_total

NAME = "cross-corpus"
IN_DOMAIN = "*"
"""Mark of in-domain scores."""

_MATRIX = """\
F1 in percent, {match}, on the {split} split, and the number of entity types that pipeline and corpus share: only
these count. {mark} The pipeline was trained on this corpus. {dash} No shared type. Cells with other types cannot be
compared.{mapped}"""


def cross_corpus_page(found: CrossCorpus) -> Page:
    """The scores as a page."""
    mapped = "".join(f" {one} counts as {other}." for one, other in found.mapped.items())
    match = get_metric(found.metric).description
    text = _MATRIX.format(match=match, split=found.split, mark=IN_DOMAIN, dash=MISSING, mapped=mapped)
    blocks: list[Block] = [Heading("Matrix"), Text(text), matrix_table(found), Heading("Types")]
    blocks += [Text("Each shared type, in percent."), types_table(found), Chart(NAME, "F1 as a heat map")]
    return Page(NAME, "Scores on other corpora", blocks, found.to_dict(), {NAME: lambda: draw_matrix(found)})


def matrix_table(found: CrossCorpus) -> Table:
    """A row for each pipeline, a column for each corpus: F1, whether in-domain, and number of shared types."""
    rows = [[name, *(_cell_text(found.cells[name, corpus]) for corpus in found.corpora)] for name in found.pipelines]
    return Table(["Pipeline", *map(corpus_name, found.corpora)], rows, numbers=len(found.corpora))


def types_table(found: CrossCorpus) -> Table:
    """A row for each type that a pipeline and a corpus share."""
    rows = []
    for (name, corpus), cell in found.cells.items():
        parts = {} if cell.scores is None else with_total(cell.scores["per_type"], cell.scores)
        for entity_type, scores in parts.items():
            counts = [count(scores[kind]) for kind in ("gold", "predicted")]
            percents = [percent(scores[kind]) for kind in "prf"]
            rows.append([name, f"{corpus_name(corpus)}{_mark(cell)}", entity_type, *counts, *percents])
    return Table(["Pipeline", "Corpus", "Entity type", "Gold", "Predicted", "P", "R", "F1"], rows, numbers=5)


def draw_matrix(found: CrossCorpus) -> Figure:
    """Draw F1 of every pipeline on every corpus; in-domain cells have a frame."""
    cells = [[found.cells[name, corpus] for corpus in found.corpora] for name in found.pipelines]
    return draw_heat_map(
        list(found.pipelines),
        list(map(corpus_name, found.corpora)),
        [[None if cell.f is None else 100 * cell.f for cell in row] for row in cells],
        [[_short(cell.f, len(cell.types)) for cell in row] for row in cells],
        title=f"F1 (%) on the {found.split} split",
        xlabel="Test corpus; a frame: the pipeline was trained on it",
        framed=[[bool(cell.in_domain) for cell in row] for row in cells],
    )


def _short(f: Optional[float], types: int) -> str:
    return f"{MISSING if f is None else f'{100 * f:.1f}'}\n{types} type{'s' * (types != 1)}"


def _mark(cell: Cell) -> str:
    return IN_DOMAIN if cell.in_domain else ""


def _cell_text(cell: Cell) -> str:
    """F1 with its mark and the number of shared types, or a dash."""
    if not cell.types:
        return MISSING
    return f"{percent(cell.f)}{_mark(cell)} ({len(cell.types)})"
