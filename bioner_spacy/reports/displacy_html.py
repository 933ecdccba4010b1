"""A page of documents with their gold and predicted mentions, nested ones too, drawn by displaCy.

displaCy's own markup for spans puts a space after every token, cuts off the labels of deep spans, lets the labels of
short words cover each other and does not escape labels. Its templates are replaced here by a grid that has none of
these faults; the assignment of spans to levels remains displaCy's.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import islice
from pathlib import Path
from typing import Any, Optional, Union

from spacy import displacy
from spacy.language import Language
from spacy.tokens import Doc, Span, Token

from ..scope import SPANS_KEY, get_scope
from ..scoring.evaluate import corpus_files, describe, load_pipeline, make_doc, read_gold
from ..scoring.results import write_text
from ..scoring.table import corpus_name
from .colors import color_of

MAX_WORDS = 300
"""Words shown of a document; longer ones are cut and say so."""

_NO_SPACE = (
    "\0"  # Marks where displaCy is not to put a space; cannot stand in HTML, so nothing is lost by removing it.
)
_LABEL_WIDTH = 0.75  # width of a letter of a label in letters of the text
_LINE_TOP, _LINE_STEP = 26, 17  # pixels from the top of a word to its first line, and from line to line

_TEMPLATE = {
    "span": '<span class="word"><span class="text">{text}</span>{span_slices}{span_starts}</span>',
    "slice": '<span class="line" style="background:{bg};margin-top:{top_offset}px"></span>',
    "start": '<span class="label" style="background:{bg};margin-top:{top_offset}px">{label}</span>',
}

_STYLE = """
:root { color-scheme: light; }
body { font: 16px/1.5 system-ui, sans-serif; color: #000; background: #fff; max-width: 60rem; margin: 0 auto;
  padding: 1rem; overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; line-height: 1.2; }
