"""Conversion of corpus files to gold documents, with a report that accounts for every mention."""

import json
import time
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Optional, Union

import numpy
import spacy
from spacy.language import Language
from spacy.tokens import Doc

from ..docbin import write_docs
from ..errors import BionerError, Errors, Warnings, warn
from ..files import as_path, checksum, remove, replacing
from ..formats.document import SourceDocument
from ..scope import SPANS_KEY
from ..tokenization import create_tokenizer
from .catalogue import SPLITS, Catalogue, Corpus, named_corpora
from .manifest import REPORT_FILE, set_unfinished
from .to_doc import KINDS, Issues, to_doc

LISTED = 1000
"""Maximum number of issues of a kind that a report lists; all are counted."""

SUMMARY = (
    "corpus",
    "split",
    "records",
    "tokens",
    "in",
    "dropped",
    "duplicate",
    "lost",
    "out",
    "expanded",
    "text MiB",
    "tokens/s",
    "MiB/s",
)
"""Columns of `summary`."""


@dataclass
class SplitReport:
    """The conversion report of one split."""

    corpus: str
    split: str  # train, devel or test
    types: list[str]  # annotation scope: every standard type of the corpus
    records: int = 0  # records written
    documents: int = 0  # documents of the source that they belong to; 0 if unknown
    tokens: int = 0  # tokens by the pipeline's tokenizer
    size: int = 0  # bytes of the text of the records, in UTF-8
    mentions_in: Counter[str] = field(default_factory=Counter)  # mentions per label of the corpus
    mentions_out: Counter[str] = field(default_factory=Counter)  # gold spans per standard type
    dropped: Counter[str] = field(default_factory=Counter)  # mentions of labels that the catalogue drops on purpose
    # mentions of each of `KINDS`, all counted and the first ones listed
    issues: dict[str, Issues] = field(default_factory=lambda: {kind: Issues(LISTED) for kind in KINDS})
    seconds: float = 0.0  # duration; not written, so that reports of equal data are equal

    def count(self, kind: str) -> int:
        """Number of issues of a kind: lost, duplicate, expanded or covered."""
        return self.issues[kind].count

    def to_json(self) -> dict[str, Any]:
        """The report of this split for a JSON file."""
        names = ("types", "records", "documents", "tokens", "mentions_in", "mentions_out", "dropped")
        kept: dict[str, Any] = {name: getattr(self, name) for name in names}
        for kind, issues in self.issues.items():
            mentions = [asdict(issue) for issue in issues.first]
            for mention in mentions:
                del mention["kind"]
            kept[kind] = {"count": issues.count, "mentions": mentions, "not_listed": issues.count - len(mentions)}
        return kept


def tokenizing_pipeline() -> Language:
    """A blank pipeline with the tokenizer of trained pipelines, for conversion."""
    nlp = spacy.blank("en")
    nlp.tokenizer = create_tokenizer()(nlp)
    return nlp


def convert(
    catalogue: Catalogue,
    names: Iterable[str],
    *,
    assets: Union[str, Path],
    output: Union[str, Path],
    nlp: Optional[Language] = None,
    alignment: str = "expand",
    discontinuous: str = "report",
) -> list[SplitReport]:
    """Convert corpora to DocBins.

    Writes `<output>/<corpus>/<split>.spacy` (large splits: a folder of files, see `write_docs`) and
    `<output>/<corpus>/report.json`; all files of a corpus or none. The report is written last and has checksums, so
    the mixed output of a killed conversion is refused, as are corpora that it has not replaced yet. The same input gives
    the same bytes. Memory does not grow with file size, except for the ids of documents that are split by shares (about
    0.3 kB each).

    Args:
        assets: folder of the corpus files.
        output: folder to write to.
        nlp: the pipeline whose tokenizer makes the tokens; None for the tokenizer of trained pipelines.
        alignment: what to do with mentions that are not on token boundaries, as for `to_doc`.
        discontinuous: what to do with discontinuous mentions, as for `to_doc`.

    Returns:
        One report per corpus and split, in the order of `names` and of the splits.
    """
    reports = []
    assets, output, corpora = as_path("assets", assets), as_path("output", output), named_corpora(catalogue, names)
    nlp = tokenizing_pipeline() if nlp is None else nlp
    names = [corpus.name for corpus in corpora]
    for number, (name, corpus) in enumerate(zip(names, corpora)):
        folder = output / name
        files = [folder / f"{split}.spacy" for split in corpus.splits]
        with replacing(*files, folder / REPORT_FILE, folders=True) as parts:
            current = []
            for split, part in zip(corpus.splits, parts):
                report = SplitReport(name, split, list(corpus.types))
                documents = corpus.documents(split, assets)
                settings = {"alignment": alignment, "discontinuous": discontinuous}
                began = time.perf_counter()
                converted = convert_documents(documents, corpus, report, nlp=nlp, **settings)
                write_docs((doc for _, doc in converted), part, nlp.vocab)
                report.seconds = time.perf_counter() - began
                _warn_of_lost(report)
                current.append(report)
            splits = {report.split: report.to_json() for report in current}
            content = {"corpus": name, "labels": dict(corpus.labels), "splits": splits}
            content["checksums"] = {file.name: checksum(part) for file, part in zip(files, parts)}
            parts[-1].write_text(json.dumps(content, indent=2, sort_keys=True) + "\n", encoding="utf-8")
            set_unfinished(output, names[number:])
        for split in set(SPLITS) - set(corpus.splits):  # left from an earlier catalogue
            remove(folder / f"{split}.spacy")
        set_unfinished(output, [], done=[name])
        reports.extend(current)
    return reports


