"""Random annotated documents, what is to be read of them when they have been written."""

from collections.abc import Sequence
from typing import Any, Optional

from hypothesis import strategies as st
from spacy.tokens import Doc, Span, SpanGroup
from spacy.vocab import Vocab

from bioner_spacy.corpora import SourceDocument

VOCAB = Vocab()
LETTERS = "abI-()[]|;#T1&<>'\"\\,.\u0301\u00e9\u03b2\ufeff\U0001d6fd\U0001f9ec"
SPACES = " \t\n\r\u00a0\u2028\x0b\x1c"
LABELS = ("A", "B-X", "cell_type")


def make_doc(
    tokens: Sequence[str],
    spans: Sequence[tuple[int, int, str]] = (),
    *,
    spaces: Optional[Sequence[bool]] = None,
    key: str = "bioner",
    **attrs: Any,
) -> Doc:
    """A document with spans, each given by its first token, the token after the last one and its label."""
    doc = Doc(VOCAB, words=list(tokens), spaces=None if spaces is None else list(spaces))
    group = [Span(doc, start, end, label=label) for start, end, label in spans]
    doc.spans[key] = SpanGroup(doc, name=key, attrs=attrs, spans=group)
    return doc


@st.composite
def docs(draw: st.DrawFn, other: str = "") -> Doc:
    """A document, possibly empty, with spans that nest, cross and repeat each other.

    Args:
        draw: given by hypothesis.
        other: further characters of the tokens.
    """
    tokens = draw(st.lists(st.text(LETTERS + SPACES + other, min_size=1, max_size=4), max_size=8))
    spaces = draw(st.lists(st.booleans(), min_size=len(tokens), max_size=len(tokens)))
    places = st.lists(st.integers(0, len(tokens)), min_size=2, max_size=2, unique=True).map(sorted)
    spans = []
    if tokens:
        spans = draw(st.lists(st.tuples(places, st.sampled_from(LABELS)), max_size=6))
    attrs: dict[str, Any] = {}
    if draw(st.booleans()):
        attrs["doc_id"] = draw(st.text("aA.2(:/% |\u00e9", max_size=4))
    if draw(st.booleans()):
        attrs["scores"] = draw(st.lists(st.floats(0, 1), min_size=len(spans), max_size=len(spans)))
    doc = make_doc(tokens, [(start, end, label) for (start, end), label in spans], spaces=spaces, **attrs)
    if draw(st.booleans()):
        doc.spans["bioner"].attrs["passages"] = draw(passages_of(doc.text))
    return doc


def passages_of(text: str) -> st.SearchStrategy[list[list[Any]]]:
    """Passages with one character of whitespace between two of them; only the first one may be empty."""
    gaps = [place for place, char in enumerate(text[:-1]) if char.isspace()]

    def divide(chosen: set[int]) -> list[list[Any]]:
        kept = sorted(place for place in chosen if place - 1 not in chosen)
        starts, ends = [0, *(place + 1 for place in kept)], [*kept, len(text)]
        return [[start, end, "a <b" if start % 2 else ""] for start, end in zip(starts, ends)]

    return st.sets(st.sampled_from(gaps)).map(divide) if gaps else st.just(divide(set()))


@st.composite
def fragmented(draw: st.DrawFn, text: str) -> list[tuple[int, int, tuple[tuple[int, int], ...]]]:
    """Start, end and fragments of mentions: nested, crossing, repeated, and of up to three fragments with letters in
    between."""
    places = st.lists(st.integers(0, len(text)), min_size=2, max_size=6, unique=True).map(sorted)
    found = []
    for boundaries in draw(st.lists(places, max_size=5)):
        kept = [(boundaries[0], boundaries[1])]
        for start, end in zip(boundaries[2::2], boundaries[3::2]):
            if text[kept[-1][1] : start].strip():
                kept.append((start, end))
        found.append((kept[0][0], kept[-1][1], tuple(kept) if len(kept) > 1 else ()))
    return found


def passages(doc: Doc) -> list[list[Any]]:
    """Passages of a document; all of it where none are distinguished."""
    found: list[list[Any]] = doc.spans["bioner"].attrs.get("passages", [[0, len(doc.text), ""]])
    return found


def mentions(doc: Doc) -> list[tuple[int, int, str]]:
    """First character, character after the last one and label of every span that has a token."""
    found = []
    for span in doc.spans["bioner"]:
        solid = [i for i in range(span.start_char, span.end_char) if not doc.text[i].isspace()]
        if solid:
            found.append((solid[0], solid[-1] + 1, span.label_))
    return found


def read_mentions(document: SourceDocument) -> list[tuple[int, int, str]]:
    """The same of what has been read."""
    return [(mention.start, mention.end, mention.label) for mention in document.mentions]


def scores(doc: Doc) -> list[Optional[float]]:
    """Scores of the spans that `mentions` gives, as they are to be written."""
    group = doc.spans["bioner"]
    values = group.attrs.get("scores", [None] * len(group))
    return [value if value is None else round(value, 6) for span, value in zip(group, values) if span.text.strip()]
