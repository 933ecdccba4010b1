"""Convert examples to gold arrays over the tokens of predicted documents."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Optional

import numpy
from spacy.tokens import Doc
from spacy.training import Example
from spacy.util import minibatch

from ..errors import BionerError, Errors, Warnings, warn
from ..scope import effective_scope, get_corpus, get_scope, gold_spans
from ..tasks import GUIDELINE_SEPARATOR, Task
from ..tokenization.sentences import sentence_lengths
from ..tokens import same_tokens, token_offsets
from ..types import Formulation, Gold, SpanArrays


def collect_gold(
    examples: Sequence[Example],
    tasks: Sequence[Task],
    spans_key: str,
    *,
    ignore_scope: bool = False,
    corpus_types: Optional[Mapping[str, Collection[str]]] = None,
    disjoint: Mapping[str, Sequence[str]] = {},
) -> tuple[Gold, int]:
    """Gather the gold spans of a batch.

    Args:
        examples: predicted documents with N tokens in all, and their references. A reference without any entity
            annotation supervises nothing.
        spans_key: key of the gold spans in the references; `doc.ents` are used if it is missing.
        ignore_scope: whether every annotated reference supervises every task.
        corpus_types: entity types by corpus, as scope of documents without one; None for every type.
        disjoint: for an entity type (or CORPUS$TYPE for one corpus), the types that its mentions never have. Mentions
            are negative spans for tasks of these types that the reference does not supervise.

    Returns:
        Gold arrays, and the number of gold mentions left out because their boundaries are not token boundaries.

    Raises:
        BionerError: the two documents of an example differ in text.
    """
    supervised = numpy.zeros((len(examples), len(tasks)), dtype=bool)
    rows: list[tuple[int, int, int, int]] = []
    barred: list[tuple[int, int, int, int]] = []
    base, n_misaligned = 0, 0
    for d, example in enumerate(examples):
        reference = example.reference
        spans = _gold_spans(reference, spans_key)
        if spans is not None:
            scope, corpus = effective_scope(reference, corpus_types, spans_key), get_corpus(reference, spans_key)
            supervised[d] = [ignore_scope or task.supervised_by(corpus, scope) for task in tasks]
            places = _places(tasks, supervised[d])
            other_places = _places(tasks, ~supervised[d]) if disjoint else {}
            wanted = [span for span in spans if span[2] in places]
            placed = _to_predicted_tokens(example, wanted)
            n_misaligned += len(wanted) - len(placed)
            rows.extend((base + start, base + end, *place) for start, end, label in placed for place in places[label])
            for start, end, label in placed:
                others = disjoint.get(f"{corpus}{GUIDELINE_SEPARATOR}{label}", disjoint.get(label, ()))
                at = (place for other in others for place in other_places.get(other, ()))
                barred.extend((base + start, base + end, *place) for place in at)
        base += len(example.predicted)
    lengths = numpy.array([len(example.predicted) for example in examples], dtype="int64")
    return Gold(lengths, _span_arrays(rows), supervised, _span_arrays(barred)), n_misaligned


def _span_arrays(rows: Sequence[tuple[int, int, int, int]]) -> SpanArrays:
    """Spans from rows of first token, end, task and type."""
    columns = numpy.array(rows, dtype="int64").reshape(-1, 4).T
    return SpanArrays(columns[0], columns[1], columns[2], columns[3], numpy.ones(len(rows), dtype="f"))


def read_by_sentence(gold: Gold, docs: Sequence[Doc]) -> Gold:
    """Split gold by sentence; sentences that share a mention stay together.

    Args:
        gold: gold of D documents with N tokens.

    Returns:
        Gold of at least D texts with the same N tokens and supervision.
    """
    parts = [sentence_lengths(doc) for doc in docs]
    ends = numpy.cumsum(numpy.concatenate(parts))
    docs_of_parts = numpy.repeat(numpy.arange(len(docs)), [len(part) for part in parts])
    # Boundaries inside mentions do not count: starts <= boundary - 1 and boundary < ends.
    inside = numpy.zeros(int(gold.lengths.sum()) + 2, dtype="int64")
    numpy.add.at(inside, gold.spans.starts + 1, 1)
    numpy.add.at(inside, gold.spans.ends, -1)
    last = numpy.append(docs_of_parts[1:] != docs_of_parts[:-1], True)
    kept = last | (numpy.cumsum(inside)[ends] == 0)
    lengths = numpy.diff(numpy.concatenate([[0], ends[kept]]))
    return replace(gold, lengths=lengths, supervised=gold.supervised[docs_of_parts[kept]])


def warn_of_unlearnable(
    examples: Iterable[Example],
    collect: Callable[[Sequence[Example]], tuple[Gold, int]],
    formulation: Formulation,
    spans_key: str,
) -> None:
    """Warn of gold mentions that cannot be learnt, and of documents with incomplete entities.

    Args:
        collect: returns the gold of a batch and the number of mentions left out, see `collect_gold`.
        formulation: the formulation, which counts mentions that it cannot represent.
    """
    n_mentions = n_misaligned = n_inexpressible = n_incomplete = 0
    outside: Counter[str] = Counter()
    for batch in minibatch(examples, 256):
        gold, misaligned = collect(batch)
        for example in batch:
            spans, scope = _gold_spans(example.reference, spans_key), get_scope(example.reference, spans_key)
            n_incomplete += spans is None and bool(example.reference.ents)
            outside.update(label for _, _, label in spans or () if scope is not None and label not in scope)
        n_misaligned += misaligned
        n_mentions += misaligned + len(gold.spans.starts)
        n_inexpressible += formulation.targets(gold)[1]
    if n_incomplete:
        warn(Warnings.W405.format(n=n_incomplete))
    if outside:
        warn(Warnings.W406.format(n=outside.total(), types=", ".join(sorted(outside))))
    if n_misaligned:
        warn(Warnings.W401.format(n=n_misaligned, total=n_mentions))
    if n_inexpressible:
        warn(Warnings.W402.format(n=n_inexpressible, total=n_mentions, problem=formulation.inexpressible))


def _gold_spans(doc: Doc, spans_key: str) -> Optional[list[tuple[int, int, str]]]:
    """Gold (first token, end token, type), without duplicates; None for a document without entity annotation."""
    spans = gold_spans(doc, spans_key)
    return None if spans is None else list(dict.fromkeys((span.start, span.end, span.label_) for span in spans))


def _places(tasks: Sequence[Task], supervised: numpy.ndarray) -> dict[str, list[tuple[int, int]]]:
    """For each entity type: the supervised tasks, and the index of the type in each."""
    places: dict[str, list[tuple[int, int]]] = {}
    for k in numpy.flatnonzero(supervised).tolist():
        for i, entity_type in enumerate(tasks[k].types):
            places.setdefault(entity_type, []).append((k, i))
    return places


def _to_predicted_tokens(example: Example, spans: list[tuple[int, int, str]]) -> list[tuple[int, int, str]]:
    """Align spans with tokens of the predicted document; those that cannot be aligned are left out."""
    predicted, reference = example.predicted, example.reference
    if not spans or same_tokens(predicted, reference):
        return spans
    if predicted.text != reference.text:
        raise BionerError(Errors.E501.format(start=reference.text[:60]))
    token_starts, token_ends = (
        {int(offset): i for i, offset in enumerate(offsets)} for offsets in token_offsets(predicted)
    )
    result = []
    for start, end, label in spans:
        first = token_starts.get(reference[start].idx)
        last = token_ends.get(reference[end - 1].idx + len(reference[end - 1]))
        if first is not None and last is not None:
            result.append((first, last + 1, label))
    return result
