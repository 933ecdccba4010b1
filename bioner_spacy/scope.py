"""Gold annotation on a `Doc`: spans, corpus and annotation scope.

The annotation scope is the set of entity types for which a document is exhaustively annotated. It is stored in the
`attrs` of the gold span group, which, unlike `Doc.user_data`, survive a default `DocBin` even if the group is empty.
"""

import json
import weakref
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Optional

from spacy.tokens import Doc, Span, SpanGroup

from .errors import Warnings, check_list, check_setting, warn

SPANS_KEY = "bioner"
ENTS = "ents"
"""In place of a key of `doc.spans`: `doc.ents`."""

LabelData = dict[str, set[str]]
"""Entity types by corpus ("" if documents do not name theirs)."""

UNSCOPED = ("corpus", "all", "error")
"""Assumed scope of documents without one: the types of their corpus, or every type; or they are refused."""


def score_name(name: str, spans_key: str = SPANS_KEY) -> str:
    """Name of a score of the spans under a key, as in `spancat` and `spacy evaluate`."""
    return f"spans_{spans_key}_{name}"


# `doc._.guideline`: the corpus whose guideline a document should follow, if tasks distinguish guidelines.
if not Doc.has_extension("guideline"):
    Doc.set_extension("guideline", default=None)


def _scores(doc: Doc) -> dict[tuple[int, int, int], float]:
    """Scores in the `attrs` of groups of `doc.spans`, by the place of the span; the first of several."""
    found: dict[tuple[int, int, int], float] = {}
    for group in doc.spans.values():
        for number, score in enumerate(per_span(group.attrs, "scores", len(group))):
            if score is not None:
                with suppress(IndexError):  # where tokens were merged since, the last spans are beyond the end
                    found.setdefault(_place(group[number]), float(score))
    return found


def _place(span: Span) -> tuple[int, int, int]:
    """Start and end in characters, as these stay the same when tokens are merged, and label."""
    return span.start_char, span.end_char, span.label


_latest: tuple[Any, Any, dict[tuple[int, int, int], float]] = (lambda: None, None, {})
"""The document whose scores were last asked for, its groups with their scores, and the scores by place: for all spans of a
long document one after the other."""


def _score(span: Span) -> Optional[float]:
    global _latest
    doc, place = span.doc, _place(span)
    current = [(group, per_span(group.attrs, "scores", len(group))) for group in doc.spans.values()]
    of_doc, known, scores = _latest
    if of_doc() is not doc or known != current or place not in scores:
        scores = _scores(doc)
        _latest = weakref.ref(doc), current, scores
    return scores.get(place)


# `span._.score`, also of spans in `doc.ents`; None for a span that was not predicted.
if not Span.has_extension("score"):
    Span.set_extension("score", getter=_score)


def attrs_of_ents(doc: Doc) -> dict[str, Any]:
    """`attrs` of a group of `doc.ents`: their scores, if groups of the document have scores."""
    found = _span_scores(doc)
    return {"scores": found[ENTS]} if len(found) > 1 else {}


def _span_scores(doc: Doc) -> dict[str, list[Optional[float]]]:
    """Scores of the spans of each group that has them, and under `ENTS` those of `doc.ents`, in their order."""
    scores = _scores(doc)
    found = {ENTS: [scores.get(_place(ent)) for ent in doc.ents]}
    for key, group in doc.spans.items():
        if group.attrs.get("scores") is not None:
            of_group = per_span(group.attrs, "scores", len(group))
            found[key] = [None if score is None else float(score) for score in of_group]
    return found


def _set_span_scores(doc: Doc, scores: Mapping[str, Sequence[Optional[float]]]) -> None:
    for key, group in doc.spans.items():
        if key in scores and len(scores[key]) == len(group):
            group.attrs["scores"] = list(scores[key])


# For `doc.to_json(underscore=["span_scores"])`, where spaCy leaves out attributes of spans that have a getter.
if not Doc.has_extension("span_scores"):
    Doc.set_extension("span_scores", getter=_span_scores, setter=_set_span_scores)


def set_gold(
    doc: Doc,
    spans: Iterable[Span],
    *,
    corpus: str,
    scope: Iterable[str],
    doc_id: str = "",
    passages: Iterable[Sequence[Any]] = (),
    meta: Optional[Mapping[str, Any]] = None,
    spans_key: str = SPANS_KEY,
) -> None:
    """Store gold spans and their annotation scope on a document, in place.

    Args:
        spans: gold spans of `doc`, labelled with entity types; may overlap. Spans of types outside the scope are
            neither learnt nor scored.
        corpus: name of the corpus in the catalogue.
        scope: entity types for which `doc` is exhaustively annotated.
        doc_id: identifier of the source document, to keep sentences of one document together.
        passages: start, end (in characters) and type of every passage of the source.
        meta: see `set_origin`.
        spans_key: key in `doc.spans`.

    Raises:
        BionerError: the scope is a string instead of a list, or one of the spans is None.
    """
    check_list("scope", scope, "entity types")
    spans = list(spans)
    for number, span in enumerate(spans):
        allowed = "a Span (doc.char_span has None for ends inside of tokens, unless alignment_mode is expand)"
        check_setting(f"spans[{number}]", span, allowed, isinstance(span, Span))
    attrs = {"corpus": corpus, "scope": sorted(scope)}
    doc.spans[spans_key] = SpanGroup(doc, name=spans_key, attrs=attrs, spans=spans)
    set_origin(doc, doc_id=doc_id, passages=passages, meta=meta, spans_key=spans_key)


def set_origin(
    doc: Doc,
    *,
    doc_id: str = "",
    passages: Iterable[Sequence[Any]] = (),
    meta: Optional[Mapping[str, Any]] = None,
    spans_key: str = SPANS_KEY,
) -> None:
    """Store the origin of a document with spans, in place, for format writers.

    Args:
        doc_id: identifier of the source document.
        passages: see `set_gold`; each may have further data as a fourth part, a dictionary or None.
        meta: further metadata of the source, as JSON values.
    """
    attrs = doc.spans[spans_key].attrs
    attrs["doc_id"] = doc_id
    if parts := [[*passage[:3], *([dict(passage[3])] if passage[3:] and passage[3] else [])] for passage in passages]:
        attrs["passages"] = parts
    if meta:
        attrs["meta"] = json.dumps(meta, ensure_ascii=False)  # msgpack limits numbers and depth


def _attrs(doc: Doc, spans_key: str) -> Mapping[str, Any]:
    return doc.spans[spans_key].attrs if spans_key in doc.spans else {}


def get_meta(doc: Doc, spans_key: str = SPANS_KEY) -> dict[str, Any]:
    """Further metadata of a document, see `set_origin`; may be empty."""
    meta = _attrs(doc, spans_key).get("meta")
    return dict(json.loads(meta)) if meta else {}


PER_SPAN = ("scores", "identifiers", "infons")
"""Keys in the `attrs` of a span group whose values are lists with one item per span: scores of predicted spans, lists
of concept identifiers, and further data of mentions (JSON objects)."""


def set_identifiers(
    doc: Doc,
    identifiers: Sequence[Sequence[str]],
    *,
    infons: Sequence[Mapping[str, Any]] = (),
    spans_key: str = SPANS_KEY,
) -> None:
    """Store the concept identifiers of the spans of a document, in place. The first one is also the `kb_id_` of the
    span.

    Args:
        identifiers: identifiers of every span of the group; may be empty.
        infons: further data of every span; may be empty.
    """
    old = doc.spans[spans_key]
    if any(identifiers):
        spans = [
            Span(doc, span.start, span.end, label=span.label, kb_id=ids[0] if ids else 0, span_id=span.id)
            for span, ids in zip(old, identifiers)
        ]
        attrs = {**old.attrs, "identifiers": [list(ids) for ids in identifiers]}
        doc.spans[spans_key] = SpanGroup(doc, name=spans_key, attrs=attrs, spans=spans)
    if any(infons):
        values = [json.dumps(infon, ensure_ascii=False) if infon else "" for infon in infons]
        doc.spans[spans_key].attrs["infons"] = values


def with_kb_id(span: Span, identifiers: Iterable[str]) -> list[str]:
    """Identifiers of a span, its `kb_id_` first."""
    return list(dict.fromkeys([*filter(None, [span.kb_id_]), *map(str, identifiers)]))


_UNKNOWN: dict[str, Any] = {"scores": None, "identifiers": [], "infons": ""}


def per_span(attrs: Mapping[str, Any], key: str, count: int) -> list[Any]:
    """What the `attrs` of a group say about each of its spans.

    Spans that were appended later, e.g. by a `span_ruler`, have an unknown value; with more values than spans, all have.

    Args:
        key: one of `PER_SPAN`.
        count: number of spans of the group.
    """
    values = attrs.get(key)
    values = [] if values is None or len(values) > count else list(values)
    return [*values, *[_UNKNOWN[key]] * (count - len(values))]


def join_attrs(parts: Sequence[tuple[Mapping[str, Any], int]]) -> dict[str, Any]:
    """Join the `attrs` of consecutive groups; passages are left out.

    Args:
        parts: `attrs` and number of spans of every group; values that are not per span are taken from the first.
    """
    joined = part_of_attrs(parts[0][0], [], -1)
    for key in PER_SPAN:
        if any(key in attrs for attrs, _ in parts):
            joined[key] = [value for attrs, count in parts for value in per_span(attrs, key, count)]
    return joined


def part_of_attrs(attrs: Mapping[str, Any], numbers: Sequence[int], count: int) -> dict[str, Any]:
    """The `attrs` for a part of the spans of a group; passages are left out.

    Args:
        attrs: `attrs` of the whole group.
        numbers: indices of the spans that are kept, in order.
        count: number of spans of the whole group.
    """
    part = {key: value for key, value in attrs.items() if key != "passages"}
    for key in PER_SPAN:
        if key in part:
            values = per_span(part, key, count)
            part[key] = [values[number] for number in numbers]
    return part


def get_scope(doc: Doc, spans_key: str = SPANS_KEY) -> Optional[frozenset[str]]:
    """Entity types for which a gold document is exhaustively annotated.

    Returns:
        The scope; None if the document states none (documents made by other tools), see `effective_scope`.
    """
    scope = _attrs(doc, spans_key).get("scope")
    return None if scope is None else frozenset(scope)


def gold_spans(doc: Doc, spans_key: str = SPANS_KEY) -> Optional[list[Span]]:
    """Gold spans of a document, or else its entities; None without entity annotation."""
    if spans_key in doc.spans:
        return list(doc.spans[spans_key])
    return list(doc.ents) if has_gold_ents(doc) else None


def annotated_types(docs: Iterable[Doc], spans_key: str = SPANS_KEY) -> tuple[LabelData, LabelData]:
    """Entity types that each corpus annotates: the scopes of its documents, or the types of their mentions if they
    state none.

    Returns:
        Entity types by corpus; and those of corpora with documents that state no scope.
    """
    types: LabelData = {}
    unscoped: set[str] = set()
    for doc in docs:
        scope, spans = get_scope(doc, spans_key), gold_spans(doc, spans_key)
        if scope is None and spans is None:
            continue
        corpus = get_corpus(doc, spans_key)
        types.setdefault(corpus, set()).update({span.label_ for span in spans or ()} if scope is None else scope)
        if scope is None:
            unscoped.add(corpus)
    return types, {corpus: types[corpus] for corpus in sorted(unscoped)}


def effective_scope(
    doc: Doc, corpus_types: Optional[Mapping[str, Collection[str]]], spans_key: str = SPANS_KEY
) -> Optional[frozenset[str]]:
    """The stated or assumed scope of a gold document.

    Args:
        corpus_types: entity types by corpus, the assumed scope of documents that state none; for other corpora, the
            types of their mentions. None for every type.

    Returns:
        The scope; None for every type.
    """
    scope = get_scope(doc, spans_key)
    if scope is not None or corpus_types is None:
        return scope
    known = corpus_types.get(get_corpus(doc, spans_key))
    return frozenset((span.label_ for span in gold_spans(doc, spans_key) or ()) if known is None else known)


def state_scopes(
    docs: Sequence[Doc], corpus_types: Mapping[str, Collection[str]] = {}, spans_key: str = SPANS_KEY
) -> None:
    """Set the scope of documents that state none to that of their corpus, in place, with one warning.

    Args:
        corpus_types: entity types annotated in each corpus, besides those of its documents.
    """
    found, unscoped = annotated_types(docs, spans_key)
    scopes = {corpus: types.union(corpus_types.get(corpus, ())) for corpus, types in found.items()}
    for doc in docs:
        if get_scope(doc, spans_key) is None and (spans := gold_spans(doc, spans_key)) is not None:
            corpus = get_corpus(doc, spans_key)
            if spans_key not in doc.spans:
                doc.spans[spans_key] = SpanGroup(doc, name=spans_key, spans=spans)
            doc.spans[spans_key].attrs["scope"] = sorted(scopes[corpus])
    if unscoped:
        warn_of_unscoped({corpus: scopes[corpus] for corpus in unscoped})


def warn_of_unscoped(corpus_types: Mapping[str, Collection[str]]) -> None:
    """Warn that documents state no scope, with the assumed types.

    Args:
        corpus_types: entity types by the name of the corpus.
    """
    named = {corpus or "(no name)": ", ".join(sorted(types)) or "none" for corpus, types in corpus_types.items()}
    warn(Warnings.W407.format(corpora="; ".join(f"{corpus}: {types}" for corpus, types in named.items())))


def has_gold_ents(doc: Doc) -> bool:
    """Whether `doc.ents` are complete gold annotation, without tokens that are "missing" in spaCy's sense."""
    return bool(len(doc)) and doc.has_annotation("ENT_IOB", require_complete=True)


def name_corpus(doc: Doc, corpus: str, spans_key: str = SPANS_KEY) -> None:
    """Set the corpus of a gold document that names none, in place.

    Documents with gold entities only get a span group of these, without a scope.
    """
    if spans_key not in doc.spans and has_gold_ents(doc):
        doc.spans[spans_key] = SpanGroup(doc, name=spans_key, spans=list(doc.ents))
    if spans_key in doc.spans:
        doc.spans[spans_key].attrs.setdefault("corpus", corpus)


def get_corpus(doc: Doc, spans_key: str = SPANS_KEY) -> str:
    """Name of the corpus of a gold document; empty if unknown."""
    return str(_attrs(doc, spans_key).get("corpus", ""))


def get_doc_id(doc: Doc, spans_key: str = SPANS_KEY) -> str:
    """Identifier of the source document of a gold document; empty if unknown."""
    return str(_attrs(doc, spans_key).get("doc_id", ""))


def get_passages(doc: Doc, spans_key: str = SPANS_KEY) -> list[list[Any]]:
    """Start, end (in characters) and type of every passage; empty if unknown."""
    return list(_attrs(doc, spans_key).get("passages", ()))
