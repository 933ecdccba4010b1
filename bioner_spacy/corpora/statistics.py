"""Statistics of converted corpora: counts, lengths, nesting, ambiguity, shared names, and disagreements of
guidelines."""

import operator
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, combinations
from sys import intern

from spacy.tokens import Doc

from ..scope import SPANS_KEY, get_doc_id, get_scope
from ..tokenization import detokenize

Surface = tuple[str, ...]
"""The tokens of a mention as `fold` makes them: what counts as the same name."""

Place = tuple[int, int, str]
"""First token of a mention, the token after its last one, and its type."""

LONGEST_SURFACE = 8
"""Maximum number of tokens of names whose unannotated occurrences are counted."""

KEPT_TOKENS = 5_000_000
"""Maximum number of tokens of a split kept in memory to look up names."""


@dataclass
class SplitStatistics:
    """Counts over the records of one split of one corpus."""

    # annotation scope, the types that at least one record is annotated for
    types: set[str] = field(default_factory=set)
    records: int = 0  # records (sentences, where the corpus keeps sentences)
    documents: int = 0  # documents of the source that they belong to; 0 where the corpus does not say
    tokens: int = 0
    mentions: Counter[str] = field(default_factory=Counter)  # mentions per entity type
    # mentions per number of tokens, those of whitespace left out
    lengths: Counter[int] = field(default_factory=Counter)
    # mentions per nesting depth: 0 for one inside no other, 1 for one inside one that is inside none, ...
    depths: Counter[int] = field(default_factory=Counter)
    nested_in_type: int = 0  # mentions inside another of their type, which BIO tags cannot represent
    crossing: int = 0  # mentions that overlap another one, neither of the two being inside the other
    # number of mentions of each name, by type
    surfaces: dict[str, Counter[Surface]] = field(default_factory=lambda: defaultdict(Counter))
    # folded tokens and mentions of each record, up to `KEPT_TOKENS` tokens
    texts: list[tuple[list[str], list[Place]]] = field(default_factory=list)

    @property
    def mean_length(self) -> float:
        """Mean number of tokens of a mention; 0 if there is none."""
        total = self.lengths.total()
        return sum(length * count for length, count in self.lengths.items()) / total if total else 0.0

    @property
    def nested(self) -> int:
        """Mentions inside another mention."""
        return self.depths.total() - self.depths[0]

    @property
    def ambiguous(self) -> float:
        """Share of the different names that are mentions of more than one type; 0 if there is no name."""
        types = Counter(surface for names in self.surfaces.values() for surface in names)
        return sum(count > 1 for count in types.values()) / len(types) if types else 0.0

    @property
    def vocabulary(self) -> set[Surface]:
        """The different names of all types."""
        return {surface for names in self.surfaces.values() for surface in names}

    def add(self, doc: Doc, *, spans_key: str = SPANS_KEY) -> None:
        """Count a record; its document is not counted (see `describe`)."""
        # Whitespace tokens are ignored in names.
        texts = [token.text.strip() for token in doc]
        tokens = [intern(fold(text)) for text in texts if text]
        before = list(accumulate(map(bool, texts), initial=0))
        spans = doc.spans.get(spans_key, ())
        places = sorted((before[span.start], before[span.end], span.label_) for span in spans)
        self.types |= get_scope(doc, spans_key) or {label for _, _, label in places}
        self.records += 1
        self.tokens += len(doc)
        for start, end, label in places:
            self.mentions[label] += 1
            self.lengths[end - start] += 1
            self.surfaces[label][tuple(tokens[start:end])] += 1
        self._add_overlaps(places)
        if self.tokens <= KEPT_TOKENS:
            self.texts.append((tokens, places))

    def _add_overlaps(self, places: Sequence[Place]) -> None:
        crossing: set[Place] = set()
        before: list[Place] = []  # mentions that begin no later than the next one and may reach into it
        for place in sorted(places, key=lambda place: (place[0], -place[1])):
            start, end, label = place
            before = [other for other in before if other[1] > start]
            outer = {other[:2] for other in before if other[1] >= end} - {place[:2]}
            self.depths[len(outer)] += 1
            self.nested_in_type += any(other[2] == label and other[:2] in outer for other in before)
            crossed = [other for other in before if other[1] < end]
            crossing.update([*crossed, place] if crossed else ())
            before.append(place)
        self.crossing += len(crossing)


def merge_statistics(splits: Iterable[SplitStatistics]) -> SplitStatistics:
    """Counts over several splits of one corpus, without their texts."""
    total = SplitStatistics()
    for split in splits:
        total.types |= split.types
        for entity_type, surfaces in split.surfaces.items():
            total.surfaces[entity_type].update(surfaces)
        for name in ("records", "documents", "tokens", "mentions", "lengths", "depths", "nested_in_type", "crossing"):
            setattr(total, name, operator.add(getattr(total, name), getattr(split, name)))
    return total


def name_text(surface: Surface) -> str:
    """A name as people write it, in the case of its surface."""
    return detokenize(surface)[0]


def fold(token: str) -> str:
    """A token in lower case, except acronyms (ALL is a leukaemia, "all" is not)."""
    return token if token.isupper() and sum(map(str.isalpha, token)) > 1 else token.lower()


def describe(docs: Iterable[Doc], *, spans_key: str = SPANS_KEY) -> SplitStatistics:
    """Count what is in records."""
    found = SplitStatistics()
    sources = set()
    for doc in docs:
        found.add(doc, spans_key=spans_key)
        sources.add(get_doc_id(doc, spans_key))
    found.documents = len(sources - {""})
    return found


