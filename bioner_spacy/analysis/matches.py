"""Strict, exact, partial and type matches of mentions, as SemEval 2013, task 9.1, defines them (Segura-Bedmar et al.
2013).

- strict: start, end and type are right;
- exact: start and end are right, whatever the type;
- partial: the mentions overlap, whatever their types; a pair with different boundaries counts one half;
- type: the mentions overlap and the type is right.

These are metrics of `bioner_spacy.scoring.metrics`; here, errors are also classified. `bioner_spacy.scoring.pairs`
pairs mentions to maximise the matches of each scheme. The package nervaluate, which the tests compare with, takes
mentions in order, so a correct prediction after a wrong one may count as spurious. Without overlapping mentions, both
give the same scores.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from ..scoring.mentions import Compared, Mention, of_type
from ..scoring.metrics import ALL_TYPES, METRICS, Counts
from ..scoring.scorer import mean

SCHEMES = ("strict", "exact", "partial", "type")
COUNTS = ("correct", "incorrect", "partial", "missed", "spurious")

_JUDGED = {1: "correct", 0.5: "partial", 0: "incorrect"}

Numbers = Counter[tuple[str, str]]
"""Scheme and one of `COUNTS` -> number of mentions."""

Scores = dict[str, dict[str, Any]]
"""Scheme -> `p`, `r`, `f` (fractions of 1; None if there are no mentions on either side) and `COUNTS`."""


def match_scores(docs: Iterable[Compared]) -> dict[str, Any]:
    """Score predicted mentions by the four schemes.

    Returns:
        `per_corpus`: for each corpus `micro` (all its mentions), `macro` (mean over its types) and `per_type`;
        `micro`: over the mentions of all corpora; `macro`: mean over corpora; `per_type`: over all corpora. Each holds
        `Scores`, without counts where it is a mean. Scores of a type use mentions of that type only, on both sides, so
        exact and strict are the same.
    """
    counts: defaultdict[str, defaultdict[str, Numbers]] = defaultdict(lambda: defaultdict(Counter))
    for doc in docs:
        counts[doc.corpus][ALL_TYPES].update(_count(doc.gold, doc.predicted))
        for entity_type in {mention[2] for mention in doc.gold | doc.predicted}:
            sides = of_type(doc.gold, entity_type), of_type(doc.predicted, entity_type)
            counts[doc.corpus][entity_type].update(_count(*sides))
    total: defaultdict[str, Numbers] = defaultdict(Counter)
    per_corpus: dict[str, dict[str, Any]] = {}
    for corpus, of_corpus in sorted(counts.items()):
        for entity_type, found in of_corpus.items():
            total[entity_type].update(found)
        per_corpus[corpus] = _report(of_corpus)
        per_corpus[corpus]["macro"] = _means(per_corpus[corpus]["per_type"].values())
    macro = _means(scores["micro"] for scores in per_corpus.values())
    return {**_report(total), "macro": macro, "per_corpus": per_corpus}


def _count(gold: set[Mention], predicted: set[Mention]) -> Numbers:
    """Count the mentions of one document."""
    counts: Numbers = Counter()
    for scheme in SCHEMES:
        pairs = METRICS[scheme].pairs(gold, predicted)
        counts[scheme, "missed"] = len(gold) - len(pairs)
        counts[scheme, "spurious"] = len(predicted) - len(pairs)
        counts.update((scheme, _JUDGED[credit]) for _, credit in pairs)
    return counts


def _scores(counts: Numbers) -> Scores:
    """Scores and counts of each scheme."""
    found: Scores = {}
    for scheme in SCHEMES:
        numbers = {name: counts[scheme, name] for name in COUNTS}
        matched = numbers["correct"] + numbers["partial"] / 2
        paired = numbers["correct"] + numbers["incorrect"] + numbers["partial"]
        scores = Counts(paired + numbers["missed"], paired + numbers["spurious"], matched, matched).scores()
        found[scheme] = {name: scores[name] for name in "prf"} | numbers
    return found


def _report(counts: Mapping[str, Numbers]) -> dict[str, Any]:
    """Scores over all types, and by type."""
    types = sorted(counts.keys() - {ALL_TYPES})
    return {"micro": _scores(counts[ALL_TYPES]), "per_type": {name: _scores(counts[name]) for name in types}}


def _means(parts: Iterable[Scores]) -> Scores:
    """Unweighted mean of scores."""
    parts = list(parts)
    return {scheme: {name: mean(part[scheme][name] for part in parts) for name in "prf"} for scheme in SCHEMES}
