"""Statistics of converted corpora as tables and as a chart, and leakage between them as tables."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import srsly
from spacy.vocab import Vocab

from ..corpora.catalogue import SPLITS
from ..corpora.leakage import EXCLUDE_FILE, LEAK_COLUMNS, LEVELS, Leakage
from ..corpora.manifest import converted_docs
from ..corpora.statistics import Disagreement, SplitStatistics, compare_guidelines, describe, dice, name_text
from ..errors import BionerError, Errors
from ..files import replacing
from .corpus_chart import draw_statistics
from .page import Block, Chart, Heading, Page, Text
from .table import MISSING, Table

LENGTHS = (1, 2, 3, 4)
"""Mention lengths with their own column; longer ones share one."""

SPLITS_TEXT = """\
Records are those of the corpus file: sentences, abstracts or whole texts; documents are their sources, if known. Length: mean tokens of a mention; 1 to 5+: share of the mentions of that length, in percent.
Nested: mentions inside another one; depth: maximum number of mentions around one. Ambiguous: share of names, in percent,
that are mentions of more than one type."""
TYPES_TEXT = """\
Types without a mention in a split count as annotated there. Names ignore case, except acronyms."""
OVERLAP_TEXT = """\
Dice coefficient, in percent, of the names of two corpora, of any type: 100 if both have the same names."""
GUIDELINES_TEXT = """\
How two corpora that annotate one type treat names that occur in both and are annotated in at least one. An example such as
"tumor 3/40, 25/26" occurs 40 times in the first corpus, 3 of them annotated, and 26 times in the second. Occurrences inside
a longer mention, or after the first five million tokens of a split, are not counted. Disagree: share of the names that only
one corpus annotates mostly. Against: share of the occurrences treated differently from the majority in the other corpus."""


def read_statistics(folder: Path, corpora: Sequence[str]) -> dict[tuple[str, str], SplitStatistics]:
    """Compute statistics of converted corpora.

    Args:
        folder: folder with `<corpus>/<split>.spacy`.

    Returns:
        Corpus and split -> counts, in the order of the corpora and of the splits.

    Raises:
        BionerError: a corpus has not been converted.
    """
    files = {(corpus, split): folder / corpus / f"{split}.spacy" for corpus in corpora for split in SPLITS}
    present = {place: file for place, file in files.items() if file.exists()}
    for corpus in corpora:
        if corpus not in {name for name, _ in present}:
            raise BionerError(Errors.E151.format(corpus=corpus, folder=folder, splits=", ".join(SPLITS)))
    # A vocabulary per file, to save memory.
    return {place: describe(converted_docs(file, Vocab())) for place, file in present.items()}


def corpora_page(statistics: Mapping[tuple[str, str], SplitStatistics], *, brief: bool = False) -> Page:
    """Statistics as a page: splits, mentions by type, shared names and guidelines, with a chart.

    Guidelines are compared on the first split of a corpus.

    Args:
        brief: a short version for terminals, without shared names and guidelines.
    """
    first: dict[str, SplitStatistics] = {}
    for (corpus, _), found in statistics.items():
        first.setdefault(corpus, found)
    blocks: list[Block] = [Chart("statistics", "The same as a picture")]
    blocks += [Heading("Splits"), Text(SPLITS_TEXT), splits_table(statistics)]
    blocks += [Heading("Mentions by type"), Text(TYPES_TEXT), types_table(statistics)]
    if not brief:
        blocks += [Heading("Shared names"), Text(OVERLAP_TEXT), overlap_table(statistics)]
        blocks += [Heading("Guidelines on the same names"), Text(GUIDELINES_TEXT)]
        blocks.append(guidelines_table(compare_guidelines(first)))
    data = [{"corpus": corpus, "split": split, **_counts(found)} for (corpus, split), found in statistics.items()]
    charts = {"statistics": lambda: draw_statistics(statistics)}
    return Page("statistics", "Corpora", blocks, {"splits": data}, charts)


def _counts(found: SplitStatistics) -> dict[str, Any]:
    return {
        "records": found.records,
        "documents": found.documents,
        "tokens": found.tokens,
        "mentions": dict(sorted(found.mentions.items())),
        "nested": found.nested,
        "mean_length": found.mean_length,
        "ambiguous": found.ambiguous,
        "types": sorted(found.types),
    }


def write_leakage(leakage: Leakage, folder: Path, output: Path) -> list[Path]:
    """Write a leakage report.

    Writes `leakage.md` (tables) and `leakage.json` (every pair), and `exclude.json` (training records to leave out,
    for the setting `exclude` of the reader) in the corpus folder.

    Args:
        folder: folder of the converted corpora.
    """
    exclude = leakage.exclude()
    summary = ", ".join(f"{name} {len(kept['exclude'])} of {kept['records']}" for name, kept in exclude.items())
    blocks: list[Block] = [Text(f"Near matches: similarity of {leakage.threshold} or more.")]
    for level in LEVELS:
        blocks += [Heading(level.capitalize()), leakage_table(leakage, level)]
    blocks += [Heading("Left out of training"), Text(summary)]
    page = Page("leakage", "Evaluation data in training data", blocks, leakage.to_json())
    pairs, report = page.to_disk(output)
    with replacing(folder / EXCLUDE_FILE) as [excluded]:
        srsly.write_json(excluded, exclude)
    return [report, pairs, folder / EXCLUDE_FILE]


def leakage_table(leakage: Leakage, level: str) -> Table:
    """Evaluation records or documents in training data, by corpus and split; see `Leakage.table`."""
    return Table(LEAK_COLUMNS, leakage.table(level), numbers=5)


def splits_table(statistics: Mapping[tuple[str, str], SplitStatistics]) -> Table:
    """Size, lengths of mentions in tokens, nesting and ambiguity of each split."""
    rows = []
    for (corpus, split), found in statistics.items():
        total = max(found.lengths.total(), 1)
        shares = [found.lengths[length] / total for length in LENGTHS]
        shares.append(sum(count for length, count in found.lengths.items() if length > LENGTHS[-1]) / total)
        sizes = [found.records, found.documents, found.tokens, found.mentions.total()]
        cells = [f"{size:,}" if size else MISSING for size in sizes]
        cells += [f"{found.mean_length:.2f}", *(f"{100 * share:.0f}" for share in shares)]
        cells += [f"{found.nested:,}", str(max(found.depths, default=0)), f"{100 * found.ambiguous:.1f}"]
        rows.append([corpus, split, *cells])
    header = ["Corpus", "Split", "Records", "Documents", "Tokens", "Mentions", "Length", *map(str, LENGTHS)]
    return Table([*header, f"{LENGTHS[-1] + 1}+", "Nested", "Depth", "Ambiguous"], rows, numbers=len(header) + 2)


def types_table(statistics: Mapping[tuple[str, str], SplitStatistics]) -> Table:
    """Mentions and different names of each type of each corpus, by split."""
    splits = [split for split in SPLITS if any(key[1] == split for key in statistics)]
    types = sorted({(corpus, name) for (corpus, _), found in statistics.items() for name in found.types})
    rows = []
    for corpus, entity_type in types:
        of_splits = [statistics.get((corpus, split)) for split in splits]
        cells = [MISSING if found is None else f"{found.mentions[entity_type]:,}" for found in of_splits]
        names = {name for found in of_splits if found is not None for name in found.surfaces.get(entity_type, ())}
        rows.append([corpus, entity_type, *cells, f"{len(names):,}"])
    return Table(["Corpus", "Entity type", *splits, "Different names"], rows, numbers=len(splits) + 1)


def overlap_table(statistics: Mapping[tuple[str, str], SplitStatistics]) -> Table:
    """Dice coefficient, in percent, of the names in each pair of corpora, over all splits."""
    names: dict[str, set] = {}
    for (corpus, _), found in statistics.items():
        names.setdefault(corpus, set()).update(found.vocabulary)
    corpora = list(names)
    rows = []
    for place, one in enumerate(corpora):
        shares = [f"{100 * dice(names[one], names[other]):.1f}" for other in corpora[:place]]
        rows.append([one, *shares, *[""] * (len(corpora) - place)])
    return Table(["Corpus", *corpora], rows, numbers=len(corpora))


def guidelines_table(disagreements: Sequence[Disagreement]) -> Table:
    """Disagreement on shared names, for each type and pair of corpora."""
    rows = []
    for found in sorted(
        disagreements, key=lambda found: (found.entity_type, -_share(found.disagreeing, found.shared))
    ):
        examples = "; ".join(
            f"{name_text(surface)} {one.annotated}/{one.occurrences}, {other.annotated}/{other.occurrences}"
            for surface, one, other in found.examples[:5]
        )
        shares = [(found.disagreeing, found.shared), (found.against, found.occurrences)]
        cells = [f"{100 * _share(part, total):.1f}" if total else MISSING for part, total in shares]
        counts = [f"{found.shared:,}", cells[0], f"{found.occurrences:,}", cells[1]]
        rows.append([found.entity_type, *found.corpora, examples, *counts])
    header = ["Entity type", "Corpus", "Other corpus", "Examples", "Names", "Disagree %", "Places", "Against %"]
    return Table(header, rows, numbers=4)


def _share(part: int, total: int) -> float:
    return part / total if total else 0.0
