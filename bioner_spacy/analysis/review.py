"""Human review of predictions outside the annotation scope: draw a stratified sample.

No gold annotation exists for these predictions, so only people can judge them. For scoring, see `review_scores`.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Optional, Union

import numpy
from spacy.language import Language
from spacy.training import Example

from ..errors import BionerError, Errors, Warnings, warn
from ..scope import SPANS_KEY, get_corpus, get_doc_id, get_scope
from ..scoring.evaluate import Run
from ..scoring.mentions import doc_mentions, predicted_scores, require_same_text
from .review_sheet import Key, KeyStratum, Row

NUMBER = 200
"""Number of predictions in a sample."""

BINS = 5
"""Maximum number of score strata per type."""

CONTEXT_CHARACTERS = 300
"""Maximum number of characters of text on each side of a mention."""


class Prediction(NamedTuple):
    """A predicted mention; number of the record in the corpus, start and end in characters, score 0 to 1 or None."""

    corpus: str
    record: int
    doc_id: str
    text: str
    start: int
    end: int
    entity_type: str
    score: Optional[float]


@dataclass(frozen=True)
class Review:
    """The rows for judges, and the key."""

    rows: list[Row]  # predictions, grouped by type, in random order
    key: Key  # what the judges do not see
    definitions: Mapping[str, str]  # definitions of entity types, if known


def make_review(
    pipeline: Union[str, Path, Language],
    corpus_folder: Path,
    *,
    split: str = "test",
    number: int = NUMBER,
    seed: int = 0,
    definitions: Optional[Mapping[str, str]] = None,
    **reading: Any,
) -> Review:
    """Draw predictions of types outside the annotation scope of their documents.

    The sample is stratified. Every type gets the same number of rows, or all predictions of a rare type. The
    predictions of a type are ranked by score and cut into up to `BINS` strata of equal size with at least two rows
    each; equal numbers of rows are drawn from each stratum.

    Args:
        pipeline: a loaded pipeline, or the folder or package name of one.
        number: number of predictions to draw, or all if there are fewer.
        seed: of the draws: the same predictions and seed give the same files.
        definitions: definitions of the entity types, for the judges.
        reading: what is read and how, such as corpora, limit and context; see `evaluate`.

    Returns:
        The sample. Without scores it is stratified by type alone, and a warning says so.

    Raises:
        BionerError: as `evaluate`, there is no such prediction, the sample is smaller than the number of types, or
            scores are not one per span, 0 to 1.
    """
    run = Run(pipeline, corpus_folder, split=split, **reading)
    population = list(out_of_scope(run.examples(), **run.keys))
    if not population:
        raise BionerError(Errors.E530.format(split=split, corpora=", ".join(run.files)))
    strata = draw(population, number, seed)
    drawn = _shuffled([prediction for _, rows in strata for prediction in rows], seed)
    prefix = _fingerprint(drawn)
    names = {prediction: f"{prefix}-{place:0{len(str(len(drawn)))}}" for place, prediction in enumerate(drawn, 1)}
    key_strata = [
        KeyStratum(
            members[0].entity_type, *_score_range(members), len(members), sorted(names[chosen] for chosen in rows)
        )
        for members, rows in strata
    ]
    key_rows = {
        row: {**prediction._asdict(), "text": prediction.text[prediction.start : prediction.end]}
        for prediction, row in names.items()
    }
    rows = [to_row(row, prediction) for prediction, row in names.items()]
    shown = {found.entity_type: (definitions or {}).get(found.entity_type, "") for found in drawn}
    key = Key(run.described, split, seed, key_strata, key_rows, run.provenance(seed=seed))
    return Review(rows, key, shown)


def out_of_scope(
    examples: Iterable[Example], *, spans_key: str = SPANS_KEY, predicted_key: Optional[str] = None
) -> Iterator[Prediction]:
    """Predictions of types outside the annotation scope of the gold document; none for documents without a scope.

    Raises:
        BionerError: the two documents of an example differ in text, or scores are not one per span, 0 to 1.
    """
    number: Counter[str] = Counter()
    for example in examples:
        gold, text = example.reference, example.reference.text
        require_same_text(example)
        corpus, scope = get_corpus(gold, spans_key), get_scope(gold, spans_key)
        number[corpus] += 1
        doc_id = get_doc_id(gold, spans_key) or str(number[corpus])
        scores = predicted_scores(example.predicted, predicted_key or spans_key, doc_id)
        for start, end, entity_type in sorted(doc_mentions(example.predicted, predicted_key or spans_key) or ()):
            if scope is not None and entity_type not in scope:
                score = scores.get((start, end, entity_type))
                yield Prediction(corpus, number[corpus], doc_id, text, start, end, entity_type, score)


def draw(population: Sequence[Prediction], number: int, seed: int) -> list[tuple[list[Prediction], list[Prediction]]]:
    """Draw a sample that is stratified by type and by score; see `make_review`.

    Args:
        population: predictions, at least one.

    Returns:
        For every stratum, its members and the drawn ones, at least one.

    Raises:
        BionerError: the number is smaller than that of the types.
    """
    unscored = sum(found.score is None for found in population)
    if unscored:
        warn(Warnings.W506.format(count=unscored, key=SPANS_KEY))
    by_type: defaultdict[str, list[Prediction]] = defaultdict(list)
    for found in population:
        by_type[found.entity_type].append(found)
    types = sorted(by_type)
    if number < len(types):
        raise BionerError(Errors.E531.format(number=number, count=len(types), types=", ".join(types)))
    rng = numpy.random.default_rng(seed)
    strata = []
    for entity_type, rows in zip(types, allocate_evenly([len(by_type[name]) for name in types], number)):
        members = [by_type[entity_type][place] for place in rng.permutation(len(by_type[entity_type]))]
        # Predictions with the same score stay in random order.
        members.sort(key=lambda found: found.score or 0.0)
        bins = 1 if unscored else max(1, min(BINS, rows // 2))
        parts = [list(part) for part in numpy.array_split(numpy.arange(len(members)), bins)]
        for part, share in zip(parts, allocate_evenly([len(part) for part in parts], rows)):
            chosen = rng.choice(part, share, replace=False)
            strata.append(([members[place] for place in part], [members[place] for place in chosen]))
    return strata


def allocate_evenly(sizes: Sequence[int], number: int) -> list[int]:
    """Allocate a number as evenly as the sizes of the parts allow.

    Args:
        sizes: maximum of each part.
        number: total to allocate; at most the sum of sizes is allocated.

    Returns:
        The share of each part; parts that are not full differ by at most 1.
    """
    shares = [0] * len(sizes)
    for left, place in enumerate(sorted(range(len(sizes)), key=lambda place: (sizes[place], -place))):
        shares[place] = min(sizes[place], number // (len(sizes) - left))
        number -= shares[place]
    return shares


def to_row(row: str, found: Prediction) -> Row:
    """The row of a prediction, with at most `CONTEXT_CHARACTERS` of text on each side, cut between words."""
    left, right = found.text[: found.start], found.text[found.end :]
    if len(left) > CONTEXT_CHARACTERS:
        left = "… " + left[-CONTEXT_CHARACTERS:].partition(" ")[2]
    if len(right) > CONTEXT_CHARACTERS:
        right = right[:CONTEXT_CHARACTERS].rpartition(" ")[0] + " …"
    return Row(row, found.corpus, found.doc_id, found.entity_type, left, found.text[found.start : found.end], right)


def _shuffled(drawn: Sequence[Prediction], seed: int) -> list[Prediction]:
    """Predictions by type in random order, because the order of strata would reveal scores."""
    order = numpy.random.default_rng([seed, 1]).permutation(len(drawn))
    return sorted((drawn[place] for place in order), key=lambda found: found.entity_type)


def _fingerprint(drawn: Sequence[Prediction]) -> str:
    """Six letters that identify a review; no digits, which spreadsheets could read as numbers."""
    digest = hashlib.sha256(repr(drawn).encode("utf8")).hexdigest()
    return "".join(chr(ord("a") + int(digit, 16)) for digit in digest[:6])


def _score_range(members: Sequence[Prediction]) -> tuple[Optional[float], Optional[float]]:
    """Lowest and highest score; None if there is none."""
    scores = [found.score for found in members if found.score is not None]
    return (min(scores), max(scores)) if scores else (None, None)
