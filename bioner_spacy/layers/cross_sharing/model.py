"""Shared and private BiLSTMs with a gate between the tasks (Wang et al. 2019, "Multitask learning for biomedical named
entity recognition with cross-sharing structure").

Of the vectors x of a document's tokens, with L a linear layer and K tasks,

    S = ELU(L(BiLSTM(x)))     T_k = ELU(L_k(BiLSTM_k(x)))     T_k' = T_k * sigmoid(W_k mean(T_j, j != k) + b_k)

and the features of a token for task k are, by variant,

    stm  T_k          single task: tasks share the encoder only fs   S            fully shared: tasks share everything
    below their outputs sp   [T_k ; S]    shared and private adv  [T_k ; S]    and S and T_k are made orthogonal; a
    discriminator, which has its own layer, learns against S cs   [T_k'; S]    cross-sharing: the gate lets task k see
    the other tasks

The paper's single-task model is "stm" with one task. It trains two tasks at a time; with more, the gate sees the mean
of the others. A single task has no gate: T_1' = T_1.
"""

from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass
from functools import partial
from typing import Any, Optional, cast

import numpy
import srsly
import torch
from thinc.api import Model, deserialize_attr, serialize_attr, torch2xp, xp2torch
from thinc.initializers import glorot_uniform_init, uniform_init
from thinc.types import Floats2d, Ragged
from torch.nn.functional import elu

from ...errors import BionerError, Errors, check_setting
from ...types import Array
from ..encoder.windows import cut_windows
from .lstm import bilstms, pack

# Variant -> whether there are private BiLSTMs, and a shared one.
VARIANTS = {"stm": (True, False), "fs": (False, True), "sp": (True, True), "adv": (True, True), "cs": (True, True)}

# Weights of the BiLSTMs, by direction and block, and of the gates, by task; those of linear layers are by block.
DIRECTED = ("W", "U", "b")
GATE = ("gate_W", "gate_b")

# Longer documents are read in parallel windows; otherwise 100,000 tokens would be 100,000 steps.
WINDOW, OVERLAP = 256, 32
# Maximum number of tokens computed together; bounds memory.
GROUP_TOKENS = 1024


@dataclass(frozen=True)
class Structure:
    """Structure of the layer."""

    variant: str  # one of `VARIANTS`
    hidden: int  # units of a BiLSTM in each direction
    width: int  # size of S and of T_k

    def __post_init__(self) -> None:
        check_setting("variant", self.variant, VARIANTS)
        for setting, value in (("hidden", self.hidden), ("width", self.width)):
            check_setting(setting, value, "1 or more", value >= 1)

    def __str__(self) -> str:
        return f"variant {self.variant}, hidden {self.hidden}, width {self.width}"

    @property
    def private(self) -> bool:
        """Whether each task has a BiLSTM."""
        return VARIANTS[self.variant][0]

    @property
    def shared(self) -> bool:
        """Whether there is a BiLSTM for all tasks."""
        return VARIANTS[self.variant][1]


@serialize_attr.register(Structure)
def _write_structure(_: Any, value: Structure, name: str, model: Model) -> bytes:
    return srsly.msgpack_dumps(astuple(value))


@deserialize_attr.register(Structure)
def _check_structure(wanted: Structure, value: bytes, name: str, model: Model) -> Structure:
    """Refuse weights of another structure than that of the config."""
    found = Structure(*srsly.msgpack_loads(value))
    if found != wanted:
        raise BionerError(Errors.E309.format(found=found, wanted=wanted))
    return wanted


