"""The decoder of BIO tags against enumeration of every valid tag sequence."""

from functools import cache
from itertools import product
from typing import Any

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from bioner_spacy.formulations.constrained import best_valid_tags

FINITE = st.floats(-30, 0, width=32)
# Few values, all exact in binary: most inputs have several best sequences, and sums compare exactly.
TIED = st.integers(-2, 0).map(float)


def follows(tag: int, previous: int) -> bool:
    """Whether a tag may stand after another; 0 stands for the start of a document, too."""
    is_inside = tag > 0 and tag % 2 == 0
    return not is_inside or previous in (tag - 1, tag)


def is_valid(tags: Any) -> bool:
    return all(follows(tag, previous) for previous, tag in zip([0, *tags], tags))


@cache
def valid_sequences(n_tokens: int, n_tags: int) -> numpy.ndarray:
    return numpy.array([tags for tags in product(range(n_tags), repeat=n_tokens) if is_valid(tags)])


def total(log_p: Any, tags: Any) -> Any:
    """Log-probability of one sequence, or of each of many, for scores (tokens, tags)."""
    return log_p.astype("float64")[numpy.arange(len(log_p)), tags].sum(axis=-1)


@st.composite
def batches(draw: st.DrawFn, values: st.SearchStrategy[float], longest: int = 4) -> tuple[Any, list[int]]:
    """Log-probabilities (tokens, tasks, tags) and the lengths of the documents, each of at least one token."""
    n_types = draw(st.integers(1, 3))
    lengths = draw(st.lists(st.integers(1, longest if n_types < 3 else min(longest, 4)), min_size=1, max_size=5))
    shape = (sum(lengths), draw(st.integers(1, 3)), 1 + 2 * n_types)
    return draw(hnp.arrays("float32", shape, elements=values)), lengths


def decode(log_p: Any, lengths: list[int]) -> list[Any]:
    """Tags of each document, (tokens, tasks)."""
    doc_starts = numpy.zeros(len(log_p), dtype=bool)
    doc_starts[numpy.cumsum(lengths) - lengths] = True
    return numpy.split(best_valid_tags(log_p, doc_starts), numpy.cumsum(lengths)[:-1])


def check_against_enumeration(log_p: Any, lengths: list[int], tolerance: float) -> None:
    scores = numpy.split(log_p, numpy.cumsum(lengths)[:-1])
    for tags, part in zip(decode(log_p, lengths), scores, strict=True):
        for task in range(log_p.shape[1]):
            assert is_valid(tags[:, task])
            best = total(part[:, task], valid_sequences(len(part), log_p.shape[2])).max()
            assert total(part[:, task], tags[:, task]) == pytest.approx(best, abs=tolerance)


@given(batches(FINITE))
@settings(max_examples=100, deadline=None)
def test_score_is_the_best_of_all_valid_sequences(batch: tuple[Any, list[int]]) -> None:
    check_against_enumeration(*batch, tolerance=1e-4)


@given(batches(TIED))
@settings(max_examples=100, deadline=None)
def test_score_is_the_best_where_sequences_tie(batch: tuple[Any, list[int]]) -> None:
    check_against_enumeration(*batch, tolerance=0)


@pytest.mark.parametrize("n_types", [1, 2, 3])
@pytest.mark.parametrize("length", [1, 2])
def test_every_preference_in_the_shortest_documents(n_types: int, length: int) -> None:
    """All combinations of preferred tags, as one batch of documents; decoders are prone to fail at these lengths."""
    n_tags = 1 + 2 * n_types
    wanted = numpy.array(list(product(range(n_tags), repeat=length)))
    log_p = numpy.full((wanted.size, 1, n_tags), -3.0, dtype="f")
    log_p[numpy.arange(wanted.size), 0, wanted.ravel()] = -0.25
    check_against_enumeration(log_p, [length] * len(wanted), tolerance=0)


def test_long_document_agrees_with_the_plain_recursion() -> None:
    rng = numpy.random.default_rng(0)
    n_tokens, n_tags = 700, 7
    log_p = numpy.log(rng.dirichlet(numpy.full(n_tags, 0.3), size=(n_tokens, 2)) + 1e-12).astype("f")
    [tags] = decode(log_p, [n_tokens])
    for task in range(2):
        best = numpy.array([0.0 if follows(tag, 0) else -numpy.inf for tag in range(n_tags)]) + log_p[0, task]
        for row in log_p[1:, task].astype("float64"):
            best = (
                numpy.array(
                    [max(best[before] for before in range(n_tags) if follows(tag, before)) for tag in range(n_tags)]
                )
                + row
            )
        assert is_valid(tags[:, task])
        assert total(log_p[:, task], tags[:, task]) == pytest.approx(best.max(), abs=1e-3)


def test_no_tokens() -> None:
    assert best_valid_tags(numpy.zeros((0, 2, 3), dtype="f"), numpy.zeros(0, dtype=bool)).shape == (0, 2)
