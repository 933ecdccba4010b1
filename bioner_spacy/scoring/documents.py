"""Counts of mentions by document: all that scores and significance tests need.

The unit is the source document (article, abstract) if the corpus names it, since sentences of one abstract are not
independent; otherwise the record.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Optional

import numpy
from numpy.typing import NDArray

from .mentions import Compared
from .metrics import ALL_TYPES, STRICT, Counts, Metric
from .significance import Paired

KINDS = ("gold", "predicted", "matched")
UNITS = ("document", "record")


class DocumentCounts:
    """Mentions of the documents of one corpus, by entity type."""

    def __init__(self, metric: Metric = STRICT) -> None:
        self.metric = metric
        self._documents: dict[str, dict[str, Counts]] = {}
        self._records = 0  # without the id of a document

    def add(self, compared: Compared) -> None:
        """Count the mentions of one text."""
        doc_id = compared.doc_id
        if not doc_id:
            self._records += 1
            doc_id = f"\n{self._records}"  # no id has a line break
        counts = self._documents.setdefault(doc_id, {})
        for name, found in self.metric.counts(compared.gold, compared.predicted).items():
            counts[name] = counts.get(name, Counts()) + found

    def total(self) -> dict[str, Counts]:
        """Sums over the documents by entity type, sorted, and of `ALL_TYPES`."""
        found: dict[str, Counts] = {}
        for counts in self._documents.values():
            for name, of_type in counts.items():
                found[name] = found.get(name, Counts()) + of_type
        return dict(sorted(found.items())) if found else {ALL_TYPES: Counts()}

    def to_dict(self) -> dict[str, Any]:
        """The counts for a JSON file.

        Returns:
            `unit`: "document", or "record" if some texts do not name their document; `n`: number of units; `counts`:
            for each entity type and each of `KINDS`, one number per unit, separated by spaces, in the order of the
            corpus. `matched` counts gold mentions; `right` counts predictions and is only there if it differs.
            `ALL_TYPES` is only there if its numbers are not the sums over types.
        """
        counts: dict[str, dict[str, str]] = {}
        for name in self.total():
            if name == ALL_TYPES and self.metric.credit is None:
                continue
            of_type = [document.get(name, Counts()) for document in self._documents.values()]
            kinds = {"gold": "gold", "predicted": "predicted", "matched": "found"}
            if any(one.right != one.found for one in of_type):
                kinds["right"] = "right"
            counts[name] = {kind: " ".join(f"{getattr(one, of):g}" for one in of_type) for kind, of in kinds.items()}
        return {"unit": "record" if self._records else "document", "n": len(self._documents), "counts": counts}


def count_documents(compared: Iterable[Compared], metrics: Sequence[Metric]) -> dict[str, dict[str, DocumentCounts]]:
    """Count the mentions of texts.

    Returns:
        Name of the metric -> corpus, sorted -> counts.
    """
    found: dict[str, dict[str, DocumentCounts]] = {metric.name: {} for metric in metrics}
    for text in compared:
        for metric in metrics:
            found[metric.name].setdefault(text.corpus, DocumentCounts(metric)).add(text)
    return {name: dict(sorted(counts.items())) for name, counts in found.items()}


def read_totals(documents: Mapping[str, Any]) -> dict[str, Counts]:
    """Sums over documents by entity type and for `ALL_TYPES`, from the output of `DocumentCounts.to_dict`."""
    found = {}
    for name, counts in documents["counts"].items():
        numbers = [counts[kind] for kind in (*KINDS, "right" if "right" in counts else "matched")]
        found[name] = Counts(*(sum(map(_number, text.split())) for text in numbers))
    return found if ALL_TYPES in found else {**found, ALL_TYPES: sum(found.values(), Counts())}


def gold_difference(one: Mapping[str, Any], other: Mapping[str, Any]) -> Optional[str]:
    """How the gold mentions of two results on one corpus differ.

    Args:
        one: counts from `DocumentCounts.to_dict`.
        other: counts from other predictions.

    Returns:
        The first difference in words; None if number and order of the documents and their numbers of gold mentions
        are the same.
    """
    if one["n"] != other["n"]:
        return f"{one['n']} and {other['n']} documents"
    for entity_type in sorted(one["counts"].keys() | other["counts"].keys()):
        gold = [_numbers(side, entity_type, "gold") for side in (one, other)]
        if (gold[0] != gold[1]).any():
            place = int((gold[0] != gold[1]).argmax())
            counts = " and ".join(str(int(side[place])) for side in gold)
            return f"{counts} gold mentions of {entity_type} in document {place + 1}"
    return None


def paired(baseline: Sequence[Mapping[str, Any]], system: Sequence[Mapping[str, Any]], types: Sequence[str]) -> Paired:
    """Counts of two systems on the documents of a corpus.

    Args:
        baseline: counts of each run from `DocumentCounts.to_dict`.
        system: the same for as many runs of the system.
        types: entity types, the columns; at least one.

    Returns:
        The counts, with one more column for all types together.
    """

    def columns(side: Mapping[str, Any], kind: str) -> NDArray[numpy.float64]:
        counts = numpy.array([_numbers(side, name, kind) for name in types])
        total = _numbers(side, ALL_TYPES, kind) if ALL_TYPES in side["counts"] else counts.sum(axis=0)
        return numpy.concatenate([counts, total[None]]).T

    sides = (baseline, system)
    kinds = (numpy.array([[columns(run, kind) for run in side] for side in sides]) for kind in (*KINDS[1:], "right"))
    return Paired(columns(baseline[0], "gold"), *kinds)


def _numbers(side: Mapping[str, Any], entity_type: str, kind: str) -> NDArray[numpy.float64]:
    """(documents,) counts of a type; zeros for a type that these results do not have."""
    if entity_type not in side["counts"]:
        return numpy.zeros(side["n"])
    counts = side["counts"][entity_type]
    return numpy.array(counts.get(kind, counts["matched"]).split(), dtype="float64")


def _number(text: str) -> float:
    return float(text) if "." in text else int(text)
