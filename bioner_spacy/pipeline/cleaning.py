"""Component `trf_data_cleaner`: removes the encoder's output (about 1.5 kB per token) from documents.

Unlike spaCy's `doc_cleaner`, it keeps `doc.tensor`, which `span.as_doc()`, `Doc.from_docs()`, `token.vector` and
others need.
"""

from collections.abc import Callable

from spacy.language import Language
from spacy.tokens import Doc


@Language.factory("trf_data_cleaner", assigns=["doc._.trf_data"])
def make_trf_data_cleaner(nlp: Language, name: str) -> Callable[[Doc], Doc]:
    """Construct the component. It has no settings and must come after all listeners of the transformer."""
    return clear_trf_data


def clear_trf_data(doc: Doc) -> Doc:
    """Remove the output of the transformer from a document, in place."""
    if Doc.has_extension("trf_data"):
        doc._.trf_data = None
    return doc
