"""Text vectors: states of the first special token, such as [CLS]."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy
import torch
from numpy.typing import NDArray
from thinc.api import get_torch_default_device

from .pretrained import load_encoder
from .shim import max_subwords

LAYERS = (-2, -3, -4)
"""Layers whose states are averaged, as in Akdemir and Shibuya (2020), as far as the encoder has them."""

WINDOW = 256
"""Maximum number of subwords of a text that are read."""


def mean_first_subwords(
    name: str, texts: Mapping[str, Sequence[str]], *, batch_size: int = 32
) -> dict[str, NDArray[numpy.float64]]:
    """Mean vector of the first subword over the texts of each group and over `LAYERS`, in float32.

    Args:
        name: of the encoder, as in the setting components.transformer.model.name.
        texts: group -> texts, at least one each.

    Returns:
        Group -> (width,) vector. The result does not depend on batches.

    Raises:
        BionerError: see `load_encoder`.
    """
    loaded: Any = load_encoder(name, {}, {})
    tokenizer, transformer = loaded
    tokenizer.padding_side = "right"
    device = get_torch_default_device()
    transformer = transformer.eval().to(device)
    limit = min(WINDOW, max_subwords(transformer), tokenizer.model_max_length)
    vectors = {}
    for group, of_group in texts.items():
        total = torch.zeros(transformer.config.hidden_size, dtype=torch.float64, device=device)
        by_length = sorted(of_group, key=len)
        for begin in range(0, len(by_length), batch_size):
            batch = by_length[begin : begin + batch_size]
            subwords = tokenizer(batch, truncation=True, max_length=limit, padding=True, return_tensors="pt")
            with torch.inference_mode():
                states = transformer(**subwords.to(device), output_hidden_states=True).hidden_states
            chosen = [states[layer][:, 0] for layer in LAYERS if -layer <= len(states)]
            total += torch.stack(chosen).mean(dim=0).double().sum(dim=0)
        vectors[group] = (total / len(by_length)).cpu().numpy()
    return vectors
