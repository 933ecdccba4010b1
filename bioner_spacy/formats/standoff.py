"""What the readers of standoff formats share: mentions of several fragments, compared with the text they stand in."""

from collections.abc import Sequence
from pathlib import Path

from ..errors import BionerError, Errors, Warnings, warn
from .document import Mention
from .pubtator import MISMATCH

_SEPARATORS = (" ", " ... ", " [...] ")
"""What stands between the fragments in the text of a discontinuous annotation: brat has the first, converters others."""


class MentionBuilder:
    """Makes mentions of annotations, and compares their texts with the ones at their offsets.

    Texts are compared without regard to kind and number of whitespace characters: line breaks inside a mention are
    spaces in the files.
    """

    def __init__(self, path: Path, mismatch: str) -> None:
        """Begin a corpus.

        Args:
            path: its file or folder, for the warning at the end.
            mismatch: "error", or "offsets" to believe the offsets and to warn in `finish`.

        Raises:
            BionerError: if the setting is unknown.
        """
        if mismatch not in MISMATCH:
            raise BionerError(Errors.E105.format(setting="mismatch", value=mismatch, allowed=", ".join(MISMATCH)))
        self.path = path
        self.mismatch = mismatch
        self.mismatches: list[str] = []

    def mention(
        self, path: Path, line: int, text: str, *, label: str, fragments: Sequence[tuple[int, int]], claimed: str
    ) -> Mention:
        """The mention of one annotation.

        Args:
            path: the file of the annotation.
            line: its line.
            text: text of the document.
            label: the corpus's own label.
            fragments: first character and the character after the last one of every fragment, in any order.
            claimed: the text that the file gives for the annotation; empty where it gives none.

        Returns:
            The mention. Fragments that touch, overlap or have only whitespace between them are one: brat cuts
            mentions at line breaks.

        Raises:
            BionerError: if a fragment is not in the text, or the text is another one and `mismatch` is "error".
        """
        for start, end in fragments:
            if not 0 <= start < end <= len(text):
                reason = f"characters {start} to {end} of a text of {len(text)} characters"
                raise BionerError(Errors.E106.format(path=path, line=line, reason=reason))
        if claimed.strip() and not _same_text(text, fragments, claimed):
            if self.mismatch == "error":
                found = " ".join(text[start:end] for start, end in fragments)
                raise BionerError(Errors.E132.format(path=path, line=line, claimed=claimed, found=found))
            self.mismatches.append(str(line) if path == self.path else f"{line} of {path.name}")
        merged = _merge(text, fragments)
        return Mention(merged[0][0], merged[-1][1], label, line, tuple(merged) if len(merged) > 1 else ())

    def finish(self) -> None:
        """Warn of annotations whose offsets were believed against their text."""
        if self.mismatches:
            warn(Warnings.W102.format(path=self.path, count=len(self.mismatches), line=self.mismatches[0]))


def decode(path: Path, content: bytes) -> str:
    """Decode the content of a file as UTF-8 and keep its line ends and all other characters, which offsets count.

    Args:
        path: the file, for the message.
        content: its bytes.

    Returns:
        The text.

    Raises:
        BionerError: if the content is not valid UTF-8.
    """
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        byte = error.start - content.rfind(b"\n", 0, error.start)
        raise BionerError(Errors.E103.format(path=path, line=line, byte=byte)) from None


def _same_text(text: str, fragments: Sequence[tuple[int, int]], claimed: str) -> bool:
    candidates = [text[min(fragments)[0] : max(end for _, end in fragments)]]
    for ordered in (fragments, sorted(fragments)):  # files list fragments out of order, with their text in order
        parts = [text[start:end] for start, end in ordered]
        candidates += [separator.join(parts) for separator in _SEPARATORS]
    return claimed.split() in [candidate.split() for candidate in candidates]


def _merge(text: str, fragments: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Fragments in order, those that are one by `MentionBuilder.mention` put together."""
    merged: list[tuple[int, int]] = []
    for start, end in sorted(fragments):
        if merged and not text[merged[-1][1] : start].strip():
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged
