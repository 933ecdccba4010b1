"""Mentions of annotated documents as plain records, and their selection."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Optional

from spacy.language import Language
from spacy.tokens import Doc, Span, SpanGroup
from spacy.vocab import Vocab

from ..errors import BionerError, Errors, check_setting
from ..formats import Mention
from ..formats.export import mentions_of
from ..scope import ENTS, SPANS_KEY, attrs_of_ents, part_of_attrs, per_span, set_identifiers, set_origin
from ..scoring.evaluate import finds_entities


def is_chosen(label: str, score: Optional[float], types: Optional[Collection[str]], threshold: float) -> bool:
    """Whether a mention has one of some types (None: of all), and a sufficient score (if any)."""
    return (types is None or label in types) and (score is None or score >= threshold)


def predicted_spans(
    doc: Doc, spans_key: str, pipeline: str = "of these documents"
) -> tuple[Sequence[Span], Mapping[str, Any]]:
    """Spans that a pipeline wrote to a document, and the `attrs` of their group.

    Args:
        pipeline: name of the pipeline, for the message.

    Raises:
        BionerError: the pipeline wrote nothing there, or merged tokens afterwards.
    """
    if spans_key in doc.spans:
        try:
            return list(doc.spans[spans_key]), doc.spans[spans_key].attrs
        except IndexError:
            raise BionerError(Errors.E673.format(start=doc.text[:40], key=spans_key)) from None
    has_ents = doc.has_annotation("ENT_IOB")
    if len(doc) and not (has_ents and spans_key == ENTS):
        known = ", ".join([*doc.spans, *([ENTS] if has_ents else [])]) or "none"
        raise BionerError(Errors.E667.format(pipeline=pipeline, key=spans_key, known=known))
    return doc.ents, attrs_of_ents(doc)


@dataclass(frozen=True)
class Known:
    """What users may ask a pipeline for."""

    types: list[str]  # entity types that its components declare; empty if none does
    guidelines: list[str]  # corpora that its multi-task components were trained on

    @classmethod
    def of(cls, nlp: Language) -> "Known":
        """What a pipeline knows."""
        types: set[str] = set()
        guidelines: set[str] = set()
        for name, pipe in nlp.pipeline:
            if finds_entities(nlp, name):
                types.update(label for label in getattr(pipe, "labels", ()) if isinstance(label, str))
            if hasattr(pipe, "unscoped"):  # ours; the label data of other components are not by corpus
                guidelines.update(getattr(pipe, "label_data", ()))
        return cls(sorted(types), sorted(guidelines))

    def require(self, types: Optional[Collection[str]] = None, guideline: Optional[str] = None) -> None:
        """Check entity types, if the pipeline declares any, and the corpus of a guideline.

        Args:
            types: entity types; None for all.
            guideline: name of the corpus; None for no guideline.

        Raises:
            BionerError: one is unknown.
        """
        unknown = sorted(set(types or ()).difference(self.types))
        check_setting("types", ", ".join(unknown), ", ".join(self.types), not (self.types and unknown))
        known = ", ".join(self.guidelines) or "none"
        check_setting("guideline", guideline, known, guideline is None or guideline in self.guidelines)


def with_guideline(doc: Doc, guideline: Optional[str]) -> Doc:
    """Make a document follow a guideline, if one is given, in place."""
    if guideline is not None:
        doc._.guideline = guideline
    return doc


def find_mentions(doc: Doc, spans_key: str = SPANS_KEY) -> list[Mention]:
    """Mentions of an annotated document in text order, outer mentions first."""
    found = [mention for mention in mentions_of(doc, *predicted_spans(doc, spans_key)) if mention.start < mention.end]
    return sorted(found, key=lambda mention: (mention.start, -mention.end, mention.label))


def choose(
    doc: Doc, types: Optional[Collection[str]], threshold: float, spans_key: str = SPANS_KEY, *, flat: bool = False
) -> None:
    """Keep only some of the mentions of a document, in place.

    Args:
        types: entity types; None for all.
        threshold: minimum score of mentions, if they have one.
        flat: whether to keep only those in `doc.ents`, which do not overlap.
    """
    scores = per_span(attrs_of_ents(doc) if spans_key == ENTS else {}, "scores", len(doc.ents))
    ents = [ent for ent, score in zip(doc.ents, scores) if is_chosen(ent.label_, score, types, threshold)]
    if spans_key in doc.spans:
        group = doc.spans[spans_key]
        spans, attrs = list(group), group.attrs
        scores = per_span(attrs, "scores", len(spans))
        flat_places = {_place(ent) for ent in doc.ents}
        kept = [
            number
            for number, (span, score) in enumerate(zip(spans, scores))
            if is_chosen(span.label_, score, types, threshold) and (not flat or _place(span) in flat_places)
        ]
        left_out = {_place(span) for span in spans} - {_place(spans[number]) for number in kept}
        ents = [ent for ent in ents if _place(ent) not in left_out]
        attrs = part_of_attrs(attrs, kept, len(spans)) | {key: attrs[key] for key in ("passages",) if key in attrs}
        doc.spans[spans_key] = SpanGroup(doc, name=spans_key, attrs=attrs, spans=[spans[n] for n in kept])
    if len(ents) < len(doc.ents):
        doc.set_ents(ents, default="outside")


def make_doc(text: str, mentions: Iterable[Mention], doc_id: str) -> Doc:
    """Make a document for format writers, whose tokens end at mention boundaries."""
    mentions = list(mentions)
    places = sorted({0, len(text), *(place for mention in mentions for place in (mention.start, mention.end))})
    number = {place: index for index, place in enumerate(places)}
    tokens = [text[start:end] for start, end in zip(places, places[1:])]
    doc = Doc(Vocab(), words=tokens, spaces=[False] * len(tokens))
    spans = [Span(doc, number[mention.start], number[mention.end], label=mention.label) for mention in mentions]
    scores = [mention.score for mention in mentions]
    attrs = {} if set(scores) == {None} else {"scores": scores}
    doc.spans[SPANS_KEY] = SpanGroup(doc, name=SPANS_KEY, attrs=attrs, spans=spans)
    doc.set_ents([span for span, mention in zip(spans, mentions) if mention.flat], default="outside")
    set_origin(doc, doc_id=doc_id)
    set_identifiers(doc, [mention.identifiers for mention in mentions])
    return doc


def _place(span: Span) -> tuple[int, int, int]:
    return span.start, span.end, span.label
