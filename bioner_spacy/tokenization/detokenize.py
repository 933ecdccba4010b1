"""From the tokens of a tokenized corpus to natural text.

The rules cover two conventions: splitting at every punctuation character (`IL - 2`), and that of the Penn Treebank and
GENIA, which keep hyphens inside tokens. Every removed space is next to punctuation, where our tokenizer splits, so no
token boundary is lost (except inside numbers). docs/tokenizer.md compares the result with raw texts, and with the
detokenizer of Moses.
"""

import re
from collections.abc import Sequence

from ..errors import BionerError, Errors

_SYMBOL = r"(?=\S*[A-Z])\S+"
_SIGNED = r"(?:[A-Z][a-z]?|(?=\S*(?:\d|\w[A-Z]))\S+)"  # Cl, CD4, p53, IgM; not "Nullizygous"
_LOCANT = r"\d{1,2}[A-Za-z]?(?: ')?"

# Rules read the tokens with one space between them. A rule begins at the beginning of a token; `‿` is a space to remove,
# `␣` a space to keep, and a plain space is left to other rules. The first rule that decides about a space wins; spaces
# without a rule are kept.

# Quotation marks, which come in pairs: the matches of each of these rules do not overlap.
_PAIRS = (
    r'"‿[^"]*‿"(?!\S)',
    r"(?:[a-z]+(?<!s)|as|is|was|this)␣'‿[^'\s][^']{0,60}‿'(?! s )(?!\S)",
)
_RULES = (
    r"[(\[{]‿",
    # Numbers: 0 . 05 and P = . 05, p15 . 2, PU . 1, 12 , 500
    r"\d+‿\.‿\d+\w*(?!\S)",
    r"(?=\S*[A-Za-z])\S*\d‿\.‿\d+(?!\S)",
    r"[A-Z][A-Z\d]*[A-Z]‿\.‿\d(?!\S)",
    r"[=<>~]+␣\.‿\d",
    r"[(\[,/-] \.‿\d",
    r"\d{1,3}‿,‿000(?![^\s-])",
    r"(?<!, )(?<!- )[1-9]\d{0,2}‿,‿\d{3}(?! (?:[,\]-]|and|or))(?!\S)",
    # Signs: 5 + / - 2, Nrf2 + / - mice, p53 ( - / - ), Ca ( 2 + ), CD4 +, from - 5
    r"\S+␣\+‿/‿-␣(?:\d|SD|SEM?(?!\S)|S \.)",
    rf"{_SIGNED}‿\( (?:\d ?)?[+-] (?:/ [+-] )?\)",
    r"\(‿\d‿[+-]‿\)",
    rf"{_SIGNED}‿[+-]‿/‿[+-](?!\S)",
    r"[a-z]+␣[+-]‿/‿[+-](?!\S)",
    r"[+-]‿/‿[+-]␣\w",
    r"(?:CD\d+\w*|Ca2?|Na|K|Mg2?|H|Fe[23]|Zn2?|Mn2?|Cu2?|NADP?|Ig[ADEGM])‿\+(?!\S)",
    r"(?:[=<>~,:;]|to|of|from|at|is|was|and|or|than|between|by|positions?)␣-‿\d",
    # Chemistry and genetics: 1 , 2 - , H ( 2 ) O, sigma ( F ), 10 ( 6 ), [ 3H ] thymidine, t ( 9 ; 22 ) ( q34 ; q11 )
    rf"{_LOCANT}‿,‿(?:{_LOCANT} , ){{0,9}}{_LOCANT}(?: -|-|')",
    r"(?:alpha|beta)‿,‿\d{1,2}-",
    r"\d{1,2}‿,‿\d{1,2}‿\( OH",
    r"\d{1,2}‿\( OH",
    r"\( OH \)‿\d",
    r"[NOS]‿,‿[NOS](?!\S)",
    rf"(?:{_SYMBOL}|alpha|beta|gamma|delta|kappa|sigma|m)‿\( [A-Za-z0-9] \)",
    r"[A-Z][a-z]?‿\( \d{2} \)",
    r"(?:\S*/)?10‿\( (?:- ?)?\d+ \)",
    r"\d+‿\( T \)",
    r"\[ \d{1,3}[A-Z][a-z]? \]‿\w",
    r"(?:t|der|del|inv|ins|add|dup)‿\( [\dXY]",
    r"(?:t|der|ins) \( [\dXY]+‿;‿[\dXY]+ \)",
    r"[pq]\d\S*‿;‿[pq]\d",
    r"[\dXY]+ \)‿\( [pq]\d",
    r"\S*\d‿\*‿\d+(?!\S)",
    r"O\d+‿:‿H\d",
    r"\S+‿:‿:‿\S",
    r"[a-z]{3,}‿\( s \)",  # gene ( s )
    # Treebank quotation marks, apostrophes, primes
    r"``‿",
    r"\S+‿''(?!\S)",
    r"\S+‿'‿(?:s|t|re|ve|ll|d|m)(?!\S)",
    r"\S+‿'s(?!\S)",
    r"\S*[\w)\]']‿'(?!\S)",
    # Hyphens, slashes and arrows: short - and long - term, IL - 2, ( IL ) -2, alpha and -beta, A -- > T
    r"-␣(?:and|or|nor|versus|to)(?! -)(?!\S)",
    r"\S+‿[-/](?!\S)",
    r"[-/]‿\S",
    r"(?:and|or|,)␣-[a-z]",
    r"\S*[\w)\]']‿[-/][A-Za-z]",
    r"[)\]]‿-",
    r"\S+-‿[(\[]",
    r"\S+‿--‿\S",
    # Other symbols, initials, closing punctuation
    r"\S+‿[_^@](?!\S)",
    r"[_^@$#]‿\S",
    r"[A-Za-z]‿\.‿[A-Za-z]‿\.(?!\S)",
    r"\S+‿[.,;:)\]}%?!]+(?!\S)",
)