h2 { font-size: 1.25rem; margin: 2.5rem 0 0; }
h3 { font-size: 1rem; margin: 1.5rem 0 0; }
p { margin: .25rem 0; }
.note { color: #595959; font-size: .875rem; }
.legend { display: flex; flex-wrap: wrap; gap: .375rem; padding: 0; list-style: none; }
.legend li { padding: .125rem .5rem; border-radius: .25rem; font-size: .8125rem; font-weight: 600; }
.side { display: inline-block; margin-top: .75rem; padding: 0 .5rem; border-radius: .25rem; background: #eee;
  font-size: .8125rem; }
.spans { white-space: pre-line; line-height: 2 !important; }
.word { display: inline-grid; max-width: 100%; line-height: 1.5; margin-bottom: .375rem; }
.word > * { grid-area: 1 / 1; align-self: start; }
.text { white-space: pre-wrap; font-weight: 600; }
.line { height: 4px; }
.label { justify-self: start; transform: translateY(-3px); padding: 1px 3px; margin-right: 3px; border-radius: 3px;
  font-size: 10px; line-height: 11px; font-weight: 600; white-space: nowrap; user-select: none; }
"""

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<h1>{title}</h1>
<ul class="legend">{legend}</ul>
{content}
</body>
</html>
"""


@dataclass(frozen=True)
class Shown:
    """A document of the page: the gold one and the predicted one of the same text."""

    gold: Doc
    predicted: Doc


def predict_examples(
    nlp: Language,
    corpus_folder: Path,
    *,
    corpora: Optional[Sequence[str]] = None,
    split: str = "test",
    per_corpus: int = 5,
) -> dict[str, list[Shown]]:
    """Take the first documents with gold mentions of each corpus and let a pipeline predict theirs.

    Args:
        nlp: the pipeline.
        corpus_folder: folder with `<corpus>/<split>.spacy`.
        corpora: corpora to show; None for all that have the split.
        split: name of the split.
        per_corpus: most documents of a corpus.

    Returns:
        Corpus -> documents.

    Raises:
        BionerError: a corpus cannot be read.
    """
    shown = {}
    for corpus, path in corpus_files(corpus_folder, corpora, split).items():
        with_mentions = (doc for doc in read_gold(nlp, corpus, path) if len(doc.spans[SPANS_KEY]))
        gold = list(islice(with_mentions, per_corpus))
        predicted = nlp.pipe(make_doc(nlp, doc.text, corpus) for doc in gold)
        shown[corpus] = [Shown(*pair) for pair in zip(gold, predicted, strict=True)]
    return shown


def write_page(
    pipeline: Union[str, Path, Language],
    corpus_folder: Path,
    path: Path,
    *,
    corpora: Optional[Sequence[str]] = None,
    split: str = "test",
    per_corpus: int = 5,
    gpu_id: int = -1,
) -> None:
    """Draw what a pipeline predicts on the first documents of each corpus, as one HTML page.

    Args:
        pipeline: a loaded pipeline, or the folder or package name of one.
        corpus_folder: folder with `<corpus>/<split>.spacy`.
        path: HTML file to write, whole or not at all.
        corpora: corpora to show; None for all that have the split.
        split: name of the split.
        per_corpus: most documents of a corpus.
        gpu_id: number of the GPU to run on, -1 for the CPU.

    Raises:
        BionerError: the pipeline or a corpus cannot be read.
    """
    nlp = load_pipeline(pipeline, gpu_id=gpu_id)
    shown = predict_examples(nlp, corpus_folder, corpora=corpora, split=split, per_corpus=per_corpus)
    described = describe(nlp)
    write_text(path, render_page(shown, title=f"{described.name} {described.version}, {split} split"))


def render_page(corpora: Mapping[str, Iterable[Shown]], *, title: str, max_words: int = MAX_WORDS) -> str:
    """Draw documents as one HTML page that needs no other file.

    Args:
        corpora: corpus -> documents.
        title: heading of the page.
        max_words: most words shown of a document.

    Returns:
        The page. Where gold and predicted mentions are the same they are drawn once.
    """
    sections = []
    types: set[str] = set()
    for corpus, documents in corpora.items():
        parts = [f"<h2>{escape(corpus_name(corpus))}</h2>"]
        for number, document in enumerate(documents, start=1):
            parts.extend(_document(document, number, max_words))
            types.update(span.label_ for doc in (document.gold, document.predicted) for span in _spans(doc))
        sections.append("\n".join(parts))
    items = (f'<li style="background:{color_of(name)}">{escape(name)}</li>' for name in sorted(types))
    return _PAGE.format(title=escape(title), style=_STYLE, legend="".join(items), content="\n".join(sections))


def _document(document: Shown, number: int, max_words: int) -> Iterator[str]:
    """Heading, annotation scope and mentions of one document."""
    gold, predicted = document.gold, document.predicted
    attrs = gold.spans[SPANS_KEY].attrs if SPANS_KEY in gold.spans else {}
    yield f"<h3>{number}. {escape(str(attrs.get('doc_id') or 'document'))}</h3>"
    scope = get_scope(gold)
    if scope is not None:
        yield f'<p class="note">annotated: {escape(", ".join(sorted(scope)) or "nothing")}</p>'
    if _mentions(gold) == _mentions(predicted):
        sides = [("gold and predicted are the same", predicted)]
    else:
        sides = [("gold", gold), ("predicted", predicted)]
    for name, doc in sides:
        yield f'<p class="side">{name}</p>'
        yield _draw(doc, max_words)


def _draw(doc: Doc, max_words: int) -> str:
    """Words and spans of a document, drawn by displaCy, cut after `max_words` words or the span that ends there."""
    spans = [span for span in _spans(doc) if span.start < max_words]
    end = min(len(doc), max([max_words, *(span.end for span in spans)]))
    note = f'<p class="note">the first {end} of {len(doc)} words</p>' if end < len(doc) else ""
    units, unit_of = _units(doc, spans, end)
    options: dict[str, Any] = {
        "template": _TEMPLATE,
        "colors": {escape(span.label_): color_of(span.label_) for span in spans},
        "top_offset": _LINE_TOP,
        "top_offset_step": _LINE_STEP,
    }
    manual = {
        "text": doc.text,
        "tokens": [unit + _NO_SPACE if unit.strip() else unit for unit in units],
        "spans": [
            # displaCy does not escape labels.
            {"start_token": unit_of[span.start], "end_token": unit_of[span.end - 1] + 1, "label": escape(span.label_)}
            for span in spans
        ],
    }
    markup = displacy.render(manual, style="span", manual=True, jupyter=False, options=options)
    return markup.replace(f"{_NO_SPACE} ", "").replace(_NO_SPACE, "") + note


def _units(doc: Doc, spans: Sequence[Span], end: int) -> tuple[list[str], list[int]]:
    """Join tokens into the pieces that are drawn as one, between which a line may break.

    Tokens inside the same spans are joined where no space parts them ("NF-kappa"), and over a space as long as they
    are shorter than the label below them ("T cells"), which would otherwise tear them apart.

    Args:
        doc: the document.
        spans: its spans.
        end: number of tokens to draw.

    Returns:
        The texts of the units, and for each token the index of its unit.
    """
    borders = {border for span in spans for border in (span.start, span.end)}
    covered = {index for span in spans for index in range(span.start, span.end)}
    crossed = {index for span in spans for index in range(span.start + 1, span.end)}  # a span goes on over the border
    label_width: dict[int, float] = {}
    for span in spans:
        label_width[span.start] = max(label_width.get(span.start, 0.0), _LABEL_WIDTH * len(span.label_))
    units: list[str] = []
    unit_of: list[int] = []
    room = 0.0  # a unit shorter than this is too short for its labels
    for token in doc[:end]:
        index = token.i
        if index in borders or index not in covered or token.is_space or not _goes_with_previous(token, units, room):
            units.append("")
            room = label_width.get(index, 0.0)
        unit_of.append(len(units) - 1)
        units[-1] += token.text
        if token.whitespace_ and (index + 1 in crossed or index not in covered):
            units[-1] += token.whitespace_
        elif token.whitespace_:
            units.append(token.whitespace_)  # the last span ends here, so the space is not underlined
    return units, unit_of


def _goes_with_previous(token: Token, units: Sequence[str], room: float) -> bool:
    """Whether a token inside the same spans as the one before it, if there is one, is drawn in the same unit."""
    if not units or token.nbor(-1).is_space:
        return False
    return not token.nbor(-1).whitespace_ or len(units[-1]) < room


def _spans(doc: Doc) -> list[Span]:
    return list(doc.spans[SPANS_KEY]) if SPANS_KEY in doc.spans else list(doc.ents)


def _mentions(doc: Doc) -> set[tuple[int, int, str]]:
    return {(span.start_char, span.end_char, span.label_) for span in _spans(doc)}
