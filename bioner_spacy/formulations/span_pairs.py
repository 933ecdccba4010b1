"""Span pairs: a binary decision for every span up to a width and every entity type.

Nested spans, also of one type, are found without a sequential decoder, because every span is decided independently.
"""

from collections.abc import Sequence

import numpy
from thinc.api import get_array_module, to_numpy

from ..tasks import Task
from ..types import BARRED, OUT_OF_SCOPE, Array, Gold, SpanArrays
from .binary import binary_entropy, crossed_out, sigmoid, type_pairs


class SpanPairFormulation:
    """Spans up to a width, for a list of tasks.

    A task of L types has L * width scores per token: for each type those of the spans of 1, 2, ... `width` tokens that
    begin at the token.

    Args:
        tasks: the K tasks, in the order of the heads' outputs.
        width: maximum number of tokens in a span.
        least: minimum log-odds of a mention in decoding.
    """

    def __init__(self, tasks: Sequence[Task], *, width: int, least: float = 0.0) -> None:
        self.width = width
        self._least = least
        self.inexpressible = f"have more than {width} tokens, the setting width of the model"
        self.n_tasks = len(tasks)
        self._task_of, self._type_of, self._first_pair = type_pairs(tasks)
        self.columns = [
            (task.name, entity_type, str(n))
            for task in tasks
            for entity_type in task.types
            for n in range(1, width + 1)
        ]

    def targets(self, gold: Gold) -> tuple[Array, int]:
        """Whether each span is a mention.

        Returns:
            (N, columns) 1 for mentions, 0 for other spans, `OUT_OF_SCOPE` for spans of tasks that the document does
            not supervise and for those that would end behind their document, `BARRED` for the former where they are
            mentions of a disjoint type; and the number of spans that are wider than `width`.
        """
        supervised = numpy.repeat(gold.supervised, gold.lengths, axis=0)[:, self._task_of]
        inside = numpy.arange(self.width) < _tokens_left(gold.lengths)[:, None]
        targets = numpy.where(supervised[:, :, None] & inside[:, None], 0, OUT_OF_SCOPE).astype("int8")
        places, n_wider = self._places(gold.spans)
        targets[places] = 1
        places, _ = self._places(gold.barred)
        targets[places] = numpy.where(targets[places] == OUT_OF_SCOPE, BARRED, targets[places])
        return targets.reshape(len(targets), len(self.columns)), n_wider

    def _places(self, spans: SpanArrays) -> tuple[tuple[Array, Array, Array], int]:
        """First token, type and width of the spans that are not wider than `width`, and the number of others."""
        widths = spans.ends - spans.starts
        fits = widths <= self.width
        pairs = self._first_pair[spans.tasks[fits]] + spans.types[fits]
        return (spans.starts[fits], pairs, widths[fits] - 1), int((~fits).sum())

    def loss(self, scores: Array, targets: Array, weights: Array) -> tuple[Array, Array]:
        """Binary cross-entropy over the spans of each task, divided by the number of tokens in its scope.

        Args:
            scores: (N, columns) log-odds.
            targets: (N, columns) from `targets`.
            weights: (K,) weight of each task in the sum whose gradient is returned.

        Returns:
            (K,) loss in nats per token, 0 for a task without tokens in scope, and (N, columns) gradient, exactly 0
            outside the scope but for spans that are barred, whose loss is divided by the number of all tokens.
        """
        xp = get_array_module(scores)
        targets, weights = xp.asarray(targets), xp.asarray(weights)
        in_scope = targets >= 0
        truth = targets == 1
        # The span of one token is in scope wherever its token is.
        first = xp.asarray(self._first_pair)
        shape = (len(scores), len(self._task_of), self.width)
        n_tokens = xp.maximum(in_scope.reshape(shape)[:, first, 0].sum(axis=0), 1)
        task_of = xp.asarray(self._task_of)
        share = in_scope / n_tokens[task_of].repeat(self.width) + (targets == BARRED) / max(len(scores), 1)
        entropy = (binary_entropy(scores, truth) * share).reshape(shape)
        losses = (task_of == xp.arange(self.n_tasks)[:, None]) @ entropy.sum(axis=(0, 2))
        d_scores = (sigmoid(scores) - truth) * share * weights[task_of].repeat(self.width)
        return losses.astype("f"), d_scores.astype(scores.dtype)

    def decode(self, scores: Array, lengths: Array) -> SpanArrays:
        """Spans with log-odds above `least`; of crossing spans of a type the more probable.

        Nested spans are kept. The score of a span is its probability.

        Args:
            scores: (N, columns), on any device.
            lengths: (D,) tokens per document.
        """
        cube = to_numpy(scores).reshape(len(scores), len(self._task_of), self.width)
        inside = numpy.arange(self.width) < _tokens_left(lengths)[:, None]
        starts, pairs, offsets = numpy.nonzero((cube > self._least) & inside[:, None])
        ends = starts + offsets + 1
        found = sigmoid(cube[starts, pairs, offsets].astype("float64"))
        kept = ~crossed_out(starts, ends, pairs, found)
        pairs = pairs[kept]
        tasks, types = self._task_of[pairs], self._type_of[pairs]
        return SpanArrays(starts[kept], ends[kept], tasks, types, found[kept].astype("f"))


def _tokens_left(lengths: Array) -> Array:
    """(N,) number of tokens from each token to the end of its document, inclusive."""
    ends = numpy.repeat(numpy.cumsum(lengths), lengths)
    return ends - numpy.arange(len(ends))
