"""The torch side of the encoder: a Hugging Face transformer over windows, pooled to token vectors."""

import sys
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from functools import partial
from typing import Any, Optional

import numpy
import srsly
import torch
from thinc.api import Optimizer, PyTorchShim, get_array_module, get_torch_default_device, torch2xp

from ...errors import BionerError, Errors, check_setting
from ...types import Array
from .bert import Bert
from .files import dump_encoder, load_dumped_encoder, without_transformers
from .int8 import use_int8_products
from .packed_bert import Block, encode_packed, is_packable, random_bits, use_fast_dropout
from .precision import PRECISIONS, bfloat16_enabled, int8_supported
from .subwords import SubwordTokenizer
from .threads import map_threads
from .windows import SMALL_BLOCK, SMALL_PASS, WindowBatch, group_by_length

POOLINGS = ("mean", "first")

# Largest number of subwords in a forward pass with products of 8-bit integers.
_INT8_SUBWORDS = 1024

# Windows are padded to a multiple of this in training.
_WIDTH_STEP = 4

# Least number of subwords for a thread of its own.
_LEAST_SUBWORDS = 256


class EncoderShim(PyTorchShim):
    """Runs a Hugging Face transformer over a `WindowBatch` and returns token vectors.

    Windows of similar length share a forward pass, in mixed precision where the device has bfloat16 units. Weights
    are stored as safetensors, with the tokenizer and the model configuration beside them; see `encoder_files`.

    Args:
        pooling: how the subwords of a token become its vector, "mean" or "first".
        precision: "auto", "bfloat16", "float32", or "int8" for prediction on a CPU; see `bfloat16_enabled`.
        batch_subwords: maximum number of subwords in a forward pass, padding counted.

    Attributes:
        tokenizer: the tokenizer; None before initialisation or loading.
        weights: how weights are saved, one of `encoder_files.WEIGHTS`; a loaded encoder keeps its format until it is
            trained.
    """

    def __init__(self, *, pooling: str, precision: str, batch_subwords: int) -> None:
        super().__init__(None)
        self.pooling = pooling
        self.precision = precision
        self.batch_subwords = batch_subwords
        self.tokenizer: Optional[SubwordTokenizer] = None
        self.weights = "float32"
        # The encoder with products of 8-bit integers, for prediction; made when needed.
        self._int8: Optional[Bert] = None

    @property
    def transformer(self) -> Any:
        """A `Bert`, or another model of transformers; None before initialisation or loading."""
        return self._model

    def adopt(self, tokenizer: Any, transformer: Any) -> None:
        """Set a fast tokenizer and a model of transformers."""
        self._set_transformer(SubwordTokenizer.from_hugging_face(tokenizer), without_transformers(transformer))

    def _set_transformer(self, tokenizer: SubwordTokenizer, transformer: Any) -> None:
        self.tokenizer = tokenizer
        self._model, self._int8 = transformer.to(get_torch_default_device()), None
        table = self._model.get_input_embeddings()
        if type(table) is torch.nn.Embedding:
            # A batch uses a few hundred rows; dense gradients would dominate memory traffic.
            table.sparse = True
        self._most_subwords = max_subwords(self._model)
        use_fast_dropout(self._model)
        # Decided now, because tokenizers warn about forking after use.
        bfloat16_enabled(self.precision, self.device)

    def predict(self, inputs: WindowBatch) -> torch.Tensor:  # type: ignore[override]
        """Token vectors without dropout and without a graph.

        Returns:
            (N, width) float32 tensor on the device of the model; zeros for tokens without subwords.
        """
        self._model.eval()
        with torch.inference_mode():
            hidden, window_rows, threads = self._encode(inputs, self._int8_model())
            return _map(lambda states: self._pool(states, window_rows, inputs), [hidden], threads=threads)[0]

    def _int8_model(self) -> Optional[Bert]:
        """The encoder with products of 8-bit integers, if it is to predict with them; None otherwise."""
        wanted = self.precision == "int8" and self.device.type == "cpu" and isinstance(self._model, Bert)
        if not wanted or not int8_supported():
            return None
        if self._int8 is None:
            self._int8 = Bert.from_state(vars(self._model.config), self._model.state_dict()).eval()
            try:
                use_int8_products(self._int8)
            except ValueError as error:
                raise BionerError(Errors.E313.format(reason=error)) from error
        return self._int8

    def begin_update(  # type: ignore[override]
        self, inputs: WindowBatch
    ) -> tuple[torch.Tensor, Callable[[torch.Tensor], None]]:
        """Token vectors with dropout, and a callback that takes their gradient, (N, width)."""
        self._model.train()
        with torch.enable_grad():
            hidden, window_rows, threads = self._encode(inputs)
            # The graph of each pass is kept for the thread that backpropagates through it.
            ends = [states.detach().requires_grad_(states.requires_grad) for states in hidden]
            vectors = self._pool(ends, window_rows, inputs)

        def backprop(d_vectors: torch.Tensor) -> None:
            if vectors.requires_grad:
                torch.autograd.backward(vectors, d_vectors)
                d_hidden = [end.grad for end in ends]
                if threads:
                    self._backprop_in_threads(hidden, d_hidden)
                else:
                    torch.autograd.backward(hidden, d_hidden)  # type: ignore[arg-type]

        return vectors.detach(), backprop

    def _backprop_in_threads(self, hidden: list[torch.Tensor], d_hidden: list[Optional[torch.Tensor]]) -> None:
        """Add the gradients of all passes to those of the parameters, in the order of the passes."""
        learnt = [parameter for parameter in self._model.parameters() if parameter.requires_grad]

        def backward_pass(number: int) -> tuple[Optional[torch.Tensor], ...]:
            return torch.autograd.grad(hidden[number], learnt, d_hidden[number], allow_unused=True)

        def add(number: int) -> None:
            parameter = learnt[number]
            for gradients in of_passes:
                part = gradients[number]
                if part is not None:
                    parameter.grad = part if parameter.grad is None else parameter.grad.add_(part)

        of_passes = map_threads(backward_pass, range(len(hidden)))
        map_threads(add, range(len(learnt)))

    def finish_update(self, optimizer: Optimizer) -> None:
        """Update every parameter that has a gradient.

        Only rows of the embeddings used in the batch are updated, as with TensorFlow's LazyAdam: without momentum or
        weight decay for other rows. Averaging optimizers, and functions instead of an optimizer, get the whole table.
        """
        self.weights = "float32"
        self._int8 = None
        for name, parameter in self._model.named_parameters():
            gradient = parameter.grad
            if gradient is None:
                continue
            key = (self.id, name)
            weights: Any = torch2xp(parameter.data)
            if gradient.is_sparse and isinstance(optimizer, Optimizer) and optimizer.averages is None:
                _update_rows(optimizer, key, weights, gradient.coalesce())
            else:
                d_weights: Any = torch2xp(gradient.to_dense())
                optimizer(key, weights, d_weights)
            parameter.grad = None

    def _encode(self, batch: WindowBatch, int8: Optional[Bert] = None) -> tuple[list[torch.Tensor], Array, bool]:
        """Hidden states of each forward pass, the row of the first subword of each window in all of them, and whether each
        thread makes passes of its own.

        Args:
            int8: the encoder to use instead of the one in float32.
        """
        device = self.device
        tokenizer: Any = self.tokenizer
        prefix, suffix = tokenizer.prefix, tokenizer.suffix
        lengths = batch.ends - batch.starts + len(prefix) + len(suffix)
        packed = is_packable(self._model)
        n_subwords = int(lengths.sum())
        n_threads = self._n_threads(n_subwords) if packed else 1
        # Integers are scaled in many small steps, whose arrays should fit into the cache of a core.
        limit = min(self.batch_subwords, _INT8_SUBWORDS) if int8 else self.batch_subwords
        if n_threads > 1:
            # Equally many passes for each thread, made of small groups, so that they have about the same size.
            n_passes = n_threads * max(1, -(-n_subwords // (n_threads * limit)))
            limit = n_subwords // (4 * n_passes)
        groups = group_by_length(lengths, batch_subwords=limit, small=SMALL_BLOCK if packed else SMALL_PASS)
        window_rows = numpy.zeros(len(lengths), dtype="int64")
        n_rows = 0
        widths = [self._width(int(lengths[group[0]])) for group in groups]
        for group, width in zip(groups, widths):
            window_rows[group] = n_rows + numpy.arange(len(group)) * width + len(prefix)
            n_rows += len(group) * width
        ids = [_pad_group(batch, group, lengths[group], width, tokenizer) for group, width in zip(groups, widths)]
        of_groups = [lengths[group] for group in groups]
        if n_threads > 1:
            passes = _even_passes(ids, n_passes)
        else:
            passes = _full_passes(ids, limit) if packed else [slice(i, i + 1) for i in range(len(ids))]
        run = partial(self._run_packed, int8 or self._model) if packed else self._run_padded
        bfloat16 = not int8 and bfloat16_enabled(self.precision, device)

        threads = n_threads > 1
        # Random bits of a pass must not depend on other threads.
        seeds = torch.randint(2**63 - 1, (len(passes),)).tolist() if threads and self._model.training else []

        def forward_pass(number: int) -> torch.Tensor:
            part = passes[number]
            with (
                # Each weight is used once in a pass: a cache of casts, which threads share, gains nothing.
                torch.autocast(device.type, dtype=torch.bfloat16, enabled=bfloat16, cache_enabled=not threads),
                random_bits(seeds[number]) if seeds else nullcontext(),
            ):
                return run(ids[part], of_groups[part])

        return _map(forward_pass, range(len(passes)), threads=threads), window_rows, threads

    def _width(self, longest: int) -> int:
        """Subwords to which windows are padded. In training, whose batches are small, few different numbers: see
        `rounded`."""
        if not self._model.training:
            return longest
        return max(longest, min(-(-longest // _WIDTH_STEP) * _WIDTH_STEP, self._most_subwords))

    def _n_threads(self, n_subwords: int) -> int:
        """Number of passes at once. On a CPU, threads make passes of their own: threads that share a pass wait for one
        another at every layer, which takes long if other programs use their cores."""
        if self.device.type != "cpu":
            return 1
        n_threads, most = torch.get_num_threads(), n_subwords // _LEAST_SUBWORDS
        if torch.is_grad_enabled() and most < n_threads:
            # Batches of training are small: many cores are better used by sharing a pass.
            return 1
        return max(1, min(n_threads, most))

    def _run_padded(self, ids: list[Array], lengths: list[Array]) -> torch.Tensor:
        """Hidden states, (subwords, width), of one padded group of windows."""
        mask = numpy.arange(ids[0].shape[1]) < lengths[0][:, None]
        output = self._model(input_ids=self._to_device(ids[0]), attention_mask=self._to_device(mask))
        hidden: torch.Tensor = output.last_hidden_state.flatten(0, 1)
        return hidden

    def _run_packed(self, transformer: Bert, ids: list[Array], lengths: list[Array]) -> torch.Tensor:
        """Hidden states, (subwords, width), of several padded groups of windows."""
        positions = [numpy.broadcast_to(numpy.arange(part.shape[1]), part.shape).ravel() for part in ids]
        return encode_packed(
            transformer,
            self._to_device(numpy.concatenate([part.ravel() for part in ids])),
            self._to_device(numpy.concatenate(positions)),
            [self._block(*group) for group in zip(ids, lengths)],
        )

    def _block(self, ids: Array, lengths: Array) -> Block:
        n_windows, width = ids.shape
        is_subword = numpy.arange(width) < lengths[:, None]
        mask = None if is_subword.all() else self._to_device(is_subword[:, None, None])
        return Block(n_windows, width, mask)

    def _to_device(self, array: Array) -> torch.Tensor:
        return torch.from_numpy(array).to(self.device)

    def _pool(self, hidden: list[torch.Tensor], window_rows: Array, batch: WindowBatch) -> torch.Tensor:
        device = self.device
        n_tokens = len(batch.subword_counts)
        if not hidden:
            return torch.zeros(n_tokens, self._model.config.hidden_size, device=device)
        counts = numpy.minimum(batch.subword_counts, 1) if self.pooling == "first" else batch.subword_counts
        tokens = numpy.repeat(numpy.arange(n_tokens), counts)
        rank = numpy.arange(len(tokens)) - numpy.repeat(numpy.cumsum(counts) - counts, counts)
        first_rows = batch.first_subwords - batch.starts[batch.token_windows] + window_rows[batch.token_windows]
        rows = torch.from_numpy(first_rows[tokens] + rank).to(device)
        subwords = torch.cat(hidden).index_select(0, rows).float()
        total = torch.zeros(n_tokens, subwords.shape[1], device=device)
        total = total.index_add(0, torch.from_numpy(tokens).to(device), subwords)
        divisor = torch.from_numpy(numpy.maximum(counts, 1).astype("f")).to(device)
        return total / divisor[:, None]

    def drop_layers(self, n_layers: int) -> list[int]:
        """Keep some layers, evenly spaced from the first to the last.

        Returns:
            Indices of the layers kept.

        Raises:
            BionerError: the encoder has no layers of BERT, or not more than that.
        """
        if not isinstance(self._model, Bert):
            raise BionerError(Errors.E315.format(kind=type(self._model).__name__))
        n_all = self._model.config.num_hidden_layers
        if not 1 <= n_layers < n_all:
            raise BionerError(Errors.E316.format(n_layers=n_layers, n_all=n_all))
        kept = evenly_spaced(n_all, n_layers)
        self._set_transformer(self.tokenizer, self._model.with_layers(kept))  # type: ignore[arg-type]
        return kept

    def to_bytes(self) -> bytes:
        """Serialise tokenizer, configuration and weights (safetensors)."""
        if self._model is None:
            empty: bytes = srsly.msgpack_dumps({})
            return empty
        return dump_encoder(self.tokenizer, self._model, weights=self.weights)  # type: ignore[arg-type]

    def from_bytes(self, bytes_data: bytes) -> "EncoderShim":
        """Load the output of `to_bytes`, without network, the encoder's package, or writing files."""
        if bytes_data != srsly.msgpack_dumps({}):
            tokenizer, transformer, self.weights = load_dumped_encoder(bytes_data)
            self._set_transformer(tokenizer, transformer)
        return self


def _map(function: Callable[[Any], Any], items: Sequence[Any], *, threads: bool) -> list[Any]:
    """Results of a function for each item, in order, computed by several threads or by this one."""
    return map_threads(function, items) if threads else list(map(function, items))


def evenly_spaced(n_all: int, n_kept: int) -> list[int]:
    """Indices of layers to keep, from the first to the last; of one, the last."""
    kept: list[int] = numpy.linspace(n_all - 1, 0, n_kept).round().astype(int)[::-1].tolist()
    return kept


def _full_passes(ids: list[Array], limit: int) -> list[slice]:
    """Groups of windows of each forward pass: as many as the limit of subwords allows, one at least."""
    ends = numpy.cumsum([0, *(group.size for group in ids)])
    passes, begin = [], 0
    while begin < len(ids):
        end = max(begin + 1, int(numpy.searchsorted(ends, ends[begin] + limit, side="right")) - 1)
        passes.append(slice(begin, end))
        begin = end
    return passes


def _even_passes(ids: list[Array], n_passes: int) -> list[slice]:
    """Groups of windows of each forward pass, with about the same number of subwords in all passes."""
    ends = numpy.cumsum([0, *(group.size for group in ids)])
    boundaries = numpy.searchsorted(ends, ends[-1] * numpy.arange(n_passes + 1) / n_passes)
    return [slice(begin, end) for begin, end in zip(boundaries.tolist(), boundaries[1:].tolist()) if begin < end]


def _update_rows(optimizer: Optimizer, key: tuple[int, str], table: Any, gradient: torch.Tensor) -> None:
    """Update the rows of a (rows, width) table that have a sparse gradient, in place."""
    rows: Any = torch2xp(gradient.indices()[0])
    part_key = (key[0], f"{key[1]}, rows")
    all_moments: list[Any] = [optimizer.mom1, optimizer.mom2]
    for moments in all_moments:
        if key not in moments:
            moments[key] = get_array_module(table).zeros_like(table)
        moments[part_key] = moments[key][rows].ravel()
    d_rows: Any = torch2xp(gradient.values())
    table[rows], _ = optimizer(part_key, table[rows], d_rows)
    for moments in all_moments:
        moments[key][rows] = moments.pop(part_key).reshape(len(rows), -1)


def max_subwords(transformer: Any) -> int:
    """Maximum number of subwords, special ones included, for which a transformer has positions."""
    positions = getattr(transformer.config, "max_position_embeddings", None)
    if positions is None or positions < 1:  # relative positions
        return sys.maxsize
    for name, module in transformer.named_modules():
        # RoBERTa-like models number positions from the padding id + 1.
        if name.endswith("position_embeddings") and getattr(module, "padding_idx", None) is not None:
            return positions - module.padding_idx - 1
    return positions


def _pad_group(batch: WindowBatch, group: Array, lengths: Array, width: int, tokenizer: SubwordTokenizer) -> Array:
    """Ids of windows, (windows, width), padded at the end; special tokens included, as in `lengths`."""
    prefix, suffix = tokenizer.prefix, tokenizer.suffix
    columns = numpy.arange(width)
    subwords = batch.starts[group][:, None] + columns - len(prefix)
    ids = batch.subword_ids[numpy.clip(subwords, 0, len(batch.subword_ids) - 1)]
    ids[columns >= lengths[:, None]] = tokenizer.pad_token_id
    ids[:, : len(prefix)] = prefix
    for i, special in enumerate(reversed(suffix)):
        ids[numpy.arange(len(group)), lengths - 1 - i] = special
    return ids


def check_settings(*, pooling: str, precision: str, window: int, overlap: int) -> None:
    """Refuse settings of the encoder that cannot work.

    Raises:
        BionerError: a setting has a value that is not allowed; the message names it.
    """
    check_setting("pooling", pooling, POOLINGS)
    check_setting("precision", precision, PRECISIONS)
    if overlap < 0 or window <= 2 * overlap:
        raise BionerError(Errors.E302.format(window=window, overlap=overlap))
