"""A page of documents with gold and predicted mentions, including nested ones, drawn by displaCy.

displaCy's markup for spans puts a space after every token, cuts off labels of deep spans, overlaps labels of short
tokens and does not escape labels. Its templates are replaced here; the assignment of spans to levels is displaCy's.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from itertools import islice
from pathlib import Path
from typing import Any, Optional, Union

from markupsafe import Markup
from spacy import displacy
from spacy.language import Language
from spacy.tokens import Doc, Span, Token
from spacy.training import Example

from ..scope import ENTS, SPANS_KEY, get_doc_id, get_scope
from ..scoring.evaluate import corpus_files, describe, load_pipeline, make_doc, read_gold
from ..scoring.mentions import doc_mentions
from ..scoring.results import corpus_name, write_text
from .colors import color_of
from .html import render

MAX_TOKENS = 300
"""Maximum number of tokens shown per document; longer documents are cut, with a note."""

_NO_SPACE = "\0"  # Marks where displaCy must not put a space; never occurs in HTML.
_LABEL_WIDTH = 0.75  # width of a label's letter relative to the text's
_LINE_TOP, _LINE_STEP = 26, 17  # pixels from the top of a token to its first line, and between lines

_TEMPLATE = {
    "span": '<span class="token"><span class="text">{text}</span>{span_slices}{span_starts}</span>',
    "slice": '<span class="line" style="background:{bg};margin-top:{top_offset}px"></span>',
    "start": '<span class="label" style="background:{bg};margin-top:{top_offset}px">{label}</span>',
}


def predict_examples(
    nlp: Language,
    corpus_folder: Path,
    *,
    corpora: Optional[Sequence[str]] = None,
    split: str = "test",
    per_corpus: int = 5,
    spans_key: str = SPANS_KEY,
) -> dict[str, list[Example]]:
    """Predict the first documents with gold mentions of each corpus.

    Raises:
        BionerError: a corpus cannot be read.
    """
    shown = {}
    for corpus, path in corpus_files(corpus_folder, corpora, split).items():
        docs = read_gold(nlp, corpus, path, spans_key=spans_key)
        with_mentions = (doc for doc in docs if len(doc.spans[spans_key]))
        gold = list(islice(with_mentions, per_corpus))
        predicted = nlp.pipe(make_doc(nlp, doc.text, corpus) for doc in gold)
        shown[corpus] = [Example(*pair) for pair in zip(predicted, gold, strict=True)]
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
    spans_key: str = SPANS_KEY,
    predicted_key: Optional[str] = None,
) -> None:
    """Draw predictions for the first documents of each corpus as an HTML page.

    Args:
        pipeline: a loaded pipeline, or the folder or package name of one.

    Raises:
        BionerError: the pipeline or a corpus cannot be read, or documents are annotated under another key.
    """
    nlp = load_pipeline(pipeline, gpu_id=gpu_id)
    shown = predict_examples(
        nlp, corpus_folder, corpora=corpora, split=split, per_corpus=per_corpus, spans_key=spans_key
    )
    described = describe(nlp)
    title = f"{described.name} {described.version}, {split} split"
    write_text(path, render_page(shown, title=title, spans_key=spans_key, predicted_key=predicted_key))


def render_page(
    corpora: Mapping[str, Iterable[Example]],
    *,
    title: str,
    max_tokens: int = MAX_TOKENS,
    spans_key: str = SPANS_KEY,
    predicted_key: Optional[str] = None,
) -> str:
    """Draw documents as a self-contained HTML page.

    Args:
        max_tokens: maximum number of tokens shown of a document.

    Returns:
        The page. If gold and predicted mentions are the same, they are drawn once.

    Raises:
        BionerError: a document is annotated under another key.
    """
    keys = (spans_key, predicted_key or spans_key)
    types: set[str] = set()
    shown = []
    for corpus, documents in corpora.items():
        documents = list(documents)
        drawn = [_document(document, max_tokens, keys) for document in documents]
        of_each = Counter(one["name"] for one in drawn)
        numbers: Counter[str] = Counter()
        for one in drawn:
            if of_each[name := one["name"]] > 1:  # sentences of an article
                numbers[name] += 1
                one["name"] = f"{name}, part {numbers[name]}"
        shown.append((corpus_name(corpus), drawn))
        types.update(
            span.label_
            for one in documents
            for side in zip((one.reference, one.predicted), keys)
            for span in _spans(*side)
        )
    return render("displacy", title=title, types=[(name, color_of(name)) for name in sorted(types)], corpora=shown)


def render_texts(documents: Sequence[tuple[str, Doc]], *, title: str) -> str:
    """Draw the entities of annotated texts as a self-contained HTML page.

    Args:
        documents: name and document of each; whole documents are shown, with their `doc.ents`.
    """
    types = sorted({ent.label_ for _, doc in documents for ent in doc.ents})
    shown = [
        {"name": name, "scope": None, "sides": [("entities", *_draw(doc, list(doc.ents), len(doc)))]}
        for name, doc in documents
    ]
    colors = [(name, color_of(name)) for name in types]
    return render("displacy", title=title, types=colors, corpora=[("Texts", shown)])


def _document(document: Example, max_tokens: int, keys: tuple[str, str]) -> dict[str, Any]:
    """Name, annotation scope and drawings of one document."""
    gold, predicted = document.reference, document.predicted
    scope = get_scope(gold, keys[0])
    sides = [("gold", gold, keys[0]), ("predicted", predicted, keys[1])]
    # Raises if annotation is under another key.
    found = [doc_mentions(doc, key) or set() for _, doc, key in sides]
    if found[0] == found[1]:
        sides = [("gold and predicted are the same", predicted, keys[1])]
    return {
        "name": get_doc_id(gold, keys[0]) or "document",
        "scope": None if scope is None else sorted(scope),
        "sides": [(name, *_draw(doc, _spans(doc, key), max_tokens)) for name, doc, key in sides],
    }


def _draw(doc: Doc, every: Sequence[Span], max_tokens: int) -> tuple[Markup, str]:
    """Tokens and spans of a document, drawn by displaCy, cut after about `max_tokens` tokens; and a note if cut."""
    spans = [span for span in every if span.start < max_tokens]
    end = min(len(doc), max([max_tokens, *(span.end for span in spans)]))
    note = f"the first {end} of {len(doc)} tokens" if end < len(doc) else ""
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
    return Markup(markup.replace(f"{_NO_SPACE} ", "").replace(_NO_SPACE, "")), note


def _units(doc: Doc, spans: Sequence[Span], end: int) -> tuple[list[str], list[int]]:
    """Join tokens into units between which lines may break.

    Tokens inside the same spans are joined if there is no space between them ("NF-kappa"), or if they are shorter than
    their label ("T cells").

    Args:
        end: number of tokens to draw.

    Returns:
        The texts of the units, and for each token the index of its unit.
    """
    boundaries = {boundary for span in spans for boundary in (span.start, span.end)}
    covered = {index for span in spans for index in range(span.start, span.end)}
    crossed = {index for span in spans for index in range(span.start + 1, span.end)}  # a span crosses the boundary
    label_width: dict[int, float] = {}
    for span in spans:
        label_width[span.start] = max(label_width.get(span.start, 0.0), _LABEL_WIDTH * len(span.label_))
    units: list[str] = []
    unit_of: list[int] = []
    room = 0.0  # minimum length of a unit for its labels
    for token in doc[:end]:
        index = token.i
        if (
            index in boundaries
            or index not in covered
            or token.is_space
            or not _goes_with_previous(token, units, room)
        ):
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
    """Whether a token is joined with the previous one in the same spans."""
    if not units or token.nbor(-1).is_space:
        return False
    return not token.nbor(-1).whitespace_ or len(units[-1]) < room


def _spans(doc: Doc, key: str) -> list[Span]:
    return list(doc.spans[key] if key in doc.spans else doc.ents if key == ENTS else ())
