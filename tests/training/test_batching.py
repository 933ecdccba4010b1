"""Batches across corpora, and the schedule that follows from their number."""

import random
from collections import Counter
from itertools import islice
from pathlib import Path
from typing import Any

import numpy
import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st
from spacy.tokens import Doc, DocBin
from spacy.training import Example
from spacy.training.loop import create_train_batches
from toy_corpora import blank_nlp

from bioner_spacy.errors import BionerError
from bioner_spacy.scope import get_corpus, set_gold
from bioner_spacy.training.batching import MultiCorpusBatcher, linear_decay_over_epochs
from bioner_spacy.training.corpora import MultiCorpus

VOCAB = spacy.blank("en").vocab
Lengths = dict[str, list[int]]  # corpus -> tokens of each document


def make_examples(lengths: Lengths) -> list[Example]:
    examples = []
    for corpus, tokens in lengths.items():
        for n in tokens:
            doc = Doc(VOCAB, words=["w"] * n)
            set_gold(doc, [], corpus=corpus, scope=["GENE"])
            examples.append(Example(Doc(VOCAB, words=["w"] * n), doc))
    return examples


def epoch(batcher: MultiCorpusBatcher, examples: list[Example]) -> list[list[Example]]:
    batches = list(batcher(examples))
    assert all(batches), "an empty batch"
    return batches


def drawn(batches: list[list[Example]]) -> Counter[int]:
    """How often each example was drawn."""
    return Counter(id(example) for batch in batches for example in batch)


def tokens(batch: list[Example]) -> int:
    return sum(len(example.predicted) for example in batch)


corpora = st.dictionaries(
    st.sampled_from(["A", "B", "C"]), st.lists(st.integers(0, 30), min_size=1, max_size=25), min_size=1
)
batchers = st.builds(
    MultiCorpusBatcher,
    size=st.integers(1, 60),
    sampling=st.sampled_from(["proportional", "uniform", "temperature"]),
    temperature=st.sampled_from([0.5, 1.0, 2.0, 10.0]),
)


@given(corpora, batchers)
def test_an_epoch_has_the_number_of_batches_that_it_should(lengths: Lengths, batcher: MultiCorpusBatcher) -> None:
    examples = make_examples(lengths)
    expected = batcher.batches_per_epoch({corpus: numpy.array(group) for corpus, group in lengths.items()})
    for _ in range(3):
        random.shuffle(examples)  # as spaCy does
        assert len(epoch(batcher, examples)) == expected


@given(corpora, st.integers(1, 60))
def test_proportional_epochs_hold_every_document_once(lengths: Lengths, size: int) -> None:
    batcher = MultiCorpusBatcher(size)
    examples = make_examples(lengths)
    for _ in range(2):
        assert drawn(epoch(batcher, examples)) == Counter(id(example) for example in examples)


@given(corpora, batchers)
def test_shares_follow_the_policy(lengths: Lengths, batcher: MultiCorpusBatcher) -> None:
    sizes = {corpus: len(group) for corpus, group in lengths.items()}
    power = {"proportional": 1.0, "uniform": 0.0, "temperature": 1 / batcher.temperature}[batcher.sampling]
    weights = {corpus: size**power for corpus, size in sizes.items()}
    batches = epoch(batcher, make_examples(lengths))
    counts = Counter(get_corpus(example.reference) for batch in batches for example in batch)
    for corpus, weight in weights.items():
        exact = weight / sum(weights.values()) * sum(sizes.values())
        assert abs(counts[corpus] - exact) <= 0.5 + 1e-9 or counts[corpus] == 1 > exact


@given(corpora, batchers, st.integers(1, 4))
def test_no_document_comes_again_before_all_others(
    lengths: Lengths, batcher: MultiCorpusBatcher, n_epochs: int
) -> None:
    examples = make_examples(lengths)
    total: Counter[int] = Counter({id(example): 0 for example in examples})
    for _ in range(n_epochs):
        total.update(drawn(epoch(batcher, examples)))
    for corpus in lengths:
        counts = [total[id(example)] for example in examples if get_corpus(example.reference) == corpus]
        assert max(counts) - min(counts) <= 1


@given(corpora, st.integers(30, 200))
def test_batches_are_about_as_large_as_they_should_be(lengths: Lengths, size: int) -> None:
    """No document here is longer than a batch, so that a batch is off by half a document at either end."""
    batches = epoch(MultiCorpusBatcher(size), make_examples(lengths))
    even = sum(map(tokens, batches)) / len(batches)
    assert even <= size
    assert all(tokens(batch) <= even + 30 for batch in batches)


def test_long_documents_fill_batches_of_their_own() -> None:
    batcher = MultiCorpusBatcher(100)
    batches = epoch(batcher, make_examples({"A": [5000, 4000], "B": [10] * 100}))
    assert len(batches) == 12
    rest = [tokens([example for example in batch if len(example.predicted) == 10]) for batch in batches]
    assert max(rest) <= 150


