"""Merging policies against a naive implementation."""

from typing import Any, Optional

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bioner_spacy.errors import BionerError
from bioner_spacy.pipeline.merge import POLICIES, Merge, Merger
from bioner_spacy.pipeline.spans import merge_by_document, without_spaces
from bioner_spacy.tasks import Task, make_tasks
from bioner_spacy.types import SpanArrays

LABEL_DATA = {"A": ["DISEASE", "GENE"], "B": ["DISEASE"], "C": ["CHEMICAL", "DISEASE", "GENE"]}
CORPORA = sorted(LABEL_DATA)
TYPES = ["CHEMICAL", "DISEASE", "GENE"]
# (first token, end token, task, type of the task, score)
Row = tuple[int, int, int, int, float]
Merged = dict[tuple[int, int, str], float]


def arrays(rows: list[Row]) -> SpanArrays:
    columns = list(zip(*rows)) or [()] * 5
    return SpanArrays(
        *(numpy.array(column, dtype="int64") for column in columns[:4]), numpy.array(columns[4], dtype="f")
    )


def merged(merger: Merger, rows: list[Row], guideline: Optional[str] = None) -> Merged:
    spans = merger(arrays(rows), guideline)
    keys = [(int(s), int(e), merger.types[t]) for s, e, t in zip(spans.starts, spans.ends, spans.types, strict=True)]
    assert len(set(keys)) == len(keys)
    assert [(start, -end) for start, end, _ in keys] == sorted((start, -end) for start, end, _ in keys)
    assert (spans.tasks == -1).all() and len(spans.tasks) == len(keys) and spans.scores.dtype == numpy.float32
    return dict(zip(keys, spans.scores.tolist(), strict=True))


def naive(tasks: list[Task], merge: Merge, rows: list[Row], guideline: Optional[str]) -> Merged:
    result = {}
    for entity_type in TYPES:
        answering = [k for k, task in enumerate(tasks) if entity_type in task.types]
        policy = merge if isinstance(merge, str) else merge.get(entity_type, merge.get("*", "union"))
        for name in (policy, guideline):  # the guideline last: it goes before the policy
            if name in CORPORA:
                own = [k for k in answering if tasks[k].corpus == name]
                if own:
                    chosen: tuple[str, list[int]] = ("union", own)
                elif name == policy:
                    chosen = ("union", answering)
            elif name is not None and name == policy:
                chosen = (policy, answering)
        how, consulted = chosen
        found: dict[tuple[int, int], list[float]] = {}
        for start, end, k, i, score in rows:
            if k in consulted and tasks[k].types[i] == entity_type:
                found.setdefault((start, end), []).append(float(numpy.float32(score)))
        for (start, end), scores in found.items():
            if how == "union":
                result[start, end, entity_type] = max(scores)
            elif how == "vote" and 2 * len(scores) > len(consulted):
                result[start, end, entity_type] = sum(scores) / len(scores)
            elif how == "mean" and sum(scores) / len(consulted) >= 0.5:
                result[start, end, entity_type] = sum(scores) / len(consulted)
    return result


@st.composite
def problems(draw: st.DrawFn) -> tuple[list[Task], Merge, list[Row], Optional[str]]:
    grain = draw(st.sampled_from(["type", "corpus", "guideline"]))
    tasks = make_tasks(LABEL_DATA, grain)
    policies = st.sampled_from([*POLICIES, *(CORPORA if grain != "type" else [])])
    merge = draw(st.one_of(policies, st.dictionaries(st.sampled_from([*TYPES, "*"]), policies)))
    boundaries = draw(st.lists(st.tuples(st.integers(0, 3), st.integers(1, 2)), max_size=4, unique=True))
    # Scores with few bits: sums and means compare exactly, and means of one half are frequent.
    rows = [
        (start, start + length, k, i, draw(st.integers(0, 8)) / 8)
        for k, task in enumerate(tasks)
        for i in range(len(task.types))
        for start, length in boundaries
        if draw(st.booleans())
    ]
    return tasks, merge, draw(st.permutations(rows)), draw(st.sampled_from([None, *CORPORA, "unknown"]))


@given(problems())
@settings(max_examples=300, deadline=None)
def test_policies(problem: tuple[list[Task], Merge, list[Row], Optional[str]]) -> None:
    tasks, merge, rows, guideline = problem
    assert merged(Merger(tasks, merge), rows, guideline) == pytest.approx(naive(tasks, merge, rows, guideline))


