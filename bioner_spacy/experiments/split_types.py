"""Split a corpus of several entity types into parts annotated for one type each."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy
import spacy
from spacy.language import Language
from spacy.tokens import Doc, Span

from ..docbin import write_docs
from ..errors import BionerError, Errors
from ..files import replacing
from ..scope import SPANS_KEY, get_doc_id, get_scope, set_gold
from ..training.corpora import MultiCorpus

Annotated = tuple[Doc, list[Span], frozenset[str]]  # a document, its gold spans and its annotation scope


def split_types(training: MultiCorpus, development: MultiCorpus, corpus: str, output: Path, *, seed: int) -> list[str]:
    """Split the training documents of a corpus by type, and keep in each part only annotation of its type.

    Every part gets an equal number of random source documents; records of one document stay together. Part k keeps
    gold spans and annotation scope of type k only. Development data of each part are all documents of `development`,
    reduced in the same way.

    Args:
        corpus: name of the corpus; the parts are named `<corpus>-<TYPE>`.
        output: folder of the parts, `<part>/train.spacy` and `<part>/devel.spacy`; replaced as a whole.

    Returns:
        Names of the parts, sorted.

    Raises:
        BionerError: the corpus annotates fewer than two types, or has fewer documents than types.
    """
    nlp = spacy.blank("en")
    train, devel = _read(training, nlp), _read(development, nlp)
    types = sorted({entity_type for _, _, scope in train for entity_type in scope})
    if len(types) < 2:
        raise BionerError(Errors.E606.format(corpus=corpus, types=", ".join(types) or "none"))
    parts = {f"{corpus}-{entity_type}": entity_type for entity_type in types}
    dealt = _deal(train, len(types), seed)
    if not all(dealt):
        raise BionerError(Errors.E607.format(corpus=corpus, types=len(types)))
    with replacing(output, folders=True) as [folder]:
        for (part, entity_type), documents in zip(parts.items(), dealt):
            (folder / part).mkdir(parents=True)
            for split, annotated in (("train", documents), ("devel", devel)):
                write_docs(_reduced(annotated, part, entity_type), folder / part / f"{split}.spacy", nlp.vocab)
    return sorted(parts)


def _read(reader: MultiCorpus, nlp: Language) -> list[Annotated]:
    found = []
    for example in reader(nlp):
        doc = example.reference
        found.append((doc, list(doc.spans.get(SPANS_KEY, ())), get_scope(doc) or frozenset()))
    return found


def _deal(annotated: Sequence[Annotated], n_parts: int, seed: int) -> list[list[Annotated]]:
    """Documents of each part, in order."""
    groups: dict[object, list[int]] = {}
    for number, (doc, _, _) in enumerate(annotated):
        groups.setdefault(get_doc_id(doc) or number, []).append(number)
    sources = list(groups.values())
    order = numpy.random.default_rng(seed).permutation(len(sources))
    return [
        [annotated[i] for i in sorted(number for source in order[k::n_parts] for number in sources[source])]
        for k in range(n_parts)
    ]


def _reduced(annotated: Sequence[Annotated], corpus: str, entity_type: str) -> Iterator[Doc]:
    for doc, spans, scope in annotated:
        kept = [span for span in spans if span.label_ == entity_type]
        set_gold(doc, kept, corpus=corpus, scope=scope & {entity_type}, doc_id=get_doc_id(doc))
        yield doc
