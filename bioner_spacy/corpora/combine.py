"""Make a training folder for a pipeline to publish: all usable data, and some held-out documents.

A pipeline for users is trained on training and development parts, without any sentence of a test part; some
development documents are held out to calibrate scores and choose thresholds.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from spacy.tokens import Doc
from spacy.vocab import Vocab

from ..docbin import write_docs
from ..errors import BionerError, Errors
from ..files import replacing
from ..scope import SPANS_KEY
from ..tokenization.sentences import sentence_lengths
from .leakage import normalise
from .manifest import converted_docs

TRAIN, DEVEL, TEST = "train", "devel", "test"
MIN_CHARACTERS = 20
"""Minimum number of letters and digits of a sentence that is compared with test parts."""
MOST_HELD_OUT = 400
"""Maximum number of documents of a corpus that are held out."""


@dataclass(frozen=True)
class Combined:
    """What became of the documents of one corpus."""

    corpus: str
    leaking: int  # documents left out because one of their sentences is in a test part
    held_out: int  # documents in the new development part
    train: int  # documents in the new training part
    tokens: int  # tokens in it
    skipped: int  # documents left out by shares


def combine(
    source: Path,
    output: Path,
    corpora: Sequence[str],
    *,
    tested: Sequence[str] = (),
    held_out: float = 0.2,
    shares: Mapping[str, float] = {},
    empty_shares: Mapping[str, float] = {},
    seed: int = 0,
) -> list[Combined]:
    """Write `<corpus>/train.spacy` and `<corpus>/devel.spacy` from training and development parts.

    Args:
        source: folder of converted corpora.
        output: folder to write to.
        corpora: corpora to train on. Of those without a development part, a twelfth of the documents is held out.
        tested: further corpora whose test sentences are kept out.
        held_out: share of a development part that is held out, of at most `MOST_HELD_OUT` documents.
        shares: share of the documents to take from each corpus; all if not given.
        empty_shares: share of the documents without mentions to take, after `shares`.

    Returns:
        Counts of each corpus.

    Raises:
        BionerError: a corpus has no training part, or nothing is left of it.
    """
    vocab = Vocab()
    forbidden = {
        text
        for corpus in dict.fromkeys([*corpora, *tested])
        for doc in _read(source / corpus / f"{TEST}.spacy", vocab)
        for text in _sentences(doc)
    }
    chance = random.Random(seed)
    reports = []
    for corpus in corpora:
        parts = [_read(source / corpus / f"{split}.spacy", vocab) for split in (TRAIN, DEVEL)]
        clean = [[doc for doc in part if forbidden.isdisjoint(_sentences(doc))] for part in parts]
        if not clean[0]:
            raise BionerError(Errors.E151.format(corpus=corpus, folder=source, splits=TRAIN))
        n_held_out = min(int(len(clean[1]) * held_out), MOST_HELD_OUT) if clean[1] else max(1, len(clean[0]) // 12)
        first, divided = clean if clean[1] else ([], clean[0])
        numbers = {number * len(divided) // n_held_out for number in range(n_held_out)} if n_held_out else set()
        held = [doc for number, doc in enumerate(divided) if number in numbers]
        rest = [*first, *(doc for number, doc in enumerate(divided) if number not in numbers)]
        share, empty = shares.get(corpus, 1.0), empty_shares.get(corpus, 1.0)
        taken = [doc for doc in rest if chance.random() < share * (1.0 if doc.spans[SPANS_KEY] else empty)]
        (output / corpus).mkdir(parents=True, exist_ok=True)
        files = [output / corpus / f"{split}.spacy" for split in (TRAIN, DEVEL)]
        with replacing(*files) as unfinished:
            for docs, file in zip((taken, held), unfinished):
                write_docs(docs, file, vocab)
        n_leaking = sum(map(len, parts)) - sum(map(len, clean))
        tokens = sum(map(len, taken))
        reports.append(Combined(corpus, n_leaking, len(held), len(taken), tokens, len(rest) - len(taken)))
    return reports


def _read(path: Path, vocab: Vocab) -> list[Doc]:
    return list(converted_docs(path, vocab)) if path.exists() else []


def _sentences(doc: Doc) -> Iterator[str]:
    """Letters and digits of each sentence of a document, where they are not too few."""
    start = 0
    for length in sentence_lengths(doc).tolist():
        text = normalise(doc[start : start + length].text)
        start += length
        if len(text) >= MIN_CHARACTERS:
            yield text
