"""How much each task's loss counts in training, beside the weights that are given by hand.

A policy is told each task's loss in every batch, and answers with a weight for each. It sees no scores and no documents,
and works with any formulation. A new one is a subclass of `TaskBalance` and an entry point of the group `spacy_misc`.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy
from thinc.api import Optimizer

from ..errors import BionerError, Errors
from ..types import Array

# Weights that are learnt stay between 1 / LARGEST_WEIGHT and LARGEST_WEIGHT.
LARGEST_WEIGHT = 1000.0


class TaskBalance:
    """Fixed weights: 1 for every task. The base of the other policies.

    Subclasses name in `STARTS` what they keep of each task, with its value for a task of which nothing is known yet. It is
    saved with the component, and at hand in `values`.

    Attributes:
        tasks: names of the K tasks.
        values: (K,) float32 arrays of what is kept, by the names in `STARTS`.
        losses: (K,) sum of the losses that were observed since the last call of `forget`.
        batches: (K,) number of batches in which they were.
    """

    STARTS: ClassVar[Mapping[str, float]] = {}

    def __init__(self) -> None:
        self.tasks: list[str] = []
        self.load({})

    def weights(self) -> Array:
        """(K,) float32 weight of each task's loss in the next batch."""
        return numpy.ones(len(self.tasks), dtype="f")

    def observe(self, losses: Array, in_scope: Array) -> None:
        """Take note of a batch.

        Args:
            losses: (K,) loss of each task, before weighting.
            in_scope: (K,) bool, whether the batch has words in scope of the task; the losses of others are passed over, and
                so are infinite ones.
        """
        counted = in_scope & numpy.isfinite(losses)
        self.losses += numpy.where(counted, losses, 0.0)
        self.batches += counted

    def finish_update(self, sgd: Optimizer, owner: int) -> None:
        """Learn from what was observed, whenever the weights of the model are updated.

        Args:
            sgd: the optimizer.
            owner: first part of the keys under which it knows what is learnt here.
        """
        self.forget()

    def forget(self) -> None:
        """Begin to observe anew."""
        self.losses = numpy.zeros(len(self.tasks))
        self.batches = numpy.zeros(len(self.tasks), dtype="int64")

    def set_tasks(self, names: Sequence[str]) -> None:
        """Set the tasks; those that were there keep what is known of them."""
        state = self.state()
        self.tasks = list(names)
        self.load(state)

    def state(self) -> dict[str, dict[str, float]]:
        """What is kept, by its name and by task; empty for a policy that learns nothing."""
        return {name: dict(zip(self.tasks, values.tolist())) for name, values in self.values.items()}

    def load(self, state: Mapping[str, Mapping[str, float]]) -> None:
        """Replace what is kept by what `state` gave; what it says nothing about, as of new tasks, is at its start."""
        self.values: dict[str, Array] = {
            name: numpy.array([state.get(name, {}).get(task, start) for task in self.tasks], dtype="f")
            for name, start in self.STARTS.items()
        }
        self.forget()

    def progress(self) -> dict[str, Any]:
        """All that a checkpoint in the middle of training keeps, as JSON; `resume` takes it."""
        return {"state": self.state(), "losses": self.losses.tolist(), "batches": self.batches.tolist()}

    def resume(self, progress: Mapping[str, Any]) -> None:
        """Go on from what `progress` gave."""
        self.load(progress["state"])
        self.losses = numpy.array(progress["losses"], dtype="float64")
        self.batches = numpy.array(progress["batches"], dtype="int64")


