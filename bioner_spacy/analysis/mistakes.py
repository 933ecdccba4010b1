"""Error analysis: every gold and every predicted mention is assigned exactly one kind.

The kinds, in the order in which they are assigned:

- correct: start, end and type are right;
- wrong type: start and end are right;
- split: a gold mention overlaps with two or more predictions of its type that do not overlap each other, and these
with
  no other gold mention of the type;
- merged: the same the other way round, a prediction over two or more gold mentions;
- wrong boundary: a gold mention and a prediction of its type overlap;
- wrong type and boundary: they overlap, and their types differ;
- missed: any other gold mention;
- spurious: any other prediction.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from ..scoring.mentions import Compared, Mention
from ..scoring.pairs import Condition, any_overlap, make_pairs, overlapping, same_extent, same_type

CORRECT, MISSED, SPURIOUS, SPLIT, MERGED = "correct", "missed", "spurious", "split", "merged"
WRONG_TYPE, WRONG_BOUNDARY, WRONG_BOTH = "wrong type", "wrong boundary", "wrong type and boundary"
KINDS = (CORRECT, WRONG_BOUNDARY, WRONG_TYPE, WRONG_BOTH, SPLIT, MERGED, MISSED, SPURIOUS)
GOLD, PREDICTED = "gold", "predicted"

CONTEXT = 40
"""Characters of text shown on each side of a mistake."""


@dataclass(frozen=True)
class Judgement:
    """A group of mentions of a document and its kind."""

    kind: str  # one of `KINDS`
    gold: tuple[Mention, ...]  # gold mentions in text order; empty if spurious, several if merged
    predicted: tuple[Mention, ...]  # predicted mentions; empty if missed, several if split


@dataclass(frozen=True)
class Mistake:
    """A judgement that is not "correct", with its context."""

    kind: str  # one of `KINDS`
    corpus: str  # name of the corpus
    doc_id: str  # identifier of the document
    entity_type: str  # type of the gold mention; that of the prediction if there is no gold one
    mention: str  # text of the gold mention or, unless there is exactly one, of the prediction
    gold: str  # text and type of the gold mentions
    predicted: str  # text and type of the predictions
    context: str  # the text around, with all mentions of the mistake between ⟦ and ⟧


@dataclass(frozen=True)
class Mistakes:
    """The mistakes of a pipeline."""

    # Corpus, entity type, side ("gold" or "predicted"), kind -> number of mentions of that side and type.
    counts: Counter[tuple[str, str, str, str]]
    found: list[Mistake]  # all mistakes, in document order

    def to_dict(self, examples: int) -> dict[str, Any]:
        """Counts and examples for a JSON file.

        Returns:
            `counts`: corpus -> entity type -> side -> kind -> number; `examples`: see `most_frequent`.
        """
        counts: dict[str, Any] = {}
        for (corpus, entity_type, side, kind), number in sorted(self.counts.items()):
            counts.setdefault(corpus, {}).setdefault(entity_type, {}).setdefault(side, {})[kind] = number
        shown = [{"count": count, **vars(mistake)} for mistake, count in self.most_frequent(examples)]
        return {"counts": counts, "examples": shown}

    def most_frequent(self, examples: int) -> list[tuple[Mistake, int]]:
        """The most frequent mistakes.

        Args:
            examples: maximum number of mention texts per kind and corpus.

        Returns:
            For each corpus and kind: the first mistake with each mention text and type, and their number, most
            frequent first.
        """
        groups: defaultdict[tuple[str, str], dict[tuple[str, str], list[Mistake]]] = defaultdict(dict)
        for mistake in self.found:
            names = mistake.entity_type, mistake.mention
            groups[mistake.corpus, mistake.kind].setdefault(names, []).append(mistake)
        chosen: list[tuple[Mistake, int]] = []
        for corpus in sorted({corpus for corpus, _ in groups}):
            for kind in KINDS:
                same = groups.get((corpus, kind), {})
                ranked = sorted(same.items(), key=lambda item: (-len(item[1]), item[0]))
                chosen.extend((mistakes[0], len(mistakes)) for _, mistakes in ranked[:examples])
        return chosen


def judge(gold: Iterable[Mention], predicted: Iterable[Mention]) -> list[Judgement]:
    """Classify the mentions of a document.

    Returns:
        Judgements, in text order; every mention is in exactly one.
    """
    left_gold, left_predicted = set(gold), set(predicted)
    judged: list[Judgement] = []

    def take(found: Iterable[Judgement]) -> None:
        for judgement in found:
            judged.append(judgement)
            left_gold.difference_update(judgement.gold)
            left_predicted.difference_update(judgement.predicted)

    def pairs(kind: str, condition: Condition) -> list[Judgement]:
        [found] = make_pairs(left_gold, left_predicted, [condition])
        return [Judgement(kind, (one,), (other,)) for one, other in found]

    take([Judgement(CORRECT, (mention,), (mention,)) for mention in left_gold & left_predicted])
    take(pairs(WRONG_TYPE, same_extent))
    take(_split_and_merged(left_gold, left_predicted))
    take(pairs(WRONG_BOUNDARY, same_type))
    take(pairs(WRONG_BOTH, any_overlap))
    take([Judgement(MISSED, (mention,), ()) for mention in left_gold])
    take([Judgement(SPURIOUS, (), (mention,)) for mention in left_predicted])
    return sorted(judged, key=lambda judgement: (judgement.gold + judgement.predicted)[0])


def find_mistakes(docs: Iterable[Compared]) -> Mistakes:
    """Count and collect the mistakes of a pipeline."""
    counts: Counter[tuple[str, str, str, str]] = Counter()
    found = []
    for doc in docs:
        for judgement in judge(doc.gold, doc.predicted):
            for side, mentions in ((GOLD, judgement.gold), (PREDICTED, judgement.predicted)):
                counts.update((doc.corpus, mention[2], side, judgement.kind) for mention in mentions)
            if judgement.kind != CORRECT:
                found.append(_mistake(doc, judgement))
    return Mistakes(counts, found)


def _split_and_merged(gold: set[Mention], predicted: set[Mention]) -> list[Judgement]:
    """Split and merged mentions: one on one side, several that do not overlap on the other, all of one type."""
    of_gold: defaultdict[Mention, list[Mention]] = defaultdict(list)
    of_predicted: defaultdict[Mention, list[Mention]] = defaultdict(list)
    for one, other in overlapping(gold, predicted):
        if same_type(one, other):
            of_gold[one].append(other)
            of_predicted[other].append(one)
    split = [Judgement(SPLIT, (one,), parts) for one, parts in _stars(of_gold, of_predicted)]
    return split + [Judgement(MERGED, parts, (one,)) for one, parts in _stars(of_predicted, of_gold)]


def _stars(
    centres: Mapping[Mention, list[Mention]], others: Mapping[Mention, list[Mention]]
) -> Iterator[tuple[Mention, tuple[Mention, ...]]]:
    """Mentions that overlap with several others that overlap with nothing else."""
    for centre, parts in centres.items():
        parts = sorted(parts)
        apart = all(one[1] <= other[0] for one, other in pairwise(parts))
        if len(parts) > 1 and apart and all(len(others[part]) == 1 for part in parts):
            yield centre, tuple(parts)


def _mistake(doc: Compared, judgement: Judgement) -> Mistake:
    gold, predicted = judgement.gold, judgement.predicted
    start, end, entity_type = predicted[0] if judgement.kind in (MERGED, SPURIOUS) else gold[0]
    return Mistake(
        kind=judgement.kind,
        corpus=doc.corpus,
        doc_id=doc.doc_id,
        entity_type=entity_type,
        mention=_one_line(doc.text[start:end]),
        gold=_describe_mentions(doc.text, gold),
        predicted=_describe_mentions(doc.text, predicted),
        context=_context(doc.text, gold + predicted),
    )


def _describe_mentions(text: str, mentions: Sequence[Mention]) -> str:
    """Text and type of mentions; a dash if there is none."""
    texts = [f"{_one_line(text[start:end])} ({entity_type})" for start, end, entity_type in mentions]
    return "; ".join(texts) or "–"


def _context(text: str, mentions: Sequence[Mention]) -> str:
    """The text around mentions, cut at spaces."""
    start, end = min(mention[0] for mention in mentions), max(mention[1] for mention in mentions)
    first, last = max(0, start - CONTEXT), min(len(text), end + CONTEXT)
    before, after = text[first:start], text[end:last]
    if first > 0:
        before = "…" + (before.split(maxsplit=1)[-1] if " " in before.strip() else before)
    if last < len(text):
        after = (after.rsplit(maxsplit=1)[0] if " " in after.strip() else after) + "…"
    return _one_line(f"{before}⟦{text[start:end]}⟧{after}")


def _one_line(text: str) -> str:
    return " ".join(text.split())
