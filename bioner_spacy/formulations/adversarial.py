"""CRFs of tasks, with a discriminator that predicts which tasks a document supervises.

Liu, Qiu & Huang 2017, "Adversarial multi-task learning for text classification": a linear softmax over tasks on shared
features, which are trained against it. The discriminator has one more output a token for each task, and its score of a
task is the mean over the document's tokens.
"""

from collections.abc import Sequence
from typing import Any

from thinc.api import get_array_module

from ..tasks import Task
from ..types import Array
from .crf import CRFFormulation
from .tags import log_softmax

# Prefix of the names of the discriminator's outputs, before the name of the task.
DISCRIMINATOR = "is "


class AdversarialCRFFormulation(CRFFormulation):
    """BIO tags in a conditional random field for each of a list of tasks, and a discriminator of the tasks.

    Args:
        tasks: the K tasks, in the order of the heads' outputs: tags, transitions, then an output of the discriminator
            for each.
    """

    def __init__(self, tasks: Sequence[Task]) -> None:
        super().__init__(tasks)
        self.columns.extend(("", DISCRIMINATOR + task.name) for task in tasks)

    def loss(self, scores: Array, targets: Any, weights: Array) -> tuple[Array, Array]:
        """As in `CRFFormulation`; the gradient of the discriminator's outputs is that of its own loss.

        That loss is no part of the tasks' losses: while they fall it should not. `weights` do not apply to it.
        """
        losses, d_scores = super().loss(scores, targets, weights)
        d_scores[:, len(self.columns) - self.n_tasks :] = self.discriminator_loss(scores, targets)[1]
        return losses, d_scores

    def discriminator_loss(self, scores: Array, targets: tuple[Array, Array]) -> tuple[float, Array]:
        """Cross-entropy of the discriminator, averaged over documents.

        A document that supervises several tasks is a part of each: its target is uniform over them. One that
        supervises none, or has no token, is left out. With a single task there is nothing to guess, and the loss is 0.

        Args:
            scores: (N, columns) scores.
            targets: from `targets`.

        Returns:
            The loss in nats, and its gradient for the (N, K) outputs of the discriminator.
        """
        xp = get_array_module(scores)
        tags, starts = xp.asarray(targets[0]), xp.asarray(targets[1])
        first = xp.flatnonzero(starts)
        lengths = xp.diff(xp.concatenate([first, xp.asarray([len(scores)])]))
        own = scores[:, len(self.columns) - self.n_tasks :]
        total = xp.concatenate([xp.zeros((1, self.n_tasks)), xp.cumsum(own, axis=0, dtype="float64")])
        log_p = log_softmax((total[first + lengths] - total[first]) / lengths[:, None])
        supervised = tags[first] >= 0
        n_supervised = supervised.sum(axis=1, keepdims=True)
        wanted = supervised / xp.maximum(n_supervised, 1)
        n_documents = max(int((n_supervised > 0).sum()), 1)
        loss = -float((wanted * log_p).sum()) / n_documents
        d_means = xp.where(n_supervised > 0, xp.exp(log_p) - wanted, 0.0) / n_documents
        d_own = (d_means / lengths[:, None])[xp.cumsum(starts) - 1]
        return loss, d_own.astype(scores.dtype)
