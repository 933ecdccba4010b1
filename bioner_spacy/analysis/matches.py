"""Strict, exact, partial and type matches of mentions, as SemEval 2013, task 9.1, defines them (Segura-Bedmar et al. 2013).

- strict: start, end and type are right;
- exact: start and end are right, whatever the type;
- partial: the mentions overlap, whatever their types; a pair with different borders counts one half;
- type: the mentions overlap and the type is right.

The package nervaluate judges each pair of a gold and a predicted mention and computes precision, recall and F1. Which
two mentions form a pair is decided here (`bioner_spacy.analysis.pairs`), for each scheme so that it counts as many
matches as can be: nervaluate takes mentions in their order, and gives a gold mention to the first prediction that
overlaps it, so that a right prediction that stands behind a wrong one counts as spurious. In text without overlapping
mentions, gold or predicted, strict, exact and partial scores are those of nervaluate alone.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from functools import cache
from importlib.util import find_spec
from typing import Any

from ..errors import BionerError, Errors
from ..scoring.results import ALL_TYPES
from ..scoring.scored import ScoredDoc, of_type
from ..scoring.scorer import Mention, mean
from ..scoring.table import Table, corpus_name, percent, with_total
from .pairs import Condition, any_overlap, make_pairs, same, same_extent, same_type

# Name of each scheme in nervaluate, and which pairs it would rather see.
_SCHEMES: dict[str, tuple[str, list[Condition]]] = {
    "strict": ("StrictEvaluation", [same, any_overlap]),
    "exact": ("ExactEvaluation", [same_extent, any_overlap]),
    "partial": ("PartialEvaluation", [same_extent, any_overlap]),
    "type": ("EntityTypeEvaluation", [same_type, any_overlap]),
}
SCHEMES = tuple(_SCHEMES)
COUNTS = ("correct", "incorrect", "partial", "missed", "spurious")

Scores = dict[str, dict[str, Any]]
"""Scheme -> `p`, `r`, `f` (fractions of 1; None where there are no mentions on either side) and `COUNTS`."""


def has_nervaluate() -> bool:
    """Whether the package nervaluate is installed."""
    return find_spec("nervaluate") is not None


def match_scores(docs: Iterable[ScoredDoc]) -> dict[str, Any]:
    """Score predicted mentions by the four schemes.

    Args:
        docs: documents with mentions in scope.

    Returns:
        `per_corpus`: for each corpus `micro` (all its mentions), `macro` (mean over its types) and `per_type`;
        `micro`: over the mentions of all corpora; `macro`: mean over corpora; `per_type`: over all corpora. Each holds
        `Scores`, without counts where it is a mean. The scores of a type look at mentions of that type only, on both
        sides, so that exact and strict are the same.

    Raises:
        BionerError: the package nervaluate is not installed.
    """
    if not has_nervaluate():
        raise BionerError(Errors.E520)
    counts: defaultdict[str, defaultdict[str, _Counts]] = defaultdict(lambda: defaultdict(_Counts))
    for doc in docs:
        counts[doc.corpus][ALL_TYPES].add(doc.gold, doc.predicted)
        for entity_type in {mention[2] for mention in doc.gold | doc.predicted}:
            sides = of_type(doc.gold, entity_type), of_type(doc.predicted, entity_type)
            counts[doc.corpus][entity_type].add(*sides)
    total: defaultdict[str, _Counts] = defaultdict(_Counts)
    per_corpus: dict[str, dict[str, Any]] = {}
    for corpus in sorted(counts):
        for entity_type, found in counts[corpus].items():
            total[entity_type].merge(found)
        per_corpus[corpus] = _report(counts[corpus])
        per_corpus[corpus]["macro"] = _means(per_corpus[corpus]["per_type"].values())
    macro = _means(scores["micro"] for scores in per_corpus.values())
    return {**_report(total), "macro": macro, "per_corpus": per_corpus}


def matches_table(scores: dict[str, Any], shown: str = "prf") -> Table:
    """Scores by the four schemes as a table, in percent.

    Args:
        scores: as `match_scores` gives them.
        shown: "p", "r" and "f" in any choice: precision, recall and F1.

    Returns:
        Columns: corpus, entity type, and the scores of each scheme. A corpus of several types has a row with their
        mean and one over all its mentions; the last two rows are the mean over corpora and all mentions.
    """
    rows: list[list[str]] = []
    for corpus, found in scores["per_corpus"].items():
        macro = {"mean over types": found["macro"]} if len(found["per_type"]) > 1 else {}
        groups = with_total({**found["per_type"], **macro}, found["micro"])
        rows.extend([corpus_name(corpus), name, *_cells(of_group, shown)] for name, of_group in groups.items())
    rows.append(["mean over corpora", ALL_TYPES, *_cells(scores["macro"], shown)])
    rows.append(["all mentions", ALL_TYPES, *_cells(scores["micro"], shown)])
    names = {"p": "P", "r": "R", "f": "F1"}
    header = [f"{names[score]} {scheme}" for scheme in SCHEMES for score in shown]
    return Table(["Corpus", "Entity type", *header], rows, numbers=len(header))


class _Counts:
    """What nervaluate says of mentions by scheme, added up over documents."""

    def __init__(self) -> None:
        self._counts: dict[str, Counter[str]] = {scheme: Counter() for scheme in SCHEMES}

    def add(self, gold: set[Mention], predicted: set[Mention]) -> None:
        """Count the mentions of one document."""
        for scheme, (_, stages) in _SCHEMES.items():
            pairs = [pair for of_stage in make_pairs(gold, predicted, stages) for pair in of_stage]
            counts = self._counts[scheme]
            counts["missed"] += len(gold) - len(pairs)
            counts["spurious"] += len(predicted) - len(pairs)
            for (start, end, entity_type), (other_start, other_end, other_type) in pairs:
                extent = other_start - start, other_end - start
                counts.update(_judge(scheme, end - start, extent, entity_type == other_type))

    def merge(self, other: "_Counts") -> None:
        """Add the counts of others, in place."""
        for scheme, counts in self._counts.items():
            counts.update(other._counts[scheme])

    def scores(self) -> Scores:
        """Scores and counts of each scheme."""
        from nervaluate.entities import EvaluationResult

        found: Scores = {}
        for scheme, numbers in self._counts.items():
            counts = {name: numbers[name] for name in COUNTS}
            result = EvaluationResult(**counts)
            result.compute_metrics(partial_or_type=scheme in ("partial", "type"))
            values = {"p": result.precision, "r": result.recall, "f": result.f1}
            found[scheme] = {**(values if any(counts.values()) else dict.fromkeys(values)), **counts}
        return found


@cache
def _judge(scheme: str, length: int, extent: tuple[int, int], same_types: bool) -> tuple[str, ...]:
    """Ask nervaluate for a pair.

    Args:
        scheme: name of the scheme.
        length: characters of the gold mention.
        extent: start and end of the predicted one, from the start of the gold one.
        same_types: whether the types are the same.

    Returns:
        The names of the counts in which the pair counts as one.
    """
    from nervaluate import strategies
    from nervaluate.entities import Entity

    strategy = getattr(strategies, _SCHEMES[scheme][0])()
    gold = Entity(label="A", start=0, end=length - 1)  # nervaluate's end is the last character
    predicted = Entity(label="A" if same_types else "B", start=extent[0], end=extent[1] - 1)
    found, _ = strategy.evaluate([gold], [predicted], tags=["A", "B"])
    return tuple(name for name in COUNTS if getattr(found, name))


def _report(counts: dict[str, _Counts]) -> dict[str, Any]:
    """Scores over all types, and by type."""
    types = sorted(counts.keys() - {ALL_TYPES})
    return {
        "micro": counts[ALL_TYPES].scores(),
        "per_type": {entity_type: counts[entity_type].scores() for entity_type in types},
    }


def _means(parts: Iterable[Scores]) -> Scores:
    """Mean of scores, each part counting the same."""
    parts = list(parts)
    return {scheme: {name: mean(part[scheme][name] for part in parts) for name in "prf"} for scheme in SCHEMES}


def _cells(scores: Scores, shown: str) -> list[str]:
    return [percent(scores[scheme][name]) for scheme in SCHEMES for name in shown]
