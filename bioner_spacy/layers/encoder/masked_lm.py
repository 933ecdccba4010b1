"""Masked-language-model training of an encoder (Devlin et al. 2019, "BERT", arXiv 1810.04805)."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from thinc.api import get_torch_default_device
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, linear

from ...types import Array
from .packed_bert import Block, encode_packed, is_packable, use_fast_dropout
from .precision import bfloat16_enabled
from .pretrained import load_encoder

WEIGHT_DECAY = 0.01
MOST_GRADIENT = 1.0
"""Norm to which gradients are clipped."""


class MaskedLanguageModel:
    """An encoder with BERT's head, whose output layer is tied to the input embeddings.

    Args:
        name: of the encoder, as in the setting components.transformer.model.name.
        seed: random seed of the head's weights.

    Attributes:
        tokenizer: the fast tokenizer of transformers.
        encoder: the model of transformers.

    Raises:
        BionerError: see `load_encoder`.
    """

    def __init__(self, name: str, *, seed: int) -> None:
        self.device = get_torch_default_device()
        loaded: Any = load_encoder(name, {}, {})
        self.tokenizer, self.encoder = loaded
        torch.manual_seed(seed)
        self._head = _Head(self.encoder)
        for module in (self.encoder, self._head):
            use_fast_dropout(module)
            module.train().to(self.device)
        parameters = [p for module in (self.encoder, self._head) for p in module.parameters()]
        groups = [
            {"params": [p for p in parameters if p.ndim > 1], "weight_decay": WEIGHT_DECAY},
            {"params": [p for p in parameters if p.ndim < 2], "weight_decay": 0.0},
        ]
        self._parameters = parameters
        self._optimizer = torch.optim.AdamW(groups)

    def step(self, ids: Array, wanted: Array, chosen: Array, *, rate: float, seed: int) -> float:
        """Learn from a batch.

        Args:
            ids: (B, L) ids of subwords, some of them masked.
            wanted: (B, L) ids as they are in the text.
            chosen: (B, L) bool, subwords to predict.
            seed: random seed of dropout.

        Returns:
            Mean cross-entropy of the subwords to predict, in nats.
        """
        torch.manual_seed(seed)
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        inputs, labels, places = (torch.from_numpy(array).to(self.device) for array in (ids, wanted, chosen))
        self._optimizer.zero_grad()
        with torch.autocast(self.device.type, torch.bfloat16, enabled=bfloat16_enabled("auto", self.device)):
            logits = self._head(self._encode(inputs)[places.ravel()])
        loss = cross_entropy(logits.float(), labels[places])
        loss.backward()
        nn.utils.clip_grad_norm_(self._parameters, MOST_GRADIENT)
        self._optimizer.step()
        return float(loss.detach())

    def _encode(self, ids: Tensor) -> Tensor:
        """(B * L, width) hidden states."""
        size, length = ids.shape
        if is_packable(self.encoder):
            positions = torch.arange(length, device=ids.device).repeat(size)
            return encode_packed(self.encoder, ids.ravel(), positions, [Block(size, length, None)])
        return self.encoder(input_ids=ids).last_hidden_state.flatten(0, 1)

    def save_encoder(self, folder: Path) -> None:
        """Write the encoder as a Hugging Face folder: `model.safetensors`, `config.json` and files of the
        tokenizer."""
        self.encoder.save_pretrained(folder, safe_serialization=True)
        self.tokenizer.save_pretrained(folder)

    def save_state(self, path: Path, metadata: Mapping[str, str]) -> None:
        """Write weights and optimizer state as one safetensors file."""
        state = {f"encoder.{name}": tensor for name, tensor in self.encoder.state_dict().items()}
        state |= {f"head.{name}": tensor for name, tensor in self._head.state_dict().items()}
        for number, sums in self._optimizer.state_dict()["state"].items():
            state |= {f"optimizer.{number}.{name}": tensor for name, tensor in sums.items()}
        # Tied weights share memory, which safetensors refuses.
        save_file({name: tensor.detach().cpu().clone() for name, tensor in state.items()}, path, dict(metadata))

    def load_state(self, path: Path) -> None:
        """Load the output of `save_state`.

        Raises:
            SafetensorError, KeyError, ValueError or RuntimeError: the file is damaged or of another encoder.
        """
        parts: dict[str, dict[str, Tensor]] = {"encoder": {}, "head": {}, "optimizer": {}}
        for name, tensor in load_file(path).items():
            part, _, rest = name.partition(".")
            parts[part][rest] = tensor
        self.encoder.load_state_dict(parts["encoder"])
        self._head.load_state_dict(parts["head"])
        sums: dict[int, dict[str, Tensor]] = {}
        for name, tensor in parts["optimizer"].items():
            number, _, rest = name.partition(".")
            sums.setdefault(int(number), {})[rest] = tensor
        groups = self._optimizer.state_dict()["param_groups"]
        self._optimizer.load_state_dict({"state": sums, "param_groups": groups})


class _Head(nn.Module):
    """Hidden states to scores of subwords."""

    def __init__(self, encoder: Any) -> None:
        super().__init__()
        self._embeddings = [encoder.get_input_embeddings()]  # in a list: its weights are those of the encoder
        n_subwords, width = self._embeddings[0].weight.shape
        self.dense = nn.Linear(encoder.config.hidden_size, width)
        nn.init.normal_(self.dense.weight, std=getattr(encoder.config, "initializer_range", 0.02))
        nn.init.zeros_(self.dense.bias)
        self.norm = nn.LayerNorm(width, eps=getattr(encoder.config, "layer_norm_eps", 1e-12))
        self.bias = nn.Parameter(torch.zeros(n_subwords))

    def forward(self, hidden: Tensor) -> Tensor:
        features = self.norm(nn.functional.gelu(self.dense(hidden)))
        return linear(features, self._embeddings[0].weight, self.bias)
