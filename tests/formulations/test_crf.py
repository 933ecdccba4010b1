"""The conditional random field of each task against enumeration of all tag sequences."""

from itertools import product
from typing import Any

import numpy
import pytest
from finite_differences import slope
from gold_batches import TASKS, make_gold, random_gold, rows_of
from hypothesis import given, settings
from hypothesis import strategies as st
from test_tags import TASKS as TAGGED
from test_tags import flat_gold

from bioner_spacy.formulations import crf, crf_decoding
from bioner_spacy.formulations.crf import CRFFormulation
from bioner_spacy.formulations.tags import OUT_OF_SCOPE
from bioner_spacy.tasks import Task
from bioner_spacy.types import Gold

SEEDS = st.integers(0, 2**16)


def all_sequences(task: Task, length: int) -> list[tuple[str, ...]]:
    """Every valid tag sequence."""
    tags = ["O"] + [f"{prefix}-{name}" for name in task.types for prefix in "BI"]
    return [
        tags_
        for tags_ in product(tags, repeat=length)
        if all(tag[0] != "I" or before[1:] == tag[1:] for before, tag in zip(("O", *tags_), tags_))
    ]


def sequence_score(formulation: CRFFormulation, task: Task, scores: Any, tags: tuple[str, ...]) -> float:
    """Sum of the scores of tags and transitions, looked up by name."""
    column = {name: i for i, name in enumerate(formulation.columns)}
    return sum(
        float(row[column[task.name, tag]] + row[column[(task.name, *transition(before, tag))]])
        for row, before, tag in zip(scores, ("O", *tags), tags, strict=False)
    )


def transition(before: str, tag: str) -> tuple[str, str]:
    """Name of the score of a transition: from one mention to the next, it is the same for all types."""
    return (before[0], tag[0]) if before != "O" and tag[0] == "B" else (before, tag)


def tags_of(formulation: CRFFormulation, task_number: int, targets: Any) -> tuple[str, ...]:
    names = [column[1] for column in formulation.columns if column[0] == TASKS[task_number].name and len(column) == 2]
    return tuple(names[i] for i in targets)


def random_batch(seed: int, lengths: list[int]) -> tuple[CRFFormulation, Any, Gold]:
    rng = numpy.random.default_rng(seed)
    formulation, gold = CRFFormulation(TASKS), random_gold(rng, lengths)
    return formulation, rng.normal(scale=2.0, size=(sum(lengths), len(formulation.columns))), gold


def test_columns_are_tags_then_the_transitions_that_bio_allows() -> None:
    columns = CRFFormulation([Task("A", ("A",)), Task("B", ("B",))]).columns
    assert columns[:6] == [("A", "O"), ("A", "B-A"), ("A", "I-A"), ("B", "O"), ("B", "B-B"), ("B", "I-B")]
    transitions = {(before, after) for task, before, after in columns[6:] if task == "A"}
    tags = ("O", "B-A", "I-A")
    assert transitions == {transition(i, j) for i in tags for j in tags} - {("O", "I-A")}
    assert len(columns) == 6 + 2 * 8


@given(flat_gold())
@settings(max_examples=50, deadline=None)
def test_targets_decode_to_the_same_spans(gold: Gold) -> None:
    formulation = CRFFormulation(TAGGED)
    (tags, _), n_lost = formulation.targets(gold)
    scores = numpy.zeros((len(tags), len(formulation.columns)), dtype="f")
    begin = 0
    for k, task in enumerate(TAGGED):
        scores[numpy.arange(len(tags)), begin + tags[:, k]] = 8.0
        begin += 1 + 2 * len(task.types)
    spans = formulation.decode(scores, gold.lengths)
    assert rows_of(spans) == rows_of(gold.spans)
    assert n_lost == 0
    assert (spans.scores > 0.9).all()


@pytest.mark.parametrize("lengths", [[1], [2], [3, 1, 0, 2], [0, 4]])
@given(seed=SEEDS)
@settings(max_examples=10, deadline=None)
def test_loss_is_the_negative_log_likelihood_of_the_gold_tags(lengths: list[int], seed: int) -> None:
    formulation, scores, gold = random_batch(seed, lengths)
    targets, _ = formulation.targets(gold)
    losses, _ = formulation.loss(scores, targets, numpy.ones(len(TASKS)))
    for k, task in enumerate(TASKS):
        expected, n_tokens, end = 0.0, 0, 0
        for d, length in enumerate(lengths):
            begin, end = end, end + length
            if gold.supervised[d, k] and length:
                part = scores[begin:end]
                totals = [sequence_score(formulation, task, part, tags) for tags in all_sequences(task, length)]
                chosen = tags_of(formulation, k, targets[0][begin:end, k])
                expected += numpy.logaddexp.reduce(totals) - sequence_score(formulation, task, part, chosen)
                n_tokens += length
        assert losses[k] == pytest.approx(expected / max(n_tokens, 1), abs=1e-5)


