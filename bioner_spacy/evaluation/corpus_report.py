"""Statistics of converted corpora as tables and as a chart, and leakage between them as tables."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib
import spacy
import srsly
from matplotlib.figure import Figure

from ..corpora.catalogue import SPLITS
from ..corpora.files import replacing
from ..corpora.leakage import LEAK_COLUMNS, LEVELS, Leakage
from ..corpora.statistics import Disagreement, SplitStatistics, compare_guidelines, describe, dice
from ..docbin import load_docs
from ..errors import BionerError, Errors
from .chart import STYLE
from .colors import color_of
from .results import write_text
from .table import MISSING, Table

LENGTHS = (1, 2, 3, 4)
"""Lengths of mentions with a column of their own; longer ones share one."""


def write_report(folder: Path, corpora: Sequence[str], output: Path) -> list[Path]:
    """Describe converted corpora.

    Writes `statistics.md` (tables of splits, types, shared names and disagreements) and `statistics.svg` (mentions by
    type), both or none.

    Args:
        folder: folder with `<corpus>/<split>.spacy`.
        corpora: names of the corpora.
        output: folder to write to.

    Returns:
        The files.

    Raises:
        BionerError: a corpus has not been converted.
    """
    statistics: dict[tuple[str, str], SplitStatistics] = {}
    training = {}
    vocab = spacy.blank("en").vocab
    for corpus in corpora:
        files = {split: folder / corpus / f"{split}.spacy" for split in SPLITS}
        present = {split: file for split, file in files.items() if file.is_file()}
        if not present:
            raise BionerError(Errors.E151.format(corpus=corpus, folder=folder, splits=", ".join(SPLITS)))
        for split, file in present.items():
            docs = load_docs(file, vocab)
            statistics[corpus, split] = describe(docs)
            if split == next(iter(present)):
                training[corpus] = docs
    sections = {
        "Splits": splits_table(statistics),
        "Mentions by type": types_table(statistics),
        "Shared names": overlap_table(statistics),
        "Guidelines on the same names": guidelines_table(compare_guidelines(training)),
    }
    page = "# Corpora\n" + "".join(f"\n## {title}\n\n{table.to_markdown()}" for title, table in sections.items())
    chart = output / "statistics.svg"
    with matplotlib.rc_context(STYLE), replacing(chart) as parts:
        draw_types(statistics).savefig(parts[0], format="svg", metadata={"Date": None, "Creator": None})
    write_text(output / "statistics.md", page)
    return [output / "statistics.md", chart]


def write_leakage(leakage: Leakage, output: Path) -> list[Path]:
    """Write what was found of evaluation data in training data.

    Writes `leakage.md` (tables), `leakage.json` (every pair) and `exclude.json` (training sentences to leave out, for
    the setting `exclude` of the reader), all of them or none.

    Args:
        leakage: what was found.
        output: folder to write to.

    Returns:
        The files.
    """
    exclude = leakage.exclude()
    summary = ", ".join(f"{name} {len(kept['exclude'])} of {kept['sentences']}" for name, kept in exclude.items())
    header = f"# Evaluation data in training data\n\nNear matches: similarity of {leakage.threshold} or more.\n"
    sections = [f"## {level.capitalize()}\n\n{leakage_table(leakage, level).to_markdown()}" for level in LEVELS]
    sections.append(f"## Left out of training\n\n{summary}\n")
    files = [output / name for name in ("leakage.md", "leakage.json", "exclude.json")]
    with replacing(*files) as (report, pairs, excluded):
        report.write_text("\n".join([header, *sections]), encoding="utf8")
        srsly.write_json(pairs, leakage.to_json())
        srsly.write_json(excluded, exclude)
    return files


def leakage_table(leakage: Leakage, level: str) -> Table:
    """Evaluation sentences or documents that stand in training data, by corpus and split; see `Leakage.table`."""
    return Table(LEAK_COLUMNS, leakage.table(level), numbers=5)


def splits_table(statistics: Mapping[tuple[str, str], SplitStatistics]) -> Table:
    """Size, lengths of mentions in tokens, nesting and ambiguity of each split."""
    rows = []
    for (corpus, split), found in statistics.items():
        total = max(found.lengths.total(), 1)
        shares = [found.lengths[length] / total for length in LENGTHS]
        shares.append(sum(count for length, count in found.lengths.items() if length > LENGTHS[-1]) / total)
        sizes = [found.documents, found.articles, found.tokens, found.mentions.total()]
        cells = [f"{size:,}" if size else MISSING for size in sizes]
        cells += [f"{found.mean_length:.2f}", *(f"{100 * share:.0f}" for share in shares)]
        cells += [f"{found.nested:,}", str(max(found.depths, default=0)), f"{100 * found.ambiguous:.1f}"]
        rows.append([corpus, split, *cells])
    header = ["Corpus", "Split", "Documents", "Articles", "Tokens", "Mentions", "Mean length"]
    header += [f"{length} token{'s' * (length > 1)} %" for length in LENGTHS] + ["More %"]
    return Table([*header, "Nested", "Depth", "Ambiguous names %"], rows, numbers=len(header) + 1)


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
    """Dice coefficient, in percent, of the names that are mentions in each pair of corpora, all splits together."""
    names: dict[str, set] = {}
    for (corpus, _), found in statistics.items():
        names.setdefault(corpus, set()).update(found.vocabulary)
    corpora = list(names)
    rows = [[one, *(f"{100 * dice(names[one], names[other]):.1f}" for other in corpora)] for one in corpora]
    return Table(["Corpus", *corpora], rows, numbers=len(corpora))


def guidelines_table(disagreements: Sequence[Disagreement]) -> Table:
    """For each pair of corpora that share a type: names in both texts, and those that one annotates and one does not.

    An example such as "tumor 3/40, 25/26" stands 40 times in the first corpus, 3 of them annotated, and 26 times in
    the second.
    """
    rows = []
    for found in disagreements:
        share = f"{100 * found.disagreeing / found.shared:.1f}" if found.shared else MISSING
        examples = "; ".join(
            f"{' '.join(surface)} {one.annotated}/{one.occurrences}, {other.annotated}/{other.occurrences}"
            for surface, one, other in found.examples[:5]
        )
        rows.append([" and ".join(found.corpora), found.entity_type, examples, f"{found.shared:,}", share])
    return Table(["Corpora", "Entity type", "Examples", "Names in both", "Disagree %"], rows, numbers=2)


def draw_types(statistics: Mapping[tuple[str, str], SplitStatistics]) -> Figure:
    """Mentions by type, as one bar a corpus, all splits together."""
    counts: dict[str, dict[str, int]] = {}
    for (corpus, _), found in statistics.items():
        of_corpus = counts.setdefault(corpus, {})
        for entity_type, count in found.mentions.items():
            of_corpus[entity_type] = of_corpus.get(entity_type, 0) + count
    types = sorted({entity_type for of_corpus in counts.values() for entity_type in of_corpus})
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(8, 1.6 + 0.4 * len(counts) + 0.1 * len(types)), layout="constrained")
        axes = figure.add_subplot()
        left = [0] * len(counts)
        for entity_type in types:
            widths = [of_corpus.get(entity_type, 0) for of_corpus in counts.values()]
            axes.barh(list(counts), widths, left=left, label=entity_type, color=color_of(entity_type))
            left = [begin + width for begin, width in zip(left, widths)]
        axes.invert_yaxis()
        axes.set_xlabel("gold mentions, all splits")
        axes.spines[["top", "right"]].set_visible(False)
        figure.legend(loc="outside lower center", ncols=4, frameon=False)
    return figure