def test_batches_mix_the_corpora_in_random_order() -> None:
    examples = make_examples({"A": [10] * 50, "B": [10] * 50})
    random.seed(1)
    first, second = (epoch(MultiCorpusBatcher(200), examples) for _ in range(2))
    assert all({get_corpus(example.reference) for example in batch} == {"A", "B"} for batch in first)
    order = [[id(example) for batch in batches for example in batch] for batches in (first, second)]
    assert order[0] != order[1]
    random.seed(1)
    again = epoch(MultiCorpusBatcher(200), examples)
    assert [id(example) for batch in again for example in batch] == order[0]


def test_no_examples_give_no_batches() -> None:
    assert list(MultiCorpusBatcher()([])) == []


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"sampling": "best"}, "sampling is 'best'; allowed: proportional, uniform, temperature"),
        ({"size": 0}, r"size \(0\)"),
        ({"temperature": 0.0}, r"temperature \(0.0\)"),
    ],
)
def test_wrong_settings(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(BionerError, match=message):
        MultiCorpusBatcher(**settings)


# -- schedule


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Corpora of 40, 10 and 3 documents of different lengths, one of them longer than a batch."""
    folder = tmp_path_factory.mktemp("corpus")
    nlp = blank_nlp()
    for corpus, n in {"A": 40, "B": 10, "C": 3}.items():
        docs = [nlp.make_doc("token " * (1 + (7 * i) % 23)) for i in range(n)] + [nlp.make_doc("token " * 300)]
        for doc in docs:
            set_gold(doc, [], corpus=corpus, scope=["GENE"])
        (folder / corpus).mkdir()
        DocBin(docs=docs).to_disk(folder / corpus / "train.spacy")
    return folder


def rates(folder: Path, batcher: MultiCorpusBatcher, *, epochs: int = 3, n: int, **settings: Any) -> list[float]:
    return list(islice(linear_decay_over_epochs(1.0, epochs, MultiCorpus(folder), batcher, **settings), n))


@pytest.mark.parametrize("sampling", ["proportional", "uniform", "temperature"])
@pytest.mark.parametrize("size", [25, 60, 10_000])
def test_the_rate_ends_with_the_last_step_of_spacys_training(folder: Path, sampling: str, size: int) -> None:
    batcher = MultiCorpusBatcher(size, sampling=sampling)
    n_steps = sum(1 for _ in create_train_batches(blank_nlp(), MultiCorpus(folder), batcher, 3))
    values = rates(folder, batcher, n=n_steps + 5)
    assert all(value > 0 for value in values[:n_steps])
    assert values[n_steps:] == [0.0] * 5


def test_the_rate_rises_and_falls_evenly(folder: Path) -> None:
    values = rates(folder, MultiCorpusBatcher(10), epochs=10, warmup=0.2, n=2000)
    n_steps = values.index(0.0)
    top = values.index(max(values))
    assert abs(top + 1 - 0.2 * n_steps) <= 1
    assert max(values) == pytest.approx(1.0, abs=0.02)
    assert values[0] == pytest.approx(1 / (0.2 * n_steps))
    rises, falls = numpy.diff(values[:top]), -numpy.diff(values[top + 1 : n_steps])
    assert rises == pytest.approx(numpy.full(top - 1, 1 / (0.2 * n_steps)))
    assert falls == pytest.approx(numpy.full(n_steps - top - 2, 1 / (0.8 * n_steps)))


def test_the_rate_scales_with_its_highest_value(folder: Path) -> None:
    reader, batcher = MultiCorpus(folder), MultiCorpusBatcher(10)
    small, large = (list(islice(linear_decay_over_epochs(rate, 2, reader, batcher), 50)) for rate in (0.5, 2.0))
    assert numpy.array(large) == pytest.approx(4 * numpy.array(small))


@pytest.mark.parametrize("unknown", ["epochs", "reader", "batcher"])
def test_the_rate_is_constant_where_the_steps_are_not_known(folder: Path, unknown: str) -> None:
    known = {"epochs": 2, "reader": MultiCorpus(folder), "batcher": MultiCorpusBatcher(10)}
    settings: dict[str, Any] = {**known, unknown: "${of.a.config}"}
    assert list(islice(linear_decay_over_epochs(0.5, **settings), 3)) == [0.5, 0.5, 0.5]


@pytest.mark.parametrize("warmup", [0.0, 1.0])
def test_warmup_may_be_nothing_or_all(folder: Path, warmup: float) -> None:
    values = rates(folder, MultiCorpusBatcher(10), warmup=warmup, n=1000)
    steps = values[: values.index(0.0)]
    assert steps == sorted(steps, reverse=warmup == 0.0)
    assert max(steps) == 1.0


def test_the_schedule_needs_a_number_of_epochs(folder: Path) -> None:
    for epochs in (0, -1):
        with pytest.raises(BionerError, match=f"training.max_epochs is {epochs}"):
            rates(folder, MultiCorpusBatcher(), epochs=epochs, n=1)
