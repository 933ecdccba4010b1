"""How many boundaries of gold mentions are token boundaries."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Alignment:
    """Counts of `measure`.

    Attributes:
        boundaries: beginnings and ends of mentions.
        aligned: boundaries of those where a token begins or ends.
        mentions: mentions.
        mentions_aligned: mentions that begin where a token begins and end where a token ends.
        tokens: tokens of all documents.
        words: whitespace-separated words of all documents.
        examples: the first boundaries inside a token, as `text before|text after`.
    """

    boundaries: int
    aligned: int
    mentions: int
    mentions_aligned: int
    tokens: int
    words: int
    examples: tuple[str, ...]

    @property
    def share(self) -> float:
        """Share of boundaries that are aligned, from 0 to 1; 1 if there is none."""
        return self.aligned / self.boundaries if self.boundaries else 1.0


def measure(
    tokenize: Callable[[str], Sequence[tuple[int, int]]],
    documents: Iterable[tuple[str, Iterable[tuple[int, int]]]],
    *,
    max_examples: int = 20,
    context: int = 15,
) -> Alignment:
    """Count the boundaries of gold mentions that are token boundaries.

    Args:
        tokenize: gives the first character of every token of a text and the character after its last one.
        documents: texts with the spans of their mentions, in characters. Spans that several mentions share count
            once for each.
        max_examples: number of boundaries inside a token to show.

    Returns:
        The counts over all documents.
    """
    boundaries = aligned = mentions = mentions_aligned = n_tokens = words = 0
    examples: list[str] = []
    for text, spans in documents:
        tokens = tokenize(text)
        n_tokens += len(tokens)
        words += len(text.split())
        starts, ends = {start for start, _ in tokens}, {end for _, end in tokens}
        for start, end in spans:
            missed = [place for place, known in ((start, starts), (end, ends)) if place not in known]
            boundaries += 2
            aligned += 2 - len(missed)
            mentions += 1
            mentions_aligned += not missed
            for place in missed:
                if len(examples) < max_examples:
                    examples.append(f"{text[max(0, place - context) : place]}|{text[place : place + context]}")
    return Alignment(boundaries, aligned, mentions, mentions_aligned, n_tokens, words, tuple(examples))
