"""Shared parts of standoff formats: mentions of several fragments, checked against the text, and identifiers."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Optional, Union

from ..errors import BionerError, Errors, Warnings, check_setting, warn
from .document import Mention
from .ledger import Ledger

MISMATCH = ("error", "offsets", "drop")
"""What to do with an annotation whose text is not the one at its offsets: raise an error; believe the offsets, and
leave out annotations outside of the text; or leave out both. What is believed and what is left out is counted."""

_SEPARATORS = (" ", " ... ", " [...] ")
"""What is between the fragments in the text of a discontinuous annotation: brat has the first, converters
others."""


class MentionBuilder(Ledger):
    """Makes mentions of annotations, compares them with the text at their offsets, and counts what is not kept.

    Texts are compared without regard to kind and number of whitespace characters: line breaks inside a mention are
    spaces in the files.
    """

    def __init__(self, path: Path, mismatch: str) -> None:
        """Begin a corpus.

        Args:
            mismatch: one of `MISMATCH`.
        """
        check_setting("mismatch", mismatch, MISMATCH)
        super().__init__(path)
        self.mismatch = mismatch
        self.mismatches: list[Union[int, str]] = []
        self.left_out: list[Union[int, str]] = []

    def mention(
        self,
        path: Path,
        line: int,
        text: str,
        *,
        label: str,
        fragments: Sequence[tuple[int, int]],
        claimed: str,
        score: Optional[float] = None,
        identifiers: Sequence[str] = (),
        infons: Optional[Mapping[str, Any]] = None,
    ) -> Optional[Mention]:
        """The mention of one annotation.

        Args:
            label: the corpus's own label.
            fragments: first character and the character after the last one of every fragment, in any order.
            claimed: the text that the file gives for the annotation; empty if it gives none.
            score: as for `Mention`.
            identifiers: as for `Mention`.
            infons: as for `Mention`.

        Returns:
            The mention, or None if it is left out. Fragments that touch, overlap or have only whitespace between
            them are one: brat cuts mentions at line breaks.

        Raises:
            BionerError: a fragment is not in the text, or the text is another one and `mismatch` is "error".
        """
        where = line if path == self.path else f"{line} of {path.name}"
        inside = all(0 <= start < end <= len(text) for start, end in fragments)
        same = inside and (not claimed.strip() or _same_text(text, fragments, claimed))
        if not same and self.mismatch == "error":
            if cause := _cause(text, fragments, claimed):
                raise BionerError(Errors.E139.format(path=path, line=line, claimed=claimed, cause=cause))
            if inside:
                found = " ".join(text[start:end] for start, end in fragments)
                raise BionerError(Errors.E132.format(path=path, line=line, claimed=claimed, found=found))
            start, end = next(place for place in fragments if not 0 <= place[0] < place[1] <= len(text))
            reason = f"characters {start} to {end} of a text of {len(text)} characters"
            raise BionerError(Errors.E134.format(path=path, line=line, reason=reason))
        if not inside or (not same and self.mismatch == "drop"):
            self.left_out.append(where)
            return None
        if not same:
            self.mismatches.append(where)
        merged = _merge(text, fragments)
        parts = tuple(merged) if len(merged) > 1 else ()
        return Mention(merged[0][0], merged[-1][1], label, line, parts, score, tuple(identifiers), dict(infons or {}))

    def finish(self) -> None:
        """Warn of annotations whose offsets were trusted although the text differs, of those that are left out, and of
        the rest."""
        if self.mismatches:
            warn(Warnings.W102.format(path=self.path, count=len(self.mismatches), line=self.mismatches[0]))
        if self.left_out:
            warn(Warnings.W111.format(path=self.path, count=len(self.left_out), line=self.left_out[0]))
        super().finish()


IDENTIFIER = "identifier"
"""The infon that concept identifiers have in PubTator's BioC; here it keeps how a file writes them."""

