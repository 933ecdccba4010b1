"""The layers of BERT, with the names of transformers but without importing it.

For `encode_packed`, and for the weights of every encoder with `is_packable`. The unused pooler is left out.
"""

from collections.abc import Callable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any, Optional

import torch
from torch import Tensor, nn

# Model types with BERT's layers and names.
PACKABLE = ("bert", "camembert", "roberta", "xlm-roberta")
_ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {"gelu": nn.functional.gelu, "relu": nn.functional.relu}
_SETTINGS = (
    "attention_probs_dropout_prob",
    "hidden_dropout_prob",
    "hidden_size",
    "intermediate_size",
    "layer_norm_eps",
    "max_position_embeddings",
    "num_attention_heads",
    "num_hidden_layers",
    "pad_token_id",
    "type_vocab_size",
    "vocab_size",
)


def has_bert_layers(config: Mapping[str, Any]) -> bool:
    """Whether an encoder with this configuration, as transformers saves it, is a `Bert`."""
    absolute = config.get("position_embedding_type", "absolute") == "absolute"
    known = config.get("hidden_act") in _ACTIVATIONS and all(config.get(name) is not None for name in _SETTINGS)
    return config.get("model_type") in PACKABLE and absolute and known and not config.get("is_decoder", False)


class Bert(nn.Module):
    """A BERT-like encoder for `encode_packed`.

    Args:
        config: configuration of an encoder that `has_bert_layers`.

    Attributes:
        config: the settings, as attributes.
    """

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__()
        self.config = SimpleNamespace(**config)
        self.embeddings = _Embeddings(self.config)
        self.encoder = nn.Module()
        self.encoder.layer = nn.ModuleList(_Layer(self.config) for _ in range(self.config.num_hidden_layers))

    @classmethod
    def from_state(cls, config: Mapping[str, Any], state: Mapping[str, Tensor]) -> "Bert":
        """Build the layers around weights, which are not copied if they are float32.

        Args:
            state: weights by the names that transformers has for them.

        Raises:
            RuntimeError: weights are missing, unknown or of other sizes than the settings say.
        """
        unused = ("pooler.", "embeddings.position_ids", "embeddings.token_type_ids")
        weights = {name: tensor.float() for name, tensor in state.items() if not name.startswith(unused)}
        with torch.device("meta"):
            model = cls(config)
        model.load_state_dict(weights, assign=True)
        return model

    def with_layers(self, kept: Sequence[int]) -> "Bert":
        """The same encoder with some of its layers only; weights are shared.

        Args:
            kept: indices of the layers, in ascending order.
        """
        state = {name: tensor for name, tensor in self.state_dict().items() if not name.startswith("encoder.layer.")}
        for new, old in enumerate(kept):
            weights = self.encoder.layer[old].state_dict()  # type: ignore[union-attr, index]
            state.update({f"encoder.layer.{new}.{name}": tensor for name, tensor in weights.items()})
        return Bert.from_state({**vars(self.config), "num_hidden_layers": len(kept)}, state)

    def get_input_embeddings(self) -> nn.Embedding:
        """Table of the vectors of subwords."""
        return self.embeddings.word_embeddings


def _table(rows: int, width: int, pad: Optional[int] = None) -> nn.Embedding:
    """A table whose vectors will be given: to draw them, even on the device "meta", would import torch's compiler."""
    return nn.Embedding.from_pretrained(torch.empty(rows, width), freeze=False, padding_idx=pad)


class _Embeddings(nn.Module):
    def __init__(self, config: SimpleNamespace) -> None:
        super().__init__()
        width, pad = config.hidden_size, config.pad_token_id
        if config.model_type != "bert":
            # RoBERTa-like models number positions from the padding id + 1.
            self.padding_idx = pad
        self.word_embeddings = _table(config.vocab_size, width, pad)
        self.position_embeddings = _table(config.max_position_embeddings, width, getattr(self, "padding_idx", None))
        self.token_type_embeddings = _table(config.type_vocab_size, width)
        self.LayerNorm = nn.LayerNorm(width, eps=config.layer_norm_eps)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)

    def forward(self, input_ids: Tensor, position_ids: Tensor, token_type_ids: Tensor) -> Tensor:
        vectors = self.word_embeddings(input_ids) + self.token_type_embeddings(token_type_ids)
        return self.dropout(self.LayerNorm(vectors + self.position_embeddings(position_ids)))


class _Layer(nn.Module):
    def __init__(self, config: SimpleNamespace) -> None:
        super().__init__()
        width = config.hidden_size
        self.attention = nn.Module()
        self.attention.self = _SelfAttention(config)
        self.attention.output = _Output(config, width)
        self.intermediate = _Intermediate(config)
        self.output = _Output(config, config.intermediate_size)


class _SelfAttention(nn.Module):
    """The layers of attention; `encode_packed` computes it window by window."""

    def __init__(self, config: SimpleNamespace) -> None:
        super().__init__()
        width = config.hidden_size
        self.num_attention_heads = config.num_attention_heads
        self.query, self.key, self.value = (nn.Linear(width, width) for _ in range(3))
        self.dropout = nn.Dropout(config.attention_probs_dropout_prob)


class _Intermediate(nn.Module):
    def __init__(self, config: SimpleNamespace) -> None:
        super().__init__()
        self.dense = nn.Linear(config.hidden_size, config.intermediate_size)
        self.activation = _ACTIVATIONS[config.hidden_act]

    def forward(self, hidden: Tensor) -> Tensor:
        activated: Tensor = self.activation(self.dense(hidden))
        return activated


class _Output(nn.Module):
    """A projection with a residual connection."""

    def __init__(self, config: SimpleNamespace, n_inputs: int) -> None:
        super().__init__()
        self.dense = nn.Linear(n_inputs, config.hidden_size)
        self.LayerNorm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)

    def forward(self, hidden: Tensor, residual: Tensor) -> Tensor:
        return self.LayerNorm(self.dropout(self.dense(hidden)) + residual)
