"""Files of a review: sheet, page to fill it in, and scores.

The page works offline: answers are kept in the browser and saved as a sheet.
"""

from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path

from ..analysis.agreement import Share
from ..analysis.review import Review
from ..analysis.review_scores import ReviewScores
from ..analysis.review_sheet import ANSWERS, COLUMNS, Row
from ..files import replacing
from ..formats.spreadsheet import FORMULA, cell, tsv_line
from ..scoring.results import UNNAMED, corpus_name, write_json, write_text
from .colors import color_of
from .html import render
from .page import Block, Heading, Page, Text
from .table import UNDEFINED, Table, percent

_AGREEMENT = """\
Observed: share of predictions that both judge alike, in percent. Kappa: Cohen (1960), 1 for full agreement, 0 for chance; with a
95 % interval from the asymptotic variance of Fleiss, Cohen and Everitt (1969). Kappa is undefined if all answers are the same,
its interval if the judges agree everywhere or nowhere. Both describe the sample."""
_PRECISION = """\
In percent, with 95 % intervals. A prediction is right if the judge says yes; unsure is not yes. Sample: share of the
judged predictions, with the interval of Wilson (1927). Population: share of all {population} predictions of these types
that the corpora do not annotate; judged ones are weighted by the inverse of their probability of being drawn (Horvitz and
Thompson 1952), with Wilson's interval for the effective sample size."""


def write_review(review: Review, folder: Path) -> list[Path]:
    """Write `sheet.tsv` and `sheet.html` for the judges, and `key.json`; all or none."""
    files = [folder / name for name in ("sheet.tsv", "sheet.html", "key.json")]
    with replacing(*files) as (sheet, page, key):
        write_text(sheet, sheet_text(review.rows))
        write_text(page, sheet_page(review.rows, review.definitions))
        write_json(key, review.key.to_dict())
    return files


def sheet_text(rows: Sequence[Row]) -> str:
    """The sheet as tab-separated values, with a byte order mark for spreadsheets."""
    lines = [tsv_line(COLUMNS), *(tsv_line([*sheet_cells(row), "", ""]) for row in rows)]
    return "\ufeff" + "\n".join(lines) + "\n"


def sheet_cells(row: Row) -> list[str]:
    """The cells of the columns that judges do not fill in.

    The mention is between ⟦ and ⟧, so no spreadsheet reads SEPT2 as a date. Spaces around it are kept.
    """
    left, right = cell(row.left), cell(row.right)
    left += " " if row.left[-1:].isspace() else ""
    right = f" {right}" if row.right[:1].isspace() else right
    named = [cell(text) for text in (row.row, row.corpus, row.doc_id, row.entity_type)]
    return [*named, left, f"⟦{cell(row.mention)}⟧", right]


def sheet_page(rows: Sequence[Row], definitions: Mapping[str, str]) -> str:
    """The sheet as a page.

    Args:
        rows: predictions, at least one, those of a type together.
    """
    # The script reads the cells from a data block.
    data = {
        "review": rows[0].row.partition("-")[0],
        "header": tsv_line(COLUMNS),
        "formula": FORMULA,
        "rows": [{"id": row.row, "line": tsv_line(sheet_cells(row))} for row in rows],
    }
    groups = groupby(enumerate(rows, start=1), key=lambda numbered: numbered[1].entity_type)
    return render(
        "review",
        title=f"Review of {len(rows)} predicted mentions",
        groups=[(entity_type, list(numbered)) for entity_type, numbered in groups],
        colors={row.entity_type: color_of(row.entity_type) for row in rows},
        definitions=definitions,
        answers=ANSWERS,
        unnamed=UNNAMED,
        data=data,
    )


def scores_page(scores: ReviewScores, *, brief: bool = False) -> Page:
    """The scores of a review as a page.

    Args:
        brief: without the list of disagreements.
    """
    blocks: list[Block] = []
    if scores.agreement:
        blocks += [Heading("Agreement"), Text(_AGREEMENT), agreement_table(scores)]
    population = sum(stratum.population for stratum in scores.key.strata)
    blocks += [Heading("Precision"), Text(_PRECISION.format(population=population)), precision_table(scores)]
    if scores.agreement and not brief:
        text = "Predictions on which the judges disagree."
        blocks += [Heading("Not judged alike"), Text(text), differences_table(scores)]
    pipeline = scores.key.pipeline
    title = f"{pipeline.name} {pipeline.version}, {scores.key.split} split: review"
    return Page("review", title, blocks, data=scores.to_dict())


def agreement_table(scores: ReviewScores) -> Table:
    """Agreement of the two judges."""
    rows = []
    for answers, found in scores.agreement.items():
        interval = UNDEFINED if found.low is None else f"{found.low:.3f} to {found.high:.3f}"
        kappa = UNDEFINED if found.kappa is None else f"{found.kappa:.3f}"
        rows.append([answers, str(found.items), percent(found.observed), kappa, interval])
    return Table(["Answers", "Predictions", "Observed", "Kappa", "Interval"], rows, numbers=4)


def precision_table(scores: ReviewScores) -> Table:
    """Precision by type and judge."""
    rows = [
        [
            found.entity_type,
            found.judge,
            *map(str, (found.population, found.judged, found.yes, found.unsure)),
            *map(_share_text, (found.sample, found.weighted)),
        ]
        for found in scores.precision
    ]
    header = ["Entity type", "Judge", "Predicted", "Judged", "Yes", "Unsure", "Sample", "Population"]
    return Table(header, rows, numbers=6)


def differences_table(scores: ReviewScores) -> Table:
    """Predictions on which the judges disagree."""
    rows = []
    for row, found in scores.key.rows.items():
        judgements = [judged[row] for judged in scores.sheets.values()]
        if len({judgement.answer for judgement in judgements}) > 1:
            place = [row, corpus_name(found["corpus"]), found["doc_id"], found["entity_type"], found["text"]]
            answers = [f"{answer}: {comment}" if comment else answer for answer, comment in judgements]
            rows.append([" ".join(text.split()) for text in (*place, *answers)])
    return Table(["Row", "Corpus", "Document", "Entity type", "Mention", *scores.sheets], rows, numbers=0)


def _share_text(share: Share) -> str:
    """A share with its interval, in percent with one decimal."""
    return f"{100 * share.value:.1f} ({100 * share.low:.1f} to {100 * share.high:.1f})"
