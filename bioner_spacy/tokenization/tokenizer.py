"""Tokenizer for biomedical text."""

import re
from collections.abc import Callable

from spacy.language import Language
from spacy.tokenizer import Tokenizer

TOKEN_BOUNDARY = r"(?<=[^\w\s])(?=\S)|(?<=\S)(?=[^\w\s])"


def create_tokenizer() -> Callable[[Language], Tokenizer]:
    """Make the function that builds the tokenizer of a pipeline."""

    def tokenizer_factory(nlp: Language) -> Tokenizer:
        return Tokenizer(nlp.vocab, rules={}, infix_finditer=re.compile(TOKEN_BOUNDARY).finditer)

    return tokenizer_factory
