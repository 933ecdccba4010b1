"""Pretrained encoders by name: from a model hub, a folder or an installed package."""

from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import BionerError, Errors, Warnings, raising, reason, warn

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerFast


def load_encoder(
    name: str, tokenizer_config: dict[str, Any], transformer_config: dict[str, Any]
) -> "tuple[PreTrainedTokenizerFast, PreTrainedModel]":
    """Load a pretrained encoder and its fast tokenizer, weights from safetensors only.

    Args:
        name: a Hugging Face name, or "NAME@REVISION" (a branch, tag, commit or pull request "refs/pr/1"); a folder; or
            "package:NAME" for a folder inside an installed Python package.
        transformer_config: settings that override those of the encoder's configuration.

    Raises:
        BionerError: the encoder is not found, has no safetensors weights or no fast tokenizer, or needs its own code.
    """
    # Takes seconds, and is not needed for saved pipelines.
    from transformers import AutoConfig, AutoModel, AutoTokenizer

    source, revision = resolve_encoder(name)
    no_code = {"trust_remote_code": False}
    settings = {"use_fast": True, "revision": revision, **tokenizer_config, **no_code}
    # Hub clients raise various exceptions, such as KeyError.
    try:
        tokenizer = AutoTokenizer.from_pretrained(source, **settings)
        if "do_lower_case" not in settings and _loses_case(tokenizer):
            # BioBERT and others have no tokenizer configuration.
            warn(Warnings.W301.format(name=name))
            tokenizer = AutoTokenizer.from_pretrained(source, do_lower_case=False, **settings)
        config = AutoConfig.from_pretrained(source, **{"revision": revision, **transformer_config, **no_code})
    except Exception as error:
        if "trust_remote_code" in str(error):
            raise BionerError(Errors.E312.format(what=f"The encoder {name!r}")) from error
        raise BionerError(Errors.E303.format(name=name, reason=reason(error))) from error
    with raising(Errors.E310, name=name):
        transformer = AutoModel.from_pretrained(
            source, config=config, revision=revision, use_safetensors=True, **no_code
        )
    if not tokenizer.is_fast:
        raise BionerError(Errors.E304.format(name=name))
    return tokenizer, transformer


def _loses_case(tokenizer: Any) -> bool:
    """Whether a fast tokenizer lower-cases text although more than 1 % of its subwords have capital letters."""
    normalizer = tokenizer.backend_tokenizer.normalizer if tokenizer.is_fast else None
    if normalizer is None or normalizer.normalize_str("A") != "a":
        return False
    subwords = set(tokenizer.get_vocab()) - set(tokenizer.all_special_tokens)
    return sum(subword != subword.lower() for subword in subwords) > len(subwords) / 100


def resolve_encoder(name: str) -> tuple[str, str]:
    """Resolve the `name` setting of an encoder for transformers' `from_pretrained`.

    Args:
        name: see `load_encoder`. A package is located by its metadata and never imported.

    Returns:
        Name on a hub or folder, and the revision, "main" if none is named.

    Raises:
        BionerError: the package is not installed or holds no encoder.
    """
    kind, _, package = name.partition(":")
    if kind == "package":
        return _folder_in_package(package), "main"
    if Path(name).is_dir():
        return name, "main"
    source, _, revision = name.partition("@")
    return source, revision or "main"


def _folder_in_package(package: str) -> str:
    try:
        if not package:  # Python 3.10 would find any package
            raise PackageNotFoundError(package)
        files = distribution(package).files or []
    except PackageNotFoundError:
        raise BionerError(Errors.E305.format(package=package)) from None
    for file in files:
        folder = Path(str(file.locate())).parent
        if file.name == "model.safetensors" and (folder / "config.json").is_file():
            return str(folder)
    raise BionerError(Errors.E306.format(package=package))
