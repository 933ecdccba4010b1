"""Gold mentions, as rows made by hand and at random, that the tests of the formulations share."""

from typing import Any

import numpy

from bioner_spacy.tasks import Task
from bioner_spacy.types import Gold, SpanArrays

TASKS = [Task("DISEASE", ("DISEASE",)), Task("two", ("CHEMICAL", "GENE"), "two"), Task("GENE", ("GENE",))]
# (first token, end token, task, type)
Row = tuple[int, int, int, int]


def make_gold(lengths: list[int], rows: list[Row], supervised: Any = None, n_tasks: int = len(TASKS)) -> Gold:
    """Gold of documents of some lengths; every task learns from every document unless `supervised` says more."""
    columns = numpy.array(rows, dtype="int64").reshape(-1, 4).T
    if supervised is None:
        supervised = numpy.ones((len(lengths), n_tasks), dtype=bool)
    scores = numpy.ones(len(rows), dtype="f")
    return Gold(numpy.array(lengths, dtype="int64"), SpanArrays(*columns, scores=scores), numpy.asarray(supervised))


def rows_of(spans: SpanArrays) -> list[Row]:
    """The spans in order, without their scores."""
    columns = (spans.starts, spans.ends, spans.tasks, spans.types)
    return sorted(zip(*(column.tolist() for column in columns), strict=True))


def random_gold(rng: numpy.random.Generator, lengths: list[int]) -> Gold:
    """Gold of `TASKS`: most documents in the scope of a task, most of those with one mention from their first token."""
    supervised = rng.random((len(lengths), len(TASKS))) < 0.7
    base = numpy.cumsum(lengths) - lengths
    rows = [
        (int(base[d]), int(base[d]) + int(rng.integers(1, n + 1)), k, 0)
        for d, n in enumerate(lengths)
        for k in range(len(TASKS))
        if n and supervised[d, k] and rng.random() < 0.8
    ]
    return make_gold(lengths, rows, supervised)


def crosses(one: tuple[int, ...], other: tuple[int, ...]) -> bool:
    """Whether two spans overlap and none is inside the other."""
    return one[0] < other[0] < one[1] < other[1] or other[0] < one[0] < other[1] < one[1]
