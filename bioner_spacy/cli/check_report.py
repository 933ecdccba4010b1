"""Render the check of a corpus for the terminal."""

from collections.abc import Iterator

from ..corpora import SPLITS, Corpus
from ..corpora.check import EXAMPLES, LONG, MOST_PROBLEMS, CorpusCheck
from ..corpora.statistics import name_text
from ..corpora.to_doc import Issues
from ..errors import counted
from ..reports.corpus_report import types_table
from ..reports.table import MISSING, Table

REMARKS = {
    "lost": "mentions that would be lost",
    "discontinuous": "discontinuous mentions, lost by default or covered by one span (--discontinuous cover)",
    "expanded": "mentions that are not on token boundaries, expanded to whole tokens",
    "duplicate": "duplicate mentions",
    "edges": "mentions that begin or end with a space or punctuation, or with an unmatched bracket",
    "one token": "records of a single token (are the breaks between sentences right?)",
    "long": f"records of more than {LONG:,} tokens (are breaks missing? training needs memory for them)",
    "id": "documents that are also in an earlier split, by their identifiers",
    "text": "records that are also in an earlier split, by their letters and digits",
}
"""Names of the findings of the check."""

RARE = 0.01
"""A smaller share of records with a single token is not reported."""


def render(check: CorpusCheck) -> str:
    """The report on one corpus: description, files, labels, splits, and findings."""
    parts = [_head(check.corpus), _files(check)]
    if check.splits:
        statistics = {(check.corpus.name, split): found.statistics for split, found in check.splits.items()}
        parts.append("Labels: mentions by split" + _labels(check).to_text())
        parts.append("Splits, as conversion would make them" + _splits(check).to_text())
        parts.append("Mentions by standard type" + types_table(statistics).to_text())
        parts.append(_list("Findings", _remarks(check)) or "Nothing else to look at.\n")
    parts.append(_list("Problems, with which conversion fails", check.problems))
    return "\n".join(part for part in parts if part)


def verdict(check: CorpusCheck) -> str:
    """One line: whether the corpus can be converted."""
    if not check.problems:
        return f"{check.corpus.name} can be converted"
    number = len(check.problems)
    problems = f"{number} or more problems" if number >= MOST_PROBLEMS else counted(number, "problem")
    return f"{check.corpus.name} cannot be converted as it is: {problems}, see above"


def _head(corpus: Corpus) -> str:
    lines = [f"{corpus.name}: {corpus.description}" if corpus.description else corpus.name]
    lines.append(f"  format {corpus.format}, annotation scope: {', '.join(corpus.types)}")
    lines += [f"  {name}: {text}" for name, text in (("notes", corpus.notes), ("licence", corpus.licence)) if text]
    return "\n".join(lines) + "\n"


def _files(check: CorpusCheck) -> str:
    lines = []
    for file in check.files:
        if file.found is None:
            state = "is missing"
        elif file.expected is None:
            state = f"is there; the entry has no checksum, add:\n      sha256: {file.found}"
        else:
            state = "is there, and is the right one" if file.found == file.expected else "is there, but is another one"
        lines.append(f"{file.path} ({', '.join(file.splits)}) {state}")
    return _list("Files", lines)


def _labels(check: CorpusCheck) -> Table:
    types = dict(check.corpus.labels)
    rows = []
    for label in (*types, *(label for label in check.unmapped if label not in types)):
        meaning = types[label] or "dropped on purpose" if label in types else "has no mapping"
        splits = (check.splits.get(split) for split in SPLITS)
        counts = [MISSING if s is None else f"{s.report.mentions_in[label] + s.unmapped[label]:,}" for s in splits]
        rows.append([label, meaning, *counts])
    return Table(["Label", "Type", *SPLITS], rows, numbers=len(SPLITS))


def _splits(check: CorpusCheck) -> Table:
    rows = []
    for split, found in check.splits.items():
        counted = found.statistics
        sizes = (counted.records, counted.documents, counted.tokens, counted.mentions.total(), counted.nested)
        aligned = f"{100 * found.aligned / found.boundaries:.2f}" if found.boundaries else MISSING
        rows.append([split, *(f"{size:,}" for size in sizes), f"{counted.mean_length:.2f}", aligned])
    header = ["Split", "Records", "Documents", "Tokens", "Mentions", "Nested", "Tokens per mention"]
    return Table([*header, "Boundaries on tokens %"], rows, numbers=len(header))


def _remarks(check: CorpusCheck) -> Iterator[str]:
    yield from check.warnings
    if check.unused:
        yield f"Labels of the entry that never occur: {', '.join(check.unused)}"
    yield from _missing(check)
    for split, found in check.splits.items():
        for kind, remark in REMARKS.items():
            listed = found.report.issues.get(kind) or found.found.get(kind)
            rare = kind == "one token" and listed and listed.count < RARE * found.report.records
            if listed and listed.count and not rare:
                yield f"{split}, {remark}: {listed.count:,}{issue_lines(listed)}"
        if found.statistics.nested:
            own = f"{found.statistics.nested_in_type:,} of them inside one of their own type, which BIO tags cannot learn"
            yield f"{split}, mentions inside another one: {found.statistics.nested:,}, {own}"
        if found.statistics.crossing:
            yield f"{split}, mentions that overlap another one without being inside it: {found.statistics.crossing:,}"
    if check.mixed:
        names = "; ".join(
            f"{name_text(surface)} ({entity_type}) in {usage.annotated:,} of {usage.occurrences:,}"
            for entity_type, surface, usage in check.mixed
        )
        share = 100 * (1 - check.names.share)
        yield (
            f"Of {check.names.occurrences:,} places with text that is a mention elsewhere in the corpus, {share:.1f} % are "
            f"not annotated; often annotated and often not: {names}"
        )


def _missing(check: CorpusCheck) -> Iterator[str]:
    """Splits that are missing or incomplete, and types missing in a split."""
    absent = [split for split in SPLITS if split not in check.corpus.splits]
    if "train" in absent:
        yield "There is no split train: the corpus can be scored on, and not be trained on."
    elif absent:
        shares = ", ".join(f"{split}: {share}" for split, share in (("devel", 0.1), ("test", 0.15)) if split in absent)
        yield (
            f"There is no split {' and '.join(absent)}: training looks at devel, and scores are those of test. "
            f"With `split: {{{shares}}}` the entry takes documents for them out of the file of train."
        )
    for split, found in check.splits.items():
        if not found.complete:
            yield f"{split}, not read to its end: all its counts are too low"
        for entity_type in check.corpus.types:
            if found.complete and not found.statistics.mentions[entity_type]:
                yield f"{split}, no mention of {entity_type}, although all of them count as annotated there"


def issue_lines(listed: Issues) -> str:
    """The first issues, one per line with their location, and the number of others."""
    lines = []
    for issue in listed.first[:EXAMPLES]:
        label = f" ({issue.label})" if issue.label else ""
        reason = f": {issue.reason}" if issue.reason else ""
        lines.append(f"\n      {issue.file}, line {issue.line}: {issue.text!r}{label}{reason}")
    rest = listed.count - len(lines)
    return "".join(lines) + (f"\n      and {rest:,} more" if rest else "")


def _list(title: str, lines: Iterator[str] | list[str]) -> str:
    items = [f"  - {line}\n" for line in lines]
    return f"{title}\n" + "".join(items) if items else ""
