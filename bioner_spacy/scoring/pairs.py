"""Pair gold and predicted mentions that overlap.

Every mention has at most one partner. Pairs are made in stages, best first; each stage finds a maximum matching of the
remaining mentions by augmenting paths (Berge, 1957), preferring large overlaps. So pairs do not depend on the order of
mentions, and an overlapping mention never takes the partner of a correct one.
"""

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Sequence
from typing import Optional

from .mentions import Mention

Condition = Callable[[Mention, Mention], bool]
"""The condition of a stage: a function of an overlapping gold and predicted mention."""

Pair = tuple[Mention, Mention]
"""A gold and a predicted mention."""


def same_extent(gold: Mention, predicted: Mention) -> bool:
    """Whether two mentions have the same start and end."""
    return gold[:2] == predicted[:2]


def same_type(gold: Mention, predicted: Mention) -> bool:
    """Whether two mentions have the same type."""
    return gold[2] == predicted[2]


def any_overlap(gold: Mention, predicted: Mention) -> bool:
    """Always true, because only overlapping mentions are considered."""
    return True


def overlap(one: Mention, other: Mention) -> int:
    """Number of characters that two mentions share."""
    return max(0, min(one[1], other[1]) - max(one[0], other[0]))


def overlapping(gold: Iterable[Mention], predicted: Iterable[Mention]) -> list[Pair]:
    """All pairs of mentions that share characters.

    Returns:
        The pairs by descending Jaccard index of their characters, then by position.
    """
    found: list[Pair] = []
    waiting: list[Mention] = []  # predicted mentions that begin before the gold one ends, and may overlap with it
    rest = deque(sorted(predicted))
    for mention in sorted(gold):
        while rest and rest[0][0] < mention[1]:
            waiting.append(rest.popleft())
        waiting = [other for other in waiting if other[1] > mention[0]]
        found.extend((mention, other) for other in waiting if overlap(mention, other))
    return sorted(found, key=_preference)


def make_pairs(gold: Iterable[Mention], predicted: Iterable[Mention], stages: Sequence[Condition]) -> list[list[Pair]]:
    """Pair the mentions of a document, each with at most one other.

    Args:
        gold: gold mentions, each given once.
        predicted: predicted mentions, each given once.
        stages: condition of each stage, first stage first.

    Returns:
        The pairs of each stage.
    """
    left = overlapping(gold, predicted)
    stages_pairs = []
    for condition in stages:
        partner = _maximum_matching([pair for pair in left if condition(*pair)])
        stages_pairs.append(sorted((one, other) for other, one in partner.items()))
        taken = set(partner.values())
        left = [(one, other) for one, other in left if one not in taken and other not in partner]
    return stages_pairs


def _preference(pair: Pair) -> tuple[float, Mention, Mention]:
    shared = overlap(*pair)
    total = sum(end - start for start, end, _ in pair) - shared
    return -shared / total, *pair


def _maximum_matching(edges: Sequence[Pair]) -> dict[Mention, Mention]:
    """A maximum matching, predicted -> gold mention, preferring the first edges."""
    neighbours: defaultdict[Mention, list[Mention]] = defaultdict(list)
    gold_of: dict[Mention, Mention] = {}
    predicted_of: dict[Mention, Mention] = {}
    for gold, predicted in edges:
        neighbours[predicted].append(gold)
        if gold not in predicted_of and predicted not in gold_of:
            gold_of[predicted], predicted_of[gold] = gold, predicted
    for predicted in [mention for mention in neighbours if mention not in gold_of]:
        path = _augmenting_path(predicted, neighbours, predicted_of)
        for other, gold in path:
            gold_of[other], predicted_of[gold] = gold, other
    return gold_of


def _augmenting_path(
    start: Mention, neighbours: dict[Mention, list[Mention]], predicted_of: dict[Mention, Mention]
) -> list[Pair]:
    """New pairs (predicted, gold) that add `start` to the matching and keep all others matched; empty if there are
    none."""
    came_from: dict[Mention, tuple[Mention, Optional[Mention]]] = {}  # gold -> predicted before it, gold before that
    queue: deque[tuple[Mention, Optional[Mention]]] = deque([(start, None)])
    while queue:
        predicted, before = queue.popleft()
        for gold in neighbours[predicted]:
            if gold in came_from:
                continue
            came_from[gold] = (predicted, before)
            if gold not in predicted_of:
                path = []
                last: Optional[Mention] = gold
                while last is not None:
                    other, previous = came_from[last]
                    path.append((other, last))
                    last = previous
                return path
            queue.append((predicted_of[gold], gold))
    return []
