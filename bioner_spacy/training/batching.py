"""Batches that mix corpora, and a learning rate schedule over epochs."""

import math
import random
from collections.abc import Iterable, Iterator, Mapping
from itertools import count, repeat
from typing import Union

import numpy
from spacy.training import Example

from ..errors import BionerError, Errors, check_setting
from ..scope import SPANS_KEY, get_corpus
from .corpora import MultiCorpus

SAMPLINGS = ("proportional", "uniform", "temperature")


class MultiCorpusBatcher:
    """Shuffled batches across corpora, with a sampling policy.

    An epoch has as many documents as there are in all corpora. A corpus of n documents gets a share of them that
    grows with n ("proportional": each document once an epoch), with n^(1 / temperature) ("temperature"), or not at
    all ("uniform": equal shares). A corpus with a share above its size is repeated; one with a smaller share is read
    in turns over epochs, so every document is drawn once before any is drawn again.

    Args:
        size: approximate number of tokens in a batch: an epoch has ceil(tokens / size) batches. A document of more
            than `size` tokens fills a batch.
        sampling: "proportional", "uniform" or "temperature".
        temperature: for "temperature" only; 1 is proportional, infinity is uniform.
        spans_key: key of the gold spans, whose attributes name the corpus.

    Raises:
        BionerError: a setting is invalid.
    """

    def __init__(
        self,
        size: int = 600,
        sampling: str = "proportional",
        temperature: float = 2.0,
        spans_key: str = SPANS_KEY,
    ) -> None:
        check_setting("sampling", sampling, SAMPLINGS)
        if not isinstance(size, int) or size < 1 or not temperature > 0:
            raise BionerError(Errors.E409.format(size=size, temperature=temperature))
        self.size = size
        self.sampling = sampling
        self.temperature = temperature
        self.spans_key = spans_key
        self._decks: dict[str, list[Example]] = {}

    def __call__(self, examples: Iterable[Example]) -> Iterator[list[Example]]:
        """Yield the batches of an epoch, in random order (Python's `random`, which spaCy seeds).

        There are `batches_per_epoch` of them, none empty. Tokens of the references are counted.
        """
        by_corpus: dict[str, list[Example]] = {}
        for example in examples:
            by_corpus.setdefault(get_corpus(example.reference, self.spans_key), []).append(example)
        if not by_corpus:
            return
        lengths = {corpus: numpy.array([len(eg.reference) for eg in group]) for corpus, group in by_corpus.items()}
        drawn = [
            example
            for corpus, share in self.shares({corpus: len(group) for corpus, group in by_corpus.items()}).items()
            for example in self._draw(corpus, by_corpus[corpus], share)
        ]
        random.shuffle(drawn)
        tokens = numpy.array([min(len(example.reference), self.size) for example in drawn])
        n_batches = self.batches_per_epoch(lengths)
        numbers = _deal(tokens, n_batches)
        for number in range(n_batches):
            begin, end = numpy.searchsorted(numbers, [number, number + 1])
            yield drawn[begin:end]

    def shares(self, sizes: Mapping[str, int]) -> dict[str, int]:
        """Documents to draw from each corpus in an epoch, given the documents in each."""
        power = {"proportional": 1.0, "uniform": 0.0, "temperature": 1.0 / self.temperature}[self.sampling]
        weights = {corpus: size**power for corpus, size in sizes.items()}
        # fsum: independent of the order of corpora.
        scale = sum(sizes.values()) / math.fsum(weights.values())
        return {corpus: max(1, round(weight * scale)) for corpus, weight in weights.items()}

    def batches_per_epoch(self, lengths: Mapping[str, numpy.ndarray]) -> int:
        """Batches in an epoch, given the tokens of each document by corpus."""
        shares = self.shares({corpus: len(tokens) for corpus, tokens in lengths.items()})
        means = {corpus: float(numpy.minimum(tokens, self.size).mean()) for corpus, tokens in lengths.items()}
        expected = math.fsum(share * means[corpus] for corpus, share in shares.items())
        return min(max(1, int(numpy.ceil(expected / self.size))), sum(shares.values()))

    def _draw(self, corpus: str, examples: list[Example], share: int) -> list[Example]:
        deck = self._decks.setdefault(corpus, [])
        drawn: list[Example] = []
        while len(drawn) < share:
            if not deck:
                deck.extend(random.sample(examples, len(examples)))
            drawn.append(deck.pop())
        return drawn


def _deal(tokens: numpy.ndarray, n_batches: int) -> numpy.ndarray:
    """Batch index of each of at least `n_batches` documents, with tokens spread evenly and no batch empty."""
    ends = numpy.cumsum(tokens)
    position = numpy.arange(len(tokens))
    # A document belongs to the batch in which its middle token falls,
    middle = numpy.minimum((ends - tokens / 2) * n_batches // max(int(ends[-1]), 1), n_batches - 1)
    # which is at most the one after that of the document before it, and leaves a document for every later batch.
    numbers = numpy.minimum.accumulate(numpy.minimum(middle, position) - position) + position
    return numpy.maximum(numbers, n_batches - len(tokens) + position)


def total_steps(
    epochs: Union[int, str], reader: Union[MultiCorpus, str], batcher: Union[MultiCorpusBatcher, str]
) -> int:
    """Steps of a whole training run.

    Raises:
        BionerError: the number of epochs is not given, or one of the others is a variable of a config without a value.
    """
    check_setting("training.max_epochs", epochs, "1 and more", not isinstance(epochs, str) and epochs >= 1)
    for setting, value in (("reader", reader), ("batcher", batcher)):
        check_setting(setting, value, "a section of the config", not isinstance(value, str))
    return max(1, int(epochs) * batcher.batches_per_epoch(reader.lengths()))  # type: ignore[union-attr]


def linear_decay_over_epochs(
    initial_rate: float,
    epochs: Union[int, str],
    reader: Union[MultiCorpus, str],
    batcher: Union[MultiCorpusBatcher, str],
    warmup: float = 0.1,
) -> Iterator[float]:
    """Yield a learning rate that rises linearly and then falls to 0 at the last step of the last epoch.

    The number of steps follows from the corpora, so runs on corpora of different sizes get the same schedule over the
    same number of epochs.

    Outside a training run (`nlp.resume_training()`, `spacy debug data`), corpora may be missing, and the rate is
    `initial_rate`.

    Args:
        epochs: epochs of training, `${training.max_epochs}`.
        reader: the training corpora, `${corpora.train}`.
        batcher: the batcher, `${training.batcher}`.
        warmup: share of the steps during which the rate rises.

    Yields:
        The learning rate of each step; 0 after the last.

    Raises:
        BionerError: the number of epochs is not given.
    """
    if isinstance(epochs, str) or isinstance(reader, str) or isinstance(batcher, str):
        yield from repeat(initial_rate)
        return
    n_steps = total_steps(epochs, reader, batcher)
    for step in count():
        yield initial_rate * warmup_and_decay(step, n_steps, warmup)


def warmup_and_decay(step: int, n_steps: int, warmup: float) -> float:
    """Share of the highest learning rate, with which a share of the steps rises to it; 0 after the last step."""
    n_warm = max(1.0, warmup * n_steps)
    return max(0.0, min((step + 1) / n_warm, (n_steps - step) / max(1.0, n_steps - n_warm)))
