"""A forward pass of BERT over windows of several lengths with little padding.

Everything except attention works on single subwords, so all windows are concatenated: one matrix product per layer.
Attention is computed per block of windows of similar length. On a CPU this trains 1.6 times as fast as one pass per
block.
"""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Optional

import torch
from torch import Tensor
from torch.nn import Dropout
from torch.nn.functional import pad, scaled_dot_product_attention

from .bert import PACKABLE

# Largest number of subwords of a window for which the CPU's fused attention is slower in bfloat16.
_LONGEST_UNFUSED = 128


@dataclass(frozen=True)
class Block:
    """Windows of similar length, padded to the longest."""

    n_windows: int  # number of windows, B
    length: int  # subwords per window, including padding, L
    mask: Optional[Tensor]  # (B, 1, 1, L), false at padding; None without padding


def is_packable(transformer: Any) -> bool:
    """Whether `encode_packed` supports the encoder."""
    config = transformer.config
    absolute = getattr(config, "position_embedding_type", "absolute") == "absolute"
    return config.model_type in PACKABLE and absolute and not getattr(config, "is_decoder", False)


def encode_packed(transformer: Any, ids: Tensor, positions: Tensor, blocks: Sequence[Block]) -> Tensor:
    """Last hidden states of windows, with dropout in training mode.

    Args:
        transformer: an encoder for which `is_packable`.
        ids: (P,) vocabulary ids of all blocks, padding included.
        positions: (P,) number of each subword in its window, from 0.
        blocks: the blocks, in the order of the subwords.

    Returns:
        (P, width); values at padding are meaningless.
    """
    n_subwords = len(ids)
    fill = (0, rounded(n_subwords) - n_subwords)
    ids, positions = pad(ids, fill), pad(positions, fill)
    # RoBERTa-like models number positions from the padding id + 1.
    first_position = getattr(transformer.embeddings, "padding_idx", -1) + 1
    hidden = transformer.embeddings(
        input_ids=ids[None],
        position_ids=positions[None] + first_position,
        token_type_ids=torch.zeros_like(ids)[None],
    )[0]
    for layer in transformer.encoder.layer:
        attended = layer.attention.output(_attend(layer.attention.self, hidden, blocks), hidden)
        hidden = layer.output(layer.intermediate(attended), attended)
    return hidden[:n_subwords]


def rounded(n_subwords: int) -> int:
    """Round a number of subwords up, to one of sixteen numbers between powers of two.

    oneDNN (bfloat16 products on a CPU) makes a kernel of about 0.4 MB for each shape of matrices, and keeps a thousand. With
    few different numbers, memory stays flat, and no time is spent on making kernels.
    """
    step = max(1, 2 ** (n_subwords - 1).bit_length() // 32)
    return -(-n_subwords // step) * step


def _attend(layer: Any, hidden: Tensor, blocks: Sequence[Block]) -> Tensor:
    """(P, width) self-attention inside each window."""
    n_heads, dropout = layer.num_attention_heads, layer.dropout
    projected = [project(hidden) for project in (layer.query, layer.key, layer.value)]
    sizes = [block.n_windows * block.length for block in blocks]
    n_fill = len(hidden) - sum(sizes)
    outputs = []
    for block, *parts in zip(blocks, *(vectors.split([*sizes, n_fill]) for vectors in projected)):
        shape = (block.n_windows, block.length, n_heads, -1)
        query, key, value = (part.view(shape).transpose(1, 2) for part in parts)
        found = _attention(query, key, value, block.mask, dropout)
        outputs.append(found.transpose(1, 2).reshape(-1, hidden.shape[-1]))
    return torch.cat([*outputs, outputs[0].new_zeros(n_fill, hidden.shape[-1])])


def _attention(query: Tensor, key: Tensor, value: Tensor, mask: Optional[Tensor], dropout: Dropout) -> Tensor:
    """(B, heads, L, d) attention."""
    if query.requires_grad and not query.is_cuda:
        # The CPU's fused attention has a slow backward pass in bfloat16 and none with dropout.
        scores = (query * query.shape[-1] ** -0.5) @ key.transpose(-1, -2)
        if mask is not None:
            scores = scores.masked_fill(~mask, torch.finfo(scores.dtype).min)
        return dropout(scores.softmax(dim=-1)) @ value
    if query.dtype == torch.bfloat16 and not query.is_cuda and query.shape[2] <= _LONGEST_UNFUSED:
        return _short_attention(query, key, value, mask)
    p = dropout.p if dropout.training else 0.0
    return scaled_dot_product_attention(query, key, value, attn_mask=mask, dropout_p=p)


def _short_attention(query: Tensor, key: Tensor, value: Tensor, mask: Optional[Tensor]) -> Tensor:
    """(B, heads, L, d) attention without dropout: products in bfloat16, softmax in float32, as torch's, which takes twice
    the time for sentences on a CPU."""
    shape = query.shape
    queries, keys, values = (part.reshape(-1, *shape[2:]) for part in (query, key, value))
    scores = torch.bmm(queries, keys.transpose(1, 2)).float().mul_(shape[-1] ** -0.5)
    if mask is not None:
        scores.view(*shape[:3], -1).masked_fill_(~mask, torch.finfo(scores.dtype).min)
    return torch.bmm(scores.softmax(dim=-1).to(values.dtype), values).view(shape)


class _Thread(threading.local):
    generator: Optional[torch.Generator] = None


_thread = _Thread()


@contextmanager
def random_bits(seed: int) -> Iterator[None]:
    """Give this thread a generator of its own, so that what it draws does not depend on other threads."""
    _thread.generator = torch.Generator().manual_seed(seed)
    try:
        yield
    finally:
        _thread.generator = None


class QuickDropout(Dropout):
    """Dropout with masks at a sixth of the cost of torch's on a CPU.

    It uses 16 random bits per element instead of 32; the rate is `p` up to 1/65536. The bits are from torch's generator, or in
    a thread from that of `random_bits`.
    """

    def forward(self, input: Tensor) -> Tensor:
        if not self.training or not 0 < self.p < 1 or input.device.type != "cpu":
            return super().forward(input)
        draws = torch.empty((input.numel() + 3) // 4, dtype=torch.int64).random_(
            -(2**63), None, generator=_thread.generator
        )
        dropped = round(self.p * 2**16)
        kept = draws.view(torch.int16)[: input.numel()].view(input.shape) >= dropped - 2**15
        return input * (kept * (2**16 / (2**16 - dropped))).to(input.dtype)


def use_fast_dropout(module: torch.nn.Module) -> None:
    """Replace every dropout inside a module by a `QuickDropout` of the same rate."""
    for name, child in module.named_children():
        if type(child) is Dropout:
            setattr(module, name, QuickDropout(child.p))
        else:
            use_fast_dropout(child)
