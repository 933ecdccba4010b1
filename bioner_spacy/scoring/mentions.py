"""Gold and predicted mentions by character offsets, inside the annotation scope.

Predictions of types outside the scope of the gold document count neither for nor against the pipeline, because nothing
is known about them.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import NamedTuple, Optional

from spacy.tokens import Doc
from spacy.training import Example

from ..errors import BionerError, Errors
from ..scope import ENTS, SPANS_KEY, get_corpus, get_doc_id, get_scope, has_gold_ents, per_span

# A mention: start and end in characters, entity type.
Mention = tuple[int, int, str]


class Compared(NamedTuple):
    """Mentions of one text, both sides within its annotation scope."""

    corpus: str
    doc_id: str  # of the source document, empty if it is not known
    gold: set[Mention]
    predicted: set[Mention]
    text: str = ""  # only known to `scored_docs`
    # 0 to 1, only known to `scored_docs` and where overlapping mentions are left out
    scores: Mapping[Mention, float] = {}


def mentions_in_scope(
    examples: Iterable[Example],
    *,
    spans_key: str = SPANS_KEY,
    predicted_key: Optional[str] = None,
    corpus_types: Optional[Mapping[str, Collection[str]]] = {},
    as_trained: bool = False,
    allow_overlap: bool = True,
) -> Iterator[Compared]:
    """Yield the mentions to compare of each example with an annotated gold document.

    Mentions are compared by character offsets, so the two documents of an example may be tokenized differently.
    Documents without a stated scope come last, because all documents of a corpus together show what it annotates.

    Args:
        corpus_types: entity types annotated in each corpus, besides those seen in its gold documents; None to treat
            documents without a stated scope as annotated for every type.
        as_trained: whether gold entities stand in for a missing group, as they do for the component in training.
        allow_overlap: whether overlapping predicted mentions count, or only the best of them, see `without_overlap`.

    Raises:
        BionerError: the two documents of an example differ in text, one is annotated under another key, or scores are
            not valid.
    """
    types = {corpus: set(names) for corpus, names in (corpus_types or {}).items()}
    unscoped: list[Compared] = []
    for example in examples:
        gold = doc_mentions(example.reference, spans_key, stand_in=as_trained)
        if gold is None:
            continue
        require_same_text(example)
        predicted = doc_mentions(example.predicted, predicted_key or spans_key) or set()
        scope = get_scope(example.reference, spans_key)
        corpus, doc_id = get_corpus(example.reference, spans_key), get_doc_id(example.reference, spans_key)
        if corpus_types is not None:
            types.setdefault(corpus, set()).update({label for _, _, label in gold} if scope is None else scope)
        scores = {} if allow_overlap else predicted_scores(example.predicted, predicted_key or spans_key, doc_id)
        compared = Compared(corpus, doc_id, gold, predicted, scores=scores)
        if scope is None and corpus_types is not None:
            unscoped.append(compared)
        else:
            yield _within(compared, scope, allow_overlap)
    for compared in unscoped:
        yield _within(compared, types[compared.corpus], allow_overlap)


def scored_docs(
    examples: Iterable[Example], *, spans_key: str = SPANS_KEY, predicted_key: Optional[str] = None
) -> Iterator[Compared]:
    """Keep of each example what is compared, with text and scores; a document is known by its number if it names none.

    Raises:
        BionerError: see `mentions_in_scope`; or there are more scores than spans, or they are not 0 to 1.
    """
    number: Counter[str] = Counter()
    for example in examples:
        for compared in mentions_in_scope([example], spans_key=spans_key, predicted_key=predicted_key):
            number[compared.corpus] += 1
            doc_id = compared.doc_id or str(number[compared.corpus])
            scores = predicted_scores(example.predicted, predicted_key or spans_key, doc_id)
            kept = {mention: score for mention, score in scores.items() if mention in compared.predicted}
            yield compared._replace(doc_id=doc_id, text=example.reference.text, scores=kept)


def predicted_scores(doc: Doc, spans_key: str, doc_id: str) -> dict[Mention, float]:
    """Scores of the predicted mentions of a document.

    Args:
        doc_id: identifier of the document, for messages.

    Returns:
        Mention -> score (the highest one of duplicates); empty if there are no scores.

    Raises:
        BionerError: there are more scores than spans, or they are not 0 to 1.
    """
    group = doc.spans[spans_key] if spans_key in doc.spans else None
    if group is None or group.attrs.get("scores") is None:
        return {}
    if len(group.attrs["scores"]) > len(group):
        counts = {"spans": len(group), "scores": len(group.attrs["scores"])}
        raise BionerError(Errors.E161.format(doc_id=doc_id, key=spans_key, **counts))
    found: dict[Mention, float] = {}
    for span, score in zip(group, per_span(group.attrs, "scores", len(group))):
        if score is None:
            continue
        if not 0 <= score <= 1:
            raise BionerError(Errors.E521.format(doc_id=doc_id, text=span.text[:60], score=score))
        mention = mention_of(span)
        found[mention] = max(float(score), found.get(mention, 0.0))
    return found


def doc_mentions(doc: Doc, spans_key: str, *, stand_in: bool = False) -> Optional[set[Mention]]:
    """Mentions of a document.

    Args:
        stand_in: whether complete entities stand in for a group that is not there.

    Returns:
        The mentions; None if the document has no annotation.

    Raises:
        BionerError: the document is annotated under another key only.
    """
    if spans_key in doc.spans:
        return {mention_of(span) for span in doc.spans[spans_key]}
    if not len(doc) or has_gold_ents(doc) and (stand_in or spans_key == ENTS):
        return {mention_of(span) for span in doc.ents}
    if not stand_in and (keys := [*doc.spans, *([ENTS] if has_gold_ents(doc) else [])]):
        raise BionerError(Errors.E526.format(start=doc.text[:60], key=spans_key, keys=", ".join(keys)))
    return None


def mention_of(span: object) -> Mention:
    """The start, end and type of a span."""
    return (span.start_char, span.end_char, span.label_)  # type: ignore[attr-defined]


def require_same_text(example: Example) -> None:
    """Check that both documents of an example have the same text.

    Raises:
        BionerError: the two documents of an example differ in text.
    """
    if example.predicted.text != example.reference.text:
        raise BionerError(Errors.E501.format(start=example.reference.text[:60]))


def in_scope(mentions: set[Mention], scope: Optional[Collection[str]]) -> set[Mention]:
    """The mentions of the types in a scope; all if there is none."""
    return mentions if scope is None else {mention for mention in mentions if mention[2] in scope}


def without_overlap(mentions: Iterable[Mention], scores: Mapping[Mention, float]) -> set[Mention]:
    """The mentions without those that overlap a better one: one with a higher score or, if it is the same, a longer one."""
    kept: list[Mention] = []
    for start, end, label in sorted(
        mentions, key=lambda mention: (-scores.get(mention, 0), mention[0] - mention[1], mention)
    ):
        if all(end <= other_start or other_end <= start for other_start, other_end, _ in kept):
            kept.append((start, end, label))
    return set(kept)


def of_type(mentions: Iterable[Mention], entity_type: str) -> set[Mention]:
    """The mentions of one type."""
    return {mention for mention in mentions if mention[2] == entity_type}


def nested_mentions(mentions: set[Mention]) -> set[Mention]:
    """The mentions that lie inside a longer one; two types on the same tokens are not nested in each other."""
    inner = set()
    furthest = -1
    for start, end in sorted({(start, end) for start, end, _ in mentions}, key=lambda extent: (extent[0], -extent[1])):
        # Earlier extents start before this one, or start with it and are longer.
        if end <= furthest:
            inner.add((start, end))
        furthest = max(furthest, end)
    return {mention for mention in mentions if mention[:2] in inner} if inner else set()


def _within(compared: Compared, scope: Optional[Collection[str]], allow_overlap: bool) -> Compared:
    gold, predicted = in_scope(compared.gold, scope), in_scope(compared.predicted, scope)
    if not allow_overlap:
        predicted = without_overlap(predicted, compared.scores)
    return compared._replace(gold=gold, predicted=predicted)
