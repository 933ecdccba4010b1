"""Writer of column files: one token per line with its IOB2 tags, sentences separated by blank lines."""

from collections.abc import Iterable
from pathlib import Path

from spacy.tokens import Doc

from ...errors import BionerError, Errors, Warnings, check_setting, warn
from ...scope import SPANS_KEY
from ...tokenization import detokenize
from ..export import Annotated, Export, places_of_parts
from ..registry import get_format
from .reader import DOCSTART


def write(docs: Iterable[Doc], path: Path, *, spans_key: str = SPANS_KEY, columns: int = 1) -> tuple[int, int]:
    """Write a column file; every document is one sentence, under a line `-DOCSTART- (identifier)` where that changes.

    Columns are separated by tabs, tags are IOB2. Spans that overlap stand in several tag columns, the innermost in the
    first; those for which there are too few columns are left out with a warning. Tokens of whitespace are left out,
    and tokens with whitespace inside become several. The format has no room for scores and identifiers of concepts.

    Args:
        columns: number of tag columns.

    Raises:
        BionerError: a label has whitespace, a token is `-DOCSTART-`, or as for `Format.write`.
    """
    check_setting("columns", columns, "1 or more", columns >= 1)
    export = Export(path, get_format("iob"), spans_key, label=r"\S+", not_in_id=r"[\s()]")
    last_id, total, needed, lost = "", 0, columns, list[str]()

    def render(document: Annotated) -> str:
        nonlocal last_id, total, needed
        parts = [token.split() for token in document.tokens]
        tokens = [part for several in parts for part in several]
        if not tokens:
            return export.leave_out(document)
        if DOCSTART in tokens:
            raise BionerError(Errors.E164.format(doc_id=document.id, token=DOCSTART))
        read_again = detokenize(tokens)[0].split()
        spacing = "document's spacing, as its tokens are joined by rules|documents' spacing, as their tokens are joined by rules"
        export.lose(spacing, read_again != document.text.split())
        labels = (mention.label for mention in document.mentions)
        spans = [(start, end, label) for (start, end), label in zip(places_of_parts(document.places, parts), labels)]
        layers = to_layers(spans)
        total, needed = total + len(spans), max(needed, len(layers))
        lost.extend([document.id] * sum(map(len, layers[columns:])))
        tags = [_tags(layer, len(tokens)) for layer in layers[:columns]]
        tags += [["O"] * len(tokens)] * (columns - len(tags))
        rows = "".join("\t".join(row) + "\n" for row in zip(tokens, *tags))
        head = "" if document.id == last_id else f"{DOCSTART} ({document.id})\n\n"
        last_id = document.id
        return f"{head}{rows}\n"

    documents, mentions = export.write_file(docs, render)
    if lost:
        counts = {"count": len(lost), "total": total, "columns": columns, "needed": needed}
        warn(Warnings.W163.format(path=path, first=lost[0], **counts))
    return documents, mentions - len(lost)


def to_layers(spans: Iterable[tuple[int, int, str]]) -> list[list[tuple[int, int, str]]]:
    """Distribute spans over layers in which none overlap.

    Args:
        spans: first token, token after the last one and label.

    Returns:
        The layers; a span is in the first one in which it does not overlap a shorter span.
    """
    layers: list[list[tuple[int, int, str]]] = []
    for start, end, label in sorted(spans, key=lambda span: (span[1] - span[0], span)):
        for layer in layers:
            if all(end <= first or last <= start for first, last, _ in layer):
                layer.append((start, end, label))
                break
        else:
            layers.append([(start, end, label)])
    return layers


def _tags(layer: list[tuple[int, int, str]], length: int) -> list[str]:
    tags = ["O"] * length
    for start, end, label in layer:
        tags[start:end] = [f"B-{label}", *[f"I-{label}"] * (end - start - 1)]
    return tags