def dice(one: Collection[Surface], other: Collection[Surface]) -> float:
    """Dice coefficient of two vocabularies, 2 |A ∩ B| / (|A| + |B|); 0 where both are empty."""
    one, other = set(one), set(other)
    total = len(one) + len(other)
    return 2 * len(one & other) / total if total else 0.0


@dataclass(frozen=True)
class Usage:
    """One name and one type in one corpus."""

    occurrences: int  # number of occurrences in the text, not counting those inside a longer mention
    annotated: int  # number of occurrences that are mentions of the type

    @property
    def share(self) -> float:
        """Share of the occurrences that are annotated."""
        return self.annotated / self.occurrences


def count_usage(
    statistics: Iterable[SplitStatistics], names: Mapping[str, Iterable[Surface]]
) -> dict[str, dict[Surface, Usage]]:
    """Count occurrences of names in a corpus, and how many are annotated.

    An occurrence is a sequence of tokens equal to the name after `fold`; it is annotated if exactly these tokens are a
    mention of the type. Occurrences inside a longer mention are not counted.

    Args:
        statistics: splits of the corpus.
        names: type -> names, of up to `LONGEST_SURFACE` tokens; longer ones are passed over.

    Returns:
        Type -> name -> usage, for names that occur.
    """
    wanted: defaultdict[Surface, list[str]] = defaultdict(list)
    lengths: defaultdict[str, set[int]] = defaultdict(set)  # of the names by their first token
    for entity_type, surfaces in names.items():
        for surface in surfaces:
            if len(surface) <= LONGEST_SURFACE:
                wanted[surface].append(entity_type)
                lengths[surface[0]].add(len(surface))
    occurrences: Counter[tuple[str, Surface]] = Counter()
    annotated: Counter[tuple[str, Surface]] = Counter()
    for tokens, places in (text for split in statistics for text in split.texts):
        known = set(places)
        for start, end, surface in _find(tokens, wanted, lengths):
            for entity_type in wanted[surface]:
                if (start, end, entity_type) in known:
                    annotated[entity_type, surface] += 1
                elif any(s <= start and end <= e and (s, e) != (start, end) for s, e, _ in places):
                    continue
                occurrences[entity_type, surface] += 1
    usages: dict[str, dict[Surface, Usage]] = {entity_type: {} for entity_type in names}
    for (entity_type, surface), number in occurrences.items():
        usages[entity_type][surface] = Usage(number, annotated[entity_type, surface])
    return usages


def _find(
    tokens: Sequence[str], wanted: Collection[Surface], lengths: Mapping[str, Collection[int]]
) -> Iterator[tuple[int, int, Surface]]:
    """Places of the wanted names in a text: first token, the token after the last one, name."""
    for start, token in enumerate(tokens):
        for length in lengths.get(token, ()):
            surface = tuple(tokens[start : start + length])
            if len(surface) == length and surface in wanted:  # it is shorter at the end of the text
                yield start, start + length, surface


@dataclass(frozen=True)
class Disagreement:
    """How two corpora that annotate one type treat their shared names."""

    corpora: tuple[str, str]  # their names
    entity_type: str  # the type
    shared: int  # names that stand in the texts of both and are mentions of the type in at least one
    disagreeing: int  # shared names that one corpus annotates mostly and the other at most half of the time
    occurrences: int  # how often the shared names occur in the texts of the two
    against: int  # occurrences treated differently from the majority in the other corpus
    # names with their usage in either corpus, the most frequent disagreements first
    examples: list[tuple[Surface, Usage, Usage]]


def compare_guidelines(statistics: Mapping[str, SplitStatistics], *, n_examples: int = 10) -> list[Disagreement]:
    """Compare, for each pair of corpora and each type that both annotate, how they treat the same names.

    Args:
        statistics: of one split of each corpus.
        n_examples: examples for each pair and type.

    Returns:
        One comparison for each pair and shared type, in the order of the corpora; see `count_usage` for what counts.
    """
    wanted: defaultdict[str, set[Surface]] = defaultdict(set)
    for split in statistics.values():
        for entity_type, surfaces in split.surfaces.items():
            wanted[entity_type].update(surfaces)
    usages = {corpus: count_usage([split], wanted) for corpus, split in statistics.items()}
    results = []
    for one, other in combinations(statistics, 2):
        for entity_type in sorted(statistics[one].types & statistics[other].types):
            first, second = usages[one].get(entity_type, {}), usages[other].get(entity_type, {})
            shared = {
                surface: (first[surface], second[surface])
                for surface in first.keys() & second.keys()
                if first[surface].annotated or second[surface].annotated
            }
            results.append(_disagreement((one, other), entity_type, shared, n_examples))
    return results


def _disagreement(
    corpora: tuple[str, str], entity_type: str, shared: Mapping[Surface, tuple[Usage, Usage]], n_examples: int
) -> Disagreement:
    rows = [(name, a, b) for name, (a, b) in sorted(shared.items()) if (a.share > 0.5) != (b.share > 0.5)]
    # Sorted by the number of labels that differ.
    rows.sort(key=lambda row: -min(row[1].occurrences, row[2].occurrences) * abs(row[1].share - row[2].share))
    against = 0
    for a, b in shared.values():
        for here, there in ((a, b), (b, a)):
            against += here.occurrences - here.annotated if there.share > 0.5 else here.annotated
    return Disagreement(
        corpora,
        entity_type,
        shared=len(shared),
        disagreeing=len(rows),
        occurrences=sum(a.occurrences + b.occurrences for a, b in shared.values()),
        against=against,
        examples=rows[:n_examples],
    )
