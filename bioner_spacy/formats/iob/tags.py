"""Tag schemes of column files: from tags to mentions.

The schemes are those of Ratinov and Roth, "Design challenges and misconceptions in named entity recognition", CoNLL
2009.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Optional

SCHEMES: dict[str, dict[str, str]] = {
    "iob2": {"B": "B", "I": "I"},
    "iob1": {"B": "B", "I": "I"},
    "iobes": {"B": "B", "I": "I", "E": "E", "S": "S"},
    "biluo": {"B": "B", "I": "I", "L": "E", "U": "S"},
}
"""Prefixes of every scheme, each with its name in IOBES. In IOB1, B parts neighbours only; other mentions begin with
I."""

OPEN_AT_START = "begins the sentence inside a mention: the sentence breaks of the file may be wrong"
OPEN_AT_END = "ends the sentence inside a mention: the sentence breaks of the file may be wrong"

_TAG = re.compile(r"O|[BIESLU](-.+)?")


class TagError(ValueError):
    """A tag that is not valid in its sequence: `index` is its position, the message the reason."""

    def __init__(self, index: int, reason: str) -> None:
        super().__init__(reason)
        self.index = index


def is_tag(text: str) -> bool:
    """Whether a text is a tag of some scheme."""
    return _TAG.fullmatch(text) is not None


def find_scheme(columns: Iterable[Sequence[str]]) -> Optional[str]:
    """The scheme of some columns of tags, by their prefixes and by how mentions begin; None if they mix those of four
    prefixes.

    Args:
        columns: tags of the tokens of sentences.
    """
    prefixes, beginnings = set[str](), set[str]()
    for tags in columns:
        for before, tag in zip(["O", *tags], tags):
            prefix, _, label = tag.partition("-")
            prefixes.add(prefix)
            if before == "O" or before.partition("-")[2] != label:
                beginnings.add(prefix)
    iobes, biluo = not prefixes.isdisjoint("ES"), not prefixes.isdisjoint("LU")
    if iobes or biluo:
        return None if iobes and biluo else "iobes" if iobes else "biluo"
    return "iob1" if "I" in beginnings and "B" not in beginnings else "iob2"


def decode_tags(
    tags: Sequence[str], *, scheme: str, default_label: Optional[str] = None, invalid: str = "error"
) -> tuple[list[tuple[int, int, str]], list[int]]:
    """Mentions of one column of tags.

    Args:
        tags: tags of the tokens of one sentence.
        scheme: one of `SCHEMES`.
        default_label: label of tags without a type.
        invalid: "error" or "begin", as for `read`.

    Returns:
        (first token, token after the last one, label) of every mention in order, and the indices of tags that were
        read as the beginning of a mention, or as the end of one, without being it.

    Raises:
        TagError: at a tag that is unknown or, with "error", not valid in its place.
    """
    spans: list[tuple[int, int, str]] = []
    repaired: list[int] = []

    def problem(index: int, reason: str) -> None:
        if invalid == "error":
            raise TagError(index, reason)
        repaired.append(index)

    start, label = -1, ""  # the open mention; -1: none
    for i, tag in enumerate(tags):
        prefix, new_label = _split_tag(tag, i, scheme, default_label)
        continues = prefix in ("I", "E")
        if continues and (start < 0 or new_label != label):
            if scheme != "iob1":
                problem(i, f"the tag {tag} {'does not continue the mention before it' if i else OPEN_AT_START}")
            continues, prefix = False, "B" if prefix == "I" else "S"
        elif start >= 0 and not continues and scheme not in ("iob1", "iob2"):
            problem(i, f"the mention before the tag {tag} has no end tag")
        if start >= 0 and not continues:
            spans.append((start, i, label))
            start = -1
        if prefix in ("B", "S"):
            start, label = i, new_label
        if prefix in ("E", "S"):
            spans.append((start, i + 1, label))
            start = -1
    if start >= 0:
        if scheme not in ("iob1", "iob2"):
            problem(len(tags) - 1, f"the tag {tags[-1]} {OPEN_AT_END}")
        spans.append((start, len(tags), label))
    return spans, repaired


def _split_tag(tag: str, index: int, scheme: str, default_label: Optional[str]) -> tuple[str, str]:
    """Prefix of a tag by its IOBES name, and its label."""
    if tag == "O":
        return "O", ""
    prefix, dash, label = tag.partition("-")
    if prefix not in SCHEMES[scheme] or (dash and not label):
        raise TagError(index, f"{tag!r} is no tag of the scheme {scheme}")
    if not dash:
        if default_label is None:
            raise TagError(index, f"the tag {tag} has no type; name one in the option default_label of the corpus")
        label = default_label
    return SCHEMES[scheme][prefix], label
