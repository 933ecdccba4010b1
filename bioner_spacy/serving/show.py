"""`spacy bioner show`: show predicted entities in the terminal and as a page."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

from spacy.tokens import Doc

from ..formats import read_texts
from ..formats.documents import choose_input, parse_options, text_formats
from ..reports.displacy_html import render_texts
from ..scope import ENTS
from ..scoring.evaluate import describe, load_pipeline, make_doc
from ..scoring.results import write_text
from .mentions import Known


@dataclass(frozen=True)
class ShownText:
    """Entities of one text."""

    name: str  # identifier of the document, or its number
    title: str  # the beginning of its text
    # text, type and score (or None) of each entity of `doc.ents`, in order
    entities: list[tuple[str, str, Optional[float]]]


def show(
    pipeline: str,
    source: Path,
    output: Optional[Path] = None,
    *,
    input_format: Optional[str] = None,
    options: str = "",
    guideline: Optional[str] = None,
    most: int = 20,
    gpu_id: int = -1,
) -> Iterator[ShownText]:
    """Annotate some texts, and draw them as an HTML page.

    Args:
        pipeline: folder or package name of the pipeline.
        source: the texts, in any format.
        output: HTML file to write; None for none. It is written after the last text.
        input_format: see `apply`.
        guideline: corpus whose guideline to follow; None for none.
        most: maximum number of texts.

    Yields:
        The entities of each text that is not blank.

    Raises:
        BionerError: no component of the pipeline was trained on the corpus of the guideline.
    """
    reader = choose_input("input_format", input_format, source, allowed=text_formats())
    reading = parse_options(options, reader)
    nlp = load_pipeline(pipeline, gpu_id=gpu_id)
    Known.of(nlp).require(guideline=guideline)
    shown: list[tuple[str, Doc]] = []
    for number, document in enumerate(read_texts(reader, source, **reading), start=1):
        if not document.text.strip():
            continue
        if len(shown) == most:
            break
        doc = nlp(make_doc(nlp, document.text, guideline))
        name = document.doc_id or str(number)
        shown.append((name, doc))
        entities = [(ent.text, ent.label_, score) for ent, score in zip(doc.ents, doc._.span_scores[ENTS])]
        yield ShownText(name, document.text.strip().partition("\n")[0], entities)
    if output is not None:
        described = describe(nlp)
        write_text(output, render_texts(shown, title=f"{described.name} {described.version}"))
