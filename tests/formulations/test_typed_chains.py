"""Recursions whose time is proportional to the number of types, against those over all pairs of tags."""

import math

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bioner_spacy.formulations.chains import NEVER, best_path_and_marginals, marginals
from bioner_spacy.formulations.soft_tags import bio_transitions
from bioner_spacy.formulations.typed_chains import TypedChains, n_transitions, transition_names, transition_number


def test_which_score_a_transition_has() -> None:
    tags, names = ["O", "B-x", "I-x", "B-y", "I-y"], transition_names(["x", "y"])
    scores = {name: number for number, name in enumerate(names)}
    assert len(scores) == len(names) == n_transitions(2) == 13
    for before, after in zip(*numpy.nonzero(bio_transitions(5))):
        pair = tags[before], tags[after]
        between_mentions = "O" not in pair and pair[1][0] == "B"
        name = (pair[0][0], "B") if between_mentions else pair
        assert transition_number(before, after, 2) == scores[name]


def test_scores_of_one_type_keep_their_order() -> None:
    assert [before[0] + after[0] for before, after in transition_names(["x"])] == "OO OB BO BB BI IO IB II".split()


@given(seed=st.integers(0, 2**16), n_types=st.integers(1, 5), scale=st.sampled_from([0.1, 2.0, 300.0]))
@settings(max_examples=40)
def test_same_as_over_all_pairs_of_tags(seed: int, n_types: int, scale: float) -> None:
    rng = numpy.random.default_rng(seed)
    n_tokens, n_chains, n_tags = int(rng.integers(1, 12)), int(rng.integers(1, 4)), 1 + 2 * n_types
    tags = rng.normal(scale=scale, size=(n_tokens, n_chains, n_tags))
    transitions = rng.normal(scale=scale, size=(n_tokens, n_chains, n_transitions(n_types)))
    begins = rng.random((n_tokens, n_chains)) < 0.3
    begins[0] = True
    kept = numpy.arange(n_tokens)[:, None] < rng.integers(1, n_tokens + 1, size=n_chains)
    edges = numpy.full((n_tokens, n_chains, n_tags, n_tags), NEVER)
    allowed = bio_transitions(n_tags)
    for i, j in zip(*numpy.nonzero(allowed)):
        edges[:, :, i, j] = tags[:, :, j] + transitions[:, :, transition_number(i, j, n_types)]
    edges = numpy.where(begins[:, :, None, None], edges[:, :, :1], edges)
    edges[~kept] = -math.log(n_tags)
    log_z, p = marginals(edges)
    path, _ = best_path_and_marginals(edges)

    chains = TypedChains.make(tags, transitions, begins, kept)
    found = chains.marginals()
    assert found.log_z == pytest.approx(log_z, rel=1e-9, abs=1e-6)
    assert found.tags()[kept] == pytest.approx(p.sum(axis=2)[kept], abs=1e-6)
    # Of which tag a text begins behind is without meaning there: here it is an O.
    p = numpy.where(begins[:, :, None, None], p.sum(axis=2, keepdims=True) * (numpy.arange(n_tags) == 0)[:, None], p)
    of_kinds = numpy.zeros((n_tokens, n_chains, n_transitions(n_types)))
    for i, j in zip(*numpy.nonzero(allowed)):
        of_kinds[:, :, transition_number(i, j, n_types)] += p[:, :, i, j]
    assert found.transitions()[kept] == pytest.approx(of_kinds[kept], abs=1e-6)
    assert (chains.best_path()[kept] == path[kept]).all()


def test_no_token() -> None:
    empty = numpy.zeros((0, 2, 5))
    chains = TypedChains.make(empty, numpy.zeros((0, 2, 13)), numpy.zeros((0, 2), bool), numpy.zeros((0, 2), bool))
    assert chains.best_path().shape == (0, 2)
    assert chains.marginals().log_z.tolist() == [0.0, 0.0]
