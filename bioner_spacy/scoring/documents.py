"""Counts of mentions by document: what a test of significance needs of two results, in place of their predictions.

A document is the source document (article, abstract) where the corpus tells it: sentences of one abstract share its
subject and its names, so they are not independent. Else it is the record.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Optional

import numpy
from numpy.typing import NDArray

from .scorer import Compared
from .significance import Paired

KINDS = ("gold", "predicted", "matched")
UNITS = ("document", "record")


class DocumentCounts:
    """Mentions of the documents of one corpus, by entity type: gold, predicted in scope, both."""

    def __init__(self) -> None:
        self._documents: dict[str, tuple[Counter[str], ...]] = {}
        self._records = 0  # without the id of a document

    def add(self, compared: Compared) -> None:
        """Count the mentions of one text."""
        doc_id = compared.doc_id
        if not doc_id:
            self._records += 1
            doc_id = f"\n{self._records}"  # no id has a line break
        sets = (compared.gold, compared.predicted, compared.gold & compared.predicted)
        counters = self._documents.setdefault(doc_id, (Counter(), Counter(), Counter()))
        for counter, mentions in zip(counters, sets):
            counter.update(entity_type for _, _, entity_type in mentions)

    def to_dict(self) -> dict[str, Any]:
        """The counts for a JSON file.

        Returns:
            `unit`: "document", or "record" if not all texts tell their document; `n`: number of units; `counts`: for
            each entity type and each of `KINDS`, as many numbers with spaces between, in the order of the corpus.
        """
        types = sorted({name for counters in self._documents.values() for counter in counters for name in counter})
        counts = {
            entity_type: {
                kind: " ".join(str(counters[place][entity_type]) for counters in self._documents.values())
                for place, kind in enumerate(KINDS)
            }
            for entity_type in types
        }
        return {"unit": "record" if self._records else "document", "n": len(self._documents), "counts": counts}


def counting(compared: Iterable[Compared], counts: dict[str, DocumentCounts]) -> Iterator[Compared]:
    """Pass the mentions of texts on, and count them on the way.

    Args:
        compared: the mentions of each text.
        counts: is filled, by corpus.
    """
    for text in compared:
        counts.setdefault(text.corpus, DocumentCounts()).add(text)
        yield text


def gold_difference(one: Mapping[str, Any], other: Mapping[str, Any]) -> Optional[str]:
    """Tell how the gold mentions of two results on one corpus differ.

    Args:
        one: counts as of `DocumentCounts.to_dict`.
        other: likewise, of other predictions.

    Returns:
        The first difference in words; None where number and order of the documents and their numbers of gold mentions
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
        baseline: counts of each run as of `DocumentCounts.to_dict`.
        system: likewise, as many.
        types: entity types, the columns; at least one.

    Returns:
        The counts, with one more column for all types together.
    """

    def columns(side: Mapping[str, Any], kind: str) -> NDArray[numpy.int64]:
        counts = numpy.array([_numbers(side, name, kind) for name in types])
        return numpy.concatenate([counts, counts.sum(axis=0, keepdims=True)]).T

    sides = (baseline, system)
    predicted, matched = (
        numpy.array([[columns(run, kind) for run in side] for side in sides]) for kind in ("predicted", "matched")
    )
    return Paired(columns(baseline[0], "gold"), predicted, matched)


def _numbers(side: Mapping[str, Any], entity_type: str, kind: str) -> NDArray[numpy.int64]:
    """(documents,) counts of a type; a type that one of two results does not have is counted nowhere."""
    if entity_type not in side["counts"]:
        return numpy.zeros(side["n"], dtype="int64")
    return numpy.array(side["counts"][entity_type][kind].split(), dtype="int64")
