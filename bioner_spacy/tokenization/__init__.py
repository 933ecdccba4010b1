"""Tokenizer for biomedical text, and detokenizer for tokenized corpora."""

from .detokenize import detokenize
from .tokenizer import create_tokenizer

__all__ = ["create_tokenizer", "detokenize"]