def convert_documents(
    documents: Iterable[SourceDocument],
    corpus: Corpus,
    report: SplitReport,
    *,
    nlp: Language,
    alignment: str = "expand",
    discontinuous: str = "report",
) -> Iterator[tuple[SourceDocument, Doc]]:
    """Convert the source documents of one split to gold documents.

    Args:
        report: updated with the counts; complete after the last document.
        nlp: the pipeline whose tokenizer makes the tokens.
        alignment: as for `to_doc`.
        discontinuous: as for `to_doc`.

    Yields:
        Every source document with its gold document.

    Raises:
        BionerError: see `to_doc`, and errors of `documents`.
    """
    sources = array("q")  # eight bytes for a document of the source, however long its identifier
    for document in documents:
        doc, issues = to_doc(document, nlp.tokenizer, corpus, alignment=alignment, discontinuous=discontinuous)
        report.records += 1
        report.tokens += len(doc)
        report.size += len(document.text.encode())
        report.mentions_in.update(mention.label for mention in document.mentions)
        report.dropped.update(m.label for m in document.mentions if corpus.labels[m.label] is None)
        report.mentions_out.update(span.label_ for span in doc.spans[SPANS_KEY])
        for issue in issues:
            report.issues[issue.kind].add(issue)
        if document.doc_id:
            sources.append(hash(document.doc_id))
        yield document, doc
    report.documents = len(numpy.unique(numpy.frombuffer(sources, dtype="int64")))
    _check_balance(report)


def summary(reports: Iterable[SplitReport]) -> list[tuple[str, ...]]:
    """Rows of a table with the columns `SUMMARY`, one per report, and a last one with the sums."""
    rows: list[tuple[Any, ...]] = []
    seconds = 0.0
    for report in reports:
        counts: list[float] = [report.records, report.tokens, report.mentions_in.total(), report.dropped.total()]
        counts += [report.count("duplicate"), report.count("lost"), report.mentions_out.total()]
        counts += [report.count("expanded"), report.size / 2**20]
        rows.append((report.corpus, report.split, *counts, *_speeds(counts, report.seconds)))
        seconds += report.seconds
    sums = [sum(row[column] for row in rows) for column in range(2, len(SUMMARY) - 2)]
    rows.append(("all", "", *sums, *_speeds(sums, seconds)))
    return [tuple(map(_cell, row)) for row in rows]


def _speeds(counts: list[float], seconds: float) -> tuple[float, float]:
    """Tokens and MiB per second, from the cells of a row without the first two columns."""
    seconds = max(seconds, 1e-9)
    return round(counts[SUMMARY.index("tokens") - 2] / seconds), counts[-1] / seconds


def _cell(value: Any) -> str:
    return value if isinstance(value, str) else f"{value:,.2f}" if isinstance(value, float) else f"{value:,}"


def _warn_of_lost(report: SplitReport) -> None:
    lost = report.issues["lost"]
    if lost.count:
        total = report.mentions_in.total()
        where = f"{lost.first[0].file}, line {lost.first[0].line}"
        place = {"corpus": report.corpus, "split": report.split}
        warn(Warnings.W104.format(**place, count=lost.count, total=total, where=where))


def _check_balance(report: SplitReport) -> None:
    """Check that every mention of the file is a gold span or accounted for."""
    accounted = report.mentions_out.total() + report.dropped.total() + report.count("duplicate") + report.count("lost")
    if report.mentions_in.total() != accounted:
        raise BionerError(
            Errors.E114.format(
                corpus=report.corpus, split=report.split, count=report.mentions_in.total(), accounted=accounted
            )
        )