def CrossSharing(
    structure: Structure, orthogonality: float = 0.0, nI: Optional[int] = None
) -> Model[Ragged, Floats2d]:
    """Features of tokens for each of K tasks.

    While training, the variant "adv" adds to the loss, and so to every gradient below, `orthogonality` times

        sum over k of || mean over tokens i of S_i T_ki' ||^2        (Frobenius norm of a width x width matrix)

    over the tokens from which task k learns, so nothing out of scope changes. It is the term of Bousmalis et al. 2016
    ("Domain separation networks"), as a mean so that it does not depend on the batch size.

    In "cs", the loss of task k has a gradient for the private BiLSTMs of other tasks, through its gate, but not for
    their gates and outputs.

    Args:
        orthogonality: weight of the orthogonality of S and T_k; for the variant "adv" only.

    Returns:
        Layer from (N, nI) vectors to (N, blocks * width) features: T_1, ..., T_K if there are private BiLSTMs, then S
        if there is a shared one. The dimension "nK", the number of tasks, must be set before initialisation. The
        attribute "others" holds for each task the indices of the tasks that its gate sees.
    """
    weight = orthogonality if structure.variant == "adv" else 0.0
    names = (*DIRECTED, "linear_W", "linear_b", *(GATE if structure.variant == "cs" else ()))
    return Model(
        "cross_sharing",
        partial(forward, orthogonality=weight),
        init=init,
        dims={"nI": nI, "nK": None},
        params=dict.fromkeys(names),
        attrs={"structure": structure, "others": []},
    )


def init(model: Model, X: Optional[Ragged] = None, Y: Any = None) -> None:
    structure: Structure = model.attrs["structure"]
    if X is not None:
        model.set_dim("nI", X.data.shape[1])
    n_inputs, hidden, width = model.get_dim("nI"), structure.hidden, structure.width
    n_tasks = model.get_dim("nK")
    model.attrs["others"] = [[j for j in range(n_tasks) if j != k] for k in range(n_tasks)]
    n_blocks = structure.private * n_tasks + structure.shared
    uniform = partial(uniform_init, model.ops, lo=-(hidden**-0.5), hi=hidden**-0.5)
    model.set_param("W", uniform((2, n_blocks, n_inputs, 4 * hidden)))
    model.set_param("U", uniform((2, n_blocks, hidden, 4 * hidden)))
    model.set_param("b", uniform((2, n_blocks, 4 * hidden)))
    model.set_param("linear_W", _glorot(model, n_blocks, 2 * hidden, width))
    model.set_param("linear_b", model.ops.alloc2f(n_blocks, width))
    if structure.variant == "cs":
        model.set_param("gate_W", _glorot(model, n_tasks, width, width))
        model.set_param("gate_b", model.ops.alloc2f(n_tasks, width))


def _glorot(model: Model, n: int, n_inputs: int, n_outputs: int) -> Any:
    """(n, n_inputs, n_outputs) weights of n linear layers."""
    layers = [glorot_uniform_init(model.ops, (n_outputs, n_inputs)).T for _ in range(n)]
    return model.ops.xp.stack(layers) if layers else model.ops.alloc3f(0, n_inputs, n_outputs)


def forward(
    model: Model, X: Ragged, is_train: bool, *, orthogonality: float
) -> tuple[Floats2d, Callable[[Floats2d], Ragged]]:
    structure: Structure = model.attrs["structure"]
    lengths = model.ops.to_numpy(X.lengths).astype("int64")
    with torch.set_grad_enabled(is_train):
        weights = {name: xp2torch(model.get_param(name), requires_grad=is_train) for name in model.param_names}
        x = xp2torch(X.dataXd, requires_grad=is_train)
        blocks = _features(x, lengths, weights, structure, model.attrs["others"])
    n_tokens, n_blocks = len(x), len(blocks)

    def backprop(d_output: Floats2d) -> Ragged:
        d_blocks = xp2torch(d_output).view(n_tokens, n_blocks, structure.width).transpose(0, 1)
        outputs, d_outputs = [blocks], [d_blocks]
        if orthogonality:
            with torch.enable_grad():
                outputs.append(orthogonality * non_orthogonality(blocks, d_blocks))
            d_outputs.append(torch.ones_like(outputs[1]))
        # Gates of a single task are not used.
        d_x, *gradients = torch.autograd.grad(outputs, [x, *weights.values()], d_outputs, allow_unused=True)
        for name, gradient in zip(weights, gradients):
            if gradient is not None:
                model.inc_grad(name, cast(Any, torch2xp(gradient)))
        return Ragged(torch2xp(d_x), X.lengths)

    flat = blocks.detach().transpose(0, 1).reshape(n_tokens, n_blocks * structure.width)
    return cast(Floats2d, torch2xp(flat)), backprop


