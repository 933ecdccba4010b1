"""Checkpoints of training: one safetensors file with weights, optimizer, random states and position, whole or not at
all.

Thinc's optimizer identifies parameters by layer ids, which differ between processes; a checkpoint names them by
component, position of the layer in its model, and parameter.
"""

import random
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Optional

import numpy
import srsly
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file
from spacy.language import Language
from thinc.api import Model, Optimizer, PyTorchShim, to_numpy
from thinc.compat import torch

from ..errors import BionerError, Errors, reason
from ..files import replacing
from ..old_names import with_new_names
from .balance import TaskBalance

CHECKPOINT_FILE = "checkpoint.safetensors"
"""File in the folder of an unfinished run."""

_MOMENTS = ("mom1", "mom2", "averages")
_COUNTS = ("nr_update", "last_seen")


@dataclass
class Progress:
    """State of a training run."""

    step: int = 0  # steps done
    epoch: int = 0  # the epoch, from 0
    batches: int = 0  # finished batches of the epoch
    # State of Python's random numbers at the start of every epoch so far, to redraw its batches.
    epoch_states: list[Any] = field(default_factory=list)
    results: list[tuple[float, int]] = field(default_factory=list)  # score and step of every evaluation
    losses: dict[str, float] = field(default_factory=dict)  # losses since the last one, by component
    tokens: int = 0  # tokens read
    seconds: float = 0.0  # training time
    best: Optional[str] = None  # name of the folder with the best pipeline


def save_checkpoint(path: Path, nlp: Language, optimizer: Optimizer, progress: Progress) -> None:
    """Write a checkpoint between two steps."""
    places = _Places(nlp)
    tensors = {f"weights\t{name}": array for name, array in places.weights()}
    for kind in _MOMENTS:
        for key, array in (getattr(optimizer, kind) or {}).items():
            tensors[f"{kind}\t{places.name(key)}"] = to_numpy(array)
    counts = {kind: {places.name(key): count for key, count in getattr(optimizer, kind).items()} for kind in _COUNTS}
    progress.losses = {name: float(loss) for name, loss in progress.losses.items()}  # of NumPy, some of them
    progress.results = [(float(score), step) for score, step in progress.results]
    state = {
        "progress": asdict(progress),
        "counts": counts,
        "balances": {name: balance.progress() for name, balance in _balances(nlp)},
        "random": random_states(tensors),
    }
    contiguous = {name: numpy.ascontiguousarray(array) for name, array in tensors.items()}
    with replacing(path) as (part,):
        save_file(contiguous, part, metadata={"state": srsly.json_dumps(state)})


def load_checkpoint(path: Path, nlp: Language, optimizer: Optimizer) -> tuple[Progress, dict[str, Any]]:
    """Restore an initialised pipeline and a new optimizer from a checkpoint.

    Returns:
        The state of the run, and random states for `set_random_states`, to set when batches are drawn.

    Raises:
        BionerError: the file is broken, or is of another pipeline.
    """
    try:
        with safe_open(path, framework="numpy") as file:
            state = srsly.json_loads(file.metadata()["state"])
            places = _Places(nlp)
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        kept = {name: array for name, array in tensors.items() if name.startswith("random\t")}
        progress = Progress(**with_new_names(state["progress"]))
        for kind in _COUNTS:
            for name, count in state["counts"][kind].items():
                getattr(optimizer, kind)[places.key(name)] = count
        for full_name, array in tensors.items():
            kind, _, name = full_name.partition("\t")
            if kind == "weights":
                places.set_weights(name, array)
            elif kind in _MOMENTS:
                ops = nlp.get_pipe(name.split("\t")[1]).model.ops  # type: ignore[attr-defined]
                getattr(optimizer, kind)[places.key(name)] = ops.asarray(array)
        places.finish(state["counts"]["nr_update"])
        for name, balance in _balances(nlp):
            balance.resume(state["balances"][name])
    except (SafetensorError, KeyError, ValueError, TypeError, RuntimeError, OSError) as error:
        raise BionerError(Errors.E431.format(path=path, reason=reason(error))) from error
    for _ in range(progress.step):
        optimizer.step_schedules()
    progress.results = [(score, step) for score, step in progress.results]
    return progress, {"state": state["random"], "tensors": kept}


def random_states(tensors: dict[str, Any]) -> dict[str, Any]:
    """States of the random numbers of Python, NumPy and torch; the arrays among them are added to `tensors`."""
    kind, keys, *rest = numpy.random.get_state()
    tensors["random\tnumpy"] = keys
    if torch is not None:
        tensors["random\ttorch"] = torch.get_rng_state().numpy()
        if torch.cuda.is_available():
            for number, of_gpu in enumerate(torch.cuda.get_rng_state_all()):
                tensors[f"random\tcuda {number}"] = of_gpu.numpy()
    return {"python": random.getstate(), "numpy": [kind, *rest]}


