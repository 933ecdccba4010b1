"""Loss weights of tasks that change during training, on top of fixed weights.

A policy gets each task's loss in every batch and returns a weight for each. It works with any formulation. To add one,
subclass `TaskBalance` and register it in the entry point group `spacy_misc`.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy
from thinc.api import Optimizer

from ..errors import check_setting
from ..types import Array

# Learnt weights stay between 1 / LARGEST_WEIGHT and LARGEST_WEIGHT.
LARGEST_WEIGHT = 1000.0


class TaskBalance:
    """Fixed weights: 1 for every task. Base class of the other policies.

    Subclasses declare in `STARTS` their values per task, with the initial value of each. They are saved with the
    component and available in `values`.

    Attributes:
        tasks: names of the K tasks.
        values: (K,) float32 arrays by the names in `STARTS`.
        losses: (K,) sum of the losses observed since the last call of `forget`.
        batches: (K,) number of batches with these losses.
    """

    STARTS: ClassVar[Mapping[str, float]] = {}

    def __init__(self) -> None:
        self.tasks: list[str] = []
        self.load({})

    def weights(self) -> Array:
        """(K,) float32 weight of each task's loss in the next batch."""
        return numpy.ones(len(self.tasks), dtype="f")

    def observe(self, losses: Array, in_scope: Array) -> None:
        """Observe a batch.

        Args:
            losses: (K,) loss of each task, before weighting.
            in_scope: (K,) bool, whether the batch has tokens in scope of the task; other and infinite losses are
                ignored.
        """
        counted = in_scope & numpy.isfinite(losses)
        self.losses += numpy.where(counted, losses, 0.0)
        self.batches += counted

    def finish_update(self, sgd: Optimizer, owner: int) -> None:
        """Update the values from the observed losses, together with the weights of the model.

        Args:
            owner: first part of the optimizer's keys for these values.
        """
        self.forget()

    def forget(self) -> None:
        """Reset the observed losses."""
        self.losses = numpy.zeros(len(self.tasks))
        self.batches = numpy.zeros(len(self.tasks), dtype="int64")

    def set_tasks(self, names: Sequence[str]) -> None:
        """Set the tasks; existing ones keep their values."""
        state = self.state()
        self.tasks = list(names)
        self.load(state)

    def state(self) -> dict[str, dict[str, float]]:
        """Values by name and task; empty for a policy that learns nothing."""
        return {name: dict(zip(self.tasks, values.tolist())) for name, values in self.values.items()}

    def load(self, state: Mapping[str, Mapping[str, float]]) -> None:
        """Restore the output of `state`; missing values, such as those of new tasks, are initialised."""
        self.values: dict[str, Array] = {
            name: numpy.array([state.get(name, {}).get(task, start) for task in self.tasks], dtype="f")
            for name, start in self.STARTS.items()
        }
        self.forget()

    def progress(self) -> dict[str, Any]:
        """State for a checkpoint, as JSON, for `resume`."""
        return {"state": self.state(), "losses": self.losses.tolist(), "batches": self.batches.tolist()}

    def resume(self, progress: Mapping[str, Any]) -> None:
        """Restore the output of `progress`."""
        self.load(progress["state"])
        self.losses = numpy.array(progress["losses"], dtype="float64")
        self.batches = numpy.array(progress["batches"], dtype="int64")


class UncertaintyBalance(TaskBalance):
    """Learnt weights: homoscedastic uncertainty, Kendall, Gal & Cipolla 2018 (arXiv 1705.07115).

    Minimises the sum over tasks of exp(-s) L + s, where s, the logarithm of the task's variance, is learnt with the
    model and exp(-s) is the weight. This is twice their equation 7; their form for classification (equation 10) only
    halves all weights. With a constant loss the weight converges to 1 / L, so tasks with large and small losses count
    alike. The s of a task changes only when the task has tokens in scope.

    Args:
        learn_rate_factor: the learning rate of s is this many times that of the optimizer; the rate of an encoder is
            too low for s.

    Raises:
        BionerError: a setting is invalid.
    """

    STARTS = {"log_variance": 0.0}

    def __init__(self, learn_rate_factor: float = 50.0) -> None:
        is_allowed = 0 < learn_rate_factor < math.inf
        check_setting("task_balance.learn_rate_factor", learn_rate_factor, "above 0", is_allowed)
        super().__init__()
        self.learn_rate_factor = learn_rate_factor

    def weights(self) -> Array:
        """(K,) exp(-s)."""
        return numpy.exp(-self.values["log_variance"])

    def gradient(self) -> Array:
        """(K,) derivative by s of the sum over the batches observed: of exp(-s) L + s for each batch in which a task
        was in scope."""
        result: Array = self.batches - self.weights() * self.losses
        return result

    def finish_update(self, sgd: Optimizer, owner: int) -> None:
        """Update s of the tasks that were in scope."""
        log_variance: Any = self.values["log_variance"]
        gradient: Any = self.gradient().astype("f")
        most = math.log(LARGEST_WEIGHT)
        for k in numpy.flatnonzero(self.batches).tolist():
            # Separately, because the optimizer's moments of tasks out of scope must not change.
            key, one = (owner, f"log_variance of {self.tasks[k]}"), slice(k, k + 1)
            value, _ = sgd(key, log_variance[one].copy(), gradient[one], lr_scale=self.learn_rate_factor)
            log_variance[one] = numpy.clip(value, -most, most)
        self.forget()


class DynamicWeightAverage(TaskBalance):
    """Weights by loss rate: dynamic weight average, Liu, Johns & Davison 2019 (arXiv 1803.10704).

    w = K softmax(r / temperature), where r is the mean loss of the last period divided by that of the one before:
    tasks whose loss falls slowly count more. In the paper a period is an epoch; here it is a number of updates. A task
    without a loss in one of the two periods has weight 1, and K is the number of the others. Observations of an
    unfinished period are not saved, and are discarded when a task is added.

    Args:
        period: updates in a period.
        temperature: higher values bring all weights closer to 1.

    Raises:
        BionerError: a setting is invalid.
    """

    STARTS = {"loss_before": 0.0, "loss": 0.0}  # of the last two periods; 0 for none

    def __init__(self, period: int = 100, temperature: float = 2.0) -> None:
        check_setting("task_balance.period", period, "1 and more", period >= 1)
        check_setting("task_balance.temperature", temperature, "above 0", temperature > 0)
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
        """Begin a new period."""
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
        """State for a checkpoint, including the updates of the period."""
        return {**super().progress(), "updates": self._updates}

    def resume(self, progress: Mapping[str, Any]) -> None:
        """Continue in the middle of a period."""
        super().resume(progress)
        self._updates = progress["updates"]
