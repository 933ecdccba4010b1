"""From the words of a tokenised corpus to text."""

import re
from collections.abc import Sequence

from ..errors import BionerError, Errors

_CLOSING = re.compile(r"[.,;:)\]%}]+")
_OPENING = re.compile(r"[(\[{]+")
_JOINING = re.compile(r"[-/]")


def detokenize(words: Sequence[str]) -> tuple[str, list[tuple[int, int]]]:
    """Join words into text.

    Args:
        words: words of one sentence, in order.

    Returns:
        The text, and the start and end character of every word in it.

    Raises:
        BionerError: if a word is empty or holds whitespace.
    """
    text = ""
    spans = []
    for i, word in enumerate(words):
        if not word or any(char.isspace() for char in word):
            raise BionerError(Errors.E201.format(index=i, word=word))
        if i and not (
            _CLOSING.fullmatch(word)
            or _OPENING.fullmatch(words[i - 1])
            or _JOINING.fullmatch(word)
            or _JOINING.fullmatch(words[i - 1])
        ):
            text += " "
        spans.append((len(text), len(text) + len(word)))
        text += word
    return text, spans
