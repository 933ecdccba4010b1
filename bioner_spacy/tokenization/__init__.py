"""Tokenizer for biomedical text, and the way back from tokenised corpora to text."""

from .detokenize import detokenize
from .tokenizer import create_tokenizer

__all__ = ["create_tokenizer", "detokenize"]
