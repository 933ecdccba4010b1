"""From source documents to spaCy documents with gold spans."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy
from spacy.attrs import SENT_START
from spacy.tokens import Doc, Span

from ..errors import BionerError, Errors, check_setting
from ..formats.document import Mention, SourceDocument
from ..scope import SPANS_KEY, set_gold, set_identifiers
from .catalogue import Corpus

ALIGNMENTS = ("expand", "drop", "error")
DISCONTINUOUS = ("report", "cover")
KINDS = ("lost", "duplicate", "expanded", "covered")


@dataclass(frozen=True)
class Issue:
    """A mention that could not be converted unchanged.

    Attributes:
        kind: one of `KINDS`: "expanded" to the tokens that it touches, "covered" by one span from its first fragment
            to its last, "duplicate" of another mention with the same characters and type, or "lost".
        file: name of the corpus file.
        line: line of the mention in it, from 1.
        text: text of the mention.
        label: the corpus's own label.
        reason: what happened, in words.
    """

    kind: str
    file: str
    line: int
    text: str
    label: str
    reason: str


@dataclass
class Issues:
    """Issues of one kind: how many there are, and the first ones, so that memory is bounded."""

    limit: int
    count: int = 0
    first: list[Issue] = field(default_factory=list)

    def add(self, issue: Issue) -> None:
        """Count an issue, and keep it if it is among the first."""
        self.count += 1
        if len(self.first) < self.limit:
            self.first.append(issue)


def to_doc(
    document: SourceDocument,
    tokenizer: Callable[[str], Doc],
    corpus: Corpus,
    *,
    alignment: str = "expand",
    discontinuous: str = "report",
) -> tuple[Doc, list[Issue]]:
    """Tokenize a document and convert its mentions to gold spans.

    Labels are mapped to standard types, and mentions of labels that the catalogue drops on purpose are left out.
    Nested mentions and mentions of several types at one place are kept, with their concept identifiers and scores.
    Identifiers of mentions of the same span are joined. The annotation scope of the document is the set of all
    standard types of its corpus. Where the format of the corpus keeps sentences, the document is marked as one
    (`Doc.sents`).

    Args:
        tokenizer: makes a `Doc` of a text: the tokenizer of the pipeline that will be trained.
        corpus: its corpus in the catalogue.
        alignment: what to do with a mention whose boundaries are not token boundaries: "expand" it to all tokens that
            it touches, "drop" it, or "error". The first two are reported.
        discontinuous: what to do with a discontinuous mention: "report" it as lost, or "cover" it by the span from its
            first character to its last, which is reported.

    Returns:
        The document, and what happened to mentions that are not kept as they were. Mentions less those of dropped
        labels, lost ones and duplicates is the number of gold spans.

    Raises:
        BionerError: a label has no mapping, a mention is not aligned and `alignment` is "error", or a
            setting is unknown.
    """
    check_setting("alignment", alignment, ALIGNMENTS)
    check_setting("discontinuous", discontinuous, DISCONTINUOUS)
    doc = tokenizer(document.text)
    if doc.text != document.text:
        raise BionerError(Errors.E115.format(path=document.path, line=document.line))
    visible = [token for token in doc if not token.is_space]  # a span must not begin or end with whitespace
    starts = [token.idx for token in visible]
    ends = [token.idx + len(token) for token in visible]
    spans: dict[tuple[int, int, str], Mention] = {}
    concepts: dict[tuple[int, int, str], dict[str, None]] = {}
    issues = []
    in_order = sorted(document.mentions, key=lambda mention: bool(mention.fragments))  # contiguous ones go first

    def report(kind: str, mention: Mention, reason: str) -> None:
        text = document.text[mention.start : mention.end]
        issues.append(Issue(kind, document.path.name, mention.line, text, mention.label, reason))

    for mention in in_order:
        if mention.label not in corpus.labels:
            place = {"path": document.path, "line": mention.line, "label": mention.label}
            raise BionerError(Errors.E112.format(**place, corpus=corpus.name, known=", ".join(corpus.labels)))
        label = corpus.labels[mention.label]
        if label is None:
            continue
        if mention.fragments and discontinuous == "report":
            report("lost", mention, "it is discontinuous")
            continue
        first, last = bisect_right(ends, mention.start), bisect_left(starts, mention.end) - 1
        if first > last:
            report("lost", mention, "it holds no token")
            continue
        aligned = starts[first] == mention.start and ends[last] == mention.end
        span = Span(doc, visible[first].i, visible[last].i + 1, label=label)
        tokens = span.text
        if not aligned:
            if alignment == "error":
                text = document.text[mention.start : mention.end]
                raise BionerError(Errors.E113.format(path=document.path, line=mention.line, text=text, tokens=tokens))
            if alignment == "drop":
                report("lost", mention, f"its boundaries are not token boundaries: {tokens!r}")
                continue
        twin = spans.setdefault((span.start, span.end, label), mention)
        concepts.setdefault((span.start, span.end, label), {}).update(dict.fromkeys(mention.identifiers))
        if twin is mention:
            if not aligned:
                report("expanded", mention, f"its boundaries are not token boundaries: now {tokens!r}")
            if mention.fragments:
                report("covered", mention, f"it is discontinuous: now {tokens!r}")
        elif (twin.start, twin.end, twin.fragments) == (mention.start, mention.end, mention.fragments):
            report("duplicate", mention, f"line {twin.line} has the same {label}")
        else:
            how = "as one span" if mention.fragments else "on token boundaries"
            report("lost", mention, f"{how} it equals the {label} of line {twin.line}: {tokens!r}")
    ordered = sorted(spans, key=lambda span: (span[0], -span[1], span[2]))
    gold = [Span(doc, start, end, label=label) for start, end, label in ordered]
    if corpus.keeps_sentences:
        sentence_starts: Any = numpy.full((len(doc), 1), -1).astype("uint64")
        sentence_starts[:1] = 1
        doc.from_array([SENT_START], sentence_starts)  # one by one takes time that grows with the square
    scope, passages = corpus.types, document.passages
    about: dict[str, Any] = {"doc_id": document.doc_id, "passages": passages, "meta": document.meta}
    set_gold(doc, gold, corpus=corpus.name, scope=scope, **about)
    set_identifiers(doc, [list(concepts[key]) for key in ordered], infons=[spans[key].infons for key in ordered])
    scores = [spans[key].score for key in ordered]
    if any(score is not None for score in scores):
        doc.spans[SPANS_KEY].attrs["scores"] = scores
    return doc, issues
