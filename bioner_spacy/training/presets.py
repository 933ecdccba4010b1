"""Training configs by the size of the encoder."""

from pathlib import Path
from typing import Optional

from ..errors import Errors, check_setting, raising
from ..shipped import project_file

AUTO = "auto"
PRESETS = ("small", "base")
"""Each is the training config configs/<name>.cfg."""
MOST_OF_SMALL = 512
"""Largest hidden size of an encoder that is trained with the preset small."""


def choose_preset(preset: str = AUTO, encoder: Optional[str] = None) -> tuple[Path, str]:
    """The training config of a preset.

    Args:
        preset: one of `PRESETS`, or auto for the one that suits the encoder.
        encoder: name of the encoder, as in the config; None for the one of the configs.

    Returns:
        The config (of the current project folder if there is one), and why it was chosen.

    Raises:
        BionerError: there is no such preset, or the encoder cannot be found.
    """
    check_setting("preset", preset, (*PRESETS, AUTO))
    if preset != AUTO:
        return _config(preset), "as asked for"
    if encoder is None:
        return _config(PRESETS[0]), "it has its own encoder, which is small"
    size = hidden_size(encoder)
    return _config(PRESETS[size > MOST_OF_SMALL]), f"the encoder {encoder} has the hidden size {size}"


def hidden_size(encoder: str) -> int:
    """The hidden size of an encoder, from its config.json; its weights are not loaded.

    Args:
        encoder: name of the encoder, see `layers.encoder.pretrained.load_encoder`.

    Raises:
        BionerError: the encoder is not found, or has no hidden size.
    """
    from transformers import AutoConfig

    from ..layers.encoder.pretrained import resolve_encoder

    source, revision = resolve_encoder(encoder)
    with raising(Errors.E303, name=encoder):
        size = int(AutoConfig.from_pretrained(source, revision=revision).hidden_size)
    return size


def _config(preset: str) -> Path:
    return project_file(f"configs/{preset}.cfg")