# All spaces in a URL are taken out.
_URL = re.compile(r"(?<!\S)(?:(?:https?|ftp) : / /|www \.)(?: [^\W_]\S*(?: [./:?=&%#_~-])+)* [^\W_]\S*(?: /)?(?!\S)")


def _compile(rule: str, *, overlapping: bool = True) -> tuple[re.Pattern[str], list[bool]]:
    """The pattern of a rule, with a group for every space that it decides about, and whether it takes it out."""
    pattern = re.sub("[‿␣]", "( )", rule)
    pattern = rf"(?<!\S)(?={pattern})" if overlapping else rf"(?<!\S)(?:{pattern})"
    return re.compile(pattern), [char == "‿" for char in rule if char in "‿␣"]


_COMPILED = [*(_compile(rule, overlapping=False) for rule in _PAIRS), *(_compile(rule) for rule in _RULES)]


def detokenize(tokens: Sequence[str]) -> tuple[str, list[tuple[int, int]]]:
    """Join the tokens of a tokenized sentence into natural text.

    Args:
        tokens: the tokens, in order.

    Returns:
        The text, and for every token its first character in the text and the character after its last one. The
        tokens stand in the text unchanged and in order, with at most one space between them.

    Raises:
        BionerError: a token is empty or holds whitespace.
    """
    for i, token in enumerate(tokens):
        if not token or any(char.isspace() for char in token):
            raise BionerError(Errors.E201.format(index=i, token=token))
    spaced = " ".join(tokens)
    joined = _spaces_to_drop(spaced)
    spans: list[tuple[int, int]] = []
    start = dropped = 0
    for token in tokens:
        spans.append((start - dropped, start - dropped + len(token)))
        start += len(token) + 1
        dropped += start - 1 in joined
    text = "".join(char for i, char in enumerate(spaced) if i not in joined)
    return text, spans


def _spaces_to_drop(spaced: str) -> set[int]:
    """Offsets of the spaces between tokens that natural text does not have."""
    drop: dict[int, bool] = {}
    for match in _URL.finditer(spaced):
        drop.update((i, True) for i in range(*match.span()) if spaced[i] == " ")
    for pattern, joins in _COMPILED:
        for match in pattern.finditer(spaced):
            for group, join in enumerate(joins, start=1):
                drop.setdefault(match.start(group), join)
    return {space for space, join in drop.items() if join}