def _features(
    x: torch.Tensor, lengths: Array, weights: dict[str, Any], structure: Structure, others: Sequence[Sequence[int]]
) -> torch.Tensor:
    """(blocks, N, width) features of the N tokens of documents."""
    tokens = numpy.arange(int(lengths.sum()))
    windows = cut_windows(tokens, lengths, tokens, numpy.ones_like(tokens), window=WINDOW, overlap=OVERLAP)
    sizes = windows.ends - windows.starts
    # Windows of similar length are computed together.
    order = numpy.argsort(-sizes, kind="stable")
    boundaries = 1 + numpy.flatnonzero(numpy.diff((numpy.cumsum(sizes[order]) - 1) // GROUP_TOKENS))
    parts, rows = [], []
    for group in numpy.split(order, boundaries):
        packing = pack(windows.starts[group], sizes[group])
        states = bilstms(x[_to_torch(packing.rows, x)], weights["W"], weights["U"], weights["b"], packing)
        # Each token takes its features from one window.
        kept = numpy.flatnonzero(windows.token_windows[packing.rows] == group[packing.sequences])
        parts.append(_blocks(states[:, _to_torch(kept, x)], weights, structure, others))
        rows.append(packing.rows[kept])
    return torch.cat(parts, dim=1)[:, _to_torch(numpy.argsort(numpy.concatenate(rows)), x)]


def _to_torch(indices: Array, like: torch.Tensor) -> torch.Tensor:
    return torch.from_numpy(indices).to(like.device)


def _blocks(
    states: torch.Tensor, weights: dict[str, Any], structure: Structure, others: Sequence[Sequence[int]]
) -> torch.Tensor:
    """(blocks, n, width) features of tokens from the states of the BiLSTMs, (blocks, n, 2 * hidden)."""
    blocks = elu(torch.baddbmm(weights["linear_b"][:, None], states, weights["linear_W"]))
    if structure.variant != "cs" or not any(others):
        return blocks
    private = blocks[:-1]
    shares = numpy.zeros((len(others), len(others)))
    for k, seen in enumerate(others):
        for j in seen:
            shares[k, j] = 1 / len(seen)
    mean = torch.from_numpy(shares).to(blocks)
    other = (mean @ private.flatten(1)).view_as(private)
    gate = torch.sigmoid(torch.baddbmm(weights["gate_b"][:, None], other, weights["gate_W"]))
    gated = torch.where(mean.any(dim=1)[:, None, None], private * gate, private)
    return torch.cat([gated, blocks[-1:]])


def non_orthogonality(blocks: torch.Tensor, d_blocks: torch.Tensor) -> torch.Tensor:
    """The orthogonality loss of the variant "adv", before weighting.

    Args:
        blocks: (K + 1, N, width) T_1, ..., T_K, S.
        d_blocks: gradient of the tasks' losses for them: a task learns from the tokens where it is not zero.
    """
    learns = (d_blocks[:-1] != 0).any(dim=2)
    private = blocks[:-1] * learns[:, :, None] / learns.sum(dim=1).clamp(min=1)[:, None, None]
    return torch.matmul(private.transpose(1, 2), blocks[-1]).square().sum()


def resize_tasks(old: Model, new: Model, sources: Sequence[Optional[int]]) -> None:
    """Resize an initialised layer for another list of tasks.

    Args:
        new: an uninitialised layer with the same settings.
        sources: for each task, its index in `old`, or None if new. New tasks get random weights, and their gates see
            all others. Existing tasks keep their weights and gates, so their predictions do not change.
    """
    new.name = old.name
    new.set_dim("nI", old.get_dim("nI"))
    new.set_dim("nK", len(sources))
    new.initialize()
    place = {source: k for k, source in enumerate(sources) if source is not None}
    for source, k in place.items():
        new.attrs["others"][k] = [place[j] for j in old.attrs["others"][source] if j in place]
    structure: Structure = new.attrs["structure"]
    tasks = list(place.items()) if structure.private else []
    for name in new.param_names:
        array: Any = new.get_param(name)
        kept: Any = old.get_param(name)
        # The first axis of what BiLSTMs have is the direction.
        by_block, kept_by_block = (a.swapaxes(0, 1) if name in DIRECTED else a for a in (array, kept))
        for source, k in tasks + ([(-1, -1)] if structure.shared and name not in GATE else []):
            by_block[k] = kept_by_block[source]
        new.set_param(name, array)