@pytest.mark.parametrize("lengths", [[1], [2], [3, 1, 0, 2]])
@given(seed=SEEDS)
@settings(max_examples=5, deadline=None)
def test_gradient_by_finite_differences(lengths: list[int], seed: int) -> None:
    formulation, scores, gold = random_batch(seed, lengths)
    targets, _ = formulation.targets(gold)
    weights = numpy.array([1.0, 2.0, 0.5])
    _, gradient = formulation.loss(scores, targets, weights)

    def loss() -> float:
        return float((formulation.loss(scores, targets, weights)[0] * weights).sum())

    for place in numpy.ndindex(*scores.shape):
        assert gradient[place] == pytest.approx(slope(scores, place, loss, step=1e-2), abs=1e-3)


@given(seed=SEEDS)
@settings(max_examples=20, deadline=None)
def test_gradient_outside_the_scope_is_exactly_zero(seed: int) -> None:
    formulation, scores, gold = random_batch(seed, [3, 2, 4])
    targets, _ = formulation.targets(gold)
    losses, gradient = formulation.loss(scores, targets, numpy.ones(len(TASKS)))
    for k, task in enumerate(TASKS):
        columns = [i for i, column in enumerate(formulation.columns) if column[0] == task.name]
        out = targets[0][:, k] == OUT_OF_SCOPE
        assert not gradient[numpy.ix_(out, columns)].any()
        if out.all():
            assert losses[k] == 0.0
        else:
            assert gradient[numpy.ix_(~out, columns)].any()


@pytest.mark.parametrize("lengths", [[1], [2], [3, 1, 0, 2]])
@given(seed=SEEDS)
@settings(max_examples=10, deadline=None)
def test_decoded_spans_and_their_probabilities(lengths: list[int], seed: int) -> None:
    formulation, scores, _ = random_batch(seed, lengths)
    spans = formulation.decode(scores, numpy.array(lengths))
    found = dict(zip(zip(spans.starts, spans.ends, spans.tasks, spans.types), spans.scores, strict=True))
    expected = {}
    for k, task in enumerate(TASKS):
        end = 0
        for length in lengths:
            begin, end = end, end + length
            sequences = all_sequences(task, length)
            totals = numpy.array([sequence_score(formulation, task, scores[begin:end], tags) for tags in sequences])
            p = numpy.exp(totals - numpy.logaddexp.reduce(totals))
            for start, stop, number in spans_of(task, sequences[int(totals.argmax())]):
                holding = [(start, stop, number) in spans_of(task, tags) for tags in sequences]
                expected[begin + start, begin + stop, k, number] = p[holding].sum()
    assert found == pytest.approx(expected, abs=1e-5)


def spans_of(task: Task, tags: tuple[str, ...]) -> set[tuple[int, int, int]]:
    """(first token, end token, number of the type) of each mention in a valid tag sequence."""
    spans = set()
    for start, tag in enumerate(tags):
        if tag[0] == "B":
            end = start + 1
            while end < len(tags) and tags[end] == f"I{tag[1:]}":
                end += 1
            spans.add((start, end, task.types.index(tag[2:])))
    return spans


def plain_edges(formulation: CRFFormulation, task: Task, scores: Any) -> tuple[list[str], Any]:
    """Tags of a task, and (tokens, T, T) scores of moving between them in one document."""
    column = {name: i for i, name in enumerate(formulation.columns)}
    tags = [name[1] for name in formulation.columns if name[0] == task.name and len(name) == 2]
    edges = numpy.full((len(scores), len(tags), len(tags)), -numpy.inf)
    for i, before in enumerate(tags):
        for j, tag in enumerate(tags):
            if tag[0] != "I" or before[1:] == tag[1:]:
                edges[:, i, j] = (
                    scores[:, column[task.name, tag]] + scores[:, column[(task.name, *transition(before, tag))]]
                )
    edges[0, 1:] = -numpy.inf
    return tags, edges


def plain_log_sum(edges: Any, allowed: Any) -> float:
    """Logarithm of the sum over the sequences of allowed tags, (tokens, T) bool."""
    with numpy.errstate(divide="ignore"):
        barred = numpy.log(allowed)
    total = numpy.zeros(1)
    for token in range(len(edges)):
        transitions = edges[token, : len(total)] + barred[token]
        total = numpy.logaddexp.reduce(total[:, None] + transitions, axis=0)
    return float(numpy.logaddexp.reduce(total))


def plain_best_tags(edges: Any) -> list[int]:
    """Viterbi, token by token."""
    best, back = edges[0, 0], []
    for transition in edges[1:]:
        back.append((best[:, None] + transition).argmax(axis=0))
        best = (best[:, None] + transition).max(axis=0)
    tags = [int(best.argmax())]
    for choice in reversed(back):
        tags.append(int(choice[tags[-1]]))
    return tags[::-1]