_IDENTIFIER = r"(?:[A-Za-z][\w.]*:)?[A-Za-z]{0,8}[-_:]?[0-9][\w.-]*"
_SEVERAL = re.compile(rf"\s*{_IDENTIFIER}(?:\s*[|,]\s*{_IDENTIFIER})+\s*")
_NONE = ("", "-", "-1", "None")
_CONTEXT = re.compile(r"(?:VariantGroup|CorrespondingGene|CorrespondingSpecies):.*|\(Tax:\d+\)", re.DOTALL)
"""What PubTator adds to identifiers of variants and genes: identifiers of other concepts."""


def split_identifiers(text: str) -> tuple[str, ...]:
    """Concept identifiers in one string, as in files: separated by semicolons, bars or commas.

    Bars and commas stand in identifiers of variants too (`tmVar:c|SUB|G|12|A`): they part only what looks like numbers
    of entries. "-", "-1" and "None" stand for a concept that is not known. Gene and species that PubTator names beside
    a variant, and the species beside a gene, are left out.
    """
    parts: list[str] = []
    for part in (_CONTEXT.sub("", one) for one in text.split(";")):
        parts += re.split(r"[|,]", part) if _SEVERAL.fullmatch(part) else [part]
    return tuple(dict.fromkeys(part.strip() for part in parts if part.strip() not in _NONE))


def identifier_details(text: str) -> tuple[tuple[str, ...], dict[str, Any]]:
    """The identifiers in a string, and an infon with the string unless it is a single identifier."""
    identifiers, text = split_identifiers(text), text.strip()
    return identifiers, {IDENTIFIER: text} if text and identifiers != (text,) else {}


def join_identifiers(mention: Mention) -> str:
    """The identifiers of a mention as one string: as in its source, or else separated by semicolons."""
    text = mention.infons.get(IDENTIFIER, "")
    if isinstance(text, str) and set(split_identifiers(text)) == set(mention.identifiers):
        return text
    return ";".join(mention.identifiers)


def _same_text(text: str, fragments: Sequence[tuple[int, int]], claimed: str) -> bool:
    candidates = [text[min(fragments)[0] : max(end for _, end in fragments)]]
    for ordered in (fragments, sorted(fragments)):  # files list fragments out of order, with their text in order
        parts = [text[start:end] for start, end in ordered]
        candidates += [separator.join(parts) for separator in _SEPARATORS]
    if claimed.split() in [candidate.split() for candidate in candidates]:
        return True
    # Label Studio writes line breaks as a backslash and an n, and files may have another normal form of Unicode.
    if _normal(claimed.replace("\\n", "\n")).split() in [_normal(candidate).split() for candidate in candidates]:
        return True
    # Some files have nothing between fragments: "alpha-" and "adrenergic".
    joined = "".join(text[start:end] for start, end in fragments)
    return len(fragments) > 1 and "".join(claimed.split()) == "".join(joined.split())


def _normal(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def _cause(text: str, fragments: Sequence[tuple[int, int]], claimed: str) -> str:
    """What the offsets count instead of characters, if that explains them; trusting them would give wrong spans."""
    counted = {
        "line ends of two characters (CRLF) as one": text.replace("\r\n", "\n"),
        "no byte order mark, and the text begins with one": text.removeprefix("\ufeff"),
        "characters beyond the first 65,536 of Unicode as two, as JavaScript and Java do (UTF-16)": "".join(
            char + "\0" * (ord(char) > 0xFFFF) for char in text
        ),
        "bytes of UTF-8": "".join(char + "\0" * (len(char.encode()) - 1) for char in text),
        "the characters of its decomposed form (NFD)": unicodedata.normalize("NFD", text),
        "the characters of its composed form (NFC)": _normal(text),
    }
    for cause, other in counted.items():
        parts = [other[start:end].replace("\0", "") for start, end in fragments]
        if other != text and all(parts) and _normal(" ".join(parts)).split() == _normal(claimed).split():
            return cause
    return ""


def _merge(text: str, fragments: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Fragments in order, with those that `MentionBuilder.mention` takes for one merged."""
    merged: list[tuple[int, int]] = []
    for start, end in sorted(fragments):
        if merged and not text[merged[-1][1] : start].strip():
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged
