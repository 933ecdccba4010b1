"""Sentence boundaries in raw biomedical text.

Two questions decide about a period, as in Palmer and Hearst, "Adaptive multilingual sentence boundary disambiguation",
Computational Linguistics 1997: is it part of an abbreviation, and does what follows look like the beginning of a
sentence? Lists answer both here. docs/context.md compares the result with the sentences of corpora, and with spaCy's
`sentencizer`.
"""

import re
from typing import Any
from weakref import WeakKeyDictionary

import numpy
from numpy.typing import NDArray
from spacy.tokens import Doc

from ..tokens import token_offsets

# Inside of a sentence: Fig. 2, vs. controls, Mol. Cell. Biol. 8.
_ABBREVIATIONS = frozenset(
    """acad approx biochem biol biophys ca cf chem clin dr e.g eg eq eqs fig figs i.e ie immunol med mol mr mrs natl
    proc prof ref refs resp sect ser st suppl tab viz vol vols vs""".split()
)

# May end a sentence if a common first word follows: et al. The, U.S. These; so may a single letter: E. coli.
_AMBIGUOUS = frozenset("al co corp etc inc ltd no nos sp spp subsp var".split())
_LETTERS = re.compile(r"(?:[^\W\d_]\.)*[^\W\d_]")
_FIRST_WORDS = frozenset(
    """A After All Although Among An And As At Because Both But By Conversely During Each Either Finally First For From
    Further Furthermore Here Hence However If In Interestingly It Its Like Many Moreover Most Neither No Nor Of On One
    Only Our Results Several Similar Similarly Since Some Such That The Their Then There Therefore These They This
    Those Thus To Together Two Under Unlike Upon Using We What When Whereas While With""".split()
)
# Letters that belong to what precedes them: 24 h, kappa B, vitamin D.
_NAMED_LETTER = re.compile(
    r"(?:\d|alpha|beta|gamma|kappa|kinase|vitamin|hepatitis|cyclosporine?|actinomycin|type|group|class)\s+\w$"
)

_END = re.compile(r"""[.!?]["'”’)\]]*\s+|\n\s*\n\s*""")
_BRACKETS = "\"'“‘(["
_NAME = re.compile(r"[a-z]{1,5}-?[A-Z\d]|[cv]-[a-z]{3}|[α-ω]|[ivx]+\)")  # p53, mRNA, c-myc, α-synuclein, (ii)
_WORD_BEFORE = re.compile(r"""[^\s(\["'“‘/,;:]*\Z""")
_WORD = re.compile(r"\w+(?![\w.])")
_DECIMAL = re.compile(r"\d{1,2}\.\s\d")  # P = 0. 05, as some corpora have it

_found: WeakKeyDictionary[Doc, list[int]] = WeakKeyDictionary()

_NEAR = 30  # characters of context around a period


def sentence_starts(text: str) -> list[int]:
    """Find the sentences of a text.

    A sentence ends at a period, question mark or exclamation mark before whitespace, unless the period belongs to an
    abbreviation or what follows does not look like the beginning of a sentence; and at a blank line. Other line breaks
    count as spaces.

    Returns:
        The first character of every sentence but the first one, in order. None is whitespace.
    """
    first = len(text) - len(text.lstrip())
    ends = (match for match in _END.finditer(text) if first < match.end() < len(text))
    return [match.end() for match in ends if _ends_sentence(text, match)]


def doc_sentence_starts(doc: Doc) -> list[int]:
    """`sentence_starts` of a document, cached because encoder and heads both need it."""
    starts = _found.get(doc)
    if starts is None:
        starts = _found[doc] = sentence_starts(doc.text)
    return starts


def sentence_lengths(doc: Doc) -> NDArray[Any]:
    """(sentences,) tokens of each sentence of a document; an empty document has one empty sentence."""
    starts, _ = token_offsets(doc)
    boundaries = numpy.searchsorted(starts, numpy.array(doc_sentence_starts(doc), dtype="int64"))
    return numpy.diff(numpy.unique([0, *boundaries, len(doc)])) if len(doc) else numpy.zeros(1, dtype="int64")


def _ends_sentence(text: str, match: re.Match[str]) -> bool:
    mark, following = text[match.start()], match.end()
    if match[0].count("\n") > 1:  # a blank line
        return True
    opening = text[following : following + _NEAR].lstrip(_BRACKETS)
    if not (opening[:1].isupper() or opening[:1].isdigit() or _NAME.match(opening)):
        return False
    if mark != ".":
        return True
    near = text[max(0, match.start() - _NEAR) : match.start()]
    before = "".join(_WORD_BEFORE.findall(near))
    if before.lower() in _ABBREVIATIONS or _DECIMAL.match(text, match.start() - len(before)):
        return False
    if _LETTERS.fullmatch(before) and not _NAMED_LETTER.search(near) or before.lower() in _AMBIGUOUS:
        first = _WORD.match(opening)
        return first is not None and first[0] in _FIRST_WORDS
    return True
