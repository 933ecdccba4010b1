"""Training configs by the size of the encoder."""

import json
from pathlib import Path

import pytest

from bioner_spacy.errors import BionerError
from bioner_spacy.training.presets import choose_preset


def encoder(folder: Path, size: object) -> str:
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"model_type": "bert", "hidden_size": size}))
    return str(folder)


@pytest.mark.parametrize(
    ("size", "preset"), [(128, "small"), (384, "small"), (512, "small"), (768, "base"), (1024, "base")]
)
def test_the_size_of_the_encoder_decides(size: int, preset: str, tmp_path: Path) -> None:
    path, why = choose_preset(encoder=encoder(tmp_path / "encoder", size))
    assert path.name == f"{preset}.cfg" and path.is_file()
    assert f"hidden size {size}" in why


def test_a_preset_that_is_named_goes_before(tmp_path: Path) -> None:
    assert choose_preset("base", "nowhere")[0].name == "base.cfg"
    assert choose_preset("small", encoder(tmp_path / "encoder", 1024))[0].name == "small.cfg"
    assert choose_preset()[0].name == "small.cfg"


def test_an_encoder_of_unknown_size(tmp_path: Path) -> None:
    with pytest.raises(BionerError, match="cannot be loaded"):
        choose_preset(encoder=str(tmp_path))
    with pytest.raises(BionerError, match="is not installed"):
        choose_preset(encoder="package:no-such-encoder")
    with pytest.raises(BionerError, match="Setting preset is 'large'; allowed: small, base, auto"):
        choose_preset("large")
