"""What is in converted corpora: counts, lengths, nesting, ambiguity, shared names, and where guidelines disagree."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from spacy.tokens import Doc

from ..scope import SPANS_KEY, get_doc_id, get_scope

# The words of a mention, lower-cased: what counts as the same name.
Surface = tuple[str, ...]

LONGEST_SURFACE = 8
"""Words of the longest name that is looked up where it is not annotated; longer ones hardly come twice."""


@dataclass
class SplitStatistics:
    """Counts over the documents of one split of one corpus.

    Attributes:
        types: annotation scope, the types that at least one document is annotated for.
        documents: documents (sentences, where the corpus keeps sentences).
        articles: articles that they belong to; 0 where the corpus does not tell.
        tokens: tokens.
        mentions: mentions per entity type.
        lengths: mentions per number of tokens.
        depths: mentions per nesting depth: 0 for one inside no other, 1 for one inside one that is inside none, ...
        surfaces: how often each name is a mention of each type.
    """

    types: set[str] = field(default_factory=set)
    documents: int = 0
    articles: int = 0
    tokens: int = 0
    mentions: Counter[str] = field(default_factory=Counter)
    lengths: Counter[int] = field(default_factory=Counter)
    depths: Counter[int] = field(default_factory=Counter)
    surfaces: dict[str, Counter[Surface]] = field(default_factory=lambda: defaultdict(Counter))

    @property
    def mean_length(self) -> float:
        """Mean number of tokens of a mention; 0 where there is none."""
        total = self.lengths.total()
        return sum(length * count for length, count in self.lengths.items()) / total if total else 0.0

    @property
    def nested(self) -> int:
        """Mentions inside another mention."""
        return self.depths.total() - self.depths[0]

    @property
    def ambiguous(self) -> float:
        """Share of the different names that are mentions of more than one type; 0 where there is no name."""
        types = Counter(surface for names in self.surfaces.values() for surface in names)
        return sum(count > 1 for count in types.values()) / len(types) if types else 0.0

    @property
    def vocabulary(self) -> set[Surface]:
        """The different names of all types."""
        return {surface for names in self.surfaces.values() for surface in names}


def describe(docs: Iterable[Doc], *, spans_key: str = SPANS_KEY) -> SplitStatistics:
    """Count what is in gold documents.

    Args:
        docs: documents with gold spans.
        spans_key: key of the spans.
    """
    found = SplitStatistics()
    articles = set()
    for doc in docs:
        spans = list(doc.spans.get(spans_key, ()))
        found.types |= get_scope(doc, spans_key) or {span.label_ for span in spans}
        found.documents += 1
        found.tokens += len(doc)
        articles.add(get_doc_id(doc, spans_key))
        places = {(span.start, span.end) for span in spans}
        for span in spans:
            found.mentions[span.label_] += 1
            found.lengths[len(span)] += 1
            found.surfaces[span.label_][tuple(token.lower_ for token in span)] += 1
            outer = [(start, end) for start, end in places if start <= span.start and span.end <= end]
            found.depths[len(outer) - 1] += 1
    found.articles = len(articles - {""})
    return found


def dice(one: Collection[Surface], other: Collection[Surface]) -> float:
    """Dice coefficient of two vocabularies, 2 |A ∩ B| / (|A| + |B|); 0 where both are empty."""
    one, other = set(one), set(other)
    total = len(one) + len(other)
    return 2 * len(one & other) / total if total else 0.0


@dataclass(frozen=True)
class Usage:
    """One name in one corpus.

    Attributes:
        occurrences: how often its words stand in the text.
        annotated: how often they are a mention of the type.
    """

    occurrences: int
    annotated: int

    @property
    def share(self) -> float:
        """Share of the occurrences that are annotated."""
        return self.annotated / self.occurrences


@dataclass(frozen=True)
class Disagreement:
    """How two corpora that annotate one type treat the names that stand in both.

    Attributes:
        corpora: their names.
        entity_type: the type.
        shared: names that stand in the texts of both and are mentions of the type in at least one.
        disagreeing: those of them that one corpus annotates in most places and the other in less than half.
        examples: names with their usage in either corpus, the most frequent disagreements first.
    """

    corpora: tuple[str, str]
    entity_type: str
    shared: int
    disagreeing: int
    examples: list[tuple[Surface, Usage, Usage]]


def compare_guidelines(
    corpora: Mapping[str, Iterable[Doc]], *, spans_key: str = SPANS_KEY, n_examples: int = 10
) -> list[Disagreement]:
    """Compare, for each pair of corpora and each type that both annotate, how they treat the same names.

    A name is counted where its words stand in a text, whatever the case, and is annotated where exactly these words
    are a mention of the type.

    Args:
        corpora: gold documents of each corpus.
        spans_key: key of the spans.
        n_examples: examples for each pair and type.

    Returns:
        One comparison for each pair and shared type, in the order of the corpora.
    """
    docs = {name: list(documents) for name, documents in corpora.items()}
    found = {name: describe(documents, spans_key=spans_key) for name, documents in docs.items()}
    wanted = {surface for each in found.values() for surface in each.vocabulary if len(surface) <= LONGEST_SURFACE}
    occurrences = {name: _count(documents, wanted) for name, documents in docs.items()}
    names = list(docs)
    results = []
    for i, one in enumerate(names):
        for other in names[i + 1 :]:
            for entity_type in sorted(found[one].types & found[other].types):
                pair = (one, other)
                results.append(_disagreement(pair, entity_type, found, occurrences, n_examples))
    return results


def _count(docs: Iterable[Doc], wanted: set[Surface]) -> Counter[Surface]:
    """How often each wanted sequence of words stands in the texts."""
    lengths = sorted({len(surface) for surface in wanted})
    counts: Counter[Surface] = Counter()
    for doc in docs:
        words = [token.lower_ for token in doc]
        for length in lengths:
            for start in range(len(words) - length + 1):
                surface = tuple(words[start : start + length])
                if surface in wanted:
                    counts[surface] += 1
    return counts


def _disagreement(
    corpora: tuple[str, str],
    entity_type: str,
    found: Mapping[str, SplitStatistics],
    occurrences: Mapping[str, Counter[Surface]],
    n_examples: int,
) -> Disagreement:
    one, other = corpora
    annotated = [found[name].surfaces.get(entity_type, Counter()) for name in corpora]
    shared = [
        surface
        for surface in sorted(set(annotated[0]) | set(annotated[1]))
        if occurrences[one][surface] and occurrences[other][surface]
    ]
    rows = []
    for surface in shared:
        usages = [Usage(occurrences[name][surface], counts[surface]) for name, counts in zip(corpora, annotated)]
        if (usages[0].share > 0.5) != (usages[1].share > 0.5):
            rows.append((surface, usages[0], usages[1]))
    # What matters most is what changes most labels: many places, treated most differently.
    rows.sort(
        key=lambda row: (
            -min(row[1].occurrences, row[2].occurrences) * abs(row[1].share - row[2].share),
            row[0],
        )
    )
    return Disagreement(corpora, entity_type, len(shared), len(rows), rows[:n_examples])
