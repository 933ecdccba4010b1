"""Context: how much of a document a model reads at once. Records of a corpus are split into sentences or joined.

Tokens, gold spans and their attributes are kept; what belongs to a whole text (`Doc.cats`, `Doc.user_data`, passages)
is only kept for unchanged records.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from spacy.attrs import SPACY
from spacy.tokens import Doc, DocBin, Span, SpanGroup

from ..errors import check_setting
from ..scope import get_corpus, get_doc_id, get_scope, join_attrs, part_of_attrs
from ..tokenization.sentences import sentence_starts
from ..tokens import token_offsets

CONTEXTS = ("source", "sentence", "group", "document")
"""A record as it is, one sentence, consecutive sentences of a document up to a number of tokens, or a whole
document."""
WHOLE = ("group", "document")
"""Contexts in which a text is read as a whole; in the others it is read sentence by sentence."""

CONTEXT_TOKENS = 180
"""Tokens of a group: at 1.3 subwords per token, they fit a window of 256 subwords."""

# What a `DocBin` keeps of every token.
_ATTRIBUTES: list[Any] = list(DocBin().attrs)


def check_context(context: str, tokens: int = CONTEXT_TOKENS) -> None:
    """Check the two settings.

    Args:
        tokens: the setting `context_tokens`, maximum number of tokens in a group.
    """
    check_setting("context", context, CONTEXTS)
    check_setting("context_tokens", tokens, "1 or above", tokens >= 1)


def documents(records: Sequence[Doc], context: str) -> list[list[int]]:
    """Find the records that may be joined.

    Args:
        records: all records of a corpus, in order.

    Returns:
        Indices of the records of each document. With "group" and "document", consecutive records with the same
        document id, corpus and scope are one document; otherwise each record is.
    """
    found: list[list[int]] = []
    before: tuple[object, ...] = ("",)
    for number, record in enumerate(records):
        doc_id = get_doc_id(record) if context in ("group", "document") else ""
        current = (doc_id, get_corpus(record), get_scope(record))
        if doc_id and current == before:
            found[-1].append(number)
        else:
            found.append([number])
        before = current
    return found


def in_context(records: Sequence[Doc], context: str, tokens: int = CONTEXT_TOKENS) -> Iterator[Doc]:
    """All texts of a corpus, see `regroup`.

    Args:
        records: all records of the corpus, in order.
        tokens: maximum number of tokens in a group.
    """
    for numbers in documents(records, context):
        yield from regroup([records[number] for number in numbers], context, tokens)


def regroup(records: Sequence[Doc], context: str, tokens: int = CONTEXT_TOKENS) -> list[Doc]:
    """Join or split consecutive records of one document.

    Records are joined with a space, unless there is whitespace. Sentences are those of `Doc.sents` if set, else found
    by rules (`sentence_starts`). Spans and entities are never split. A sentence that is longer than a group is a group
    of its own.

    Args:
        records: one or several records of one document in order, with the same attributes of their span groups.
        tokens: maximum number of tokens in a group.

    Returns:
        The texts with their spans; unchanged records are returned as they are.
    """
    if context == "source" or not records:
        return list(records)
    joined = _join(records)
    if context == "document":
        return [joined]
    starts, base = [0], 0
    for record in records:
        starts += [base + start for start in _sentences(record)]
        base += len(record)
    starts = sorted({start for start in starts if start < len(joined)})
    return _cut(joined, starts if context == "sentence" else _pack(starts, len(joined), tokens))


def _sentences(record: Doc) -> list[int]:
    """First token of every sentence."""
    if record.has_annotation("SENT_START"):  # which is true of any text of a single token
        found = {sentence.start for sentence in record.sents}
    else:
        places = {int(offset): number for number, offset in enumerate(token_offsets(record)[0])}
        found = {0, *(places[start] for start in sentence_starts(record.text) if start in places)}
    whole = [*record.ents, *(span for group in record.spans.values() for span in group)]
    return sorted(found.difference(*(range(span.start + 1, span.end) for span in whole)))


def _pack(starts: Sequence[int], n_tokens: int, most: int) -> list[int]:
    """First token of every group of consecutive sentences, each as long as it may be."""
    cuts = [0]
    for start, end in zip(starts, [*starts[1:], n_tokens]):
        if start and end - cuts[-1] > most:
            cuts.append(start)
    return cuts


def _join(records: Sequence[Doc]) -> Doc:
    if len(records) == 1:
        return records[0]
    others = ["tensor", "user_data"]
    joined = Doc.from_docs(list(records), attrs=_ATTRIBUTES, exclude=others)  # type: ignore[call-arg]
    for key, group in joined.spans.items():
        groups = [record.spans[key] for record in records if key in record.spans]
        group.attrs.update(join_attrs([(part.attrs, len(part)) for part in groups]))
    return joined


def _cut(doc: Doc, starts: Sequence[int]) -> list[Doc]:
    if len(starts) < 2:
        return [doc]
    tokens, spaces = [token.text for token in doc], doc.to_array([SPACY]).reshape(-1).astype(bool)
    array: Any = doc.to_array(_ATTRIBUTES)
    groups = [(key, group.attrs, list(group)) for key, group in doc.spans.items()]
    parts = []
    spaces[[start - 1 for start in starts[1:]]] = False
    for start, end in zip(starts, [*starts[1:], len(doc)]):
        part = Doc(doc.vocab, words=tokens[start:end], spaces=spaces[start:end].tolist())
        part.from_array(_ATTRIBUTES, array[start:end])
        for key, attrs, spans in groups:
            inside = [number for number, span in enumerate(spans) if start <= span.start < end]
            placed = [
                Span(part, span.start - start, span.end - start, label=span.label, kb_id=span.kb_id, span_id=span.id)
                for span in (spans[number] for number in inside)
            ]
            kept = part_of_attrs(attrs, inside, len(spans))
            part.spans[key] = SpanGroup(part, name=key, attrs=kept, spans=placed)
        parts.append(part)
    return parts
