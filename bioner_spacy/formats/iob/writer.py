"""Writer of column files: one token per line with its IOB2 tags, sentences separated by blank lines."""

from collections.abc import Iterable
from pathlib import Path

from spacy.tokens import Doc

from ...errors import BionerError, Errors, Warnings, check_setting, warn
from ...scope import SPANS_KEY
from ...tokenization import detokenize
from ..export import Annotated, Export, places_of_parts
from ..format import Format
from .reader import DOCSTART


def write(
    format: Format, docs: Iterable[Doc], path: Path, spans_key: str = SPANS_KEY, columns: int = 1
) -> tuple[int, int]:
    """Write a column file; see `bioner_spacy.formats.iob.write`."""
    check_setting("columns", columns, "1 or more", columns >= 1)
    export = Export(path, format, spans_key, label=r"\S+", not_in_id=r"[\s()]")
    sentences = _Sentences(export, columns)
    documents, mentions = export.write_file(docs, sentences.render)
    sentences.finish()
    return documents, mentions - len(sentences.lost)


class _Sentences:
    """Makes the sentences of one file, and counts the spans that do not fit into its columns."""

    def __init__(self, export: Export, columns: int) -> None:
        self.export = export
        self.columns = columns
        self.doc_id = ""
        self.total = 0
        self.lost: list[str] = []
        self.needed = columns

    def render(self, document: Annotated) -> str:
        parts = [token.split() for token in document.tokens]
        tokens = [part for several in parts for part in several]
        if not tokens:
            return self.export.leave_out(document)
        if DOCSTART in tokens:
            raise BionerError(Errors.E164.format(doc_id=document.id, token=DOCSTART))
        read_again = detokenize(tokens)[0].split()
        self.export.lose(
            "documents' spacing, as their tokens are joined by rules", read_again != document.text.split()
        )
        labels = (mention.label for mention in document.mentions)
        spans = [(start, end, label) for (start, end), label in zip(places_of_parts(document.places, parts), labels)]
        layers = to_layers(spans)
        self._count(layers, document.id)
        tags = [_tags(layer, len(tokens)) for layer in layers[: self.columns]]
        tags += [["O"] * len(tokens)] * (self.columns - len(tags))
        rows = "".join("\t".join(row) + "\n" for row in zip(tokens, *tags))
        head = "" if document.id == self.doc_id else f"{DOCSTART} ({document.id})\n\n"
        self.doc_id = document.id
        return f"{head}{rows}\n"

    def finish(self) -> None:
        if self.lost:
            counts = {"count": len(self.lost), "total": self.total, "columns": self.columns, "needed": self.needed}
            warn(Warnings.W163.format(path=self.export.path, first=self.lost[0], **counts))

    def _count(self, layers: list[list[tuple[int, int, str]]], doc_id: str) -> None:
        self.total += sum(map(len, layers))
        self.needed = max(self.needed, len(layers))
        self.lost += [doc_id] * sum(map(len, layers[self.columns :]))


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