@pytest.mark.parametrize("eagerness", [-9.0, -7.0, -5.0])
def test_documents_that_are_decoded_in_parts(eagerness: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crf_decoding, "_BLOCK_EDGES", 1)
    monkeypatch.setattr(crf, "_CHAIN_TOKENS", 50)
    monkeypatch.setattr(crf_decoding, "_CHAINS", 3)
    lengths = [40, 0, 7, 60, 1, 25, 3, 3, 30]
    formulation, scores, _ = random_batch(0, lengths)
    for i, column in enumerate(formulation.columns):  # few mentions, and long ones
        scores[:, i] += eagerness * (column[-1][0] == "B") + 3.0 * (column[-1][0] == "I")
    spans = formulation.decode(scores, numpy.array(lengths))
    found = dict(zip(zip(spans.starts, spans.ends, spans.tasks, spans.types), spans.scores, strict=True))
    expected, empty = {}, 0
    for k, task in enumerate(TASKS):
        for begin, length in zip(numpy.cumsum(lengths) - lengths, lengths):
            if length:
                tags, edges = plain_edges(formulation, task, scores[begin : begin + length])
                inside = spans_of(task, tuple(tags[i] for i in plain_best_tags(edges)))
                empty += not inside
                for start, end, number in inside:
                    allowed = numpy.ones((length, len(tags)), dtype=bool)
                    allowed[start:end] = False
                    allowed[start, 1 + 2 * number] = True
                    allowed[start + 1 : end, 2 + 2 * number] = True
                    allowed[end : end + 1, 2 + 2 * number] = False
                    log_p = plain_log_sum(edges, allowed) - plain_log_sum(edges, numpy.ones_like(allowed))
                    expected[begin + start, begin + end, k, number] = numpy.exp(log_p)
    assert found == pytest.approx(expected, abs=1e-6)
    assert max(end - start for start, end, *_ in found) > 5
    assert empty > 3


@pytest.mark.parametrize("start", range(18))
def test_a_mention_that_pays_at_its_last_token_alone(start: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """However long it is, and wherever a block of the search ends; what the next document begins with is no matter."""
    monkeypatch.setattr(crf_decoding, "_BLOCK_EDGES", 1)
    formulation = CRFFormulation([Task("A", ("A",))])
    column = {name: i for i, name in enumerate(formulation.columns)}
    for length in range(1, 10):
        lengths = numpy.array([start + length, 3])
        scores = numpy.zeros((lengths.sum(), len(column)), dtype="f")
        scores[:, [column["A", "B-A"], column["A", "I-A"]]] = -20.0
        scores[start, column["A", "B-A"]] = 0.5 - (length - 1)
        scores[start + 1 : start + length, column["A", "I-A"]] = 1.0
        scores[start + length, [column["A", before, "O"] for before in ("B-A", "I-A")]] = -20.0
        assert rows_of(formulation.decode(scores, lengths)) == [(start, start + length, 0, 0)]


def test_moves_keep_a_mention_whole_that_its_tokens_would_split() -> None:
    formulation = CRFFormulation([Task("A", ("A",))])
    column = {name: i for i, name in enumerate(formulation.columns)}
    scores = numpy.zeros((2, len(formulation.columns)), dtype="f")
    scores[:, column["A", "B-A"]] = [3.0, 2.2]
    scores[:, column["A", "I-A"]] = [0.0, 2.0]
    assert rows_of(formulation.decode(scores, numpy.array([2]))) == [(0, 1, 0, 0), (1, 2, 0, 0)]
    scores[:, column["A", "B", "B"]] = -1.0
    assert rows_of(formulation.decode(scores, numpy.array([2]))) == [(0, 2, 0, 0)]


def test_large_scores_do_not_overflow() -> None:
    formulation, scores, gold = random_batch(0, [5, 3])
    targets, _ = formulation.targets(gold)
    losses, gradient = formulation.loss((scores * 1e4).astype("f"), targets, numpy.ones(len(TASKS)))
    assert numpy.isfinite(losses).all()
    assert numpy.isfinite(gradient).all()
    assert numpy.isfinite(formulation.decode((scores * 1e4).astype("f"), gold.lengths).scores).all()


@pytest.mark.parametrize("lengths", [[], [0, 0]])
def test_no_tokens(lengths: list[int]) -> None:
    formulation = CRFFormulation(TASKS)
    gold = make_gold(lengths, [], numpy.ones((len(lengths), len(TASKS)), dtype=bool))
    targets, _ = formulation.targets(gold)
    scores = numpy.zeros((0, len(formulation.columns)), dtype="f")
    losses, gradient = formulation.loss(scores, targets, numpy.ones(len(TASKS)))
    assert losses.tolist() == [0.0] * len(TASKS)
    assert gradient.shape == scores.shape
    assert not len(formulation.decode(scores, gold.lengths).starts)
