"""The subword tokenizer of an encoder, without importing `transformers`, which takes seconds."""

import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from tokenizers import Encoding, Tokenizer


class SubwordTokenizer:
    """Texts to subwords.

    Args:
        tokenizer: the tokenizer; its truncation and padding are disabled.
        max_length: maximum number of subwords, special ones included, that the tokenizer declares for its encoder.
        pad_token: the padding token; None if there is none.

    Attributes:
        model_max_length: as `max_length`.
        pad_token_id: id of the pad token, 0 if there is none.
        prefix: ids of the special tokens before a text, such as [CLS].
        suffix: ids of the special tokens after a text, such as [SEP].
    """

    def __init__(self, tokenizer: Tokenizer, *, max_length: int, pad_token: Any = None) -> None:
        tokenizer.no_truncation()
        tokenizer.no_padding()
        self.backend = tokenizer
        self.pad_token = pad_token
        self.model_max_length = min(max_length, sys.maxsize)
        pad_id = None if pad_token is None else tokenizer.token_to_id(pad_token)
        self.pad_token_id: int = pad_id or 0
        sample = tokenizer.encode("a", add_special_tokens=True)
        n_prefix = sample.special_tokens_mask.index(0)
        n_suffix = sample.special_tokens_mask[::-1].index(0)
        self.prefix: list[int] = sample.ids[:n_prefix]
        self.suffix: list[int] = sample.ids[len(sample.ids) - n_suffix :]

    @classmethod
    def from_hugging_face(cls, tokenizer: Any) -> "SubwordTokenizer":
        """Convert a fast tokenizer of transformers."""
        backend = Tokenizer.from_str(tokenizer.backend_tokenizer.to_str())
        return cls(backend, max_length=int(tokenizer.model_max_length), pad_token=tokenizer.pad_token)

    @classmethod
    def from_files(cls, files: Mapping[str, bytes]) -> "SubwordTokenizer":
        """Build a tokenizer from the contents of `tokenizer.json` and `tokenizer_config.json`; writes no file.

        Raises:
            Exception: the contents are not those of a tokenizer.
        """
        settings = json.loads(files["tokenizer_config.json"])
        pad_token = settings.get("pad_token")
        if isinstance(pad_token, dict):
            pad_token = pad_token["content"]
        backend = Tokenizer.from_str(bytes(files["tokenizer.json"]).decode("utf8"))
        return cls(backend, max_length=int(settings.get("model_max_length", sys.maxsize)), pad_token=pad_token)

    def to_files(self) -> dict[str, bytes]:
        """Contents of the files that `from_files` takes."""
        settings = {"model_max_length": self.model_max_length, "pad_token": self.pad_token}
        return {
            "tokenizer.json": self.backend.to_str().encode("utf8"),
            "tokenizer_config.json": json.dumps(settings).encode("utf8"),
        }

    def encode(self, texts: Sequence[str]) -> list[Encoding]:
        """Ids and character offsets of the subwords of each text, special tokens left off."""
        return self.backend.encode_batch(list(texts), add_special_tokens=False)
