"""Leakage: records and documents of evaluation data that are also in training data, of the same corpus or another.

Texts are compared by their lower-cased letters and digits. They match exactly if these are equal, and nearly if the
Jaccard similarity of their 5-character shingles reaches a threshold. Near matches are proposed by locality-sensitive
hashing of MinHash signatures (Broder, 1997; Leskovec, Rajaraman and Ullman, Mining of Massive Datasets, chapter 3) and
then verified. A record within a longer one does not match.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any
from zlib import crc32

from spacy.vocab import Vocab

from ..docbin import corpus_names
from ..errors import BionerError, Errors, check_setting, import_extra
from ..scope import get_doc_id
from .manifest import converted_docs

EXCLUDE_FILE = "exclude.json"
"""Name of the file in a folder of converted corpora that lists the training records to leave out."""

TRAINING, EVALUATION = "train", ("devel", "test")
"""The split that is trained on, and those that must not be in it."""

RECORDS = "records"
DOCUMENTS = "documents"
LEVELS = (RECORDS, DOCUMENTS)
"""What is compared: records, and documents (records with the same document id, joined)."""

LEAK_COLUMNS = ("corpus", "split", "main sources", "compared", "own", "own near", "others", "others near")
"""Columns of `Leakage.table`."""

SHINGLE = 5  # characters
PERMUTATIONS = 128  # numbers in a MinHash signature
MISSED = 0.001  # greatest probability that a pair right at the threshold is not proposed

Place = tuple[str, str]
"""Names of a corpus and of one of its splits."""


@dataclass(frozen=True, order=True)
class Leak:
    """A record of evaluation data that matches a record of training data."""

    corpus: str  # corpus of the evaluation data
    split: str  # its split
    number: int  # index of the record in that split; for a document, of its first record
    other_corpus: str  # corpus of the training data; may be the same
    other_split: str  # its split
    other_number: int  # index of the matching record there
    similarity: float  # Jaccard similarity of the shingles, from the threshold to 1
    exact: bool  # whether letters and digits are equal


@dataclass(frozen=True)
class Leakage:
    """Leakage between converted corpora."""

    threshold: float  # minimum similarity of a near match
    min_characters: int  # minimum number of letters and digits of a text that was compared
    units: Mapping[Place, int]  # corpus and split -> number of records
    # level -> corpus and split of evaluation data -> number of texts that were long enough
    compared: Mapping[str, Mapping[Place, int]]
    leaks: Mapping[str, Sequence[Leak]]  # level -> all pairs that match, sorted
    # corpus and split -> index of the first record of each document -> indices of all its records
    documents: Mapping[Place, Mapping[int, Sequence[int]]]
    hashes: Mapping[Place, Sequence[str]]  # corpus and split -> `record_hash` of every record

    def exclude(self) -> dict[str, dict[str, Any]]:
        """Training records to leave out so that no match is left.

        Returns:
            The content of `exclude.json`: corpus -> "records", their number, "texts", a hash of all of them, and
            "exclude", the indices to leave out, each with its `record_hash`.
        """
        numbers: dict[str, set[int]] = {corpus: set() for corpus, split in self.units if split == TRAINING}
        for leak in self.leaks[RECORDS]:
            numbers[leak.other_corpus].add(leak.other_number)
        for leak in self.leaks[DOCUMENTS]:
            numbers[leak.other_corpus].update(self.documents[leak.other_corpus, TRAINING][leak.other_number])
        return {
            corpus: {
                "records": self.units[corpus, TRAINING],
                "texts": joint_hash(self.hashes[corpus, TRAINING]),
                "exclude": {str(number): self.hashes[corpus, TRAINING][number] for number in sorted(found)},
            }
            for corpus, found in numbers.items()
        }

    def table(self, level: str) -> list[list[str]]:
        """Rows with the columns `LEAK_COLUMNS`, one for every corpus and split of evaluation data.

        "own" and "others" count exact matches in training data of the same corpus and of other corpora; "near" counts
        near matches. The main sources are the other corpora with most matches.

        Args:
            level: one of `LEVELS`.
        """
        leaks: defaultdict[Place, list[Leak]] = defaultdict(list)
        for leak in self.leaks[level]:
            leaks[leak.corpus, leak.split].append(leak)
        rows = []
        for (corpus, split), compared in self.compared[level].items():
            found = leaks[corpus, split]
            sources = Counter(name for _, name in {(leak.number, leak.other_corpus) for leak in found})
            del sources[corpus]
            counts = [compared]
            for own in (True, False):
                here = [leak for leak in found if (leak.other_corpus == corpus) is own]
                exact = {leak.number for leak in here if leak.exact}
                counts += [len(exact), len({leak.number for leak in here} - exact)]
            main = ", ".join(f"{name} {count}" for name, count in sources.most_common(3))
            rows.append([corpus, split, main, *(f"{count:,}" for count in counts)])
        return rows

    def to_json(self) -> dict[str, Any]:
        """Settings, counts and every pair."""
        content: dict[str, Any] = {"threshold": self.threshold, "min_characters": self.min_characters}
        content["units"] = {f"{corpus}/{split}": count for (corpus, split), count in self.units.items()}
        for level in LEVELS:
            compared = {f"{corpus}/{split}": count for (corpus, split), count in self.compared[level].items()}
            content[level] = {"compared": compared, "leaks": [asdict(leak) for leak in self.leaks[level]]}
        return content


def normalise(text: str) -> str:
    """Letters and digits of a text, lower-cased.

    Case is folded as Unicode has it, character by character, so that spaces between words never change the result.
    """
    return "".join(filter(str.isalnum, text.casefold()))


def record_hash(text: str) -> str:
    """A hash of the normalised text of a record, which identifies it in `exclude.json`."""
    return _hash(normalise(text))


def joint_hash(hashes: Iterable[str]) -> str:
    """A hash of the hashes of all records of a corpus, in order."""
    return _hash(" ".join(hashes))


def _hash(normalised: str) -> str:
    return sha256(normalised.encode()).hexdigest()[:16]


def shingles(text: str) -> set[str]:
    """All substrings of `SHINGLE` characters; a shorter text is its only shingle."""
    return {text[start : start + SHINGLE] for start in range(max(1, len(text) - SHINGLE + 1))}


def similarity(first: str, second: str) -> float:
    """Jaccard similarity of the shingles of two texts, 0 to 1."""
    a, b = shingles(first), shingles(second)
    common = len(a & b)
    return common / (len(a) + len(b) - common)


def find_leaks(folder: Path, corpora: Sequence[str], *, threshold: float = 0.8, min_characters: int = 20) -> Leakage:
    """Find evaluation data of each corpus in the training data of all corpora.

    Missing splits are skipped.

    Args:
        folder: folder of converted corpora, with `<corpus>/<split>.spacy`.
        threshold: minimum similarity of a near match, 0.5 to 1; 1 for exact matches only.
        min_characters: texts with fewer letters and digits are not compared.

    Raises:
        BionerError: a setting is wrong, a corpus is not in the folder, a file is not readable, or datasketch is not
            installed and near matches are asked for.
    """
    check_setting("threshold", threshold, "0.5 to 1", 0.5 <= threshold <= 1)
    check_setting("min_characters", min_characters, "1 or more", min_characters >= 1)
    matcher = Matcher(threshold)
    splits = {}
    for corpus in dict.fromkeys(corpora):
        files = {split: folder / corpus / f"{split}.spacy" for split in (TRAINING, *EVALUATION)}
        if not any(file.exists() for file in files.values()):
            raise BionerError(Errors.E151.format(corpus=corpus, folder=folder, splits=", ".join(files)))
        splits.update({(corpus, name): _read(file) for name, file in files.items() if file.exists()})
    compared, leaks = {}, {}
    for level in LEVELS:
        texts = {place: split.texts(level, min_characters) for place, split in splits.items()}
        evaluation = {place: numbers for place, numbers in texts.items() if place[1] in EVALUATION}
        training = {place: numbers for place, numbers in texts.items() if place[1] == TRAINING}
        compared[level] = {place: sum(map(len, numbers.values())) for place, numbers in evaluation.items()}
        leaks[level] = sorted(_leaks(evaluation, training, matcher))
    return Leakage(
        threshold=threshold,
        min_characters=min_characters,
        units={place: len(split.units) for place, split in splits.items()},
        compared=compared,
        leaks=leaks,
        documents={place: split.documents for place, split in splits.items()},
        hashes={place: [_hash(unit) for unit in split.units] for place, split in splits.items()},
    )


def converted_corpora(folder: Path) -> list[str]:
    """Names of the corpora in a folder of converted corpora, sorted."""
    names = corpus_names(folder)
    if not names:
        raise BionerError(Errors.E153.format(folder=folder, split="<split>"))
    return names


class Matcher:
    """Finds the pairs of texts that are equal or similar.

    Args:
        threshold: minimum Jaccard similarity of the shingles; 1 for equal texts only.

    Raises:
        BionerError: the threshold is below 1 and datasketch is not installed.
    """

    def __init__(self, threshold: float) -> None:
        self.threshold = threshold
        if threshold < 1:
            self._datasketch = import_extra("datasketch", "leakage")

    def __call__(self, queries: Collection[str], *groups: Collection[str]) -> Iterator[list[tuple[str, str, float]]]:
        """Find the texts of each group that match a query.

        Args:
            groups: groups of distinct normalised texts; one is indexed at a time.

        Yields:
            For every group the pairs: query, text and similarity.
        """
        signatures = self._signatures(queries)
        for texts in groups:
            candidates = self._candidates(texts)
            pairs = [(query, query, 1.0) for query in queries if query in texts]
            for query, signature in signatures:
                for text in candidates(signature):
                    if text != query and (found := similarity(query, text)) >= self.threshold:
                        pairs.append((query, text, found))
            yield pairs

    def _signatures(self, texts: Collection[str]) -> list[tuple[str, Any]]:
        if self.threshold == 1:
            return []
        hashed = ([shingle.encode() for shingle in shingles(text)] for text in texts)
        minhashes = self._datasketch.MinHash.generator(hashed, num_perm=PERMUTATIONS, hashfunc=crc32)
        return list(zip(texts, minhashes))

    def _candidates(self, texts: Collection[str]) -> Callable[[Any], Iterable[str]]:
        """A function from the signature of a query to the texts that may be similar."""
        if self.threshold == 1:
            return lambda signature: ()
        index = self._datasketch.MinHashLSH(num_perm=PERMUTATIONS, params=bands(self.threshold))
        ordered = list(texts)
        for number, (_, signature) in enumerate(self._signatures(ordered)):
            index.insert(number, signature, check_duplication=False)
        return lambda signature: [ordered[number] for number in index.query(signature)]


def bands(threshold: float) -> tuple[int, int]:
    """Bands of a signature: the longest that propose a pair at the threshold with probability 1 - MISSED.

    Args:
        threshold: Jaccard similarity, 0.5 to 1.

    Returns:
        Number of bands and numbers in each.
    """
    rows = max(rows for rows in range(1, 9) if (1 - threshold**rows) ** (PERMUTATIONS // rows) <= MISSED)
    return PERMUTATIONS // rows, rows


@dataclass(frozen=True)
class _Split:
    """Normalised texts of the records of a split, and the records of each document."""

    units: Sequence[str]
    documents: Mapping[int, Sequence[int]]

    def texts(self, level: str, min_characters: int) -> dict[str, list[int]]:
        """Each text that is long enough, and the indices of the records or documents that have it."""
        texts: Iterable[tuple[int, str]] = enumerate(self.units)
        if level == DOCUMENTS:
            texts = ((first, "".join(self.units[i] for i in numbers)) for first, numbers in self.documents.items())
        found: defaultdict[str, list[int]] = defaultdict(list)
        for number, text in texts:
            if len(text) >= min_characters:
                found[text].append(number)
        return dict(found)


def _read(file: Path) -> _Split:
    docs = list(converted_docs(file, Vocab()))
    by_id: defaultdict[str, list[int]] = defaultdict(list)
    for number, doc in enumerate(docs):
        by_id[get_doc_id(doc)].append(number)
    documents = {numbers[0]: numbers for doc_id, numbers in by_id.items() if doc_id}
    return _Split([normalise(doc.text) for doc in docs], documents)


def _leaks(
    evaluation: Mapping[Place, Mapping[str, Sequence[int]]],
    training: Mapping[Place, Mapping[str, Sequence[int]]],
    matcher: Matcher,
) -> Iterator[Leak]:
    """All pairs of records whose texts match."""
    places: defaultdict[str, list[tuple[str, str, int]]] = defaultdict(list)
    for place, texts in evaluation.items():
        for text, numbers in texts.items():
            places[text].extend((*place, number) for number in numbers)
    for other, pairs in zip(training, matcher(places, *training.values())):
        for query, text, found in pairs:
            for corpus, split, number in places[query]:
                for other_number in training[other][text]:
                    yield Leak(corpus, split, number, *other, other_number, found, query == text)
