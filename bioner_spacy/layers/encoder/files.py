"""Serialise an encoder (configuration, tokenizer, weights) in one message; loading writes no file and runs no code."""

import json
from collections.abc import Mapping
from typing import Any

import safetensors.torch
import srsly
from torch import Tensor

from ...errors import BionerError, Errors, raising
from .bert import Bert, has_bert_layers
from .int8 import expand_state, is_quantized, quantize_state
from .subwords import SubwordTokenizer

WEIGHTS = ("float32", "int8")
"""How weights are stored: unchanged, or as 8-bit matrices with a scale per row (a quarter of the size)."""

# Settings with which transformers would run or fetch code or weights, or that name a folder.
_NEVER_READ = (
    "_attn_implementation",
    "_attn_implementation_internal",
    "_name_or_path",
    "attn_implementation",
    "auto_map",
    "backbone",
    "backbone_config",
    "custom_pipelines",
    "quantization_config",
    "use_pretrained_backbone",
    "use_timm_backbone",
)


def dump_encoder(tokenizer: SubwordTokenizer, transformer: Any, *, weights: str) -> bytes:
    """Serialise an encoder.

    Args:
        transformer: a `Bert`, or a model of transformers.
        weights: one of `WEIGHTS`.

    Raises:
        BionerError: weights that are not finite cannot be stored in 8 bits.
    """
    # Tied weights share memory, which safetensors refuses.
    state = {name: tensor.detach().cpu().clone() for name, tensor in transformer.state_dict().items()}
    if weights == "int8":
        try:
            state = quantize_state(state)
        except ValueError as error:
            raise BionerError(Errors.E313.format(reason=error)) from error
    files = {"config.json": json.dumps(encoder_config(transformer)).encode("utf8"), **tokenizer.to_files()}
    data: bytes = srsly.msgpack_dumps({"files": files, "state": safetensors.torch.save(state)})
    return data


def load_dumped_encoder(data: bytes) -> tuple[SubwordTokenizer, Any, str]:
    """Load the output of `dump_encoder`, of earlier versions too.

    Returns:
        Tokenizer, transformer, and how its weights were stored, one of `WEIGHTS`.

    Raises:
        BionerError: the message is not an encoder, or one that needs code of its own.
    """
    with raising(Errors.E311):
        message = srsly.msgpack_loads(data)
        state = safetensors.torch.load(message["state"])
        config = json.loads(message["files"]["config.json"])
        tokenizer = SubwordTokenizer.from_files(message["files"])
        transformer = build_transformer(config, expand_state(state))
    return tokenizer, transformer, "int8" if is_quantized(state) else "float32"


def build_transformer(config: Mapping[str, Any], state: Mapping[str, Tensor]) -> Any:
    """Build a transformer from its configuration and weights: a `Bert` if possible, else a model of transformers.

    Raises:
        BionerError: transformers has no such model.
    """
    config = {name: value for name, value in config.items() if name not in _NEVER_READ}
    if has_bert_layers(config):
        return Bert.from_state(config, state)
    from transformers import CONFIG_MAPPING, AutoModel  # takes seconds, and is not needed for BERT

    model_type = str(config.get("model_type"))
    if model_type not in CONFIG_MAPPING:
        raise BionerError(Errors.E312.format(what=f"The saved encoder, of the type {model_type!r},"))
    settings = CONFIG_MAPPING[model_type].from_dict(config)
    transformer = AutoModel.from_config(settings, trust_remote_code=False)
    transformer.load_state_dict(state)
    return transformer


def without_transformers(transformer: Any) -> Any:
    """Convert a model of transformers to a `Bert`; a model with other layers is returned as it is."""
    config = encoder_config(transformer)
    return Bert.from_state(config, transformer.state_dict()) if has_bert_layers(config) else transformer


def encoder_config(transformer: Any) -> dict[str, Any]:
    """The configuration of an encoder as in `config.json`, without unused settings."""
    config = transformer.config
    settings = vars(config) if isinstance(transformer, Bert) else json.loads(config.to_json_string())
    return {name: value for name, value in settings.items() if name not in _NEVER_READ}