def set_random_states(saved: dict[str, Any]) -> None:
    """Set the random states that `load_checkpoint` returned."""
    state, tensors = saved["state"], saved["tensors"]
    set_python_state(state["python"])
    kind, *rest = state["numpy"]
    numpy.random.set_state((kind, tensors["random\tnumpy"], *rest))
    if torch is not None and "random\ttorch" in tensors:
        torch.set_rng_state(torch.from_numpy(tensors["random\ttorch"]))
        of_gpus = [name for name in tensors if name.startswith("random\tcuda")]
        if of_gpus and torch.cuda.device_count() == len(of_gpus):
            torch.cuda.set_rng_state_all([torch.from_numpy(tensors[name]) for name in sorted(of_gpus)])


def set_python_state(state: Any) -> None:
    """Set the state of Python's random numbers, from JSON."""
    version, numbers, gauss = state
    random.setstate((version, tuple(numbers), gauss))


def _balances(nlp: Language) -> Iterator[tuple[str, TaskBalance]]:
    for name, pipe in nlp.pipeline:
        if isinstance(balance := getattr(pipe, "task_balance", None), TaskBalance):
            yield name, balance


class _Places:
    """Stable names of the parameters of a pipeline: kind, component, position, parameter."""

    def __init__(self, nlp: Language) -> None:
        self.nodes: dict[str, Model] = {}
        self.shims: dict[str, Any] = {}
        for name, pipe in nlp.pipeline:
            if isinstance(model := getattr(pipe, "model", None), Model):
                for i, node in enumerate(model.walk()):
                    self.nodes[f"layer\t{name}\t{i}"] = node
                    self.shims.update({f"shim\t{name}\t{i}.{j}": shim for j, shim in enumerate(node.shims)})
        self._exact: dict[Any, str] = {}
        for place, node in self.nodes.items():
            self._exact.update({(node.id, parameter): place for parameter in node.param_names})
        for place, shim in self.shims.items():
            # The second: moments of the rows of a table, see `EncoderShim`.
            names = [name for name, _ in _torch_model(shim).named_parameters()]
            self._exact.update({(shim.id, name): place for one in names for name in (one, f"{one}, rows")})
        self._owners = {node.id: place for place, node in reversed(self.nodes.items())}

    def name(self, key: tuple[int, str]) -> str:
        """Name of an optimizer key; values outside layers, such as weights of tasks, are named by their owner."""
        return f"{self._exact.get(key) or self._owners[key[0]]}\t{key[1]}"

    def key(self, name: str) -> tuple[int, str]:
        """The inverse of `name`."""
        place, _, parameter = name.rpartition("\t")
        return (self.shims[place] if place in self.shims else self.nodes[place]).id, parameter

    def weights(self) -> Iterator[tuple[str, Any]]:
        """Name and array of all weights."""
        for place, node in self.nodes.items():
            for parameter in node.param_names:
                if node.has_param(parameter):
                    yield f"{place}\t{parameter}", to_numpy(node.get_param(parameter)).copy()
        for place, shim in self.shims.items():
            for name, tensor in _torch_model(shim).state_dict().items():
                held = tensor.detach().cpu()
                yield f"{place}\t{name}", (held.float() if held.is_floating_point() else held).numpy().copy()

    def set_weights(self, name: str, array: Any) -> None:
        """Set one of the weights."""
        place, _, parameter = name.rpartition("\t")
        if place in self.shims:
            with torch.no_grad():
                _torch_model(self.shims[place]).state_dict()[parameter].copy_(torch.from_numpy(array))
            return
        node = self.nodes[place]
        if node.get_param(parameter).shape != array.shape:
            raise ValueError(f"{parameter} has the shape {array.shape}")
        weights: Any = node.ops.asarray(array)
        node.set_param(parameter, weights)

    def finish(self, updated: dict[str, int]) -> None:
        """Give zero gradients to updated parameters, which the optimizer keeps moving without gradients."""
        for name in updated:
            place, _, parameter = name.rpartition("\t")
            if place in self.nodes and self.nodes[place].has_param(parameter) is True:
                node = self.nodes[place]
                node.set_grad(parameter, node.ops.xp.zeros_like(node.get_param(parameter)))
            elif place in self.shims and type(self.shims[place]).finish_update is PyTorchShim.finish_update:
                weights = dict(_torch_model(self.shims[place]).named_parameters())[parameter]
                weights.grad = torch.zeros_like(weights)


def _torch_model(shim: Any) -> Any:
    return shim._model