class UncertaintyBalance(TaskBalance):
    """Learnt weights: homoscedastic uncertainty, Kendall, Gal & Cipolla 2018 (arXiv 1705.07115).

    Minimises the sum over tasks of exp(-s) L + s, where s, the logarithm of the task's variance, is learnt with the model
    and exp(-s) is the weight. This is their equation 7, twice; their form for classification (equation 10) has s / 2 and
    differs only in that all weights are half as large. Where a loss is constant the weight goes to 1 / L, so that tasks
    come to count alike however large their losses are. A task's s moves only when the task has words in scope.

    Args:
        learn_rate_factor: the learning rate of s is this many times that of the optimizer; the rate of an encoder is too
            low, as s has to go from 0 to the logarithm of the loss.

    Raises:
        BionerError: a setting is not allowed.
    """

    STARTS = {"log_variance": 0.0}

    def __init__(self, learn_rate_factor: float = 50.0) -> None:
        if not 0 < learn_rate_factor < math.inf:
            raise BionerError(
                Errors.E301.format(
                    setting="task_balance.learn_rate_factor", value=learn_rate_factor, allowed="above 0"
                )
            )
        super().__init__()
        self.learn_rate_factor = learn_rate_factor

    def weights(self) -> Array:
        """(K,) exp(-s)."""
        return numpy.exp(-self.values["log_variance"])

    def gradient(self) -> Array:
        """(K,) derivative by s of the sum over the batches observed: of exp(-s) L + s for each in which a task was in scope."""
        result: Array = self.batches - self.weights() * self.losses
        return result

    def finish_update(self, sgd: Optimizer, owner: int) -> None:
        """Let the optimizer change s of the tasks that were in scope."""
        log_variance: Any = self.values["log_variance"]
        gradient: Any = self.gradient().astype("f")
        most = math.log(LARGEST_WEIGHT)
        for k in numpy.flatnonzero(self.batches).tolist():
            # By itself, because the optimizer's moments of tasks out of scope are not to move either.
            key, one = (owner, f"log_variance of {self.tasks[k]}"), slice(k, k + 1)
            value, _ = sgd(key, log_variance[one].copy(), gradient[one], lr_scale=self.learn_rate_factor)
            log_variance[one] = numpy.clip(value, -most, most)
        self.forget()


class DynamicWeightAverage(TaskBalance):
    """Weights by loss rate: dynamic weight average, Liu, Johns & Davison 2019 (arXiv 1803.10704).

    w = K softmax(r / temperature), where r is the mean loss of the last period divided by that of the one before: tasks
    whose loss falls slowly count more. The paper takes an epoch for a period; here it is a number of updates, as epochs
    are no matter of a component. A task that had no loss in one of the two periods, such as in the first ones or out of
    scope, has weight 1, and K is the number of the others. What was observed of an unfinished period is not saved, and is
    given up when a task is added.

    Args:
        period: updates in a period.
        temperature: the higher, the nearer all weights are to 1.

    Raises:
        BionerError: a setting is not allowed.
    """

    STARTS = {"loss_before": 0.0, "loss": 0.0}  # of the last two periods; 0 for none

    def __init__(self, period: int = 100, temperature: float = 2.0) -> None:
        settings: Sequence[tuple[str, Any, bool, str]] = [
            ("period", period, period >= 1, "1 and more"),
            ("temperature", temperature, temperature > 0, "above 0"),
        ]
        for name, value, allowed, range_ in settings:
            if not allowed:
                raise BionerError(Errors.E301.format(setting=f"task_balance.{name}", value=value, allowed=range_))
        super().__init__()
        self.period = period
        self.temperature = temperature

    def weights(self) -> Array:
        """(K,) weights with mean 1."""
        before, last = self.values["loss_before"], self.values["loss"]
        weights = numpy.ones(len(self.tasks), dtype="f")
        known = (before > 0) & (last > 0)
        if known.any():
            rates = last[known].astype("float64") / before[known] / self.temperature
            odds = numpy.exp(rates - rates.max())
            weights[known] = known.sum() * odds / odds.sum()
        return weights

    def forget(self) -> None:
        """Begin a period anew."""
        super().forget()
        self._updates = 0

    def finish_update(self, sgd: Optimizer, owner: int) -> None:
        """Count the update, and change the weights at the end of a period."""
        self._updates += 1
        if self._updates == self.period:
            self.values["loss_before"] = self.values["loss"]
            self.values["loss"] = (self.losses / numpy.maximum(self.batches, 1)).astype("f")
            self.forget()

    def progress(self) -> dict[str, Any]:
        """Likewise, and the updates of the period."""
        return {**super().progress(), "updates": self._updates}

    def resume(self, progress: Mapping[str, Any]) -> None:
        """Go on in the middle of a period."""
        super().resume(progress)
        self._updates = progress["updates"]
