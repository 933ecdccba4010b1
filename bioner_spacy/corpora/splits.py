"""Which documents of a file belong to which split: by a published list, by a published count, or by shares."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import combinations
from pathlib import Path

from ..errors import BionerError, Errors, Warnings, warn
from ..files import numbered_lines
from ..formats.document import OnError, SourceDocument, require_some, stop

_ANY = ""
"""Instead of a type: any document."""

Assigned = Iterator[tuple[str, SourceDocument]]
"""Documents of a file in order, each with its split."""


def read_list(path: Path) -> list[str]:
    """Read a list of document ids, one per line; blank lines are skipped.

    Returns:
        The ids in the order of the file.

    Raises:
        BionerError: the file is missing, not UTF-8, or holds no id.
    """
    return list(require_some(path, (text.strip() for _, text in numbered_lines(path) if text.strip())))


def by_list(
    documents: Iterable[SourceDocument], lists: Mapping[str, Iterable[str]], *, corpus: str, on_error: OnError = stop
) -> Assigned:
    """Assign documents by lists of their ids (`doc_id`), which must be complete: every document in one list.

    Args:
        documents: all documents of the file.
        lists: split -> ids of its documents.
        corpus: name of the corpus, for messages.
        on_error: called for a document that is in no list; it is left out unless an error is raised.

    Raises:
        BionerError: an id is in two lists, a document in none, or, at the end, listed documents did not come.
    """
    owner: dict[str, str] = {}
    for split, ids in lists.items():
        for doc_id in ids:
            if owner.setdefault(doc_id, split) != split:
                raise BionerError(Errors.E141.format(corpus=corpus, doc_id=doc_id, first=owner[doc_id], second=split))
    missing = dict(owner)
    for document in documents:
        if document.doc_id not in owner:
            place = {"path": document.path, "line": document.line, "doc_id": document.doc_id}
            on_error(BionerError(Errors.E142.format(corpus=corpus, **place)))
            continue
        missing.pop(document.doc_id, None)
        yield owner[document.doc_id], document
    if missing:
        raise BionerError(Errors.E143.format(corpus=corpus, count=len(missing), first=next(iter(missing))))


def by_count(documents: Iterable[SourceDocument], ranges: Mapping[str, tuple[int, int]], *, corpus: str) -> Assigned:
    """Assign documents by their position in the file.

    Args:
        documents: all documents of the file.
        ranges: split -> index of its first document, and the index after its last; together they must cover the file.
        corpus: name of the corpus, for messages.

    Raises:
        BionerError: the file holds fewer or more documents than the ranges.
    """
    ordered = sorted((end, split) for split, (_, end) in ranges.items())
    expected, found, place = ordered[-1][0], 0, 0
    for found, document in enumerate(documents, start=1):
        if found > expected:
            break
        while found > ordered[place][0]:
            place += 1
        yield ordered[place][1], document
    if found != expected:
        count = f"more than {expected}" if found > expected else found
        raise BionerError(Errors.E144.format(corpus=corpus, found=count, expected=expected))


def by_share(
    read: Callable[[], Iterable[SourceDocument]],
    labels: Mapping[str, object],
    shares: Mapping[str, float],
    *,
    corpus: str,
) -> Assigned:
    """Assign documents so that every split gets its share of the mentions of each type, see `stratify`.

    Documents with one `doc_id` stay together, and so do those with the same text (an article of sentences: with the
    same sentences), such as texts annotated by two people; a warning reports their agreement.

    Args:
        read: gives all documents of the file; called twice, because a file may be larger than the memory, which holds
            their ids.
        labels: the corpus's own label -> standard entity type; others, and None, do not count.

    Raises:
        BionerError: a split would get no document.
    """
    counts: dict[str, Mapping[str, int]] = {}
    same: dict[tuple[tuple[str, int], ...], Mapping[str, int]] = {}  # documents with equal counts share one mapping
    copies = _Copies()
    for document in read():
        found = Counter(name for _, _, name in _typed(document, labels))
        found.update(counts.get(_key(document), {}))
        counts[_key(document)] = same.setdefault(tuple(sorted(found.items())), found)
        copies.add(document)
    groups = copies.groups()
    for key, first in groups.items():
        counts[first] = {
            name: counts[first].get(name, 0) + counts[key].get(name, 0) for name in {*counts[first], *counts[key]}
        }
        del counts[key]
    assigned = stratify(counts, shares, name=corpus)
    for split in shares:
        if split not in assigned.values():
            raise BionerError(Errors.E145.format(corpus=corpus, split=split, count=len(assigned)))
    for document in read():
        copies.compare(document, _typed(document, labels))
        key = _key(document)
        yield assigned[groups.get(key, key)], document
    copies.report(corpus)


def _typed(document: SourceDocument, labels: Mapping[str, object]) -> list[tuple[int, int, str]]:
    """Start, end and standard type of the mentions that have a type."""
    typed = ((mention.start, mention.end, labels.get(mention.label)) for mention in document.mentions)
    return [(start, end, str(name)) for start, end, name in typed if name is not None]


class _Copies:
    """Finds documents with the same text and compares their annotations; keeps hashes instead of texts."""

    def __init__(self) -> None:
        self._texts: dict[str, int] = {}  # document -> number of its whole text
        self._records: dict[tuple[str, int], int] = {}  # document and number of a record's text -> how many there are
        self._groups: dict[str, str] = {}
        self._repeated: set[str] = set()
        self._mentions: dict[tuple[str, int], list[frozenset[tuple[int, int, str]]]] = {}

    def add(self, document: SourceDocument) -> None:
        """Add a record, in the first pass."""
        key, text = _key(document), hash(document.text)
        self._texts[key] = hash((self._texts.get(key), text))
        self._records[key, text] = self._records.get((key, text), 0) + 1

    def groups(self) -> dict[str, str]:
        """Documents with the text of another one -> that one, of which the key comes first in order."""
        first: dict[int, str] = {}
        for key, text in sorted(self._texts.items()):
            if first.setdefault(text, key) != key:
                self._groups[key] = first[text]
        self._repeated = {*self._groups.values(), *(key for (key, _), count in self._records.items() if count > 1)}
        self._texts.clear()
        self._records.clear()
        return self._groups

    def compare(self, document: SourceDocument, mentions: list[tuple[int, int, str]]) -> None:
        """Keep the mentions of a possible copy, in the second pass."""
        key = self._groups.get(_key(document), _key(document))
        if key in self._repeated:
            self._mentions.setdefault((key, hash(document.text)), []).append(frozenset(mentions))

    def report(self, corpus: str) -> None:
        """Warn of duplicate texts, with the F1 of all pairs of copies."""
        several = [copies for copies in self._mentions.values() if len(copies) > 1]
        if not several:
            return
        pairs = [pair for copies in several for pair in combinations(copies[:_COPIES], 2)]
        shared = 2 * sum(len(first & second) for first, second in pairs)
        total = sum(len(first) + len(second) for first, second in pairs)
        f1 = 100 * shared / total if total else 100.0
        warn(Warnings.W112.format(corpus=corpus, texts=len(several), documents=sum(map(len, several)), f1=f1))


_COPIES = 20
"""Maximum number of copies of a text that are compared with one another."""


def stratify(counts: Mapping[str, Mapping[str, int]], shares: Mapping[str, float], *, name: str) -> dict[str, str]:
    """Divide documents among splits so that each split gets its share of every entity type.

    Iterative stratification of Sechidis, Tsoumakas and Vlahavas, "On the stratification of multi-label data",
    ECML PKDD 2011, with numbers of mentions instead of labels: the rarest type comes first, and each of its
    documents goes to the split that lacks most of it; documents without mentions come last. What a split lacks is
    compared with its share, so all splits fill up evenly with the types that follow. Documents are ordered by a
    checksum of their ids instead of at random, so the result depends on the arguments only.

    Args:
        counts: id of a document -> entity type -> number of mentions.
        shares: split -> its share, more than 0; the sum is 1.
        name: name of the corpus, which goes into the checksums.

    Returns:
        Id of a document -> split. The rarest type's mentions in a split differ from its share by no more than those
        of one document; other types are divided as well as the documents then allow.
    """

    def order(doc_id: str) -> bytes:
        return hashlib.sha256(f"{name}\n{doc_id}".encode()).digest()

    # Every document counts as one mention of a last type, _ANY, so that documents without mentions are divided too.
    # Documents that share a mapping go on sharing one: there may be millions.
    with_any = {id(types): {**types, _ANY: 1} for types in counts.values()}
    left = {doc_id: with_any[id(types)] for doc_id, types in counts.items()}
    totals = _totals(left)
    lacking = {split: {label: share * total for label, total in totals.items()} for split, share in shares.items()}
    assigned: dict[str, str] = {}
    while left:
        rarest = _rarest(left)
        for doc_id in sorted((doc_id for doc_id in left if left[doc_id].get(rarest)), key=order):
            types = left.pop(doc_id)
            lack = {split: lacking[split][rarest] for split in shares}
            # Where the document fits, the emptiest split; else the one that is least overfilled by it.
            fitting = {split: lack[split] / shares[split] for split in shares if lack[split] >= types[rarest]}
            choice = fitting or lack
            assigned[doc_id] = split = max(choice, key=choice.__getitem__)
            for label, count in types.items():
                lacking[split][label] -= count
    return assigned


def _totals(counts: Mapping[str, Mapping[str, int]]) -> Counter[str]:
    totals = Counter[str]()
    for types in counts.values():
        totals.update(types)
    return totals


def _rarest(counts: Mapping[str, Mapping[str, int]]) -> str:
    """The type with the fewest mentions; _ANY if there are no others."""
    totals = _totals(counts)
    return min(
        (label for label in totals if totals[label] and label != _ANY), key=lambda x: (totals[x], x), default=_ANY
    )


def _key(document: SourceDocument) -> str:
    return document.doc_id or f"{document.id}, line {document.line}"
