"""Tokenizer for biomedical text.

It is a plain spaCy `Tokenizer` with a single rule set: the infix pattern. Most infixes are empty, that is, they are
places between two characters where a token ends. Prefix and suffix rules, which spaCy applies one at a time with a
copy of the rest, are not needed then, so a chunk of any length is cut in linear time; and with no exceptions
the result does not depend on the language of the pipeline.
"""

import re
from collections.abc import Callable

from spacy.language import Language
from spacy.tokenizer import Tokenizer

from ..lean import import_spacy_transformers

# Every character that is no letter, digit or space; combining marks belong to the letter before them.
PUNCTUATION = r"(?:[^\w\s\u0300-\u036f]|_)"

# Stretches that stay whole although they hold punctuation. No gold mention of the corpora in docs/tokenizer.md
# begins or ends inside one, and splitting them would make one token in a hundred more.
WHOLE = (
    r"(?<![\w.])\d+\.\d+(?![\w]|\.\d)",  # 0.05, not the 5.1 of chr5.1 and no part of 1.2.3
    r"(?<![\w.,-])\d{1,3}(?:,\d{3})+(?:\.\d+)?(?![\w-]|[.,]\d)",  # 12,500; not 2,3 or 1,125- or XYZ-1,250
)

_RESIDUE = "Ala|Arg|Asn|Asp|Cys|Gln|Glu|Gly|His|Ile|Leu|Lys|Met|Phe|Pro|Ser|Ter|Thr|Trp|Tyr|Val"

# Empty infixes.
BOUNDARIES = (
    rf"(?<={PUNCTUATION})(?=\S)",
    rf"(?<=\S)(?={PUNCTUATION})",
    rf"(?<=(?<![A-Za-z])(?:{_RESIDUE}))(?=\d)",  # residues are chemicals: Gly|12
    rf"(?<=\d)(?=(?:{_RESIDUE})(?![A-Za-z]))",  # Gly12|Val
)

INFIX = re.compile("|".join((*WHOLE, *BOUNDARIES)))


def create_tokenizer() -> Callable[[Language], Tokenizer]:
    """Make the function that builds the tokenizer of a pipeline, for the block `[nlp.tokenizer]` of a config.

    Tokens end at whitespace, on both sides of every punctuation character, and at the digits of an amino acid
    residue; numbers with a decimal point or thousands separators stay whole. Letters are never split from letters.
    The rules are chosen by the share of gold mention boundaries in biomedical corpora that are token boundaries
    (`benchmarks/tokenizer_alignment.py`, docs/tokenizer.md).

    Returns:
        A function that takes a pipeline and returns its tokenizer, which shares the vocabulary of the pipeline and
        is saved with it.
    """
    # The first code of ours that runs when a pipeline is loaded; spaCy imports spacy-transformers soon after.
    import_spacy_transformers()

    def tokenizer_factory(nlp: Language) -> Tokenizer:
        return Tokenizer(nlp.vocab, infix_finditer=INFIX.finditer)

    return tokenizer_factory
