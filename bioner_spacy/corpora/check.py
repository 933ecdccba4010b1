"""Check a corpus before conversion: report all problems at once, and suspicious patterns."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Optional

from spacy.language import Language
from spacy.tokens import Doc

from ..errors import BionerError, Errors, collected_warnings
from ..files import checksum
from ..formats.document import SourceDocument
from ..tokens import token_offsets
from .catalogue import Corpus
from .convert import SplitReport, convert_documents
from .leakage import normalise
from .statistics import SplitStatistics, Surface, Usage, count_usage
from .to_doc import Issue, Issues

EXAMPLES = 5
"""Maximum number of places shown per problem; all are counted."""

MOST_PROBLEMS = 50
"""Maximum number of problems in a file."""

LONG = 2000
"""Documents with more tokens are reported: breaks between records may be missing."""

LEAST_CHARACTERS = 20
"""Texts with fewer letters and digits may be in two splits without a report."""

_EDGES = re.compile(r"\A[\s.,;:!?)\]}]|[\s.,;:!?(\[{]\Z")
_BRACKETS = ("()", "[]", "{}")


@dataclass(frozen=True)
class FileCheck:
    """A file of a corpus."""

    path: Path  # where it must be
    splits: tuple[str, ...]  # the splits it contains
    expected: Optional[str]  # sha256 in the catalogue; None if there is none
    found: Optional[str]  # sha256 of the file; None if it is missing


@dataclass
class SplitCheck:
    """Contents of a split.

    Attributes:
        report: what conversion would report, without labels that have no mapping.
        statistics: counts over the documents that conversion would write.
        complete: whether the split was read to its end.
        unmapped: mentions of labels that the catalogue does not know.
        boundaries: beginnings and ends of contiguous mentions that are kept.
        aligned: those of them that are on token boundaries.
        found: "discontinuous" and "edges" (mentions of several parts; mentions that begin or end with a blank or
            punctuation, or leave a bracket open), "one token" and "long" (documents), "id" and "text" (documents whose
            identifier, or text, is in an earlier split too).
    """

    report: SplitReport
    statistics: SplitStatistics = field(default_factory=SplitStatistics)
    complete: bool = False
    unmapped: Counter[str] = field(default_factory=Counter)
    boundaries: int = 0
    aligned: int = 0
    found: dict[str, Issues] = field(default_factory=lambda: defaultdict(lambda: Issues(EXAMPLES)))


@dataclass
class CorpusCheck:
    """Contents of a corpus."""

    corpus: Corpus  # its entry in the catalogue
    files: list[FileCheck] = field(default_factory=list)  # its files
    splits: dict[str, SplitCheck] = field(default_factory=dict)  # those that could be read, if only in part
    problems: list[str] = field(default_factory=list)  # errors that would stop conversion or verification
    warnings: list[str] = field(default_factory=list)  # warnings of the readers
    unused: list[str] = field(default_factory=list)  # labels of the entry that no mention has
    # labels that mentions have and the entry does not, with their first places
    unmapped: dict[str, Issues] = field(default_factory=lambda: defaultdict(lambda: Issues(1)))
    # occurrences of names that are mentions of a type somewhere in the corpus, and how many are annotated
    names: Usage = Usage(0, 0)
    # names of at least two characters that are annotated inconsistently, with type and usage, most frequent first
    mixed: list[tuple[str, Surface, Usage]] = field(default_factory=list)


def check_corpus(corpus: Corpus, *, assets: Path, nlp: Language) -> CorpusCheck:
    """Read a corpus as conversion would, and collect all problems; nothing is written.

    Args:
        corpus: its entry in the catalogue.
        assets: folder of the corpus files.
        nlp: the pipeline whose tokenizer makes the tokens.
    """
    return _Checker(corpus, assets, nlp).check()


class _Checker:
    """One check, with what was seen in earlier splits."""

    def __init__(self, corpus: Corpus, assets: Path, nlp: Language) -> None:
        self.corpus = corpus
        self.assets = assets
        self.nlp = nlp
        self.result = CorpusCheck(corpus)
        self.seen: dict[str, dict[int, str]] = {"id": {}, "text": {}}  # hash of an id or a text -> first split with it

    def check(self) -> CorpusCheck:
        self.files()
        missing = {split for file in self.result.files if file.found is None for split in file.splits}
        with collected_warnings() as self.result.warnings:  # each once: files of several splits are read several times
            for split in self.corpus.splits:
                if not missing & {split, "train" if split in self.corpus.shares else split}:
                    self.split(split)
        self.labels()
        self.usage()
        return self.result

    def files(self) -> None:
        for file, splits in self.corpus.distinct_files:
            path = self.corpus.file_path(file, self.assets)
            found = checksum(path) if path.exists() else None
            self.result.files.append(FileCheck(path, tuple(splits), file.sha256, found))
            if found is None:
                self.problem(BionerError(Errors.E101.format(path=path)))
            elif file.sha256 not in (None, found):
                place = {"path": path, "corpus": self.corpus.name}
                self.problem(BionerError(Errors.E147.format(found=found, expected=file.sha256, **place)))

    def problem(self, error: BionerError) -> None:
        """Note a problem once; raise it if there are too many to go on."""
        if str(error) not in self.result.problems:
            self.result.problems.append(str(error))
        if len(self.result.problems) >= MOST_PROBLEMS:
            raise error

    def split(self, split: str) -> None:
        found = SplitCheck(SplitReport(self.corpus.name, split, list(self.corpus.types)))
        self.result.splits[split] = found
        documents = self.mapped(self.corpus.documents(split, self.assets, self.problem), found)
        try:
            for source, doc in convert_documents(documents, self.corpus, found.report, nlp=self.nlp):
                found.statistics.add(doc)
                self.document(source, doc, found)
            found.complete = True
        except BionerError as error:
            if str(error) not in self.result.problems:
                self.result.problems.append(str(error))
        found.statistics.documents = found.report.documents

    def mapped(self, documents: Iterable[SourceDocument], found: SplitCheck) -> Iterator[SourceDocument]:
        """Documents without the mentions whose labels the catalogue does not know; these are noted."""
        for document in documents:
            unknown = [mention for mention in document.mentions if mention.label not in self.corpus.labels]
            for mention in unknown:
                found.unmapped[mention.label] += 1
                text = document.text[mention.start : mention.end]
                issue = Issue("unmapped", document.path.name, mention.line, text, mention.label, "")
                self.result.unmapped[mention.label].add(issue)
            if unknown:
                kept = tuple(mention for mention in document.mentions if mention.label in self.corpus.labels)
                document = replace(document, mentions=kept)
            yield document

    def document(self, source: SourceDocument, doc: Doc, found: SplitCheck) -> None:
        def note(kind: str, line: int, text: str, label: str = "", reason: str = "") -> None:
            found.found[kind].add(Issue(kind, source.path.name, line, text, label, reason))

        kept = [mention for mention in source.mentions if self.corpus.labels[mention.label]]
        places = [(mention.start, mention.end) for mention in kept if not mention.fragments]
        starts, ends = (set(offsets.tolist()) for offsets in token_offsets(doc))
        found.boundaries += 2 * len(places)
        found.aligned += sum((start in starts) + (end in ends) for start, end in places)
        for mention in kept:
            text = source.text[mention.start : mention.end]
            if mention.fragments:
                note("discontinuous", mention.line, text, mention.label)
            elif _EDGES.search(text):
                note("edges", mention.line, text, mention.label, "begins or ends with a blank or punctuation")
            elif any(text.count(pair[0]) != text.count(pair[1]) for pair in _BRACKETS):
                note("edges", mention.line, text, mention.label, "a bracket is left open")
        if len(doc) == 1:
            note("one token", source.line, source.text)
        elif len(doc) > LONG:
            note("long", source.line, source.text[:40], reason=f"{len(doc):,} tokens")
        text = normalise(source.text)
        values = {"id": source.doc_id, "text": text if len(text) >= LEAST_CHARACTERS else ""}
        for kind, value in values.items():
            split = found.report.split
            first = self.seen[kind].setdefault(hash(value), split) if value else split
            if first != split:
                self.seen[kind][hash(value)] = split  # a document of many sentences counts once
                note(kind, source.line, source.doc_id if kind == "id" else source.text[:60], reason=f"also in {first}")

    def labels(self) -> None:
        """Labels of the entry that do not occur, and those that occur and are not in the entry."""
        splits = self.result.splits.values()
        used = {label for split in splits for label in split.report.mentions_in}
        if splits and all(split.complete for split in splits):
            self.result.unused = [label for label in self.corpus.labels if label not in used]
        if self.result.unmapped:
            labels = ", ".join(
                f"{label} ({listed.count:,}, first in {listed.first[0].file}, line {listed.first[0].line})"
                for label, listed in self.result.unmapped.items()
            )
            self.result.problems.append(Errors.E148.format(corpus=self.corpus.name, labels=labels))

    def usage(self) -> None:
        statistics = [split.statistics for split in self.result.splits.values()]
        names: defaultdict[str, set[Surface]] = defaultdict(set)
        for split in statistics:
            for entity_type, surfaces in split.surfaces.items():
                names[entity_type].update(surfaces)
        usages = [
            (entity_type, surface, usage)
            for entity_type, found in count_usage(statistics, names).items()
            for surface, usage in found.items()
        ]
        self.result.names = Usage(sum(row[2].occurrences for row in usages), sum(row[2].annotated for row in usages))
        mixed = [row for row in usages if 0 < row[2].annotated < row[2].occurrences and len("".join(row[1])) > 1]
        mixed.sort(key=lambda row: (-min(row[2].annotated, row[2].occurrences - row[2].annotated), row[:2]))
        self.result.mixed = mixed[:EXAMPLES]
