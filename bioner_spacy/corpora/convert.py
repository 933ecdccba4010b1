"""From corpus files to training files: one DocBin per split, and a report of what became of every mention."""

import json
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from spacy.language import Language
from spacy.tokens import DocBin

from ..docbin import fast_msgpack
from ..errors import BionerError, Errors, Warnings, warn
from ..scope import SPANS_KEY
from .catalogue import SPLITS, Catalogue, Corpus
from .files import replacing
from .to_doc import Issue, to_doc

SUMMARY = (
    "corpus",
    "split",
    "documents",
    "tokens",
    "in",
    "dropped",
    "duplicate",
    "lost",
    "out",
    "expanded",
    "tokens/s",
)
"""Columns of `summary`."""


@dataclass
class SplitReport:
    """What became of one split.

    Attributes:
        corpus: name of the corpus.
        split: train, devel or test.
        types: annotation scope: every standard type of the corpus.
        documents: documents written (sentences, where the format keeps sentences).
        articles: articles that they belong to; 0 where the file does not tell.
        tokens: tokens by the pipeline's tokenizer.
        mentions_in: mentions per label of the corpus.
        mentions_out: gold spans per standard type.
        dropped: mentions of labels that the catalogue drops on purpose.
        issues: every mention that is lost, a duplicate, expanded to token borders, or covered by one span.
        seconds: time that reading and tokenizing took; not written, so that reports of equal data are equal.
    """

    corpus: str
    split: str
    types: list[str]
    documents: int = 0
    articles: int = 0
    tokens: int = 0
    mentions_in: Counter[str] = field(default_factory=Counter)
    mentions_out: Counter[str] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)
    issues: list[Issue] = field(default_factory=list)
    seconds: float = 0.0

    def count(self, kind: str) -> int:
        """Number of issues of a kind: lost, duplicate, expanded or covered."""
        return sum(issue.kind == kind for issue in self.issues)

    def to_json(self) -> dict[str, Any]:
        """What the report file holds about this split."""
        kept: dict[str, Any] = {
            "types": self.types,
            "documents": self.documents,
            "articles": self.articles,
            "tokens": self.tokens,
            "mentions_in": dict(self.mentions_in),
            "mentions_out": dict(self.mentions_out),
            "dropped": dict(self.dropped),
        }
        for kind in ("lost", "duplicate", "expanded", "covered"):
            issues = [asdict(issue) for issue in self.issues if issue.kind == kind]
            for issue in issues:
                del issue["kind"]
            kept[kind] = {"count": len(issues), "mentions": issues}
        return kept


def convert(
    catalogue: Catalogue,
    names: Iterable[str],
    *,
    assets: Path,
    output: Path,
    nlp: Language,
    alignment: str = "expand",
    discontinuous: str = "report",
) -> list[SplitReport]:
    """Convert corpora to DocBins.

    Writes `<output>/<corpus>/<split>.spacy`, for the splits that the corpus has, and `<output>/<corpus>/report.json`,
    all files of a corpus or none of them. The same input gives the same bytes.

    Args:
        catalogue: the catalogue.
        names: names of corpora.
        assets: folder of the corpus files.
        output: folder to write to.
        nlp: the pipeline whose tokenizer makes the tokens.
        alignment: what to do with mentions that are not on token borders, as for `to_doc`.
        discontinuous: what to do with discontinuous mentions, as for `to_doc`.

    Returns:
        One report per corpus and split, in the order of `names` and of the splits.

    Raises:
        BionerError: as the readers and `to_doc` do.
    """
    reports = []
    for name in names:
        corpus = catalogue[name]
        folder = output / name
        with replacing(*(folder / f"{split}.spacy" for split in corpus.splits), folder / "report.json") as parts:
            current = []
            for split, part in zip(corpus.splits, parts):
                data, report = convert_split(
                    corpus, split, assets=assets, nlp=nlp, alignment=alignment, discontinuous=discontinuous
                )
                part.write_bytes(data.to_bytes())
                current.append(report)
            content = {"corpus": name, "splits": {report.split: report.to_json() for report in current}}
            parts[-1].write_text(json.dumps(content, indent=2, sort_keys=True) + "\n", encoding="utf-8")
        for split in set(SPLITS) - set(corpus.splits):  # of an earlier catalogue: it would pass for a current one
            (folder / f"{split}.spacy").unlink(missing_ok=True)
        reports.extend(current)
    return reports


@fast_msgpack()
def convert_split(
    corpus: Corpus,
    split: str,
    *,
    assets: Path,
    nlp: Language,
    alignment: str = "expand",
    discontinuous: str = "report",
) -> tuple[DocBin, SplitReport]:
    """Convert one split of a corpus.

    Args:
        corpus: the corpus.
        split: train, devel or test.
        assets: folder of the corpus files.
        nlp: the pipeline whose tokenizer makes the tokens.
        alignment: as for `to_doc`.
        discontinuous: as for `to_doc`.

    Returns:
        The documents and the report.

    Raises:
        BionerError: if the corpus has no such split, and as the reader and `to_doc` do.
    """
    data = DocBin()
    report = SplitReport(corpus.name, split, list(corpus.types))
    articles = set()
    began = time.perf_counter()
    for document in corpus.documents(split, assets):
        doc, issues = to_doc(document, nlp.tokenizer, corpus, alignment=alignment, discontinuous=discontinuous)
        data.add(doc)
        report.documents += 1
        report.tokens += len(doc)
        report.mentions_in.update(mention.label for mention in document.mentions)
        report.dropped.update(m.label for m in document.mentions if corpus.labels[m.label] is None)
        report.mentions_out.update(span.label_ for span in doc.spans[SPANS_KEY])
        report.issues.extend(issues)
        articles.add(document.doc_id)
    report.articles = len(articles - {""})
    report.seconds = time.perf_counter() - began
    _check_balance(report)
    lost = [issue for issue in report.issues if issue.kind == "lost"]
    if lost:
        total = report.mentions_in.total()
        where = f"{lost[0].file}, line {lost[0].line}"
        warn(Warnings.W104.format(corpus=corpus.name, split=split, count=len(lost), total=total, where=where))
    return data, report


def summary(reports: Iterable[SplitReport]) -> list[tuple[str, ...]]:
    """Rows of a table with the columns `SUMMARY`, one per report, and a last one with the sums."""
    rows: list[tuple[Any, ...]] = []
    seconds = 0.0
    for report in reports:
        counts = [report.documents, report.tokens, report.mentions_in.total(), report.dropped.total()]
        counts += [report.count("duplicate"), report.count("lost"), report.mentions_out.total()]
        counts += [report.count("expanded")]
        rows.append((report.corpus, report.split, *counts, report.tokens / max(report.seconds, 1e-9)))
        seconds += report.seconds
    sums = [sum(row[column] for row in rows) for column in range(2, len(SUMMARY) - 1)]
    rows.append(("all", "", *sums, sums[1] / max(seconds, 1e-9)))
    return [tuple(cell if isinstance(cell, str) else f"{cell:,.0f}" for cell in row) for row in rows]


def _check_balance(report: SplitReport) -> None:
    """Rule of the house: every mention of the file is either a gold span or accounted for."""
    accounted = report.mentions_out.total() + report.dropped.total() + report.count("duplicate") + report.count("lost")
    if report.mentions_in.total() != accounted:
        raise BionerError(
            Errors.E114.format(
                corpus=report.corpus, split=report.split, count=report.mentions_in.total(), accounted=accounted
            )
        )