GUIDELINES = make_tasks(LABEL_DATA, "guideline")
# Tasks: 0 A$DISEASE, 1 A$GENE, 2 B$DISEASE, 3 C$CHEMICAL, 4 C$DISEASE, 5 C$GENE.
ROWS: list[Row] = [(0, 2, 0, 0, 0.75), (0, 2, 2, 0, 0.5), (1, 2, 4, 0, 0.875), (3, 4, 1, 0, 0.25), (0, 2, 3, 0, 1.0)]
OTHERS = {(3, 4, "GENE"): 0.25, (0, 2, "CHEMICAL"): 1.0}


@pytest.mark.parametrize(
    "merge, expected",
    [
        ("union", {(0, 2, "DISEASE"): 0.75, (1, 2, "DISEASE"): 0.875, **OTHERS}),
        ("vote", {(0, 2, "DISEASE"): 0.625, (0, 2, "CHEMICAL"): 1.0}),
        ("mean", {(0, 2, "CHEMICAL"): 1.0}),
        ("B", {(0, 2, "DISEASE"): 0.5, **OTHERS}),
        ({"DISEASE": "C"}, {(1, 2, "DISEASE"): 0.875, **OTHERS}),
        ({"DISEASE": "C", "*": "mean"}, {(1, 2, "DISEASE"): 0.875, (0, 2, "CHEMICAL"): 1.0}),
        ({}, {(0, 2, "DISEASE"): 0.75, (1, 2, "DISEASE"): 0.875, **OTHERS}),
    ],
    ids=str,
)
def test_policies_by_hand(merge: Merge, expected: Merged) -> None:
    assert merged(Merger(GUIDELINES, merge), ROWS) == expected


def test_no_tasks() -> None:
    assert merged(Merger([], "union"), []) == {}


def test_types_are_sorted() -> None:
    assert Merger(GUIDELINES, "union").types == TYPES


@pytest.mark.parametrize(
    "tasks, merge, message",
    [
        (GUIDELINES, "majority", r"merge names 'majority' for \*, .*: union, vote, mean, A, B, C"),
        (GUIDELINES, {"GENE": "D"}, "merge names 'D' for GENE"),
        (make_tasks(LABEL_DATA, "type"), "A", r"merge names 'A' for \*, .*: union, vote, mean\."),
        (
            GUIDELINES,
            {"SPECIES": "vote"},
            "entity type 'SPECIES', which no task has; tasks have: CHEMICAL, DISEASE, GENE",
        ),
    ],
)
def test_settings_that_are_refused(tasks: list[Task], merge: Any, message: str) -> None:
    with pytest.raises(BionerError, match=message):
        Merger(tasks, merge)


def test_documents_of_a_batch_are_merged_each_by_its_guideline() -> None:
    merger = Merger(GUIDELINES, {"DISEASE": "mean"})
    rng = numpy.random.default_rng(0)
    guidelines = ["B", None, "A", "unknown", "B", None]
    lengths = numpy.array([5, 4, 0, 6, 3, 7])
    expected, rows = [], []
    for length, guideline, base in zip(lengths, guidelines, numpy.cumsum(lengths) - lengths):
        own: list[Row] = []
        for _ in range(2 * length):
            start, k = int(rng.integers(length)), int(rng.integers(len(GUIDELINES)))
            own.append((start, int(rng.integers(start, length)) + 1, k, 0, float(rng.random())))
        own = [row for i, row in enumerate(own) if row[:4] not in [other[:4] for other in own[:i]]]
        expected.append(merged(merger, own, guideline))
        rows += [(int(base) + row[0], int(base) + row[1], *row[2:]) for row in own]
    parts = merge_by_document(merger, arrays(rows), lengths, guidelines)
    for part, wanted in zip(parts, expected, strict=True):
        keys = zip(part.starts.tolist(), part.ends.tolist(), (merger.types[t] for t in part.types))
        assert dict(zip(keys, part.scores.tolist(), strict=True)) == wanted
    assert [bool(wanted) for wanted in expected] == [True, True, False, True, True, True]


def test_spans_that_are_the_same_without_spaces_are_one() -> None:
    """A task that finds "breast" and "breast \\n" answers once."""
    spans = SpanArrays(*map(numpy.array, ([0, 0, 0], [1, 2, 2], [0, 0, 1], [0, 0, 0], [0.3, 0.9, 0.4])))
    found = without_spaces(spans, numpy.array([0, 1, 0]))
    rows = zip(*(array.tolist() for array in (found.starts, found.ends, found.tasks, found.types, found.scores)))
    assert sorted(rows) == [(0, 1, 0, 0, 0.9), (0, 1, 1, 0, 0.4)]
